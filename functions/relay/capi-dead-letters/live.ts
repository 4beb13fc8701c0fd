import { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { liveRelayCounters } from '../live-counters.ts';
import type { RecordDependencies } from './record-dead-letter.ts';

/** What capi-dead-letters works with, built on its first message. */
export function liveDeadLetters(functionName: string): RecordDependencies {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'LOG_LEVEL']);
  const db = connectFirestore(config.GOOGLE_CLOUD_PROJECT);
  const log = createLogger({ level: config.LOG_LEVEL, functionName });
  return {
    deadLetters: new DeadLetterStore(db, systemNow),
    counters: liveRelayCounters(functionName, db, log),
    log,
  };
}
