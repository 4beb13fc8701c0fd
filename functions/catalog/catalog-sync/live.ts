import { randomUUID } from 'node:crypto';
import { AlertStore } from '../../../shared/gcp/alert-store.ts';
import { CatalogBatchStore } from '../../../shared/gcp/catalog-batch-store.ts';
import { CatalogItemStore } from '../../../shared/gcp/catalog-item-store.ts';
import { CatalogStore } from '../../../shared/gcp/catalog-store.ts';
import { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { createObjectReader } from '../../../shared/gcp/object-reader.ts';
import { openSecrets } from '../../../shared/gcp/open-secrets.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { createTaskQueue } from '../../../shared/gcp/task-queue.ts';
import { readCatalogAssets } from '../../../shared/gcp/tenant-assets.ts';
import { createTenantReader } from '../../../shared/gcp/tenant-reader.ts';
import { createGraphClient } from '../../../shared/meta/graph-client.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { delayedRetry, delayedRetryQueue } from '../../../shared/runtime/delayed-retry.ts';
import { graphCallLogger } from '../../../shared/runtime/graph-call-log.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { createPublicFetch } from '../../../shared/runtime/public-fetch.ts';
import type { PubsubFunctionDependencies } from '../../../shared/runtime/pubsub-function.ts';
import { createTenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';
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
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const now = systemNow;
  const log = createLogger({ level: config.LOG_LEVEL, functionName });
  const db = connectFirestore(projectId);
  const outbox = new Outbox(db, createPublisher(projectId));
  const secrets = openSecrets({ projectId, emulatorHost: config.SECRET_MANAGER_EMULATOR_HOST, db, now });
  const credentials = createTenantCredentials({ secrets });
  const tasks = createTaskQueue({
    projectId,
    location: config.FUNCTION_REGION,
    queue: delayedRetryQueue,
    serviceAccountEmail: config.TASKS_SERVICE_ACCOUNT,
    emulatorHost: config.CLOUD_TASKS_EMULATOR_HOST,
  });
  const graph = createGraphClient({
    baseUrl: config.META_GRAPH_URL,
    appSecret: () => credentials.appSecret(),
    now: () => now().getTime(),
    onCall: graphCallLogger(log),
  });
  const readTenant = createTenantReader(db);
  const publicFetch = createPublicFetch();
  return {
    dependencies: {
      projectId,
      log,
      now,
      deadLetters: new DeadLetterStore(db, now),
      retryAt: delayedRetry({ tasks, projectId, functionBaseUrl: config.FUNCTION_BASE_URL, functionName }),
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
