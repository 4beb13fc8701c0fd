import type { Firestore } from '@google-cloud/firestore';
import { collections, paths, tenantSchema } from '../contracts/documents.ts';
import type { OutboxMessage } from '../contracts/documents.ts';
import { driftSchema } from '../contracts/drift-documents.ts';
import type { Drift } from '../contracts/drift-documents.ts';
import { acceptancesAfter, differencesAfter, driftItemNames, driftItems, heldAgainst } from '../domain/drift.ts';
import type { Differences, DriftItemName, Observations } from '../domain/drift.ts';
import type { AlertFacts, AlertStore } from './alert-store.ts';
import { openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';

export interface AcceptanceWish {
  /** What Meta has, as the person saw it. */
  readonly found: string;
  readonly reason: string;
  readonly actor: string;
  readonly traceparent: string;
}

export type DriftAccepted =
  | { readonly kind: 'accepted' | 'none'; readonly messages: readonly OutboxMessage[] }
  | { readonly kind: 'changed'; readonly found: string; readonly messages: readonly [] };

/** Where Meta has something else than we recorded, per tenant, and the one alert that tells it. */
export class DriftStore {
  readonly #db: Firestore;
  readonly #alerts: Pick<AlertStore, 'open'>;
  readonly #now: () => Date;

  constructor(options: { db: Firestore; alerts: Pick<AlertStore, 'open'>; now: () => Date }) {
    this.#db = options.db;
    this.#alerts = options.alerts;
    this.#now = options.now;
  }

  async read(tenantId: string): Promise<Drift | undefined> {
    return readDocument(await this.#db.doc(paths.drift(tenantId)).get(), driftSchema);
  }

  /** Takes a live tenant in, to be looked at first at `firstCheckAt`. False: it is in already, or not live any more. */
  async begin(tenantId: string, firstCheckAt: Date): Promise<boolean> {
    return this.#db.runTransaction(async (transaction) => {
      const reference = this.#db.doc(paths.drift(tenantId));
      const [known, tenant] = await transaction.getAll(reference, this.#db.doc(paths.tenant(tenantId)));
      if (known?.exists !== false || !tenant || readDocument(tenant, tenantSchema)?.status !== 'live') return false;
      const nextCheckAt = firstCheckAt.toISOString();
      const begun: Drift = { tenantId, nextCheckAt, checkedAt: null, differences: {}, accepted: {}, unknown: [] };
      transaction.create(reference, begun);
      return true;
    });
  }

  /** Tenants whose time has come, the longest overdue first. */
  async due(at: Date, limit: number): Promise<Drift[]> {
    const rows = await this.#db
      .collection(collections.drift)
      .where('nextCheckAt', '<=', at.toISOString())
      .orderBy('nextCheckAt')
      .limit(limit)
      .get();
    return rows.docs.flatMap((row) => readDocument(row, driftSchema) ?? []);
  }

  /**
   * Records one look together with its alert, raised, kept up to date or resolved. A tenant that was erased meanwhile is
   * left erased. Returns the messages to hand to `Outbox.deliver`.
   */
  async record(
    tenantId: string,
    { observations, nextCheckAt }: { readonly observations: Observations; readonly nextCheckAt: Date },
    traceparent: string,
  ): Promise<{ readonly differences: Differences; readonly messages: readonly OutboxMessage[] }> {
    const at = this.#now().toISOString();
    return this.#db.runTransaction(async (transaction) => {
      const reference = this.#db.doc(paths.drift(tenantId));
      const known = readDocument(await transaction.get(reference), driftSchema);
      if (known === undefined) return { differences: {}, messages: [] };
      const alert = await this.#alerts.open(transaction, tenantId, 'drift');
      const accepted = acceptancesAfter(known.accepted, observations);
      const differences = differencesAfter(known.differences, heldAgainst(accepted, observations), at);
      const looked: Drift = {
        tenantId,
        nextCheckAt: nextCheckAt.toISOString(),
        checkedAt: at,
        differences,
        accepted,
        unknown: driftItemNames.filter((item) => observations[item] === 'unknown'),
      };
      transaction.set(reference, looked);
      const facts = alertOf(tenantId, differences);
      const messages = facts === undefined ? alert.resolve('auto', traceparent) : alert.raise(facts, traceparent);
      return { differences, messages };
    });
  }

  /**
   * A person decides that what Meta has is right, and why. From then on it is what is expected; what we recorded stays as
   * it is, and a change of that (another plan) ends the acceptance. `changed`: Meta had something else when it was asked
   * last than the person saw.
   */
  async accept(
    tenantId: string,
    item: DriftItemName,
    { actor, found, reason, traceparent }: AcceptanceWish,
  ): Promise<DriftAccepted> {
    const at = this.#now().toISOString();
    return this.#db.runTransaction(async (transaction): Promise<DriftAccepted> => {
      const reference = this.#db.doc(paths.drift(tenantId));
      const known = readDocument(await transaction.get(reference), driftSchema);
      const earlier = known?.accepted[item];
      const difference = known?.differences[item];
      if (known === undefined || difference === undefined) {
        return { kind: earlier?.found === found ? 'accepted' : 'none', messages: [] };
      }
      if (difference.found !== found) return { kind: 'changed', found: difference.found, messages: [] };
      const alert = await this.#alerts.open(transaction, tenantId, 'drift');
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'tenant');
      // Accepted before, and changed again since: the record itself is still the first.
      const recorded = earlier?.recorded ?? difference.expected;
      const { [item]: _over, ...differences } = known.differences;
      const accepted = { ...known.accepted, [item]: { recorded, found, by: actor, at, reason } };
      transaction.set(reference, { ...known, differences, accepted });
      audit.append({
        at,
        actor,
        action: 'difference-accepted',
        subject: item,
        detail: { reason, was: difference.expected, is: found },
      });
      const facts = alertOf(tenantId, differences);
      return {
        kind: 'accepted',
        messages: facts === undefined ? alert.resolve(actor, traceparent) : alert.raise(facts, traceparent),
      };
    });
  }

  /** Not looked at now: again at `nextCheckAt`, and everything else stays as it was. */
  async postpone(tenantId: string, nextCheckAt: Date): Promise<void> {
    await this.#db.runTransaction(async (transaction) => {
      const reference = this.#db.doc(paths.drift(tenantId));
      if (!(await transaction.get(reference)).exists) return;
      transaction.update(reference, { nextCheckAt: nextCheckAt.toISOString() });
    });
  }

  /** A tenant that is live no more is looked at no more, and nothing is to be told of it. */
  async forget(tenantId: string, traceparent: string): Promise<readonly OutboxMessage[]> {
    return this.#db.runTransaction(async (transaction) => {
      const alert = await this.#alerts.open(transaction, tenantId, 'drift');
      transaction.delete(this.#db.doc(paths.drift(tenantId)));
      return alert.resolve('auto', traceparent);
    });
  }
}

/** One alert for all differences of a tenant, in words fit to show. */
function alertOf(tenantId: string, differences: Differences): AlertFacts | undefined {
  const rows = driftItemNames.flatMap((item) => {
    const difference = differences[item];
    return difference === undefined ? [] : [{ item, ...driftItems[item], ...difference }];
  });
  if (rows.length === 0) return undefined;
  const sentences = rows.map(
    ({ expected, found, title, what }) => `The ${title} is ${found} at Meta; recorded is ${expected}. ${what}`,
  );
  return {
    tenantId,
    kind: 'drift',
    severity: rows.some(({ severity }) => severity === 'page') ? 'page' : 'notice',
    summary: sentences.join(' '),
    detail: { differences: rows.map(({ item, since, expected, found }) => ({ item, since, expected, found })) },
  };
}
