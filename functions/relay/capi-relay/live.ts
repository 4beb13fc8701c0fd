import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { createHeldEvents } from '../../../shared/gcp/held-events.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { createRelayDirectory } from '../../../shared/gcp/relay-directory.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { liveRelayCounters } from '../live-counters.ts';
import { createRateLimiter } from './rate-limiter.ts';
import type { AcceptDependencies } from './accept.ts';

/** A sender's patience is shorter than the client's retries; what is queued later than this is sent twice at worst. */
const queueTimeoutMs = 10_000;

/** What capi-relay works with, built on its first request. Secret Manager, Cloud Tasks and Graph are not among it. */
export function liveAccept(functionName: string): AcceptDependencies {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'RELAY_PROXY', 'LOG_LEVEL']);
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const publisher = createPublisher(projectId);
  const db = connectFirestore(projectId);
  const log = createLogger({ level: config.LOG_LEVEL, functionName });
  return {
    directory: createRelayDirectory(db, { now: systemNow }),
    heldEvents: createHeldEvents(db, systemNow),
    counters: liveRelayCounters(functionName, db, log),
    limiter: createRateLimiter(),
    queue: (json) => within(queueTimeoutMs, publisher.publishJson('capi-events', json)),
    proxy: config.RELAY_PROXY,
    projectId,
    log,
    now: systemNow,
  };
}

function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not queued within ${timeoutMs} ms`)), timeoutMs);
    const settled = (): void => clearTimeout(timer);
    void work.then(resolve, reject).then(settled, settled);
  });
}
