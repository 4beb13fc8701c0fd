import type { Firestore, Query } from '@google-cloud/firestore';
import { collections } from '../contracts/documents.ts';
import { datasetSchema } from '../contracts/relay-documents.ts';
import type { Dataset, RelaySettings } from '../contracts/relay-documents.ts';
import { openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';

/** The settings of a tenant and the datasets they are in force for. */
export interface SettingsOfTenant {
  readonly datasetIds: readonly string[];
  readonly settings: RelaySettings;
}

/** Fields that change; the others stay. */
export type SettingsChanges = { readonly [Field in keyof RelaySettings]?: RelaySettings[Field] | undefined };

/** How each tenant wants its events treated: kept with its datasets, where the relay reads them without another look. */
export class RelaySettingsStore {
  readonly #db: Firestore;
  readonly #now: () => Date;

  constructor(db: Firestore, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  /** Undefined when the tenant has no dataset. */
  async read(tenantId: string): Promise<SettingsOfTenant | undefined> {
    return settingsOf(datasetsIn(await this.#datasetsOf(tenantId).get()));
  }

  /**
   * Changes the settings of all datasets of a tenant at once, and writes what was and what is into its audit trail.
   * Changes that change nothing write nothing. Undefined when the tenant has no dataset.
   */
  async change(tenantId: string, changes: SettingsChanges, actor: string): Promise<SettingsOfTenant | undefined> {
    return this.#db.runTransaction(async (transaction) => {
      const page = await transaction.get(this.#datasetsOf(tenantId));
      const before = settingsOf(datasetsIn(page));
      if (before === undefined) return undefined;
      const settings = { ...before.settings, ...withoutUndefined(changes) };
      const changed = (Object.keys(changes) as (keyof RelaySettings)[]).filter(
        (field) => JSON.stringify(before.settings[field]) !== JSON.stringify(settings[field]),
      );
      if (changed.length === 0) return before;
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'relay-settings');
      for (const snapshot of page.docs) transaction.update(snapshot.ref, { settings });
      audit.append({
        at: this.#now().toISOString(),
        actor,
        action: 'relay-settings-changed',
        subject: tenantId,
        detail: { before: only(before.settings, changed), after: only(settings, changed) },
      });
      return { ...before, settings };
    });
  }

  #datasetsOf(tenantId: string): Query {
    return this.#db.collection(collections.datasets).where('tenantId', '==', tenantId);
  }
}

function datasetsIn(page: FirebaseFirestore.QuerySnapshot): Dataset[] {
  return page.docs.flatMap((snapshot) => readDocument(snapshot, datasetSchema) ?? []);
}

function settingsOf(datasets: readonly Dataset[]): SettingsOfTenant | undefined {
  const [first] = datasets;
  return first && { datasetIds: datasets.map(({ datasetId }) => datasetId), settings: first.settings };
}

function withoutUndefined(changes: SettingsChanges): Partial<RelaySettings> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

function only(settings: RelaySettings, fields: readonly (keyof RelaySettings)[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field, settings[field]]));
}
