import { AlertStore } from '../../../shared/gcp/alert-store.ts';
import { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { InsightsRuns } from '../../../shared/gcp/insights-runs.ts';
import { openSecrets } from '../../../shared/gcp/open-secrets.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { createTaskQueue } from '../../../shared/gcp/task-queue.ts';
import { createBigQueryWarehouse } from '../../../shared/gcp/warehouse/bigquery-warehouse.ts';
import { createGraphClient } from '../../../shared/meta/graph-client.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { delayedRetry, delayedRetryQueue } from '../../../shared/runtime/delayed-retry.ts';
import { graphCallLogger } from '../../../shared/runtime/graph-call-log.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import type { PubsubFunctionDependencies } from '../../../shared/runtime/pubsub-function.ts';
import { createTenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';
import type { AccountReportServices } from './read-account-reports.ts';

export interface LiveInsightsAccount {
  readonly dependencies: PubsubFunctionDependencies;
  readonly services: AccountReportServices;
}

/** What insights-account works with. */
export function liveInsightsAccount(functionName: string): LiveInsightsAccount {
  const config = readConfig([
    'GOOGLE_CLOUD_PROJECT',
    'FUNCTION_REGION',
    'FUNCTION_BASE_URL',
    'TASKS_SERVICE_ACCOUNT',
    'META_GRAPH_URL',
    'BIGQUERY_LOCATION',
    'LOG_LEVEL',
    'SECRET_MANAGER_EMULATOR_HOST',
    'CLOUD_TASKS_EMULATOR_HOST',
    'BIGQUERY_EMULATOR_HOST',
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
  return {
    dependencies: {
      projectId,
      log,
      deadLetters: new DeadLetterStore(db, now),
      retryAt: delayedRetry({ tasks, projectId, functionBaseUrl: config.FUNCTION_BASE_URL, functionName }),
      now,
    },
    services: {
      graph: createGraphClient({
        baseUrl: config.META_GRAPH_URL,
        appSecret: () => credentials.appSecret(),
        now: () => now().getTime(),
        onCall: graphCallLogger(log),
      }),
      credentials,
      runs: new InsightsRuns({ db, outbox, now }),
      warehouse: createBigQueryWarehouse({
        projectId,
        location: config.BIGQUERY_LOCATION,
        emulatorHost: config.BIGQUERY_EMULATOR_HOST,
      }),
      alerts: new AlertStore({ db, outbox, now }),
      outbox,
      now,
    },
  };
}
