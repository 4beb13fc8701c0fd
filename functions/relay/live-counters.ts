import { randomBytes } from 'node:crypto';
import type { connectFirestore } from '../../shared/gcp/firestore.ts';
import { relayCountsMessage } from '../../shared/contracts/metrics.ts';
import { createRelayCounters } from '../../shared/gcp/relay-counters.ts';
import type { RelayCounters } from '../../shared/gcp/relay-counters.ts';
import { beforeTermination } from '../../shared/runtime/before-termination.ts';
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
    onFlush: (counted) => log.info(counted, relayCountsMessage),
  });
  beforeTermination(async () => {
    await counters.flush().catch((error: unknown) => log.error({ err: error }, 'last counters are lost'));
  });
  return counters;
}
