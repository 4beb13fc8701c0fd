import { describe, expect, test } from 'vitest';
import { createFairQueue } from './fair-queue.ts';
import type { FairQueue } from './fair-queue.ts';

/** Whole milliseconds that pass when told to. */
class VirtualTime {
  nowMs = 0;
  readonly #happenings = new Map<number, (() => void)[]>();

  at(atMs: number, run: () => void): void {
    const runs = this.#happenings.get(atMs);
    if (runs === undefined) this.#happenings.set(atMs, [run]);
    else runs.push(run);
  }

  after(ms: number): Promise<void> {
    return new Promise((resolve) => this.at(this.nowMs + ms, resolve));
  }

  async runUntil(endMs: number): Promise<void> {
    for (this.nowMs = 0; this.nowMs <= endMs; this.nowMs += 1) {
      const runs = this.#happenings.get(this.nowMs) ?? [];
      if (runs.length === 0) continue;
      for (const run of runs) run();
      // Whatever follows from it happens now, before time goes on.
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    }
  }
}

const callMs = 200;

/** Latencies of a quiet tenant's calls, one every 500 ms for 20 seconds, beside loud ones with a hundred times as many. */
async function quietLatencies(loudTenants: number, makeQueue: () => FairQueue): Promise<number[]> {
  const time = new VirtualTime();
  const queue = makeQueue();
  const latencies: number[] = [];
  const call = async (tenant: string): Promise<void> => {
    const cameMs = time.nowMs;
    await queue.run(tenant, () => time.after(callMs));
    if (tenant === 'quiet') latencies.push(time.nowMs - cameMs);
  };
  for (let loud = 0; loud < loudTenants; loud += 1) {
    for (let ms = 0; ms < 20_000; ms += 5) time.at(ms, () => void call(`loud-${loud}`));
  }
  for (let ms = 0; ms < 20_000; ms += 500) time.at(ms, () => void call('quiet'));
  await time.runUntil(25_000);
  expect(latencies).toHaveLength(40);
  return latencies.toSorted((a, b) => a - b);
}

const p99 = (sorted: readonly number[]): number => sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Infinity;
const shares = { maxTotal: 32, maxPerKey: 4 };

describe('fair queue', () => {
  test('a tenant at a hundred times the rate does not move another’s p99 by more than 1.3', async () => {
    const alone = p99(await quietLatencies(0, () => createFairQueue(shares)));
    const beside = p99(await quietLatencies(1, () => createFairQueue(shares)));
    expect(beside / alone).toBeLessThanOrEqual(1.3);
  });

  test('without shares per tenant it would: the measure can tell', async () => {
    const alone = p99(await quietLatencies(0, () => createFairQueue({ maxTotal: 4, maxPerKey: 4 })));
    const beside = p99(await quietLatencies(1, () => createFairQueue({ maxTotal: 4, maxPerKey: 4 })));
    expect(beside / alone).toBeGreaterThan(1.3);
  });

  test('with every place taken by loud tenants, a quiet one waits for one call to end and no longer', async () => {
    const latencies = await quietLatencies(20, () => createFairQueue(shares));
    expect(p99(latencies)).toBeLessThanOrEqual(2 * callMs);
  });

  test('never more run at a time than allowed, in all and per tenant, and all that came is done', async () => {
    const time = new VirtualTime();
    const queue = createFairQueue({ maxTotal: 10, maxPerKey: 2 });
    const running = new Map<string, number>();
    let [total, highest, highestOfOne, done] = [0, 0, 0, 0];
    for (let index = 0; index < 300; index += 1) {
      const tenant = `tenant-${index % 7}`;
      time.at(index, () => {
        void queue.run(tenant, async () => {
          total += 1;
          running.set(tenant, (running.get(tenant) ?? 0) + 1);
          highest = Math.max(highest, total);
          highestOfOne = Math.max(highestOfOne, running.get(tenant) ?? 0);
          await time.after(10 + (index % 3));
          total -= 1;
          running.set(tenant, (running.get(tenant) ?? 0) - 1);
          done += 1;
        });
      });
    }
    await time.runUntil(5_000);
    expect({ highest, highestOfOne, done }).toEqual({ highest: 10, highestOfOne: 2, done: 300 });
  });

  test('work that fails gives its place to the next and its error to its caller', async () => {
    const queue = createFairQueue({ maxTotal: 1, maxPerKey: 1 });
    const failed = queue.run('a', async () => Promise.reject(new Error('refused')));
    const next = queue.run('b', async () => 'done');
    await expect(failed).rejects.toThrow('refused');
    expect(await next).toBe('done');
  });
});
