import type { OutboxMessage } from '../../../shared/contracts/documents.ts';
import type { AlertStore } from '../../../shared/gcp/alert-store.ts';
import type { CatalogBatchStore } from '../../../shared/gcp/catalog-batch-store.ts';
import type { CatalogHealthStore } from '../../../shared/gcp/catalog-health-store.ts';
import type { CatalogStore } from '../../../shared/gcp/catalog-store.ts';
import type { SteerServices } from '../steer-sync.ts';

/** What the API works with. */
export interface CatalogAdminServices {
  readonly isTenant: (tenantId: string) => Promise<boolean>;
  readonly catalogs: Pick<CatalogStore, 'read'>;
  readonly health: CatalogHealthStore;
  readonly batches: Pick<CatalogBatchStore, 'problemsOf'>;
  readonly alerts: Pick<AlertStore, 'ofTenant'>;
  readonly steer: SteerServices;
  readonly deliver: (messages: readonly OutboxMessage[]) => Promise<void>;
  readonly now: () => Date;
}
