import { randomUUID } from 'node:crypto';
import { AlertStore } from '../../../shared/gcp/alert-store.ts';
import { CatalogBatchStore } from '../../../shared/gcp/catalog-batch-store.ts';
import { CatalogItemStore } from '../../../shared/gcp/catalog-item-store.ts';
import { CatalogStore } from '../../../shared/gcp/catalog-store.ts';
import { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import { createObjectReader } from '../../../shared/gcp/object-reader.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { readCatalogAssets } from '../../../shared/gcp/tenant-assets.ts';
import { createTenantReader } from '../../../shared/gcp/tenant-reader.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { liveMeta } from '../../../shared/runtime/live-meta.ts';
import { liveRetry } from '../../../shared/runtime/live-retry.ts';
import { createPublicFetch } from '../../../shared/runtime/public-fetch.ts';
import type { PubsubFunctionDependencies } from '../../../shared/runtime/pubsub-function.ts';
import { catalogOpener } from '../tenant-catalog.ts';
import type { SyncServices } from './catalog-turn.ts';

export interface LiveCatalogSync {
  readonly dependencies: PubsubFunctionDependencies;
  readonly services: SyncServices;
}

/** What catalog-sync works with, built on its first message. */
export function liveCatalogSync(functionName: string): LiveCatalogSync {
  const config = readConfig([
    'GOOGLE_CLOUD_PROJECT',
    'FUNCTION_REGION',
    'FUNCTION_BASE_URL',
    'TASKS_SERVICE_ACCOUNT',
    'META_GRAPH_URL',
    'LOG_LEVEL',
    'SECRET_MANAGER_EMULATOR_HOST',
    'CLOUD_TASKS_EMULATOR_HOST',
  ]);
  const { credentials, db, graph, log, now, projectId } = liveMeta(functionName, config);
  const outbox = new Outbox(db, createPublisher(projectId));
  const readTenant = createTenantReader(db);
  const publicFetch = createPublicFetch();
  return {
    dependencies: {
      projectId,
      log,
      now,
      deadLetters: new DeadLetterStore(db, now),
      retryAt: liveRetry(functionName, config),
    },
    services: {
      catalogs: new CatalogStore({ db, alerts: new AlertStore({ db, outbox, now }), now }),
      items: new CatalogItemStore(db),
      batches: new CatalogBatchStore(db, now),
      sources: { fetchUrl: (url) => publicFetch.get(url), readObject: createObjectReader(projectId) },
      openCatalog: catalogOpener({ readAssets: (tenantId) => readCatalogAssets(db, tenantId), credentials, graph }),
      isTenant: async (tenantId) => (await readTenant(tenantId)) !== undefined,
      deliver: (messages) => outbox.deliver(messages),
      newOwner: randomUUID,
      now,
      log,
    },
  };
}
