import type { Firestore } from '@google-cloud/firestore';
import { auditEntrySchema, collections, paths } from '../contracts/documents.ts';
import { matchQualityDaySchema, matchQualityModelSchema, matchQualitySchema } from '../contracts/quality-documents.ts';
import type { MatchQuality, MatchQualityDay, MatchQualityModel, PolledEvent } from '../contracts/quality-documents.ts';
import { readDocument } from './firestore.ts';

/** How long polls are kept: a year and a month, so that a season can be held against the one before. */
const retentionMs = 400 * 24 * 60 * 60_000;

/** What was changed, by whom, as the audit trail tells it. */
export interface AuditedChange {
  readonly at: string;
  readonly action: string;
  readonly actor: string;
}

/** Changes that can move match quality; the audit trail holds many that cannot. */
const relevantActions: ReadonlySet<string> = new Set([
  'relay-settings-changed',
  'relay-key-issued',
  'relay-key-rotated',
  'relay-key-revoked',
  'relay-held',
  'relay-resumed',
  'tenant-changed',
]);

/** Match quality per tenant: today's picture, the polls it is made of, and the predictor's weights. */
export class MatchQualityStore {
  readonly #db: Firestore;

  constructor(db: Firestore) {
    this.#db = db;
  }

  async read(tenantId: string): Promise<MatchQuality | undefined> {
    return readDocument(await this.#db.doc(paths.matchQuality(tenantId)).get(), matchQualitySchema);
  }

  async write(picture: MatchQuality): Promise<void> {
    await this.#db.doc(paths.matchQuality(picture.tenantId)).set(picture);
  }

  /** A tenant that is live no more is polled no more; what was polled stays until it expires or is erased. */
  async forget(tenantId: string): Promise<void> {
    await this.#db.doc(paths.matchQuality(tenantId)).delete();
  }

  /** Begins a tenant's history, unless it has begun. */
  async begin(picture: MatchQuality): Promise<void> {
    await this.#db.runTransaction(async (transaction) => {
      const reference = this.#db.doc(paths.matchQuality(picture.tenantId));
      if (!(await transaction.get(reference)).exists) transaction.create(reference, picture);
    });
  }

  /** Tenants whose poll is due, the longest overdue first. */
  async due(at: Date, limit: number): Promise<MatchQuality[]> {
    const rows = await this.#db
      .collection(collections.matchQuality)
      .where('nextPollAt', '<=', at.toISOString())
      .orderBy('nextPollAt')
      .limit(limit)
      .get();
    return rows.docs.flatMap((row) => readDocument(row, matchQualitySchema) ?? []);
  }

  /** Every tenant's picture, a page at a time. */
  async *all(pageSize = 100): AsyncGenerator<MatchQuality> {
    const ordered = this.#db.collection(collections.matchQuality).orderBy('tenantId').limit(pageSize);
    for (let page = await ordered.get(); !page.empty;) {
      for (const row of page.docs) {
        const picture = readDocument(row, matchQualitySchema);
        if (picture !== undefined) yield picture;
      }
      if (page.size < pageSize) return;
      page = await ordered.startAfter(page.docs.at(-1)?.get('tenantId')).get();
    }
  }

  /** Keeps a poll under the time it was due, so that a poll made twice is kept once. */
  async keepPoll(
    tenantId: string,
    dueAt: Date,
    poll: { readonly at: string; readonly events: Readonly<Record<string, PolledEvent>> },
  ): Promise<void> {
    const due = dueAt.toISOString();
    const date = due.slice(0, 10);
    const key = due.slice(11, 16).replace(':', '');
    const expireAt = new Date(dueAt.getTime() + retentionMs);
    await this.#db
      .doc(paths.matchQualityDay(tenantId, date))
      .set({ tenantId, date, polls: { [key]: poll }, expireAt }, { merge: true });
  }

  /** The days from `date` (yyyy-mm-dd) on, in order. */
  async daysSince(tenantId: string, date: string): Promise<MatchQualityDay[]> {
    const rows = await this.#db
      .collection(paths.matchQualityDays(tenantId))
      .where('date', '>=', date)
      .orderBy('date')
      .get();
    return rows.docs.flatMap((row) => readDocument(row, matchQualityDaySchema) ?? []);
  }

  /** What was changed since an instant that can move match quality. */
  async changesSince(tenantId: string, since: Date): Promise<AuditedChange[]> {
    const rows = await this.#db
      .collection(paths.audit(tenantId))
      .where('at', '>=', since.toISOString())
      .orderBy('at')
      .get();
    return rows.docs.flatMap((row) => {
      const entry = readDocument(row, auditEntrySchema);
      if (entry === undefined || entry.actor === null || !relevantActions.has(entry.action)) return [];
      return [{ at: entry.at, action: entry.action, actor: entry.actor }];
    });
  }

  async readModel(): Promise<MatchQualityModel | undefined> {
    return readDocument(await this.#db.doc(paths.matchQualityModel()).get(), matchQualityModelSchema);
  }

  async writeModel(model: MatchQualityModel): Promise<void> {
    await this.#db.doc(paths.matchQualityModel()).set(model);
  }
}
