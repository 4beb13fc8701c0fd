import { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import { createDeliveryLedger } from '../../../shared/gcp/delivery-ledger.ts';
import { createRelayBreaker } from '../../../shared/gcp/relay-breaker.ts';
import { createRelayDirectory } from '../../../shared/gcp/relay-directory.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { liveMeta } from '../../../shared/runtime/live-meta.ts';
import { liveRetry } from '../../../shared/runtime/live-retry.ts';
import type { MessageHandler, PubsubFunctionDependencies } from '../../../shared/runtime/pubsub-function.ts';
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
  const { credentials, db, graph, log, now, projectId } = liveMeta(functionName, config);
  const deadLetters = new DeadLetterStore(db, now);
  const deliver = createDelivery({
    graph,
    senderOf: datasetSender(createRelayDirectory(db, { now }), credentials),
    deadLetters,
    ledger: createDeliveryLedger(db, { now }),
    breaker: createRelayBreaker(db, { now }),
    counters: liveRelayCounters(functionName, db, log),
    bringBack: liveRetry(functionName, config),
    partnerAgent,
    log,
    now,
    schedule: (run, delayMs) => void setTimeout(run, delayMs),
  });
  return { dependencies: { projectId, log, deadLetters, now }, deliver };
}
