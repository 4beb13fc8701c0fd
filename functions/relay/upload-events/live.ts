import { randomBytes } from 'node:crypto';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { createHeldEvents } from '../../../shared/gcp/held-events.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { createRelayDirectory } from '../../../shared/gcp/relay-directory.ts';
import { UploadStore } from '../../../shared/gcp/upload-store.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import type { HttpFunctionOptions } from '../../../shared/runtime/http-function.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { createRateLimiter } from '../capi-relay/rate-limiter.ts';
import { liveRelayCounters } from '../live-counters.ts';
import { maxChunkBytes } from './routes.ts';
import type { UploadServices } from './services.ts';

export interface LiveUploads {
  readonly host: Omit<HttpFunctionOptions, 'routes'>;
  readonly services: UploadServices;
}

/** What the function works with, built on its first request and kept for the instance's life. */
export function liveUploads(functionName: string): LiveUploads {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'RELAY_PROXY', 'LOG_LEVEL']);
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const db = connectFirestore(projectId);
  const publisher = createPublisher(projectId);
  const log = createLogger({ level: config.LOG_LEVEL, functionName });
  return {
    host: { projectId, log, maxBodyBytes: maxChunkBytes },
    services: {
      uploads: new UploadStore(db, systemNow),
      relay: {
        directory: createRelayDirectory(db, { now: systemNow }),
        heldEvents: createHeldEvents(db, systemNow),
        counters: liveRelayCounters(functionName, db, log),
        limiter: createRateLimiter(),
        queue: (json) => publisher.publishJson('capi-events', json),
        proxy: config.RELAY_PROXY,
        projectId,
        log,
        now: systemNow,
      },
      randomBytes: (size) => randomBytes(size),
    },
  };
}
