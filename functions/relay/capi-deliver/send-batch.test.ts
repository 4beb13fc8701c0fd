import { describe, expect, test } from 'vitest';
import { GraphError } from '../../../shared/meta/errors.ts';
import type { GraphErrorFacts } from '../../../shared/meta/errors.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';
import { fateOf, holdMs } from './fate.ts';
import { sendBatch } from './send-batch.ts';

const now = new Date('2026-11-23T12:00:00Z');

function graphError(facts: Partial<GraphErrorFacts>): GraphError {
  return new GraphError({
    class: 'config-bug',
    reason: 'invalid-parameter',
    outcome: 'not-applied',
    call: 'POST /{id}/events',
    code: 100,
    ...facts,
  });
}

/** Meta as it is: refuses the whole batch when any event is bad. */
function meta(bad: ReadonlySet<number>) {
  const taken: number[] = [];
  const calls: number[] = [];
  return {
    taken,
    calls,
    send: async (events: readonly number[]) => {
      calls.push(events.length);
      if (events.some((event) => bad.has(event))) throw graphError({ subcode: 2_804_003, reason: 'event-too-old' });
      taken.push(...events);
      return { eventsReceived: events.length };
    },
  };
}

const batchOf = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const fateOfNow = (error: unknown): ReturnType<typeof fateOf> => fateOf(error, now);

describe('sending a batch', () => {
  test('a good batch is one call', async () => {
    const { send, calls } = meta(new Set());
    const fates = await sendBatch(batchOf(1_000), { send, fateOf: fateOfNow });
    expect(fates.every(({ kind }) => kind === 'accepted')).toBe(true);
    expect(calls).toEqual([1_000]);
  });

  test('one bad event among 1,000 is quarantined and 999 are delivered once, in at most 22 calls, wherever it stands', async () => {
    for (const bad of [0, 1, 7, 499, 500, 501, 998, 999]) {
      const { send, taken, calls } = meta(new Set([bad]));
      const fates = await sendBatch(batchOf(1_000), { send, fateOf: fateOfNow });
      expect(fates.flatMap(({ kind }, index) => (kind === 'accepted' ? [] : [[index, kind]]))).toEqual([
        [bad, 'quarantined'],
      ]);
      expect(taken.toSorted((a, b) => a - b)).toEqual(batchOf(1_000).filter((event) => event !== bad));
      expect(calls.length).toBeLessThanOrEqual(22);
    }
  });

  test('several bad events are each quarantined with the reason Meta gave', async () => {
    const bad = new Set([3, 4, 500, 777]);
    const { send, taken, calls } = meta(bad);
    const fates = await sendBatch(batchOf(1_000), { send, fateOf: fateOfNow });
    expect(fates.flatMap((fate, index) => (fate.kind === 'accepted' ? [] : [{ index, ...fate }]))).toEqual(
      [...bad].map((index) => expect.objectContaining({ index, kind: 'quarantined', reason: 'event-too-old' })),
    );
    expect(taken).toHaveLength(996);
    expect(calls.length).toBeLessThanOrEqual(4 * 22);
  });

  test('a batch in which all is bad ends after a bounded number of calls, the rest coming later', async () => {
    const { send, calls } = meta(new Set(batchOf(1_000)));
    const fates = await sendBatch(batchOf(1_000), { send, fateOf: fateOfNow, maxCalls: 100 });
    expect(calls).toHaveLength(100);
    expect(fates).toHaveLength(1_000);
    expect(new Set(fates.map(({ kind }) => kind))).toEqual(new Set(['quarantined', 'later']));
  });

  test('a throttle in the middle of a search stops it: no further call, and what was not sent is not uncertain', async () => {
    const { send, calls, taken } = meta(new Set([900]));
    const retryAtMs = now.getTime() + 90_000;
    const fates = await sendBatch(batchOf(1_000), {
      send: async (events) => {
        if (calls.length === 2) throw graphError({ class: 'throttled', reason: 'app-limit', code: 4, retryAtMs });
        return send(events);
      },
      fateOf: fateOfNow,
    });
    expect(calls).toHaveLength(2);
    expect(taken).toHaveLength(500);
    expect(fates.slice(0, 500).every(({ kind }) => kind === 'accepted')).toBe(true);
    for (const fate of fates.slice(500))
      expect(fate).toMatchObject({ kind: 'later', afterMs: 90_000, uncertain: false });
  });

  test.each<[string, Partial<GraphErrorFacts>]>([
    ['trouble at Meta', { class: 'transient', reason: 'service-trouble', code: 2, outcome: 'unknown' }],
    ['a lost answer', { class: 'unknown-outcome', reason: 'answer-lost', outcome: 'unknown' }],
  ])('%s in the middle of a search is passed over once; twice in a row stops it', async (_name, trouble) => {
    for (const [unlucky, left] of [
      [new Set([3]), 250],
      [new Set([3, 5]), 250 + 125],
      [new Set([3, 4]), 500],
    ] as const) {
      const { send, calls, taken } = meta(new Set([999]));
      let made = 0;
      const fates = await sendBatch(batchOf(1_000), {
        send: async (events) => {
          made += 1;
          if (unlucky.has(made)) throw graphError(trouble);
          return send(events);
        },
        fateOf: fateOfNow,
      });
      const later = fates.flatMap((fate, index) => (fate.kind === 'later' ? [index] : []));
      expect(later).toHaveLength(left);
      expect(new Set([...taken, ...later]).size).toBe(taken.length + left);
      expect(fates.filter((fate) => fate.kind === 'quarantined')).toHaveLength(left === 500 ? 0 : 1);
      expect(calls.length).toBeLessThanOrEqual(22);
    }
  });

  test('when Meta counts fewer events than it was sent, none is repeated and none is forgotten', async () => {
    const fates = await sendBatch(batchOf(10), { send: async () => ({ eventsReceived: 9 }), fateOf: fateOfNow });
    expect(fates).toHaveLength(10);
    for (const fate of fates) expect(fate).toMatchObject({ kind: 'quarantined', reason: 'not-all-counted' });
  });
});

describe('what a failed call means', () => {
  test.each<[string, Partial<GraphErrorFacts>, object]>([
    ['a lost answer', { class: 'unknown-outcome', reason: 'answer-lost', outcome: 'unknown' }, { uncertain: true }],
    ['trouble at Meta', { class: 'transient', reason: 'service-trouble' }, { uncertain: false, advice: undefined }],
    ['a dead token', { class: 'token-dead', code: 190, advice: 'Re-mint.' }, { afterMs: holdMs, advice: 'Re-mint.' }],
    ['a missing permission', { class: 'permission', code: 200 }, { afterMs: holdMs }],
    ['an invisible dataset', { class: 'not-found', subcode: 33 }, { afterMs: holdMs }],
    ['an expired version', { code: 2635, reason: 'version-expired' }, { afterMs: holdMs }],
    ['an unreadable answer', { reason: 'unexpected-answer', outcome: 'unknown' }, { uncertain: true }],
  ])('%s loses no event: it comes later', (_name, facts, expected) => {
    expect(fateOf(graphError(facts), now)).toMatchObject({ kind: 'later', ...expected });
  });

  test('a token that is not there holds the events and says who must act', () => {
    const waiting = new Waiting({ on: 'kobi', for: 'child-token', what: 'Mint a token.', pollEveryMs: 1 });
    expect(fateOf(waiting, now)).toMatchObject({ kind: 'later', afterMs: holdMs, advice: 'Mint a token.' });
  });

  test('an error nobody foresaw counts as possibly sent', () => {
    expect(fateOf(new Error('?'), now)).toMatchObject({ kind: 'later', uncertain: true });
  });
});
