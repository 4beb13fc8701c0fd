import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { connectFirestore } from '../../shared/gcp/firestore.ts';
import { createRelayCounters } from '../../shared/gcp/relay-counters.ts';
import type { RelayCounters } from '../../shared/gcp/relay-counters.ts';
import { systemNow } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';

/**
 * The counters of one process, written out when Cloud Run asks it to end (it then has ten seconds). The function still
 * has to await `flushIfDue()` before it answers.
 */
export function liveRelayCounters(
  functionName: string,
  db: ReturnType<typeof connectFirestore>,
  log: Logger,
): RelayCounters {
  const counters = createRelayCounters({
    db,
    now: systemNow,
    instance: `${functionName}-${randomBytes(6).toString('hex')}`,
    onFlushFailure: (error) => log.warn({ err: error }, 'counters could not be written, they are kept for later'),
  });
  beforeTermination(async () => {
    await counters.flush().catch((error: unknown) => log.error({ err: error }, 'last counters are lost'));
  });
  return counters;
}

/** Cloud Run kills a process ten seconds after it asked it to end. */
const lastWorkMs = 5_000;

/**
 * Does some last work when the process is asked to end, and only then lets whoever listened before know: functions-framework
 * ends the process at once when it hears of it. So this must come after it started, as everything built on the first request does.
 */
function beforeTermination(work: () => Promise<void>): void {
  const others = process.listeners('SIGTERM');
  process.removeAllListeners('SIGTERM');
  process.once('SIGTERM', (signal) => {
    const enough = setTimeout(lastWorkMs, undefined, { ref: false });
    void Promise.race([work(), enough]).finally(() => {
      for (const tell of others) tell(signal);
      if (others.length === 0) process.exit(0);
    });
  });
}
