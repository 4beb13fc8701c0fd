import type { Firestore } from '@google-cloud/firestore';
import { catalogHealthSchema, productSetsSchema } from '../contracts/catalog-documents.ts';
import type { CatalogHealth, ProductSets } from '../contracts/catalog-documents.ts';
import { paths } from '../contracts/documents.ts';
import { openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';

/** How each tenant's catalog fares, a person's override of its launch gate, and the product sets it is to have. */
export class CatalogHealthStore {
  readonly #db: Firestore;
  readonly #now: () => Date;

  constructor(db: Firestore, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  async read(tenantId: string): Promise<CatalogHealth | undefined> {
    return readDocument(await this.#db.doc(paths.catalogHealth(tenantId)).get(), catalogHealthSchema);
  }

  /** Writes what a check found. An override made meanwhile stays. */
  async write(health: Omit<CatalogHealth, 'override'>): Promise<CatalogHealth> {
    const reference = this.#db.doc(paths.catalogHealth(health.tenantId));
    return this.#db.runTransaction(async (transaction) => {
      const before = readDocument(await transaction.get(reference), catalogHealthSchema);
      const after: CatalogHealth = { ...health, override: before?.override ?? null };
      transaction.set(reference, after);
      return after;
    });
  }

  /** Sets or ends (null) the override of a gate. Audited. Undefined when the catalog was never checked. */
  async setOverride(
    tenantId: string,
    actor: string,
    override: { readonly reason: string; readonly expiresAt: string } | null,
  ): Promise<CatalogHealth | undefined> {
    const at = this.#now().toISOString();
    const reference = this.#db.doc(paths.catalogHealth(tenantId));
    return this.#db.runTransaction(async (transaction) => {
      const health = readDocument(await transaction.get(reference), catalogHealthSchema);
      if (health === undefined) return undefined;
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'catalog');
      const after: CatalogHealth = { ...health, override: override && { ...override, actor, at } };
      transaction.set(reference, after);
      audit.append({
        at,
        actor,
        action: override === null ? 'launch-gate-override-ended' : 'launch-gate-overridden',
        subject: tenantId,
        detail: { gate: health.gate.state, ...override },
      });
      return after;
    });
  }

  async readSets(tenantId: string): Promise<ProductSets | undefined> {
    return readDocument(await this.#db.doc(paths.productSets(tenantId)).get(), productSetsSchema);
  }

  /** Says which product sets a tenant is to have. Audited. */
  async writeSets(tenantId: string, actor: string, sets: ProductSets['sets']): Promise<ProductSets> {
    const at = this.#now().toISOString();
    const wanted: ProductSets = { tenantId, sets, updatedAt: at, updatedBy: actor };
    await this.#db.runTransaction(async (transaction) => {
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'catalog');
      transaction.set(this.#db.doc(paths.productSets(tenantId)), wanted);
      audit.append({
        at,
        actor,
        action: 'product-sets-changed',
        subject: tenantId,
        detail: { sets: sets.map(({ key, name }) => ({ key, name })) },
      });
    });
    return wanted;
  }
}
