import { AlertStore } from '../../../shared/gcp/alert-store.ts';
import { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import { InsightsRuns } from '../../../shared/gcp/insights-runs.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { createBigQueryWarehouse } from '../../../shared/gcp/warehouse/bigquery-warehouse.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { liveMeta } from '../../../shared/runtime/live-meta.ts';
import { liveRetry } from '../../../shared/runtime/live-retry.ts';
import type { PubsubFunctionDependencies } from '../../../shared/runtime/pubsub-function.ts';
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
  const { credentials, db, graph, log, now, projectId } = liveMeta(functionName, config);
  const outbox = new Outbox(db, createPublisher(projectId));
  return {
    dependencies: {
      projectId,
      log,
      deadLetters: new DeadLetterStore(db, now),
      retryAt: liveRetry(functionName, config),
      now,
    },
    services: {
      graph,
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
