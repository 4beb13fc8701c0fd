import type { DocumentReference, Firestore } from '@google-cloud/firestore';
import type { AlertKind } from '../contracts/alert-documents.ts';
import { catalogSchema } from '../contracts/catalog-documents.ts';
import type { Catalog, FeedRequest, Sync } from '../contracts/catalog-documents.ts';
import { paths } from '../contracts/documents.ts';
import type { OutboxMessage } from '../contracts/documents.ts';
import type { AlertFacts, AlertStore } from './alert-store.ts';
import { openAuditStream } from './audit-trail.ts';
import type { AuditFacts } from './audit-trail.ts';
import { readDocument } from './firestore.ts';

/** A worker that did not renew its lease for this long is taken for dead. */
export const catalogLeaseMs = 60_000;

/** The right to work on a tenant's catalog, for as long as nobody else has it. */
export interface CatalogLease {
  readonly tenantId: string;
  readonly owner: string;
}

/** Another worker has the catalog: this one's lease ended, and nothing it meant to write was written. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** What changes with the catalog in one transaction. */
export interface CatalogChange {
  readonly catalog: Catalog;
  readonly raise?: Omit<AlertFacts, 'tenantId'>;
  readonly resolve?: readonly AlertKind[];
  readonly audit?: Omit<AuditFacts, 'at' | 'subject'>;
}

/** The document of each tenant's catalog: which feed is in hand, and who works on it. */
export class CatalogStore {
  readonly #db: Firestore;
  readonly #alerts: AlertStore;
  readonly #now: () => Date;

  constructor(options: { db: Firestore; alerts: AlertStore; now: () => Date }) {
    this.#db = options.db;
    this.#alerts = options.alerts;
    this.#now = options.now;
  }

  async read(tenantId: string): Promise<Catalog | undefined> {
    return readDocument(await this.#doc(tenantId).get(), catalogSchema);
  }

  /** Takes the lease. `busy`: another worker has it, until then at the latest. `none`: there is no catalog. */
  async lease(
    tenantId: string,
    owner: string,
  ): Promise<
    | { readonly kind: 'leased'; readonly lease: CatalogLease; readonly catalog: Catalog }
    | { readonly kind: 'busy'; readonly until: Date }
    | { readonly kind: 'none' }
  > {
    const now = this.#now();
    return this.#db.runTransaction(async (transaction) => {
      const catalog = readDocument(await transaction.get(this.#doc(tenantId)), catalogSchema);
      if (catalog === undefined) return { kind: 'none' };
      if (catalog.lease !== null && catalog.lease.until > now.toISOString()) {
        return { kind: 'busy', until: new Date(catalog.lease.until) };
      }
      const lease = { owner, until: this.#leaseEnd() };
      transaction.update(this.#doc(tenantId), { lease });
      return { kind: 'leased', lease: { tenantId, owner }, catalog: { ...catalog, lease } };
    });
  }

  /** Extends the lease. @throws LeaseLost */
  async renew(lease: CatalogLease): Promise<Catalog> {
    return (await this.update(lease, (catalog) => ({ catalog }))).catalog;
  }

  /** Ends the lease, if it is still ours. */
  async release({ tenantId, owner }: CatalogLease): Promise<void> {
    await this.#db.runTransaction(async (transaction) => {
      const catalog = readDocument(await transaction.get(this.#doc(tenantId)), catalogSchema);
      if (catalog?.lease?.owner === owner) transaction.update(this.#doc(tenantId), { lease: null });
    });
  }

  /**
   * Changes the catalog under the lease, which is extended, together with its alerts and audit. Returns the catalog after
   * the change and the messages to deliver. @throws LeaseLost
   */
  async update(
    lease: CatalogLease,
    change: (catalog: Catalog) => CatalogChange,
    traceparent = '',
  ): Promise<{ readonly catalog: Catalog; readonly messages: OutboxMessage[] }> {
    return this.change(
      lease.tenantId,
      (catalog) => {
        if (catalog?.lease?.owner !== lease.owner) throw new LeaseLost(`the catalog of ${lease.tenantId}`);
        const changed = change(catalog);
        return { ...changed, catalog: { ...changed.catalog, lease: { owner: lease.owner, until: this.#leaseEnd() } } };
      },
      traceparent,
    );
  }

  /** Changes the catalog without a lease: for what people and messages bring. The change may throw to refuse. */
  async change(
    tenantId: string,
    change: (catalog: Catalog | undefined) => CatalogChange,
    traceparent: string,
    announce?: (transaction: FirebaseFirestore.Transaction, catalog: Catalog) => OutboxMessage[],
  ): Promise<{ readonly catalog: Catalog; readonly messages: OutboxMessage[] }> {
    const at = this.#now().toISOString();
    return this.#db.runTransaction(async (transaction) => {
      const before = readDocument(await transaction.get(this.#doc(tenantId)), catalogSchema);
      const changed = change(before);
      const raising = changed.raise && (await this.#alerts.open(transaction, tenantId, changed.raise.kind));
      const resolving = [];
      for (const kind of changed.resolve ?? []) resolving.push(await this.#alerts.open(transaction, tenantId, kind));
      const audit = changed.audit && (await openAuditStream(transaction, this.#db, tenantId, 'catalog'));
      transaction.set(this.#doc(tenantId), changed.catalog);
      const messages: OutboxMessage[] = [];
      if (raising !== undefined && changed.raise !== undefined) {
        messages.push(...raising.raise({ tenantId, ...changed.raise }, traceparent));
      }
      for (const alert of resolving) messages.push(...alert.resolve('auto', traceparent));
      if (audit !== undefined && changed.audit !== undefined) {
        audit.append({ at, subject: tenantId, ...changed.audit });
      }
      if (announce !== undefined) messages.push(...announce(transaction, changed.catalog));
      return { catalog: changed.catalog, messages };
    });
  }

  #leaseEnd(): string {
    return new Date(this.#now().getTime() + catalogLeaseMs).toISOString();
  }

  #doc(tenantId: string): DocumentReference {
    return this.#db.doc(paths.catalog(tenantId));
  }
}

/** A sync that has just begun. */
export function newSync(feed: FeedRequest, syncId: string, at: string): Sync {
  return {
    syncId,
    feed,
    state: 'reading',
    resumeAs: null,
    wait: null,
    reason: null,
    retries: 0,
    startedAt: at,
    batches: 0,
    profile: null,
    guards: [],
    released: null,
    counts: {
      created: 0,
      updated: 0,
      deleted: 0,
      unchanged: 0,
      refused: 0,
      warned: 0,
      accepted: 0,
      rejected: 0,
      unknown: 0,
    },
    problemsBy: {},
  };
}

/** A catalog before its first feed. */
export function newCatalog(tenantId: string): Catalog {
  return {
    tenantId,
    catalogId: null,
    generation: 0,
    items: 0,
    rejectedItems: 0,
    current: null,
    queued: null,
    lastFeedAt: null,
    lastGood: null,
    freshAt: null,
    lease: null,
    history: [],
  };
}
