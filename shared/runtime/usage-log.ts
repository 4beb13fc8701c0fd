import { usageMessage } from '../contracts/metrics.ts';
import type { Usage } from '../meta/usage.ts';
import type { Logger } from './logger.ts';

const everyMs = 60_000;
/** From here on calls are paced (`shared/meta/usage.ts`), and it is told at once. */
const nearPercent = 75;

interface Told {
  readonly atMs: number;
  /** The highest since. */
  readonly percent: number;
}

/**
 * Tells how much of Meta's limits is used: of the app's, and the fullest of all others, by use case. One line a minute at
 * most for each, with the highest of that time, so that calls cost no line of their own; but at once when one comes near.
 */
export function usageLogger(log: Logger, nowMs: () => number): (usage: readonly Usage[]) => void {
  const told = new Map<string, Told>();
  const highest = new Map<string, number>();
  return (usage) => {
    for (const { subject, useCase, percent } of usage) {
      const limit = subject === 'app' ? 'app' : useCase;
      const most = Math.max(percent, highest.get(limit) ?? 0);
      const last = told.get(limit);
      const isNear = most >= nearPercent && most > (last?.percent ?? 0);
      if (last !== undefined && !isNear && nowMs() - last.atMs < everyMs) {
        highest.set(limit, most);
        continue;
      }
      told.set(limit, { atMs: nowMs(), percent: most });
      highest.delete(limit);
      log.info({ useCase: limit, percent: most }, usageMessage);
    }
  };
}
