import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import { createPublisher } from '../../shared/gcp/publisher.ts';
import { RunControl } from '../../shared/gcp/run-control.ts';
import { WaitControl } from '../../shared/gcp/wait-control.ts';
import { systemNow } from '../../shared/runtime/clock.ts';
import type { Now } from '../../shared/runtime/clock.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import type { Logger } from '../../shared/runtime/logger.ts';

export interface LiveOps {
  readonly log: Logger;
  readonly now: Now;
  readonly outbox: Outbox;
  readonly steps: RunControl;
  readonly waits: WaitControl;
}

/** What the housekeeping jobs work with. */
export function liveOps(functionName: string): LiveOps {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'STEP_LEASE_MS', 'LOG_LEVEL']);
  const db = connectFirestore(config.GOOGLE_CLOUD_PROJECT);
  const outbox = new Outbox(db, createPublisher(config.GOOGLE_CLOUD_PROJECT));
  const runs = { db, outbox, now: systemNow, leaseMs: config.STEP_LEASE_MS };
  return {
    log: createLogger({ level: config.LOG_LEVEL, functionName }),
    now: systemNow,
    outbox,
    steps: new RunControl(runs),
    waits: new WaitControl(runs),
  };
}
