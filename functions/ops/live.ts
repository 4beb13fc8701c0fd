import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import { createPublisher } from '../../shared/gcp/publisher.ts';
import { RunControl } from '../../shared/gcp/run-control.ts';
import { systemNow } from '../../shared/runtime/clock.ts';
import type { Now } from '../../shared/runtime/clock.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { leaseMs } from '../../shared/runtime/step-function.ts';

export interface LiveOps {
  readonly log: Logger;
  readonly now: Now;
  readonly outbox: Outbox;
  readonly steps: RunControl;
}

/** What the housekeeping jobs work with. */
export function liveOps(functionName: string): LiveOps {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'LOG_LEVEL']);
  const db = connectFirestore(config.GOOGLE_CLOUD_PROJECT);
  const outbox = new Outbox(db, createPublisher(config.GOOGLE_CLOUD_PROJECT));
  return {
    log: createLogger({ level: config.LOG_LEVEL, functionName }),
    now: systemNow,
    outbox,
    steps: new RunControl({ db, outbox, now: systemNow, leaseMs }),
  };
}
