import { describe, expect, test } from 'vitest';
import { readThrough } from './relay-directory.ts';

function directory(options: { maxEntries?: number; refreshAheadMs?: number } = {}) {
  const state = { nowMs: 0, reads: [] as string[], values: new Map<string, string>(), fails: false };
  const lookUp = readThrough(
    async (id: string) => {
      state.reads.push(id);
      if (state.fails) throw new Error('unavailable');
      return state.values.get(id);
    },
    { now: () => new Date(state.nowMs), ttlMs: 1_000, refreshAheadMs: 0, missTtlMs: 100, staleMs: 5_000, ...options },
  );
  return { state, lookUp };
}

describe('relay directory', () => {
  test('an id is read once per time to live, however often it is asked for', async () => {
    const { state, lookUp } = directory();
    state.values.set('a', 'A');
    for (let asked = 0; asked < 100; asked += 1) expect(await lookUp('a')).toBe('A');
    expect(state.reads).toEqual(['a']);
    state.nowMs = 1_000;
    await lookUp('a');
    expect(state.reads).toEqual(['a', 'a']);
  });

  test('lookups of one id at the same time share one read', async () => {
    const { state, lookUp } = directory();
    state.values.set('a', 'A');
    expect(await Promise.all([lookUp('a'), lookUp('a'), lookUp('a')])).toEqual(['A', 'A', 'A']);
    expect(state.reads).toEqual(['a']);
  });

  test('what changed in Firestore is seen after the time to live, a removal included', async () => {
    const { state, lookUp } = directory();
    state.values.set('a', 'A');
    await lookUp('a');
    state.values.delete('a');
    expect(await lookUp('a')).toBe('A');
    state.nowMs = 1_000;
    expect(await lookUp('a')).toBeUndefined();
  });

  test('an id that does not exist costs one read in a while, and is found soon after it comes into being', async () => {
    const { state, lookUp } = directory();
    expect(await lookUp('a')).toBeUndefined();
    state.values.set('a', 'A');
    expect(await lookUp('a')).toBeUndefined();
    expect(state.reads).toEqual(['a']);
    state.nowMs = 100;
    expect(await lookUp('a')).toBe('A');
  });

  test('memory is bounded, and trying ids at random does not push out those that exist', async () => {
    const { state, lookUp } = directory({ maxEntries: 2 });
    state.values.set('a', 'A');
    await lookUp('a');
    for (const id of ['x1', 'x2', 'x3', 'x4']) await lookUp(id);
    await lookUp('a');
    expect(state.reads).toEqual(['a', 'x1', 'x2', 'x3', 'x4']);
    state.values.set('b', 'B').set('c', 'C');
    for (const id of ['b', 'c', 'a']) await lookUp(id);
    expect(state.reads.slice(5)).toEqual(['b', 'c', 'a']);
  });

  test('while Firestore does not answer, what was known serves on for a while and then no longer', async () => {
    const { state, lookUp } = directory();
    state.values.set('a', 'A');
    await lookUp('a');
    state.fails = true;
    state.nowMs = 4_999;
    expect(await lookUp('a')).toBe('A');
    state.nowMs = 5_000;
    await expect(lookUp('a')).rejects.toThrow('unavailable');
    state.fails = false;
    expect(await lookUp('a')).toBe('A');
  });

  test('an answer about to end is read again without anybody waiting for it', async () => {
    const { state, lookUp } = directory({ refreshAheadMs: 200 });
    state.values.set('a', 'A');
    await lookUp('a');
    state.values.set('a', 'B');
    state.nowMs = 800;
    expect([lookUp('a'), lookUp('a')]).toEqual(['A', 'A']);
    await new Promise(setImmediate);
    expect(lookUp('a')).toBe('B');
    expect(state.reads).toEqual(['a', 'a']);
  });

  test('a refresh that fails is nobody’s error, and what was known serves to its end', async () => {
    const { state, lookUp } = directory({ refreshAheadMs: 200 });
    state.values.set('a', 'A');
    await lookUp('a');
    state.fails = true;
    state.nowMs = 999;
    expect(lookUp('a')).toBe('A');
    await new Promise(setImmediate);
    expect(lookUp('a')).toBe('A');
  });
});
