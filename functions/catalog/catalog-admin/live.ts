import { AlertStore } from '../../../shared/gcp/alert-store.ts';
import { CatalogBatchStore } from '../../../shared/gcp/catalog-batch-store.ts';
import { CatalogHealthStore } from '../../../shared/gcp/catalog-health-store.ts';
import { CatalogStore } from '../../../shared/gcp/catalog-store.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { createTenantReader } from '../../../shared/gcp/tenant-reader.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import type { HttpFunctionOptions } from '../../../shared/runtime/http-function.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import type { CatalogAdminServices } from './services.ts';

export interface LiveCatalogAdmin {
  readonly host: Omit<HttpFunctionOptions, 'routes'>;
  readonly services: CatalogAdminServices;
}

/** What catalog-admin works with, built on its first request. */
export function liveCatalogAdmin(functionName: string): LiveCatalogAdmin {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'LOG_LEVEL']);
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const now = systemNow;
  const db = connectFirestore(projectId);
  const outbox = new Outbox(db, createPublisher(projectId));
  const alerts = new AlertStore({ db, outbox, now });
  const catalogs = new CatalogStore({ db, alerts, now });
  const readTenant = createTenantReader(db);
  return {
    host: { projectId, log: createLogger({ level: config.LOG_LEVEL, functionName }) },
    services: {
      isTenant: async (tenantId) => (await readTenant(tenantId)) !== undefined,
      catalogs,
      health: new CatalogHealthStore(db, now),
      batches: new CatalogBatchStore(db, now),
      alerts,
      steer: { catalogs, outbox, now },
      deliver: (messages) => outbox.deliver(messages),
      now,
    },
  };
}
