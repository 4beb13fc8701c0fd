import { randomBytes } from 'node:crypto';
import { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { MatchQualityStore } from '../../../shared/gcp/match-quality-store.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { readRelayNumbers } from '../../../shared/gcp/relay-numbers.ts';
import { ReplayStore } from '../../../shared/gcp/replay-store.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import type { HttpFunctionOptions } from '../../../shared/runtime/http-function.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import type { RelayAdminServices } from './services.ts';

export interface LiveRelayAdmin {
  readonly host: Omit<HttpFunctionOptions, 'routes'>;
  readonly services: RelayAdminServices;
}

/** What relay-admin works with, built on its first request. */
export function liveRelayAdmin(functionName: string): LiveRelayAdmin {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'LOG_LEVEL']);
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const now = systemNow;
  const db = connectFirestore(projectId);
  const outbox = new Outbox(db, createPublisher(projectId));
  return {
    host: { projectId, log: createLogger({ level: config.LOG_LEVEL, functionName }) },
    services: {
      deadLetters: new DeadLetterStore(db, now),
      replays: new ReplayStore({ db, outbox, now }),
      deliver: (messages) => outbox.deliver(messages),
      counters: (tenantId, from, to) => readRelayNumbers(db, tenantId, from, to),
      matchQuality: new MatchQualityStore(db),
      newReplayId: () => `replay-${randomBytes(10).toString('hex')}`,
      now,
    },
  };
}
