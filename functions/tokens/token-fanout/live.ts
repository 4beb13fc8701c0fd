import { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { openSecrets } from '../../../shared/gcp/open-secrets.ts';
import { createRelayBreaker } from '../../../shared/gcp/relay-breaker.ts';
import { SecretChanges } from '../../../shared/gcp/secret-changes.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import type { FanOutDependencies } from './fan-out.ts';

/** What token-fanout works with, built on its first message. */
export function liveFanOut(functionName: string): FanOutDependencies {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'LOG_LEVEL', 'SECRET_MANAGER_EMULATOR_HOST']);
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const db = connectFirestore(projectId);
  const now = systemNow;
  return {
    changes: new SecretChanges(db, now),
    secrets: openSecrets({ projectId, emulatorHost: config.SECRET_MANAGER_EMULATOR_HOST, db, now }),
    breaker: createRelayBreaker(db, { now }),
    deadLetters: new DeadLetterStore(db, now),
    log: createLogger({ level: config.LOG_LEVEL, functionName }),
  };
}
