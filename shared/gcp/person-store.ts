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
  async openRequest(confirmationCode: string, metaUserId: string): Promise<void> {
    const reference = this.#db.doc(paths.deletionRequest(confirmationCode));
    await this.#db.runTransaction(async (transaction) => {
      if ((await transaction.get(reference)).exists) return;
      const requestedAt = this.#now().toISOString();
      const finishedAt = null;
      const request: DeletionRequest = { confirmationCode, state: 'received', requestedAt, finishedAt, metaUserId };
      transaction.create(reference, request);
    });
  }

  /**
   * Carries a request out: the person's tokens and Meta's id of them are gone when it resolves, and the request names
   * nobody any more. Safe to repeat, and to go on with after a crash. Returns the tenants they had connected.
   */
  async carryOut(
    { confirmationCode, metaUserId }: { readonly confirmationCode: string; readonly metaUserId: string },
    destroyUserToken: (tenantId: string) => Promise<void>,
  ): Promise<string[]> {
    const tenantIds = await this.tenantsOf(metaUserId);
    for (const tenantId of tenantIds) {
      await this.markDeauthorized(tenantId, metaUserId);
      await destroyUserToken(tenantId);
      await this.forget(tenantId, metaUserId);
    }
    const done = { state: 'done', finishedAt: this.#now().toISOString(), metaUserId: null } as const;
    await this.#db.doc(paths.deletionRequest(confirmationCode)).update(done);
    return tenantIds;
  }

  /** Requests that were taken before this instant and never carried out to their end. */
  async leftOver(before: Date, limit: number): Promise<{ confirmationCode: string; metaUserId: string }[]> {
    const rows = await this.#db
      .collection(collections.deletionRequests)
      .where('state', '==', 'received')
      .limit(limit)
      .get();
    return rows.docs.flatMap((row) => {
      const request = readDocument(row, deletionRequestSchema);
      if (request?.metaUserId == null || request.requestedAt >= before.toISOString()) return [];
      return [{ confirmationCode: request.confirmationCode, metaUserId: request.metaUserId }];
    });
  }
}
