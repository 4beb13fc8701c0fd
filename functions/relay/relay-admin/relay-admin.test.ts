import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cloudEvent, http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import type { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { paths, ttlCollectionGroups } from '../../../shared/contracts/documents.ts';
import { verifyAuditTrail } from '../../../shared/gcp/audit-trail.ts';
import { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import type { DeadLetterInput } from '../../../shared/gcp/dead-letter-store.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createRelayCounters } from '../../../shared/gcp/relay-counters.ts';
import { readRelayNumbers } from '../../../shared/gcp/relay-numbers.ts';
import { ReplayStore } from '../../../shared/gcp/replay-store.ts';
import { ReplayWork } from '../../../shared/gcp/replay-work.ts';
import { httpFunction } from '../../../shared/runtime/http-function.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { pubsubFunction } from '../../../shared/runtime/pubsub-function.ts';
import { pushBody } from '../../../shared/runtime/delayed-retry.ts';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import { startEmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import { replaySlice } from '../capi-replay/replay-slice.ts';
import { eventsMessage } from '../events-message.ts';
import { relayAdminRoutes } from './routes.ts';

const start = Date.parse('2026-11-23T20:00:00.000Z');
const day = 86_400_000;
const minute = 60_000;
const operator = `Bearer e30.${Buffer.from('{"email":"ada@kobi.example"}').toString('base64url')}.x`;
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const at = new Date(start).toISOString();

const ttl = ttlCollectionGroups.map((collectionGroup) => ({ collectionGroup, field: 'expireAt' }));

let firestore: EmbeddedFirestore;
let db: Firestore;
let letters: DeadLetterStore;
let nowMs = start;
let ids = 0;
/** What reached a topic, in order. */
const published: { topic: string; envelope: Envelope; atMs: number }[] = [];
/** Slices waiting for their time. */
let due: { envelope: Envelope; at: Date }[] = [];
/** Called before each publish; throws to play a failure of Pub/Sub. */
let beforePublish: () => void = () => undefined;
const servers: Server[] = [];
let admin: string;
let worker: string;

beforeAll(async () => {
  firestore = await startEmbeddedFirestore({ projectId: 'kobi-test', ttl });
  vi.stubEnv('FIRESTORE_EMULATOR_HOST', firestore.host);
  db = connectFirestore('kobi-test');
  const now = (): Date => new Date(nowMs);
  const log = createLogger({ level: 'silent', functionName: 'test' });
  const publish = async (topic: string, json: string): Promise<void> => {
    beforePublish();
    const envelope = JSON.parse(json) as Envelope;
    if (topic === 'capi-replay') due.push({ envelope, at: now() });
    else published.push({ topic, envelope, atMs: nowMs });
  };
  const outbox = new Outbox(db, { publish: async () => {}, publishJson: publish, close: async () => {} });
  const replays = new ReplayStore({ db, outbox, now });
  letters = new DeadLetterStore(db, now);
  const routes = relayAdminRoutes({
    deadLetters: letters,
    replays,
    deliver: (messages) => outbox.deliver(messages),
    counters: (tenantId, from, to) => readRelayNumbers(db, tenantId, from, to),
    newReplayId: () => `replay-${(ids += 1)}`,
    now,
  });
  http(
    'relay-admin-test',
    httpFunction(() => ({ projectId: 'kobi-test', log, routes })),
  );
  const slice = {
    replays: new ReplayWork(db, now),
    deadLetters: letters,
    publish,
    bringBack: async (envelope: Envelope, dueAt: Date) => {
      const isScheduled = due.some(({ envelope: known }) => known.eventId === envelope.eventId);
      if (!isScheduled) due.push({ envelope, at: dueAt });
    },
    now,
    sleep: async (ms: number) => void (nowMs += ms),
  };
  cloudEvent(
    'capi-replay-test',
    pubsubFunction(
      'capi-replay',
      () => ({ projectId: 'kobi-test', log, deadLetters: letters, now }),
      (envelope, bound) => replaySlice(envelope, slice, bound),
    ),
  );
  admin = await listen('relay-admin-test');
  worker = await listen('capi-replay-test');
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await db.terminate();
  await firestore.close();
});
beforeEach(() => {
  firestore.clear();
  nowMs = start;
  published.length = 0;
  due = [];
  beforePublish = () => undefined;
});

async function listen(name: string): Promise<string> {
  const server = getTestServer(name);
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Every field any answer may have. */
interface Answered {
  readonly deadLetters: { deadLetterId: string; tenantId: string; count: number; events: number }[];
  readonly next: string | null;
  readonly groups: { tenantId: string | null; reason: string; count: number; sampleIds: string[] }[];
  readonly replay: { outcome: string; count: number };
  readonly message: Envelope;
  readonly replayId: string;
  readonly state: string;
  readonly planned: number;
  readonly outcomes: Record<string, number>;
  readonly wouldReplay: number;
  readonly wouldNot: Record<string, number>;
  readonly warnings: { replayedBefore: number };
  readonly error: { code: string; message: string; problems: { field: string }[]; field: string };
}

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Answered }> {
  const answer = await fetch(`${admin}${path}`, {
    method,
    headers: { authorization: operator, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Answered };
}

/** A dead letter of one event, or of something else. */
function letter(
  name: string,
  more: Partial<DeadLetterInput> & { event?: Record<string, unknown> } = {},
): DeadLetterInput {
  const { event, tenantId = 'acme', ...rest } = more;
  const events = [
    { event_id: name, event_name: 'Purchase', event_time: start / 1_000, action_source: 'website', ...event },
  ];
  const { eventId, json } = eventsMessage(
    { tenantId: tenantId ?? '', datasetId: '111', testEventCode: undefined, at, traceparent },
    events,
  );
  const fields = { topic: 'capi-events', tenantId, eventId, identity: eventId, reason: '100/2804003', problems: ['x'] };
  return { ...fields, payload: json, ...rest };
}

const step: Envelope<'create-pixel'> = {
  eventId: 'acme:run-1:create-pixel:0',
  type: 'create-pixel',
  version: 1,
  tenantId: 'acme',
  runId: 'run-1',
  at,
  traceparent,
  data: { cause: 'needs-met' },
};

function stepLetter(): DeadLetterInput {
  const { type: topic, tenantId, eventId } = step;
  const payload = JSON.stringify(step);
  return { topic, tenantId, eventId, identity: eventId, reason: 'undeliverable', problems: [], payload };
}

async function record(...inputs: DeadLetterInput[]): Promise<string[]> {
  const recorded: string[] = [];
  for (const input of inputs) recorded.push(await letters.record(input));
  return recorded;
}

/** Runs the slices that are due, advancing the clock to each, as Pub/Sub and Cloud Tasks would; a 500 comes again. */
async function work(most = Infinity): Promise<void> {
  for (let runs = 0; due.length > 0 && runs < most; runs += 1) {
    const next = due.shift();
    if (next === undefined) return;
    nowMs = Math.max(nowMs, next.at.getTime());
    const status = await push(next.envelope);
    if (status !== 204) due.push({ envelope: next.envelope, at: new Date(nowMs + minute) });
  }
}

async function push(envelope: Envelope): Promise<number> {
  const answer = await fetch(`${worker}/projects/kobi/topics/capi-replay`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(pushBody('kobi-test', envelope)),
  });
  return answer.status;
}

const real = { ratePerSecond: 100, reason: 'Meta is well again' };

async function replay(body: Record<string, unknown>): Promise<string> {
  nowMs += 1; // a filter covers what died before
  const { status, body: answer } = await call('POST', '/replays', { ...real, ...body });
  expect(status, JSON.stringify(answer)).toBe(202);
  return answer.replayId;
}

async function outcomes(replayId: string): Promise<Record<string, number>> {
  return (await call('GET', `/replays/${replayId}`)).body.outcomes;
}

/** The letters as stored, without how often and when they died last. */
function storedLetters(): unknown {
  const stored = Object.entries(firestore.dump()).filter(([path]) => path.startsWith('deadLetters/'));
  return stored.map(([path, fields]) => [path, { ...(fields as object), count: 0, lastAt: '' }]);
}

describe('looking at dead letters', () => {
  it('they are listed newest first, a page at a time, each once, without their content', async () => {
    for (let index = 0; index < 25; index += 1) {
      nowMs += index % 3; // several at the same instant
      await record(letter(`e${index}`));
    }
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const path: string = `/dead-letters?limit=10${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const { body } = await call('GET', path);
      expect(JSON.stringify(body)).not.toContain('event_id');
      seen.push(...body.deadLetters.map(({ deadLetterId }) => deadLetterId));
      cursor = body.next;
    }
    expect(new Set(seen).size).toBe(25);
    const newest = await letters.page(none, 'newest-first', undefined, 1);
    expect(seen[0]).toBe(newest[0]?.deadLetterId);
  });

  it('every filter narrows by itself and together with the others', async () => {
    await record(letter('a'), letter('b', { reason: 'expired' }), letter('c', { tenantId: 'other' }), stepLetter());
    nowMs += minute;
    await record(letter('d'));
    const found = async (query: string): Promise<number> =>
      (await call('GET', `/dead-letters?${query}`)).body.deadLetters.length;
    expect(
      await Promise.all(
        ['tenant=acme', 'topic=create-pixel', 'reason=expired', 'tenant=acme&topic=capi-events'].map(found),
      ),
    ).toEqual([4, 1, 1, 3]);
    const later = new Date(nowMs).toISOString();
    expect(
      await Promise.all([`since=${later}`, `until=${later}`, `tenant=acme&reason=expired&until=${later}`].map(found)),
    ).toEqual([1, 4, 1]);
  });

  it('a mistyped filter is refused, never taken for no filter', async () => {
    for (const query of ['tenants=acme', 'tenant=A B', 'since=yesterday', 'limit=0', 'cursor=zzz', 'cursor=WzEsMl0']) {
      expect((await call('GET', `/dead-letters?${query}`)).status, query).toBe(400);
    }
  });

  it('groups say per tenant and reason how many, since when and which, and page through', async () => {
    await record(...Array.from({ length: 5 }, (_, index) => letter(`e${index}`)));
    nowMs += minute;
    await record(letter('x', { reason: 'expired' }), letter('y', { tenantId: 'other' }), letter('e0'));
    await record({
      topic: 'dead-letters',
      tenantId: null,
      eventId: null,
      identity: 'z',
      reason: 'malformed-message',
      problems: [],
      payload: null,
    });
    const { body } = await call('GET', '/dead-letters/groups');
    expect(body.groups.map(({ tenantId, reason, count }) => [tenantId, reason, count])).toEqual([
      [null, 'malformed-message', 1],
      ['acme', '100/2804003', 5],
      ['acme', 'expired', 1],
      ['other', '100/2804003', 1],
    ]);
    expect(body.groups[1]).toMatchObject({ firstAt: at, lastAt: new Date(nowMs).toISOString() });
    expect(body.groups[1]?.sampleIds).toHaveLength(3);
    const first = await call('GET', '/dead-letters/groups?limit=2');
    const second = await call('GET', `/dead-letters/groups?limit=2&cursor=${first.body.next}`);
    expect([...first.body.groups, ...second.body.groups]).toEqual(body.groups);
    expect((await call('GET', '/dead-letters/groups?tenant=other')).body.groups).toHaveLength(1);
  });

  it('one is shown with its content and what a replay would do', async () => {
    const [id] = await record(letter('a'));
    const { body } = await call('GET', `/dead-letters/${id}`);
    expect(body.message.data).toMatchObject({ events: [{ event_id: 'a' }] });
    expect(body.replay).toEqual({ outcome: 'replayed', count: 0, replays: [] });
    expect((await call('GET', '/dead-letters/nope')).status).toBe(404);
    expect((await call('GET', `/dead-letters/${'0'.repeat(32)}`)).status).toBe(404);
  });
});

const none = { tenantId: null, topic: null, reason: null, since: null, until: null };

describe('a dry run', () => {
  it('says exactly what the replay then does, and why the others stay', async () => {
    const [again] = await record(letter('again'));
    await replay({ ids: [again] });
    await work();
    nowMs += 20 * minute;
    await record(
      letter('old', { event: { event_time: start / 1_000 - 8 * 86_400 } }),
      letter('store', { event: { event_time: start / 1_000 - 8 * 86_400, action_source: 'physical_store' } }),
      letter('older-store', { event: { event_time: start / 1_000 - 63 * 86_400, action_source: 'physical_store' } }),
      letter('good'),
      stepLetter(),
      {
        topic: 'dead-letters',
        tenantId: null,
        eventId: null,
        identity: 'z',
        reason: 'malformed-message',
        problems: [],
        payload: null,
      },
    );
    await record(letter('moments-ago'));
    await replay({
      ids: [
        (await letters.page(none, 'newest-first', undefined, 10)).find(({ payload }) =>
          String(payload).includes('moments-ago'),
        )?.deadLetterId,
      ],
    });
    await work();
    nowMs += minute;
    const expected = { 'too-old': 2, 'not-replayable': 1, 'already-replayed': 1, 'in-progress': 1 };
    const dry = await call('POST', '/replays', { filter: {}, dryRun: true });
    expect([dry.status, dry.body.wouldReplay, dry.body.wouldNot]).toEqual([200, 3, expected]);
    const before = published.length;
    const replayId = await replay({ filter: {} });
    await work();
    expect(await outcomes(replayId)).toEqual({ replayed: 3, ...expected });
    expect(published.length - before).toBe(3);
  });

  it('writes nothing', async () => {
    await record(letter('a'));
    const before = firestore.dump();
    await call('POST', '/replays', { filter: { tenant: 'acme' }, dryRun: true });
    expect(firestore.dump()).toEqual(before);
    expect([due, published]).toEqual([[], []]);
  });
});

describe('a replay', () => {
  it('publishes the same data to the topic it came from, under an id of the replay, and leaves the letter as it was', async () => {
    await record(letter('a'), stepLetter());
    const before = storedLetters();
    const replayId = await replay({ filter: {} });
    await work();
    const byTopic = new Map(published.map(({ topic, envelope }) => [topic, envelope]));
    expect(byTopic.get('create-pixel')).toMatchObject({ runId: 'run-1', data: step.data });
    expect(byTopic.get('capi-events')?.data).toMatchObject({ datasetId: '111', events: [{ event_id: 'a' }] });
    for (const { envelope } of published)
      expect(envelope.eventId).toMatch(new RegExp(`^replay:${replayId}:[0-9a-f]{32}$`));
    expect(storedLetters()).toEqual(before);
    expect((await call('GET', `/replays/${replayId}`)).body).toMatchObject({ state: 'done', planned: 2 });
  });

  it('of a message whose copy dies again is the same letter with a higher count, replayed again with a warning', async () => {
    const [id] = await record(stepLetter());
    await replay({ ids: [id] });
    await work();
    nowMs += 1;
    const { eventId } = published[0]?.envelope ?? step;
    expect(await record({ ...stepLetter(), eventId, identity: eventId })).toEqual([id]);
    expect((await call('GET', '/dead-letters')).body.deadLetters).toMatchObject([{ deadLetterId: id, count: 2 }]);
    const dry = await call('POST', '/replays', { ids: [id], dryRun: true });
    expect(dry.body).toMatchObject({ wouldReplay: 1, warnings: { replayedBefore: 1 } });
    const second = await replay({ ids: [id] });
    await work();
    expect((await call('GET', `/replays/${second}`)).body.warnings).toEqual({ replayedBefore: 1 });
    expect(published).toHaveLength(2);
  });

  it('of a letter that was replayed and did not die again is refused, unless it is asked for', async () => {
    const [id] = await record(letter('a'));
    await replay({ ids: [id] });
    await work();
    nowMs += 20 * minute;
    const refused = await call('POST', '/replays', { ...real, ids: [id] });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'nothing-to-replay']);
    expect(refused.body.error.message).toContain('1 already-replayed');
    await replay({ ids: [id], includeReplayed: true });
    await work();
    expect(published).toHaveLength(2);
  });

  it('has all its attempts before it, however many the message had spent', async () => {
    const died = letter('a');
    const spent = JSON.parse(String(died.payload)) as Envelope<'capi-events'>;
    await record({ ...died, payload: JSON.stringify({ ...spent, data: { ...spent.data, attempt: 5 } }) });
    await replay({ filter: {} });
    await work();
    expect(published.map(({ envelope }) => envelope.data)).toEqual([spent.data]);
  });

  it('leaves behind those events of a message that grew too old', async () => {
    const old = start / 1_000 - 7 * 86_400 + 60;
    const { eventId, json } = eventsMessage(
      { tenantId: 'acme', datasetId: '111', testEventCode: 'T1', at, traceparent },
      [
        { event_id: 'old', event_time: old, action_source: 'website' },
        { event_id: 'young', event_time: start / 1_000, action_source: 'website' },
      ],
    );
    await record({ ...letter('x'), eventId, identity: eventId, payload: json });
    nowMs += 5 * minute;
    await replay({ filter: {} });
    await work();
    expect(published.map(({ envelope }) => envelope.data)).toEqual([
      {
        datasetId: '111',
        testEventCode: 'T1',
        events: [{ event_id: 'young', event_time: start / 1_000, action_source: 'website' }],
      },
    ]);
  });

  it('never runs after what dies while it works', async () => {
    await record(letter('a'));
    const replayId = await replay({ filter: {} });
    nowMs += 1;
    await record(letter('b'));
    await work();
    expect(await outcomes(replayId)).toEqual({ replayed: 1 });
  });

  it('is in the audit of every tenant it touches, with actor and reason, and so is its end by cancelling', async () => {
    await record(letter('a'), letter('b', { tenantId: 'other' }));
    const replayId = await replay({ filter: {} });
    await call('POST', `/replays/${replayId}/cancel`, { reason: 'wrong filter' });
    for (const tenantId of ['acme', 'other']) {
      const rows = (await db.collection(paths.audit(tenantId)).get()).docs;
      expect(rows.map((row) => [row.get('actor'), row.get('action'), row.get('detail.reason')])).toEqual([
        ['ada@kobi.example', 'dead-letters-replayed', real.reason],
        ['ada@kobi.example', 'replay-cancelled', 'wrong filter'],
      ]);
      expect(await verifyAuditTrail(db, tenantId)).toEqual([]);
    }
  });

  it.each([
    [{ filter: {} }, ['ratePerSecond', 'reason']],
    [{ ids: ['x'], ...real }, ['ids[0]']],
    [{ ids: [], ...real }, ['ids']],
    [{ filter: { tenants: 'acme' }, ...real }, ['filter.tenants']],
    [{ filter: { since: 'yesterday' }, dryRun: true }, ['filter.since']],
    [{ filter: {}, ...real, ratePerSecond: 0 }, ['ratePerSecond']],
    [{ filter: {}, ...real, dryRun: 'false' }, ['dryRun']],
    [{ filter: {}, ids: ['0'.repeat(32)], ...real }, ['filter']],
    [{ dryRun: true }, ['filter']],
  ])('%j is refused, naming the fields', async (body, fields) => {
    const { status, body: answer } = await call('POST', '/replays', body);
    expect([status, answer.error.problems.map(({ field }) => field)]).toEqual([400, fields]);
    expect(due).toEqual([]);
  });

  it('is for operators: without an identity nothing is answered', async () => {
    const answer = await fetch(`${admin}/replays`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(401);
  });
});

describe('two replays of the same letters at once', () => {
  it('send each letter once between them', async () => {
    const all = await record(...Array.from({ length: 60 }, (_, index) => letter(`e${index}`)));
    const [first, second] = [await replay({ filter: {} }), await replay({ ids: all })];
    const [a, b] = due.splice(0);
    if (a === undefined || b === undefined) throw new Error('two slices were expected');
    expect(await Promise.all([push(a.envelope), push(b.envelope)])).toEqual([204, 204]);
    await work();
    expect(new Set(eventIds()).size).toBe(60);
    expect(published).toHaveLength(60);
    const counted = [await outcomes(first), await outcomes(second)];
    expect(counted.map((each) => each['replayed'] ?? 0).reduce((sum, n) => sum + n)).toBe(60);
    expect(counted.map((each) => each['in-progress'] ?? 0).reduce((sum, n) => sum + n)).toBe(60);
  });

  it('a message of a slice delivered twice at once is worked on once', async () => {
    await record(...Array.from({ length: 40 }, (_, index) => letter(`e${index}`)));
    const replayId = await replay({ filter: {} });
    const [slice] = due.splice(0);
    if (slice === undefined) throw new Error('a slice was expected');
    await Promise.all([push(slice.envelope), push(slice.envelope)]);
    await work();
    await push(slice.envelope);
    expect(published).toHaveLength(40);
    expect(await outcomes(replayId)).toEqual({ replayed: 40 });
  });
});

function eventIds(): unknown[] {
  return published
    .flatMap(({ envelope }) => ('events' in envelope.data ? envelope.data.events : []))
    .map((event) => event['event_id']);
}

/** Copies of one recorded letter under other ids, written in batches. */
async function recordMany(total: number): Promise<void> {
  const [id] = await record(letter('e0'));
  const template = (await db.doc(paths.deadLetter(id ?? '')).get()).data() ?? {};
  for (let made = 1; made < total; made += 333) {
    const batch = db.batch();
    for (let index = made; index < Math.min(total, made + 333); index += 1) {
      const deadLetterId = index.toString(16).padStart(32, '0');
      const payload = letter(`e${index}`).payload;
      const firstAt = new Date(start + Math.floor(index / 50)).toISOString();
      batch.set(db.doc(paths.deadLetter(deadLetterId)), { ...template, deadLetterId, payload, firstAt });
    }
    await batch.commit();
  }
  nowMs += total;
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
      beforePublish = () => {
        publishes += 1;
        if (publishes % 1_117 !== 0) return;
        crashes += 1;
        throw new Error('Pub/Sub did not answer');
      };
      const replayId = await replay({ filter: { tenant: 'acme' }, ratePerSecond: 200 });
      const startedMs = nowMs;
      await work();
      expect(crashes).toBeGreaterThan(5);
      expect(await outcomes(replayId)).toEqual({ replayed: total });
      // What was sent twice has the same ids twice, by which delivery knows it.
      expect(new Set(eventIds()).size).toBe(total);
      expect(new Set(published.map(({ envelope }) => envelope.eventId)).size).toBe(total);
      expect(published.length - total).toBeLessThanOrEqual(crashes * 25);
      expect(nowMs - startedMs).toBeGreaterThanOrEqual((total / 200) * 1_000 - 1_000);
      const perSecond = new Map<number, number>();
      for (const { atMs } of published) {
        const second = Math.floor(atMs / 1_000);
        perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
      }
      expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(200 + 25);
    },
  );
});

describe('cancelling', () => {
  it('stops a replay in the middle: nothing more is sent, and the rest can be replayed by another', async () => {
    await record(...Array.from({ length: 100 }, (_, index) => letter(`e${index}`)));
    const replayId = await replay({ filter: {}, ratePerSecond: 2 });
    await work(1);
    const sent = published.length;
    expect(sent).toBeGreaterThan(10);
    expect(sent).toBeLessThan(60);
    const cancelled = await call('POST', `/replays/${replayId}/cancel`, { reason: 'enough' });
    expect(cancelled).toMatchObject({ status: 200, body: { state: 'cancelled', outcomes: { replayed: sent } } });
    await work();
    expect(published).toHaveLength(sent);
    expect((await call('POST', `/replays/${replayId}/cancel`, { reason: 'again' })).status).toBe(409);
    await replay({ filter: {} });
    await work();
    expect([published.length, new Set(eventIds()).size]).toEqual([100, 100]);
  });

  it('while a worker has letters in hand sends those and no more', async () => {
    await record(...Array.from({ length: 100 }, (_, index) => letter(`e${index}`)));
    const replayId = await replay({ filter: {}, ratePerSecond: 40 });
    let cancelling: Promise<unknown> | undefined;
    beforePublish = () => void (cancelling ??= call('POST', `/replays/${replayId}/cancel`, { reason: 'stop' }));
    await work();
    await cancelling;
    const { body } = await call('GET', `/replays/${replayId}`);
    expect(body.state).toBe('cancelled');
    expect(body.outcomes['replayed']).toBe(published.length);
    expect(published.length).toBeLessThan(100);
  });

  it('an unknown replay is 404', async () => {
    expect((await call('POST', '/replays/nope/cancel', { reason: 'because' })).status).toBe(404);
    expect((await call('GET', '/replays/nope')).status).toBe(404);
  });
});

describe('GET /tenants/{tenant}/counters', () => {
  it('answers the sums of the hours asked for', async () => {
    const counters = createRelayCounters({ db, now: () => new Date(nowMs), instance: 'a' });
    counters.count('acme', 'Purchase', 'received', 3);
    await counters.flush();
    nowMs += minute;
    const { status, body } = await call('GET', '/tenants/acme/counters');
    expect([status, body]).toMatchObject([200, { tenantId: 'acme', total: { Purchase: { received: 3 } } }]);
    const none = await call('GET', '/tenants/acme/counters?from=2026-11-22T00:00:00Z&to=2026-11-23T00:00:00Z');
    expect(none.body).toMatchObject({ total: {}, hours: [] });
    const long = await call('GET', '/tenants/acme/counters?from=2026-10-22T00:00:00Z');
    expect(long.status).toBe(400);
  });
});

it('letters and replays are gone after 30 days', async () => {
  await record(letter('a'));
  const gone = start + 30 * day;
  await replay({ filter: {} });
  await work();
  const kept = (): string[] => Object.keys(firestore.dump()).filter((path) => /^(dead|replays)/.test(path));
  expect(kept()).toHaveLength(3);
  firestore.expire(new Date(gone - 1));
  expect(kept()).toHaveLength(3);
  firestore.expire(new Date(gone + minute));
  expect(kept()).toEqual([]);
});
