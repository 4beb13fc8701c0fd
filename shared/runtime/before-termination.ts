import { setTimeout } from 'node:timers/promises';

/** Cloud Run kills a process ten seconds after it asked it to end; two pieces of last work fit. */
const lastWorkMs = 4_500;

/**
 * Does some last work when the process is asked to end, and only then lets whoever listened before know: functions-framework
 * ends the process at once when it hears of it. So this must come after it started, as everything built on the first request does.
 */
export function beforeTermination(work: () => Promise<void>): void {
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
