/** A tenant's policy, from the request to what is queued, held, counted and answered. */
import type { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startEmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import { defaultRelaySettings } from '../../../shared/contracts/relay-documents.ts';
import type { Dataset, RelayKey, RelaySettings } from '../../../shared/contracts/relay-documents.ts';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import { makeRelayKey } from '../../../shared/domain/relay-key.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { createHeldEvents, heldEventsRetentionMs } from '../../../shared/gcp/held-events.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { accept } from './accept.ts';
import type { AcceptDependencies } from './accept.ts';
import { createRateLimiter } from './rate-limiter.ts';

const start = new Date('2026-11-23T12:00:00Z');
const parts = makeRelayKey(Buffer.alloc(8, 1), Buffer.alloc(32, 1));
const created = { createdAt: start.toISOString(), createdBy: 'test' };

let firestore: EmbeddedFirestore;
let db: Firestore;
let now: Date;
let settings: Partial<RelaySettings>;
let key: RelayKey;
let queued: Envelope<'capi-events'>[];
let isQueueDown: boolean;
let counts: Map<string, number>;
let dependencies: AcceptDependencies;

beforeAll(async () => {
  firestore = await startEmbeddedFirestore({ projectId: 'kobi-test' });
  vi.stubEnv('FIRESTORE_EMULATOR_HOST', firestore.host);
  db = connectFirestore('kobi-test');
});

afterAll(async () => {
  await db.terminate();
  await firestore.close();
});

beforeEach(() => {
  firestore.clear();
  now = start;
  settings = {};
  queued = [];
  isQueueDown = false;
  counts = new Map();
  const { relayKeyId, sha256 } = parts;
  key = {
    relayKeyId,
    sha256,
    tenantId: 'acme',
    purpose: 'server',
    events: null,
    notAfter: null,
    revokedAt: null,
    ...created,
  };
  const dataset = (datasetId: string): Dataset => ({
    datasetId,
    tenantId: 'acme',
    country: 'TR',
    vertical: 'ecommerce',
    createdAt: created.createdAt,
    settings: { ...defaultRelaySettings, ...settings },
  });
  dependencies = {
    directory: { dataset, relayKey: () => key },
    queue: async (json) => {
      if (isQueueDown) throw new Error('UNAVAILABLE');
      queued.push(JSON.parse(json) as Envelope<'capi-events'>);
    },
    heldEvents: createHeldEvents(db, () => now),
    counters: {
      count: (_tenantId, name, verdict, n = 1) =>
        void counts.set(`${name} ${verdict}`, (counts.get(`${name} ${verdict}`) ?? 0) + n),
      flushIfDue: () => undefined,
    },
    proxy: 'serverless',
    projectId: 'kobi',
    log: createLogger({ level: 'silent', functionName: 'capi-relay' }),
    now: () => now,
  };
});

async function send(
  path: string,
  body: Record<string, unknown>,
): Promise<{
  status: number;
  headers: NonNullable<Awaited<ReturnType<typeof accept>>['headers']>;
  body: Record<string, unknown>;
}> {
  const answer = await accept(
    {
      method: 'POST',
      url: path,
      headers: {},
      body: { ...body, access_token: parts.key },
      bodyBytes: 500,
      remoteAddress: undefined,
    },
    dependencies,
  );
  return {
    status: answer.status,
    headers: answer.headers ?? {},
    body: JSON.parse(answer.body) as Record<string, unknown>,
  };
}
const sendEvents = (...data: unknown[]): ReturnType<typeof send> => send('/111/events', { data });
const decide = (decision: string, userData: object, dataset = '111'): ReturnType<typeof send> =>
  send(`/${dataset}/consent`, { decision, user_data: userData });

const lead = (id: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  event_name: 'Lead',
  event_time: start.getTime() / 1_000 - 60,
  event_id: id,
  action_source: 'system_generated',
  user_data: { external_id: 'person-1', em: 'ayse@example.com' },
  ...more,
});
const queuedIds = (): unknown[] => queued.flatMap(({ data }) => data.events.map((event) => event['event_id']));
const heldCount = async (): Promise<number> => (await db.collection('heldEvents').get()).size;

test('an event without the consent it needs is dropped by the wish of the tenant, told and counted, and no error', async () => {
  const answer = await sendEvents(lead('no', { consent: 'denied' }));
  expect(answer).toMatchObject({
    status: 200,
    body: { events_received: 0, refused: [], dropped: [{ index: 0, event_id: 'no', code: 'consent_denied' }] },
  });
  expect(queued).toEqual([]);
  expect(Object.fromEntries(counts)).toEqual({ 'Lead received': 1, 'Lead dropped:consent_denied': 1 });
});

test('the consent field itself is neither sent to Meta nor warned of', async () => {
  const answer = await sendEvents(lead('yes', { consent: { ad_user_data: 'granted', ad_storage: 'granted' } }));
  expect(answer.body).toMatchObject({ events_received: 1, warnings: [], messages: [] });
  expect(Object.keys(queued[0]?.data.events[0] ?? {})).not.toContain('consent');
});

test('a consent signal that cannot be read is refused, and nothing is sent', async () => {
  const answer = await sendEvents(lead('a', { consent: 'maybe' }));
  expect(answer).toMatchObject({ status: 400, body: { refused: [{ field: 'consent', code: 'unreadable_consent' }] } });
  expect(queued).toEqual([]);
});

test('Limited Data Use is put on events as the tenant says', async () => {
  settings = {
    consent: { absent: 'limited-data-use', denied: 'limited-data-use' },
    limitedDataUse: { country: 1, state: 1000 },
  };
  await sendEvents(lead('a'), lead('b', { consent: false }), lead('c', { consent: true }));
  expect(queued[0]?.data.events.map((event) => event['data_processing_options_state'])).toEqual([
    1000,
    1000,
    undefined,
  ]);
});

test('held events are never sent before the person agrees, and then each exactly once', async () => {
  settings = { consent: { absent: 'hold', denied: 'drop' } };
  const answer = await sendEvents(lead('h1'), lead('h2'), lead('now', { consent: 'granted' }));
  expect(answer.body).toMatchObject({ events_received: 1, held: 2 });
  expect(queuedIds()).toEqual(['now']);
  now = new Date(start.getTime() + 3 * 86_400_000);
  expect((await decide('granted', { external_id: 'somebody else' })).body).toMatchObject({ released: 0, dropped: 0 });
  expect((await decide('granted', { external_id: 'person-1' }, '222')).body).toMatchObject({ released: 0 });
  expect(queuedIds()).toEqual(['now']);
  expect((await decide('granted', { em: ' AYSE@example.com ' })).body).toMatchObject({ released: 2, dropped: 0 });
  expect(queuedIds()).toEqual(['now', 'h1', 'h2']);
  expect((await decide('granted', { external_id: 'person-1' })).body).toMatchObject({ released: 0 });
  expect(counts.get('Lead held')).toBe(2);
});

test('events of a person who refuses are dropped, and a later agreement does not bring them back', async () => {
  settings = { consent: { absent: 'hold', denied: 'drop' } };
  await sendEvents(lead('h1'));
  expect((await decide('denied', { external_id: 'person-1' })).body).toMatchObject({ released: 0, dropped: 1 });
  expect((await decide('granted', { external_id: 'person-1' })).body).toMatchObject({ released: 0 });
  expect([queuedIds(), await heldCount()]).toEqual([[], 0]);
});

test('a refusal releases held events with Limited Data Use where the tenant says so', async () => {
  settings = { consent: { absent: 'hold', denied: 'limited-data-use' } };
  await sendEvents(lead('h1'));
  expect((await decide('denied', { external_id: 'person-1' })).body).toMatchObject({ released: 1 });
  expect(queued[0]?.data.events[0]).toMatchObject({ data_processing_options: ['LDU'] });
});

test('what is held is hashed, and the same request again holds nothing twice', async () => {
  settings = { consent: { absent: 'hold', denied: 'drop' } };
  await sendEvents(lead('h1'));
  await sendEvents(lead('h1'));
  expect(await heldCount()).toBe(1);
  expect(JSON.stringify(firestore.dump())).not.toMatch(/ayse|person-1/i);
});

test('when the queue is down a release is answered 503 and the events stay held', async () => {
  settings = { consent: { absent: 'hold', denied: 'drop' } };
  await sendEvents(lead('h1'));
  isQueueDown = true;
  expect((await decide('granted', { external_id: 'person-1' })).status).toBe(503);
  isQueueDown = false;
  expect((await decide('granted', { external_id: 'person-1' })).body).toMatchObject({ released: 1 });
  expect(queuedIds()).toEqual(['h1']);
});

test('events nobody decided about in seven days are gone, also when Firestore has not removed them yet', async () => {
  settings = { consent: { absent: 'hold', denied: 'drop' } };
  await sendEvents(lead('h1'));
  now = new Date(start.getTime() + heldEventsRetentionMs);
  expect((await decide('granted', { external_id: 'person-1' })).body).toMatchObject({ released: 0, dropped: 0 });
  expect([queuedIds(), await heldCount()]).toEqual([[], 0]);
});

test('1,000 held events of 1,000 persons and 1,000 of one are kept and released', async () => {
  settings = { consent: { absent: 'hold', denied: 'drop' } };
  const persons = Array.from({ length: 1_000 }, (_, index) => lead(`p${index}`, { user_data: { external_id: index } }));
  expect((await sendEvents(...persons)).body).toMatchObject({ held: 1_000 });
  expect(await heldCount()).toBe(1_000);
  await sendEvents(...Array.from({ length: 1_000 }, (_, index) => lead(`q${index}`)));
  expect((await decide('granted', { external_id: 'person-1' })).body).toMatchObject({ released: 1_000 });
});

test.each([
  [{ decision: 'perhaps', user_data: { em: 'a@b.co' } }, 400],
  [{ decision: 'granted' }, 400],
  [{ decision: 'granted', user_data: { em: 'nobody' } }, 400],
])('a decision such as %j is refused', async (body, status) => {
  expect((await send('/111/consent', body)).status).toBe(status);
});

test('the test code of the tenant is put on every event, and one in the request wins', async () => {
  settings = { testEventCode: 'TEST1' };
  await sendEvents(lead('a'));
  await send('/111/events', { data: [lead('b')], test_event_code: 'TEST2' });
  expect(queued.map(({ data }) => data.testEventCode)).toEqual(['TEST1', 'TEST2']);
});

test('events outside the allow-list are refused with the reason, and their siblings are queued', async () => {
  settings = { events: ['Lead', 'Contact'] };
  key = { ...key, events: ['Lead'] };
  const answer = await sendEvents(
    lead('a'),
    lead('b', { event_name: 'Contact' }),
    lead('c', { event_name: 'Schedule' }),
  );
  expect(answer.body).toMatchObject({
    events_received: 1,
    refused: [
      { index: 1, code: 'event_not_of_key' },
      { index: 2, code: 'event_not_allowed' },
    ],
  });
});

test('crawlers are dropped where the tenant says so, and counted', async () => {
  settings = { bots: 'drop' };
  const answer = await sendEvents(lead('a', { user_data: { em: 'a@b.co', client_user_agent: 'Googlebot/2.1' } }));
  expect(answer.body).toMatchObject({ dropped: [{ code: 'known_bot' }] });
  expect(counts.get('Lead dropped:known_bot')).toBe(1);
});

test('personal data stripped from custom data and URLs is counted', async () => {
  await sendEvents(
    lead('a', {
      custom_data: { note: 'ayse@example.com' },
      event_source_url: 'https://shop.example/?phone=5321234567',
    }),
  );
  expect(counts.get('Lead warned:personal_data')).toBe(2);
});

test('birth dates are read in the order the tenant says, and further keys it names are sent', async () => {
  settings = { dateOrder: 'mdy', extraUserDataKeys: ['new_meta_id'] };
  await sendEvents(lead('a', { user_data: { em: 'a@b.co', db: '12/31/1990', new_meta_id: 'x1' } }));
  expect(queued[0]?.data.events[0]?.['user_data']).toMatchObject({
    new_meta_id: 'x1',
    db: expect.any(String) as string,
  });
});

test('nothing is counted for a request that did not succeed', async () => {
  isQueueDown = true;
  expect((await sendEvents(lead('a'))).status).toBe(503);
  expect(counts.size).toBe(0);
});

test('a tenant that sends faster than it may is told when to try again, in the shape of Meta', async () => {
  dependencies = { ...dependencies, limiter: createRateLimiter() };
  settings = { requestsPerSecond: 2 };
  const statuses: number[] = [];
  for (let sent = 0; sent < 4; sent += 1) statuses.push((await sendEvents(lead(`a${sent}`))).status);
  expect(statuses).toEqual([200, 200, 429, 429]);
  const limited = await sendEvents(lead('b'));
  expect(limited.headers).toEqual({ 'retry-after': '1' });
  expect(limited.body).toMatchObject({ error: { code: 613, is_transient: true } });
  now = new Date(start.getTime() + 1_000);
  expect((await sendEvents(lead('b'))).status).toBe(200);
  expect(queuedIds()).toHaveLength(3);
});

test('the rate of one tenant is not another’s', () => {
  const limiter = createRateLimiter();
  for (let sent = 0; sent < 100; sent += 1) limiter.take('noisy', 5, 0);
  expect(limiter.take('noisy', 5, 0)).toBe(1);
  expect(limiter.take('quiet', 5, 0)).toBeUndefined();
  expect(limiter.take('slow', 0.1, 0)).toBeUndefined();
  expect(limiter.take('slow', 0.1, 0)).toBe(10);
  expect(limiter.take('slow', 0.1, 10_000)).toBeUndefined();
});
