/** Shares an instance's calls to Meta between tenants. */
export interface FairQueue {
  /** Runs the work as soon as it is this key's turn: at once, in this very call, where there is room. */
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
}

/**
 * At most `maxTotal` pieces of work run at a time, at most `maxPerKey` of one key, and keys that wait take turns: a tenant
 * with a hundred times the work of another waits for itself, not the other for it.
 */
export function createFairQueue({ maxTotal, maxPerKey }: { maxTotal: number; maxPerKey: number }): FairQueue {
  const running = new Map<string, number>();
  /** Keys in the order of their turns. */
  const waiting = new Map<string, (() => void)[]>();
  let total = 0;

  const mayRun = (key: string): boolean => total < maxTotal && (running.get(key) ?? 0) < maxPerKey;

  const begin = (key: string): void => {
    total += 1;
    running.set(key, (running.get(key) ?? 0) + 1);
  };

  const end = (key: string): void => {
    total -= 1;
    const left = (running.get(key) ?? 1) - 1;
    if (left === 0) running.delete(key);
    else running.set(key, left);
    for (const [next, turns] of waiting) {
      if (!mayRun(next)) continue;
      const start = turns.shift();
      // To the end of the turns, or out of them.
      waiting.delete(next);
      if (turns.length > 0) waiting.set(next, turns);
      start?.();
      return;
    }
  };

  return {
    async run<T>(key: string, work: () => Promise<T>): Promise<T> {
      if (mayRun(key)) begin(key);
      else {
        const turn = Promise.withResolvers<undefined>();
        const turns = waiting.get(key) ?? [];
        turns.push(() => {
          begin(key);
          turn.resolve(undefined);
        });
        waiting.set(key, turns);
        await turn.promise;
      }
      try {
        return await work();
      } finally {
        end(key);
      }
    },
  };
}
