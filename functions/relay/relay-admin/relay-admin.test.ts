import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRelayCounters } from '../../../shared/gcp/relay-counters.ts';
import { at, letter, malformedLetter, stepLetter } from '../../../test/relay/letters.ts';
import { startReplayWorld } from '../../../test/relay/replay-world.ts';
import type { ReplayWorld } from '../../../test/relay/replay-world.ts';

let world: ReplayWorld;
beforeAll(async () => {
  world = await startReplayWorld();
});
afterAll(() => world.close());
beforeEach(() => world.reset());

const minuteMs = 60_000;
const none = { tenantId: null, topic: null, reason: null, since: null, until: null };

describe('looking at dead letters', () => {
  it('they are listed newest first, a page at a time, each once, without their content', async () => {
    for (let index = 0; index < 25; index += 1) {
      world.nowMs += index % 3; // several at the same instant
      await world.record(letter(`e${index}`));
    }
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const path: string = `/dead-letters?limit=10${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const { body } = await world.call('GET', path);
      expect(JSON.stringify(body)).not.toContain('event_id');
      seen.push(...body.deadLetters.map(({ deadLetterId }) => deadLetterId));
      cursor = body.next;
    }
    expect(new Set(seen).size).toBe(25);
    const newest = await world.letters.page(none, 'newest-first', undefined, 1);
    expect(seen[0]).toBe(newest[0]?.deadLetterId);
  });

  it('every filter narrows by itself and together with the others', async () => {
    await world.record(
      letter('a'),
      letter('b', { reason: 'expired' }),
      letter('c', { tenantId: 'other' }),
      stepLetter(),
    );
    world.nowMs += minuteMs;
    await world.record(letter('d'));
    const found = async (query: string): Promise<number> =>
      (await world.call('GET', `/dead-letters?${query}`)).body.deadLetters.length;
    expect(
      await Promise.all(
        ['tenant=acme', 'topic=create-pixel', 'reason=expired', 'tenant=acme&topic=capi-events'].map(found),
      ),
    ).toEqual([4, 1, 1, 3]);
    const later = new Date(world.nowMs).toISOString();
    expect(
      await Promise.all([`since=${later}`, `until=${later}`, `tenant=acme&reason=expired&until=${later}`].map(found)),
    ).toEqual([1, 4, 1]);
  });

  it('a mistyped filter is refused, never taken for no filter', async () => {
    for (const query of ['tenants=acme', 'tenant=A B', 'since=yesterday', 'limit=0', 'cursor=zzz', 'cursor=WzEsMl0']) {
      expect((await world.call('GET', `/dead-letters?${query}`)).status, query).toBe(400);
    }
  });

  it('groups say per tenant and reason how many, since when and which, and page through', async () => {
    await world.record(...Array.from({ length: 5 }, (_, index) => letter(`e${index}`)));
    world.nowMs += minuteMs;
    await world.record(letter('x', { reason: 'expired' }), letter('y', { tenantId: 'other' }), letter('e0'));
    await world.record(malformedLetter);
    const { body } = await world.call('GET', '/dead-letters/groups');
    expect(body.groups.map(({ tenantId, reason, count }) => [tenantId, reason, count])).toEqual([
      [null, 'malformed-message', 1],
      ['acme', '100/2804003', 5],
      ['acme', 'expired', 1],
      ['other', '100/2804003', 1],
    ]);
    expect(body.groups[1]).toMatchObject({ firstAt: at, lastAt: new Date(world.nowMs).toISOString() });
    expect(body.groups[1]?.sampleIds).toHaveLength(3);
    const first = await world.call('GET', '/dead-letters/groups?limit=2');
    const second = await world.call('GET', `/dead-letters/groups?limit=2&cursor=${first.body.next}`);
    expect([...first.body.groups, ...second.body.groups]).toEqual(body.groups);
    expect((await world.call('GET', '/dead-letters/groups?tenant=other')).body.groups).toHaveLength(1);
  });

  it('one is shown with its content and what a replay would do', async () => {
    const [id] = await world.record(letter('a'));
    const { body } = await world.call('GET', `/dead-letters/${id}`);
    expect(body.message.data).toMatchObject({ events: [{ event_id: 'a' }] });
    expect(body.replay).toEqual({ outcome: 'replayed', count: 0, replays: [] });
    expect((await world.call('GET', '/dead-letters/nope')).status).toBe(404);
    expect((await world.call('GET', `/dead-letters/${'0'.repeat(32)}`)).status).toBe(404);
  });
});

describe('GET /tenants/{tenant}/counters', () => {
  it('answers the sums of the hours asked for', async () => {
    const counters = createRelayCounters({ db: world.db, now: () => new Date(world.nowMs), instance: 'a' });
    counters.count('acme', 'Purchase', 'received', 3);
    await counters.flush();
    world.nowMs += minuteMs;
    const { status, body } = await world.call('GET', '/tenants/acme/counters');
    expect([status, body]).toMatchObject([200, { tenantId: 'acme', total: { Purchase: { received: 3 } } }]);
    const none = await world.call('GET', '/tenants/acme/counters?from=2026-11-22T00:00:00Z&to=2026-11-23T00:00:00Z');
    expect(none.body).toMatchObject({ total: {}, hours: [] });
    const long = await world.call('GET', '/tenants/acme/counters?from=2026-10-22T00:00:00Z');
    expect(long.status).toBe(400);
  });
});
