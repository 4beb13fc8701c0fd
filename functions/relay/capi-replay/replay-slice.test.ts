import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { paths } from '../../../shared/contracts/documents.ts';
import { letter } from '../../../test/relay/letters.ts';
import { startMs, startReplayWorld } from '../../../test/relay/replay-world.ts';
import type { ReplayWorld } from '../../../test/relay/replay-world.ts';

let world: ReplayWorld;
beforeAll(async () => {
  world = await startReplayWorld();
});
afterAll(() => world.close());
beforeEach(() => world.reset());

describe('two replays of the same world.letters at once', () => {
  it('send each letter once between them', async () => {
    const all = await world.record(...Array.from({ length: 60 }, (_, index) => letter(`e${index}`)));
    const [first, second] = [await world.replay({ filter: {} }), await world.replay({ ids: all })];
    const [a, b] = world.due.splice(0);
    if (a === undefined || b === undefined) throw new Error('two slices were expected');
    expect(await Promise.all([world.push(a.envelope), world.push(b.envelope)])).toEqual([204, 204]);
    await world.work();
    expect(new Set(world.eventIds()).size).toBe(60);
    expect(world.published).toHaveLength(60);
    const counted = [await world.outcomes(first), await world.outcomes(second)];
    expect(counted.map((each) => each['replayed'] ?? 0).reduce((sum, n) => sum + n)).toBe(60);
    expect(counted.map((each) => each['in-progress'] ?? 0).reduce((sum, n) => sum + n)).toBe(60);
  });

  it('a message of a slice delivered twice at once is worked on once', async () => {
    await world.record(...Array.from({ length: 40 }, (_, index) => letter(`e${index}`)));
    const replayId = await world.replay({ filter: {} });
    const [slice] = world.due.splice(0);
    if (slice === undefined) throw new Error('a slice was expected');
    await Promise.all([world.push(slice.envelope), world.push(slice.envelope)]);
    await world.work();
    await world.push(slice.envelope);
    expect(world.published).toHaveLength(40);
    expect(await world.outcomes(replayId)).toEqual({ replayed: 40 });
  });
});

/** Copies of one recorded letter under other ids, written in batches. */
async function recordMany(total: number): Promise<void> {
  const [id] = await world.record(letter('e0'));
  const template = (await world.db.doc(paths.deadLetter(id ?? '')).get()).data() ?? {};
  for (let made = 1; made < total; made += 333) {
    const batch = world.db.batch();
    for (let index = made; index < Math.min(total, made + 333); index += 1) {
      const deadLetterId = index.toString(16).padStart(32, '0');
      const payload = letter(`e${index}`).payload;
      const firstAt = new Date(startMs + Math.floor(index / 50)).toISOString();
      batch.set(world.db.doc(paths.deadLetter(deadLetterId)), { ...template, deadLetterId, payload, firstAt });
    }
    await batch.commit();
  }
  world.nowMs += total;
}

describe('10,000 letters', () => {
  it(
    'at 200 a second: cut off again and again, each is sent, none twice downstream, and never faster',
    { timeout: 120_000 },
    async () => {
      const total = 10_000;
      await recordMany(total);
      vi.spyOn(console, 'error').mockReturnValue(undefined); // functions-framework shows each failure
      let publishes = 0;
      let crashes = 0;
      world.beforePublish = () => {
        publishes += 1;
        if (publishes % 1_117 !== 0) return;
        crashes += 1;
        throw new Error('Pub/Sub did not answer');
      };
      const replayId = await world.replay({ filter: { tenant: 'acme' }, ratePerSecond: 200 });
      const startedMs = world.nowMs;
      await world.work();
      expect(crashes).toBeGreaterThan(5);
      expect(await world.outcomes(replayId)).toEqual({ replayed: total });
      // What was sent twice has the same ids twice, by which delivery knows it.
      expect(new Set(world.eventIds()).size).toBe(total);
      expect(new Set(world.published.map(({ envelope }) => envelope.eventId)).size).toBe(total);
      expect(world.published.length - total).toBeLessThanOrEqual(crashes * 25);
      expect(world.nowMs - startedMs).toBeGreaterThanOrEqual((total / 200) * 1_000 - 1_000);
      const perSecond = new Map<number, number>();
      for (const { atMs } of world.published) {
        const second = Math.floor(atMs / 1_000);
        perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
      }
      expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(200 + 25);
    },
  );
});

describe('cancelling', () => {
  it('stops a replay in the middle: nothing more is sent, and the rest can be replayed by another', async () => {
    await world.record(...Array.from({ length: 100 }, (_, index) => letter(`e${index}`)));
    const replayId = await world.replay({ filter: {}, ratePerSecond: 2 });
    await world.work(1);
    const sent = world.published.length;
    expect(sent).toBeGreaterThan(10);
    expect(sent).toBeLessThan(60);
    const cancelled = await world.call('POST', `/replays/${replayId}/cancel`, { reason: 'enough' });
    expect(cancelled).toMatchObject({ status: 200, body: { state: 'cancelled', outcomes: { replayed: sent } } });
    await world.work();
    expect(world.published).toHaveLength(sent);
    expect((await world.call('POST', `/replays/${replayId}/cancel`, { reason: 'again' })).status).toBe(409);
    await world.replay({ filter: {} });
    await world.work();
    expect([world.published.length, new Set(world.eventIds()).size]).toEqual([100, 100]);
  });

  it('while a worker has world.letters in hand sends those and no more', async () => {
    await world.record(...Array.from({ length: 100 }, (_, index) => letter(`e${index}`)));
    const replayId = await world.replay({ filter: {}, ratePerSecond: 40 });
    let cancelling: Promise<unknown> | undefined;
    world.beforePublish = () =>
      void (cancelling ??= world.call('POST', `/replays/${replayId}/cancel`, { reason: 'stop' }));
    await world.work();
    await cancelling;
    const { body } = await world.call('GET', `/replays/${replayId}`);
    expect(body.state).toBe('cancelled');
    expect(body.outcomes['replayed']).toBe(world.published.length);
    expect(world.published.length).toBeLessThan(100);
  });

  it('an unknown replay is 404', async () => {
    expect((await world.call('POST', '/replays/nope/cancel', { reason: 'because' })).status).toBe(404);
    expect((await world.call('GET', '/replays/nope')).status).toBe(404);
  });
});
