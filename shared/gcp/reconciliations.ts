import type { Firestore } from '@google-cloud/firestore';
import { paths } from '../contracts/documents.ts';
import { ga4StateSchema, reconciliationSchema } from '../contracts/report-documents.ts';
import type { Ga4State, ReconciliationRecord } from '../contracts/report-documents.ts';
import { readDocument } from './firestore.ts';

/** A tenant's GA4 property and how its comparison stands, and the weeks compared so far. */
export class Reconciliations {
  readonly #db: Firestore;

  constructor(db: Firestore) {
    this.#db = db;
  }

  async state(tenantId: string): Promise<Ga4State | undefined> {
    return readDocument(await this.#db.doc(paths.ga4State(tenantId)).get(), ga4StateSchema);
  }

  async setState(tenantId: string, state: Ga4State): Promise<void> {
    await this.#db.doc(paths.ga4State(tenantId)).set(state);
  }

  async week(tenantId: string, week: string): Promise<ReconciliationRecord | undefined> {
    return readDocument(await this.#db.doc(paths.reconciliation(tenantId, week)).get(), reconciliationSchema);
  }

  /** The weeks before one, oldest first, at most `limit`. */
  async before(tenantId: string, week: string, limit: number): Promise<ReconciliationRecord[]> {
    const rows = await this.#db
      .collection(paths.reconciliations(tenantId))
      .where('week', '<', week)
      .orderBy('week', 'desc')
      .limit(limit)
      .get();
    return rows.docs.flatMap((row) => readDocument(row, reconciliationSchema) ?? []).toReversed();
  }

  async save(record: ReconciliationRecord): Promise<void> {
    await this.#db.doc(paths.reconciliation(record.tenantId, record.week)).set(record);
  }
}
