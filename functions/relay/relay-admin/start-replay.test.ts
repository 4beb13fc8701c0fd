import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { paths } from '../../../shared/contracts/documents.ts';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import { verifyAuditTrail } from '../../../shared/gcp/audit-trail.ts';
import { at, letter, malformedLetter, step, stepLetter, traceparent } from '../../../test/relay/letters.ts';
import { asked, startMs, startReplayWorld } from '../../../test/relay/replay-world.ts';
import type { ReplayWorld } from '../../../test/relay/replay-world.ts';
import { eventsMessage } from '../events-message.ts';

let world: ReplayWorld;
beforeAll(async () => {
  world = await startReplayWorld();
});
afterAll(() => world.close());
beforeEach(() => world.reset());

const minuteMs = 60_000;
const dayMs = 86_400_000;
const none = { tenantId: null, topic: null, reason: null, since: null, until: null };

/** The world.letters as stored, without how often and when they died last. */
function storedLetters(): unknown {
  const stored = Object.entries(world.firestore.dump()).filter(([path]) => path.startsWith('deadLetters/'));
  return stored.map(([path, fields]) => [path, { ...(fields as object), count: 0, lastAt: '' }]);
}

describe('a dry run', () => {
  it('says exactly what the replay then does, and why the others stay', async () => {
    const [again] = await world.record(letter('again'));
    await world.replay({ ids: [again] });
    await world.work();
    world.nowMs += 20 * minuteMs;
    await world.record(
      letter('old', { event: { event_time: startMs / 1_000 - 8 * 86_400 } }),
      letter('store', { event: { event_time: startMs / 1_000 - 8 * 86_400, action_source: 'physical_store' } }),
      letter('older-store', { event: { event_time: startMs / 1_000 - 63 * 86_400, action_source: 'physical_store' } }),
      letter('good'),
      stepLetter(),
      malformedLetter,
    );
    await world.record(letter('moments-ago'));
    await world.replay({
      ids: [
        (await world.letters.page(none, 'newest-first', undefined, 10)).find(({ payload }) =>
          String(payload).includes('moments-ago'),
        )?.deadLetterId,
      ],
    });
    await world.work();
    world.nowMs += minuteMs;
    const expected = { 'too-old': 2, 'not-replayable': 1, 'already-replayed': 1, 'in-progress': 1 };
    const dry = await world.call('POST', '/replays', { filter: {}, dryRun: true });
    expect([dry.status, dry.body.wouldReplay, dry.body.wouldNot]).toEqual([200, 3, expected]);
    const before = world.published.length;
    const replayId = await world.replay({ filter: {} });
    await world.work();
    expect(await world.outcomes(replayId)).toEqual({ replayed: 3, ...expected });
    expect(world.published.length - before).toBe(3);
  });

  it('writes nothing', async () => {
    await world.record(letter('a'));
    const before = world.firestore.dump();
    await world.call('POST', '/replays', { filter: { tenant: 'acme' }, dryRun: true });
    expect(world.firestore.dump()).toEqual(before);
    expect([world.due, world.published]).toEqual([[], []]);
  });
});

describe('a replay', () => {
  it('publishes the same data to the topic it came from, under an id of the replay, and leaves the letter as it was', async () => {
    await world.record(letter('a'), stepLetter());
    const before = storedLetters();
    const replayId = await world.replay({ filter: {} });
    await world.work();
    const byTopic = new Map(world.published.map(({ topic, envelope }) => [topic, envelope]));
    expect(byTopic.get('create-pixel')).toMatchObject({ runId: 'run-1', data: step.data });
    expect(byTopic.get('capi-events')?.data).toMatchObject({ datasetId: '111', events: [{ event_id: 'a' }] });
    for (const { envelope } of world.published)
      expect(envelope.eventId).toMatch(new RegExp(`^replay:${replayId}:[0-9a-f]{32}$`));
    expect(storedLetters()).toEqual(before);
    expect((await world.call('GET', `/replays/${replayId}`)).body).toMatchObject({ state: 'done', planned: 2 });
  });

  it('of a message whose copy dies again is the same letter with a higher count, replayed again with a warning', async () => {
    const [id] = await world.record(stepLetter());
    await world.replay({ ids: [id] });
    await world.work();
    world.nowMs += 1;
    const { eventId } = world.published[0]?.envelope ?? step;
    expect(await world.record({ ...stepLetter(), eventId, identity: eventId })).toEqual([id]);
    expect((await world.call('GET', '/dead-letters')).body.deadLetters).toMatchObject([{ deadLetterId: id, count: 2 }]);
    const dry = await world.call('POST', '/replays', { ids: [id], dryRun: true });
    expect(dry.body).toMatchObject({ wouldReplay: 1, warnings: { replayedBefore: 1 } });
    const second = await world.replay({ ids: [id] });
    await world.work();
    expect((await world.call('GET', `/replays/${second}`)).body.warnings).toEqual({ replayedBefore: 1 });
    expect(world.published).toHaveLength(2);
  });

  it('of a letter that was replayed and did not die again is refused, unless it is asked for', async () => {
    const [id] = await world.record(letter('a'));
    await world.replay({ ids: [id] });
    await world.work();
    world.nowMs += 20 * minuteMs;
    const refused = await world.call('POST', '/replays', { ...asked, ids: [id] });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'nothing-to-replay']);
    expect(refused.body.error.message).toContain('1 already-replayed');
    await world.replay({ ids: [id], includeReplayed: true });
    await world.work();
    expect(world.published).toHaveLength(2);
  });

  it('has all its attempts before it, however many the message had spent', async () => {
    const died = letter('a');
    const spent = JSON.parse(String(died.payload)) as Envelope<'capi-events'>;
    await world.record({ ...died, payload: JSON.stringify({ ...spent, data: { ...spent.data, attempt: 5 } }) });
    await world.replay({ filter: {} });
    await world.work();
    expect(world.published.map(({ envelope }) => envelope.data)).toEqual([spent.data]);
  });

  it('leaves behind those events of a message that grew too old', async () => {
    const old = startMs / 1_000 - 7 * 86_400 + 60;
    const { eventId, json } = eventsMessage(
      { tenantId: 'acme', datasetId: '111', testEventCode: 'T1', at, traceparent },
      [
        { event_id: 'old', event_time: old, action_source: 'website' },
        { event_id: 'young', event_time: startMs / 1_000, action_source: 'website' },
      ],
    );
    await world.record({ ...letter('x'), eventId, identity: eventId, payload: json });
    world.nowMs += 5 * minuteMs;
    await world.replay({ filter: {} });
    await world.work();
    expect(world.published.map(({ envelope }) => envelope.data)).toEqual([
      {
        datasetId: '111',
        testEventCode: 'T1',
        events: [{ event_id: 'young', event_time: startMs / 1_000, action_source: 'website' }],
      },
    ]);
  });

  it('never runs after what dies while it works', async () => {
    await world.record(letter('a'));
    const replayId = await world.replay({ filter: {} });
    world.nowMs += 1;
    await world.record(letter('b'));
    await world.work();
    expect(await world.outcomes(replayId)).toEqual({ replayed: 1 });
  });

  it('is in the audit of every tenant it touches, with actor and reason, and so is its end by cancelling', async () => {
    await world.record(letter('a'), letter('b', { tenantId: 'other' }));
    const replayId = await world.replay({ filter: {} });
    await world.call('POST', `/replays/${replayId}/cancel`, { reason: 'wrong filter' });
    for (const tenantId of ['acme', 'other']) {
      const rows = (await world.db.collection(paths.audit(tenantId)).get()).docs;
      expect(rows.map((row) => [row.get('actor'), row.get('action'), row.get('detail.reason')])).toEqual([
        ['ada@kobi.example', 'dead-letters-replayed', asked.reason],
        ['ada@kobi.example', 'replay-cancelled', 'wrong filter'],
      ]);
      expect(await verifyAuditTrail(world.db, tenantId)).toEqual([]);
    }
  });

  it.each([
    [{ filter: {} }, ['ratePerSecond', 'reason']],
    [{ ids: ['x'], ...asked }, ['ids[0]']],
    [{ ids: [], ...asked }, ['ids']],
    [{ filter: { tenants: 'acme' }, ...asked }, ['filter.tenants']],
    [{ filter: { since: 'yesterday' }, dryRun: true }, ['filter.since']],
    [{ filter: {}, ...asked, ratePerSecond: 0 }, ['ratePerSecond']],
    [{ filter: {}, ...asked, dryRun: 'false' }, ['dryRun']],
    [{ filter: {}, ids: ['0'.repeat(32)], ...asked }, ['filter']],
    [{ dryRun: true }, ['filter']],
  ])('%j is refused, naming the fields', async (body, fields) => {
    const { status, body: answer } = await world.call('POST', '/replays', body);
    expect([status, answer.error.problems.map(({ field }) => field)]).toEqual([400, fields]);
    expect(world.due).toEqual([]);
  });

  it('is for operators: without an identity nothing is answered', async () => {
    expect(await world.callUnknown('/replays')).toBe(401);
  });
});

it('letters and replays are gone after 30 days', async () => {
  await world.record(letter('a'));
  const gone = startMs + 30 * dayMs;
  await world.replay({ filter: {} });
  await world.work();
  const kept = (): string[] => Object.keys(world.firestore.dump()).filter((path) => /^(dead|replays)/.test(path));
  expect(kept()).toHaveLength(3);
  world.firestore.expire(new Date(gone - 1));
  expect(kept()).toHaveLength(3);
  world.firestore.expire(new Date(gone + minuteMs));
  expect(kept()).toEqual([]);
});
