import type { Firestore } from '@google-cloud/firestore';
import { collections, paths, stepSchema, tenantSchema } from '../contracts/documents.ts';
import { deletionRequestSchema } from '../contracts/issue-documents.ts';
import type { DeletionRequest } from '../contracts/issue-documents.ts';
import { eraseAuditContent, openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';

/**
 * What Kobi keeps of the person who connected a tenant: Meta's app-scoped id of them, and their token. Page, Instagram
 * account and all the rest are the business's (README, *Decisions*).
 */
export class PersonStore {
  readonly #db: Firestore;
  readonly #now: () => Date;

  constructor(db: Firestore, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  /** The tenants whose connection is this person's. */
  async tenantsOf(metaUserId: string): Promise<string[]> {
    const rows = await this.#db.collection(collections.tenants).where('connection.metaUserId', '==', metaUserId).get();
    return rows.docs.map(({ id }) => id);
  }

  /** The person took the app off: the tenant waits for its client to connect again. Done again, it changes nothing. */
  async markDeauthorized(tenantId: string, metaUserId: string): Promise<void> {
    const at = this.#now().toISOString();
    await this.#db.runTransaction(async (transaction) => {
      const reference = this.#db.doc(paths.tenant(tenantId));
      const tenant = readDocument(await transaction.get(reference), tenantSchema);
      const connection = tenant?.connection;
      if (!connection || connection.metaUserId !== metaUserId || connection.deauthorizedAt) return;
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'tenant');
      transaction.update(reference, { 'connection.deauthorizedAt': at });
      const detail = { number: connection.number };
      audit.append({ at, actor: 'client', action: 'deauthorized', subject: tenantId, detail });
    });
  }

  /** Takes the person out of the tenant's documents and its audit trail, which goes on to verify. Safe to repeat. */
  async forget(tenantId: string, metaUserId: string): Promise<void> {
    const at = this.#now().toISOString();
    const why = 'the person asked Meta for the deletion of their data';
    const names = (value: unknown): boolean => JSON.stringify(value).includes(`"${metaUserId}"`);
    await eraseAuditContent(this.#db, tenantId, { at, actor: 'meta-webhook', why }, ({ detail }) => names(detail));
    const runs = await this.#db.doc(paths.tenant(tenantId)).collection('runs').get();
    for (const run of runs.docs) {
      for (const row of (await run.ref.collection('steps').get()).docs) {
        const record = readDocument(row, stepSchema);
        const products = record?.products;
        if (products && products['metaUserId'] === metaUserId) {
          await row.ref.update({ 'products.metaUserId': '' });
        }
      }
    }
    // Last, because by it the tenant is found again should this be cut off.
    await this.#db.runTransaction(async (transaction) => {
      const reference = this.#db.doc(paths.tenant(tenantId));
      const tenant = readDocument(await transaction.get(reference), tenantSchema);
      if (tenant?.connection?.metaUserId !== metaUserId) return;
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'tenant');
      transaction.update(reference, { 'connection.metaUserId': null });
      audit.append({ at, actor: 'client', action: 'person-forgotten', subject: tenantId, detail: {} });
    });
  }

  async readRequest(confirmationCode: string): Promise<DeletionRequest | undefined> {
    return readDocument(await this.#db.doc(paths.deletionRequest(confirmationCode)).get(), deletionRequestSchema);
  }

  /** Opens a request under its code, once. */
  async openRequest(confirmationCode: string): Promise<void> {
    const reference = this.#db.doc(paths.deletionRequest(confirmationCode));
    await this.#db.runTransaction(async (transaction) => {
      if ((await transaction.get(reference)).exists) return;
      const requestedAt = this.#now().toISOString();
      const request: DeletionRequest = { confirmationCode, state: 'received', requestedAt, finishedAt: null };
      transaction.create(reference, request);
    });
  }

  async closeRequest(confirmationCode: string): Promise<void> {
    const finishedAt = this.#now().toISOString();
    await this.#db.doc(paths.deletionRequest(confirmationCode)).update({ state: 'done', finishedAt });
  }
}
