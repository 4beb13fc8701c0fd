import { describe, expect, test } from 'vitest';
import { createGatherer } from './gatherer.ts';

type Key = 'a' | 'b';

/** A gatherer whose time and batches the test controls. Items are numbers; a fate is the item's text. */
function harness(options: { maxItems?: number; fails?: (items: readonly number[]) => boolean } = {}) {
  const timers: (() => void)[] = [];
  const batches: { key: Key; items: readonly number[] }[] = [];
  const gatherer = createGatherer<Key, number, string>({
    textOf: (key) => key,
    maxItems: options.maxItems ?? 1_000,
    delayMs: 20,
    schedule: (run) => void timers.push(run),
    flush: async (key, items) => {
      batches.push({ key, items: [...items] });
      if (options.fails?.(items) === true) throw new Error('flush failed');
      return items.map(String);
    },
  });
  return { gatherer, batches, timeIsUp: () => timers.splice(0).forEach((run) => run()) };
}

const numbers = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index);

describe('gatherer', () => {
  test('callers that come together leave together, and each gets the fates of its own items in order', async () => {
    const { gatherer, batches, timeIsUp } = harness();
    const added = [gatherer.add('a', [1, 2]), gatherer.add('a', [3]), gatherer.add('a', [4, 5])];
    timeIsUp();
    expect(await Promise.all(added)).toEqual([['1', '2'], ['3'], ['4', '5']]);
    expect(batches).toHaveLength(1);
  });

  test('a batch never holds more than its maximum, whatever sizes callers bring', async () => {
    const { gatherer, batches, timeIsUp } = harness({ maxItems: 10 });
    const sizes = [3, 9, 1, 27, 10, 4];
    let next = 0;
    const brought = sizes.map((size) => numbers((next += size) - size, size));
    const added = brought.map((items) => gatherer.add('a', items));
    timeIsUp();
    expect(await Promise.all(added)).toEqual(brought.map((items) => items.map(String)));
    expect(batches.map(({ items }) => items.length)).toEqual([10, 10, 10, 10, 10, 4]);
  });

  test('a full batch leaves at once, without waiting for its time', async () => {
    const { gatherer, batches } = harness({ maxItems: 2 });
    expect(await gatherer.add('a', [1, 2])).toEqual(['1', '2']);
    expect(batches).toHaveLength(1);
  });

  test('different keys never share a batch', async () => {
    const { gatherer, batches, timeIsUp } = harness();
    const added = [gatherer.add('a', [1]), gatherer.add('b', [2]), gatherer.add('a', [3])];
    timeIsUp();
    await Promise.all(added);
    expect(batches).toEqual([
      { key: 'a', items: [1, 3] },
      { key: 'b', items: [2] },
    ]);
  });

  test('a failing batch fails only the callers that had items in it', async () => {
    const { gatherer, timeIsUp } = harness({ maxItems: 2, fails: (items) => items.includes(3) });
    const added = [gatherer.add('a', [1, 2]), gatherer.add('a', [3]), gatherer.add('a', [4]), gatherer.add('b', [5])];
    timeIsUp();
    const settled = await Promise.allSettled(added);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  });

  test('a caller split over two batches is told only when both have come back', async () => {
    const held = Promise.withResolvers<void>();
    const gatherer = createGatherer<Key, number, string>({
      textOf: (key) => key,
      maxItems: 1,
      delayMs: 20,
      schedule: () => undefined,
      flush: async (_key, items) => {
        if (items.includes(1)) throw new Error('flush failed');
        await held.promise;
        return items.map(String);
      },
    });
    let told = false;
    const added = gatherer.add('a', [1, 2]).catch(() => void (told = true));
    await new Promise(setImmediate);
    expect(told).toBe(false);
    held.resolve();
    await added;
    expect(told).toBe(true);
  });

  test('a batch that comes back with too few fates fails instead of acknowledging what was not decided', async () => {
    const gatherer = createGatherer<Key, number, string>({
      textOf: (key) => key,
      maxItems: 2,
      delayMs: 20,
      schedule: () => undefined,
      flush: async () => ['only one'],
    });
    await expect(gatherer.add('a', [1, 2])).rejects.toThrow('number of fates');
  });

  test('a new batch opens after one left, and a late timer does not cut it short', async () => {
    const { gatherer, batches, timeIsUp } = harness({ maxItems: 2 });
    await gatherer.add('a', [1, 2]);
    const later = gatherer.add('a', [3]);
    timeIsUp();
    expect(await later).toEqual(['3']);
    expect(batches.map(({ items }) => items)).toEqual([[1, 2], [3]]);
  });

  test('with no time to wait at all, each caller leaves alone and once', async () => {
    const batches: (readonly number[])[] = [];
    const gatherer = createGatherer<Key, number, string>({
      textOf: (key) => key,
      maxItems: 2,
      delayMs: 0,
      schedule: (run) => run(),
      flush: async (_key, items) => {
        batches.push([...items]);
        return items.map(String);
      },
    });
    expect(await Promise.all([gatherer.add('a', [1]), gatherer.add('a', [2, 3, 4])])).toEqual([['1'], ['2', '3', '4']]);
    expect(batches).toEqual([[1], [2, 3], [4]]);
  });

  test('nothing brought is nothing sent', async () => {
    const { gatherer, batches, timeIsUp } = harness();
    expect(await gatherer.add('a', [])).toEqual([]);
    timeIsUp();
    expect(batches).toEqual([]);
  });
});
