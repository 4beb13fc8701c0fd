import { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import { createDeliveryLedger } from '../../../shared/gcp/delivery-ledger.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { openSecrets } from '../../../shared/gcp/open-secrets.ts';
import { createRelayBreaker } from '../../../shared/gcp/relay-breaker.ts';
import { createRelayDirectory } from '../../../shared/gcp/relay-directory.ts';
import { createTaskQueue } from '../../../shared/gcp/task-queue.ts';
import { createGraphClient } from '../../../shared/meta/graph-client.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { delayedRetry, delayedRetryQueue } from '../../../shared/runtime/delayed-retry.ts';
import { graphCallLogger } from '../../../shared/runtime/graph-call-log.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import type { MessageHandler, PubsubFunctionDependencies } from '../../../shared/runtime/pubsub-function.ts';
import { createTenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';
import { liveRelayCounters } from '../live-counters.ts';
import { datasetSender } from './dataset-sender.ts';
import { createDelivery } from './deliver.ts';

/** Partner and version, as Dataset Quality files our events under. */
const partnerAgent = 'kobi_1_0';

export interface LiveDelivery {
  readonly dependencies: PubsubFunctionDependencies;
  readonly deliver: MessageHandler<'capi-events'>;
}

/** What capi-deliver works with, built on its first message. */
export function liveDelivery(functionName: string): LiveDelivery {
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
  const deadLetters = new DeadLetterStore(db, now);
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
  const deliver = createDelivery({
    graph,
    senderOf: datasetSender(createRelayDirectory(db, { now }), credentials),
    deadLetters,
    ledger: createDeliveryLedger(db, { now }),
    breaker: createRelayBreaker(db, { now }),
    counters: liveRelayCounters(functionName, db, log),
    bringBack: delayedRetry({ tasks, projectId, functionBaseUrl: config.FUNCTION_BASE_URL, functionName }),
    partnerAgent,
    log,
    now,
    schedule: (run, delayMs) => void setTimeout(run, delayMs),
  });
  return { dependencies: { projectId, log, deadLetters, now }, deliver };
}
