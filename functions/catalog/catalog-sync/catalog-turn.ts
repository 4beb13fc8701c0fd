import type { Catalog, Sync } from '../../../shared/contracts/catalog-documents.ts';
import type { OutboxMessage } from '../../../shared/contracts/documents.ts';
import type { CatalogBatchStore } from '../../../shared/gcp/catalog-batch-store.ts';
import type { CatalogItemStore } from '../../../shared/gcp/catalog-item-store.ts';
import { LeaseLost } from '../../../shared/gcp/catalog-store.ts';
import type { CatalogChange, CatalogLease, CatalogStore } from '../../../shared/gcp/catalog-store.ts';
import { deliverOrLeave } from '../../../shared/runtime/deliver-or-leave.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import type { OpenTenantCatalog } from '../tenant-catalog.ts';
import type { FeedSources } from './open-feed.ts';

export interface SyncServices {
  readonly catalogs: CatalogStore;
  readonly items: CatalogItemStore;
  readonly batches: CatalogBatchStore;
  readonly sources: FeedSources;
  readonly openCatalog: OpenTenantCatalog;
  readonly isTenant: (tenantId: string) => Promise<boolean>;
  readonly deliver: (messages: readonly OutboxMessage[]) => Promise<void>;
  /** Names this worker; no other may have the same name at the same time. */
  readonly newOwner: () => string;
  readonly now: () => Date;
  readonly log: Logger;
  /** Meta's limit unless told. */
  readonly maxItemsPerBatch?: number;
}

/** A request hands over after so long, well within the function's timeout. */
const sliceMs = 300_000;
const renewEveryMs = 15_000;

/** One request's turn at one tenant's catalog: the lease it works under, and the time it may take. */
export class CatalogTurn {
  readonly tenantId: string;
  readonly services: SyncServices;
  readonly #lease: CatalogLease;
  readonly #traceparent: string;
  readonly #startedMs: number;
  #renewedMs: number;

  constructor(lease: CatalogLease, traceparent: string, services: SyncServices) {
    this.tenantId = lease.tenantId;
    this.services = services;
    this.#lease = lease;
    this.#traceparent = traceparent;
    this.#startedMs = services.now().getTime();
    this.#renewedMs = this.#startedMs;
  }

  get isOver(): boolean {
    return this.services.now().getTime() - this.#startedMs >= sliceMs;
  }

  /** Changes the catalog's document and what goes with it. @throws LeaseLost */
  async update(change: (catalog: Catalog) => CatalogChange): Promise<Catalog> {
    const { catalogs, deliver, log } = this.services;
    const { catalog, messages } = await catalogs.update(this.#lease, change, this.#traceparent);
    this.#renewedMs = this.services.now().getTime();
    await deliverOrLeave(deliver, messages, log);
    return catalog;
  }

  /** Changes the sync in hand. @throws LeaseLost */
  async updateSync(changes: Partial<Sync>, more: Omit<CatalogChange, 'catalog'> = {}): Promise<Catalog> {
    return this.update((catalog) => {
      if (catalog.current === null) throw new LeaseLost('the sync is gone');
      return { catalog: { ...catalog, current: { ...catalog.current, ...changes } }, ...more };
    });
  }

  /** The catalog as it is now, and the lease extended. @throws LeaseLost */
  async renew(): Promise<Catalog> {
    return this.services.catalogs.renew(this.#lease);
  }

  /** Extends the lease now and then; called often. @throws LeaseLost */
  async stay(): Promise<void> {
    const nowMs = this.services.now().getTime();
    if (nowMs - this.#renewedMs < renewEveryMs) return;
    await this.renew();
    this.#renewedMs = nowMs;
  }
}
