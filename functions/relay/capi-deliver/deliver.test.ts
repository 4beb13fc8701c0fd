import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Firestore } from '@google-cloud/firestore';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DeadLetterInput } from '../../../shared/gcp/dead-letter-store.ts';
import { createDeliveryLedger } from '../../../shared/gcp/delivery-ledger.ts';
import type { DeliveryLedger } from '../../../shared/gcp/delivery-ledger.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { createRelayBreaker } from '../../../shared/gcp/relay-breaker.ts';
import { AccessToken } from '../../../shared/meta/access-token.ts';
import { createGraphClient } from '../../../shared/meta/graph-client.ts';
import type { GraphClient } from '../../../shared/meta/graph-client.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { pushBody } from '../../../shared/runtime/delayed-retry.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';
import type { MessageHandler } from '../../../shared/runtime/pubsub-function.ts';
import { startEmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import { withEvents } from '../events-message.ts';
import type { EventsEnvelope, HashedEvent } from '../events-message.ts';
import { createDelivery } from './deliver.ts';

const startedAt = new Date('2026-11-23T12:00:00Z');
const startedAtSeconds = startedAt.getTime() / 1_000;

interface GraphCall {
  readonly path: string;
  readonly token: string | undefined;
  readonly body: { readonly data: readonly HashedEvent[]; readonly test_event_code?: string };
}

/** Meta's `/{dataset}/events`: refuses a whole batch that holds an event named Bad. A test may answer in its place. */
class StandIn {
  readonly calls: GraphCall[] = [];
  readonly taken: HashedEvent[] = [];
  answer: ((call: GraphCall, response: ServerResponse) => boolean | Promise<boolean>) | undefined;

  readonly server = createServer((request, response) => void this.#serve(request, response));

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await json(request)) as GraphCall['body'];
    const token = request.headers.authorization;
    const call = { path: request.url ?? '', token, body };
    this.calls.push(call);
    if (this.answer !== undefined && (await this.answer(call, response))) return;
    if (body.data.some((event) => event['event_name'] === 'Bad')) {
      return fail(response, 400, { code: 100, error_subcode: 2_804_003, error_user_title: 'Event Timestamp Too Old' });
    }
    this.taken.push(...body.data);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ events_received: body.data.length, messages: [], fbtrace_id: 'AbCdEf123' }));
  }
}

function fail(response: ServerResponse, status: number, error: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { message: 'm', type: 'OAuthException', fbtrace_id: 'Trace1', ...error } }));
}

const meta = { current: new StandIn() };
let graph: GraphClient;
let ledger: DeliveryLedger | undefined;
let firestore: EmbeddedFirestore;
let db: Firestore;
let deliver: MessageHandler<'capi-events'>;
let nowMs: number;
let timers: (() => void)[];
let deadLetters: DeadLetterInput[];
let broughtBack: { envelope: EventsEnvelope; at: Date }[];
let lines: Record<string, unknown>[];
let tokenIsThere: boolean;

const log = createLogger({
  level: 'debug',
  functionName: 'capi-deliver',
  destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
});

beforeAll(async () => {
  firestore = await startEmbeddedFirestore({ projectId: 'kobi-deliver' });
  process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host;
  db = connectFirestore('kobi-deliver');
});

afterAll(async () => {
  await db.terminate();
  await firestore.close();
});

beforeEach(async () => {
  firestore.clear();
  meta.current = new StandIn();
  nowMs = startedAt.getTime();
  [timers, deadLetters, broughtBack, lines, tokenIsThere] = [[], [], [], [], true];
  await new Promise<void>((resolve) => meta.current.server.listen(0, '127.0.0.1', resolve));
  const { port } = meta.current.server.address() as AddressInfo;
  graph = createGraphClient({ baseUrl: `http://127.0.0.1:${port}`, now: () => nowMs });
  ledger = undefined;
  deliver = createDelivery({
    ...stores(),
    graph,
    senderOf: async ({ tenantId }) => {
      if (tokenIsThere) return new AccessToken('child', `token-of-${tenantId}`);
      throw new Waiting({ on: 'kobi', for: 'child-token', what: `Mint a token for ${tenantId}.`, pollEveryMs: 1 });
    },
    deadLetters: {
      record: async (input) => {
        deadLetters.push(input);
        return 'id';
      },
    },
    bringBack: async (envelope, at) => void broughtBack.push({ envelope, at }),
    partnerAgent: 'kobi_1_0',
    log,
    now: () => new Date(nowMs),
    schedule: (run) => void timers.push(run),
  });
});

afterEach(async () => {
  await graph.close();
  meta.current.server.closeAllConnections();
  await new Promise((resolve) => meta.current.server.close(resolve));
});

/** What an instance remembers by: the documents are shared, what it holds in memory is not. */
function stores() {
  const now = (): Date => new Date(nowMs);
  const documents = createDeliveryLedger(db, { now });
  return {
    ledger: { claim: (keys: readonly string[]) => (ledger ?? documents).claim(keys) },
    breaker: createRelayBreaker(db, { now }),
    counters: { count: () => undefined, latency: () => undefined, flushIfDue: () => undefined },
  };
}

/** For tests that count calls of many thousand events, none of which comes twice. */
function withoutLedger(): void {
  const nothing = async (): Promise<void> => undefined;
  const standingOf = () => ({ kind: 'send' as const });
  ledger = { claim: async () => ({ standingOf, leaseUntilMs: nowMs + 60_000, confirm: nothing, settle: nothing }) };
}

const event = (id: string, more: HashedEvent = {}): HashedEvent => ({
  event_name: 'Purchase',
  event_id: id,
  event_time: startedAtSeconds - 60,
  action_source: 'website',
  ...more,
});
const events = (count: number, prefix = 'e'): HashedEvent[] =>
  Array.from({ length: count }, (_, index) => event(`${prefix}${index}`));

function message(of: readonly HashedEvent[], more: { tenantId?: string; datasetId?: string; test?: string } = {}) {
  const { tenantId = 'acme', datasetId = '111', test: testEventCode } = more;
  const data = { datasetId, events: [...of], ...(testEventCode === undefined ? {} : { testEventCode }) };
  const head = { eventId: '', type: 'capi-events' as const, version: 1 as const, tenantId };
  const trace = { at: startedAt.toISOString(), traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
  return withEvents({ ...head, ...trace, data }, of);
}

/** Delivers messages that arrive at the same time. */
async function deliverAll(...messages: readonly EventsEnvelope[]): Promise<void> {
  const settled = messages.map((envelope) => deliver(envelope, log));
  timers.splice(0).forEach((run) => run());
  expect(await Promise.all(settled)).toEqual(messages.map(() => ({ kind: 'done' })));
}

const idsOf = (of: readonly HashedEvent[]): unknown[] => of.map((one) => one['event_id']);

describe('delivery', () => {
  test('messages that come together reach Meta in one call, as the tenant itself, with our partner name', async () => {
    await deliverAll(message(events(3, 'a')), message(events(2, 'b')));
    expect(meta.current.calls).toHaveLength(1);
    expect(meta.current.calls[0]).toMatchObject({
      path: '/v25.0/111/events',
      token: 'Bearer token-of-acme',
      body: { partner_agent: 'kobi_1_0' },
    });
    expect(idsOf(meta.current.taken)).toEqual(['a0', 'a1', 'a2', 'b0', 'b1']);
  });

  test('100,000 events of one dataset need no more than 110 calls, whatever size their messages have', async () => {
    withoutLedger();
    const sizes = Array.from({ length: 250 }, (_, index) => [100, 650, 450][index % 3] ?? 0);
    await deliverAll(...sizes.map((size, index) => message(events(size, `m${index}-`))));
    const sent = sizes.reduce((sum, size) => sum + size, 0);
    expect(meta.current.taken).toHaveLength(sent);
    expect(meta.current.calls.length / sent).toBeLessThanOrEqual(110 / 100_000);
    expect(Math.max(...meta.current.calls.map(({ body }) => body.data.length))).toBe(1_000);
  });

  test('datasets, tenants and test codes never share a call', async () => {
    await deliverAll(
      message([event('a')]),
      message([event('b')], { datasetId: '222', tenantId: 'other' }),
      message([event('c')], { test: 'TEST7' }),
    );
    expect(
      meta.current.calls.map(({ path, token, body }) => [path, token, body.test_event_code, idsOf(body.data)]),
    ).toEqual(
      expect.arrayContaining([
        ['/v25.0/111/events', 'Bearer token-of-acme', undefined, ['a']],
        ['/v25.0/222/events', 'Bearer token-of-other', undefined, ['b']],
        ['/v25.0/111/events', 'Bearer token-of-acme', 'TEST7', ['c']],
      ]),
    );
  });

  test('a message is acknowledged only after Meta has accepted all of it', async () => {
    const held = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    meta.current.answer = async () => {
      asked.resolve();
      await held.promise;
      return false;
    };
    let isAcknowledged = false;
    const delivered = deliver(message(events(2)), log).then(() => (isAcknowledged = true));
    timers.splice(0).forEach((run) => run());
    await asked.promise;
    expect(isAcknowledged).toBe(false);
    held.resolve();
    await delivered;
    expect(meta.current.taken).toHaveLength(2);
  });

  test('a rejected batch of 1,000 with one bad event delivers 999 and quarantines 1 with its reason, in at most 22 calls', async () => {
    const batch = events(1_000).with(617, event('culprit', { event_name: 'Bad' }));
    await deliverAll(message(batch));
    expect(meta.current.calls.length).toBeLessThanOrEqual(22);
    expect(meta.current.taken).toHaveLength(999);
    expect(new Set(idsOf(meta.current.taken))).toEqual(new Set(idsOf(batch.toSpliced(617, 1))));
    expect(deadLetters).toHaveLength(1);
    expect(deadLetters[0]).toMatchObject({ topic: 'capi-events', tenantId: 'acme', reason: 'event-too-old' });
    expect(deadLetters[0]?.problems).toContain('Event Timestamp Too Old');
    const kept = JSON.parse(String(deadLetters[0]?.payload)) as EventsEnvelope;
    expect(kept.data).toEqual({ datasetId: '111', events: [batch[617]] });
    expect(broughtBack).toEqual([]);
  });

  test('a bad event of one message never holds up another message in the same call', async () => {
    await deliverAll(message(events(5, 'good')), message([event('culprit', { event_name: 'Bad' })]));
    expect(meta.current.taken).toHaveLength(5);
    expect(deadLetters).toHaveLength(1);
  });

  test('the same quarantined event, delivered twice, is the same dead letter', async () => {
    const bad = message([event('culprit', { event_name: 'Bad' })]);
    await deliverAll(bad);
    await deliverAll(bad);
    expect(new Set(deadLetters.map(({ eventId }) => eventId)).size).toBe(1);
  });

  test('while Meta throttles, events come back at the time it names and no call is made before', async () => {
    meta.current.answer = (_call, response) => {
      response.setHeader('retry-after', '120');
      fail(response, 400, { code: 4 });
      return true;
    };
    await deliverAll(message(events(3)));
    expect(broughtBack.map(({ envelope, at }) => [idsOf(envelope.data.events), at.getTime() - nowMs])).toEqual([
      [['e0', 'e1', 'e2'], 120_000],
    ]);
    await deliverAll(message(events(1, 'next')));
    expect(meta.current.calls).toHaveLength(1);
    expect(broughtBack).toHaveLength(2);
  });

  test('a lost answer is counted as uncertain and its events come back with the ids they had', async () => {
    meta.current.answer = (_call, response) => {
      response.destroy();
      return true;
    };
    await deliverAll(message(events(3)));
    expect(broughtBack.flatMap(({ envelope }) => idsOf(envelope.data.events))).toEqual(['e0', 'e1', 'e2']);
    expect(lines).toContainEqual(expect.objectContaining({ message: 'message settled', uncertain: 3, accepted: 0 }));
    expect(lines).toContainEqual(expect.objectContaining({ severity: 'WARNING', uncertain: 3 }));
  });

  test('what Meta accepted is not sent again because a sibling must wait', async () => {
    meta.current.answer = (call, response) => {
      if (meta.current.calls.length !== 3) return false;
      expect(call.body.data).toHaveLength(250);
      fail(response, 500, { code: 2 });
      return true;
    };
    const batch = events(1_000).with(999, event('culprit', { event_name: 'Bad' }));
    await deliverAll(message(batch));
    const back = broughtBack.flatMap(({ envelope }) => envelope.data.events);
    expect(back).toHaveLength(250);
    expect(meta.current.taken).toHaveLength(749);
    expect(new Set(idsOf([...meta.current.taken, ...back])).size).toBe(999);
    expect(deadLetters).toHaveLength(1);
  });

  test('trouble that lasts is asked about less and less often, and at least once an hour', async () => {
    meta.current.answer = (_call, response) => {
      fail(response, 503, { code: 2 });
      return true;
    };
    const waits: number[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      await deliverAll(message(events(1)));
      const at = broughtBack.pop()?.at.getTime() ?? 0;
      waits.push(at - nowMs);
      nowMs = at;
    }
    expect(waits[0]).toBe(10_000);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(waits.at(-1)).toBe(3_600_000);
  });

  test('while Meta takes other events of the dataset, one that was unlucky waits ten seconds more each time, however old it is', async () => {
    meta.current.answer = (call, response) => {
      if (!call.body.data.some((one) => one['event_id'] === 'unlucky')) return false;
      fail(response, 500, { code: 2 });
      return true;
    };
    nowMs += 5 * 3_600_000;
    let unlucky = message([event('unlucky')]);
    const waits: number[] = [];
    for (let turn = 1; turn <= 4; turn += 1) {
      await deliverAll(message([event(`lucky-${turn}`)]));
      await deliverAll(unlucky);
      const [back] = broughtBack.splice(0);
      const at = back?.at.getTime() ?? 0;
      waits.push(at - nowMs);
      nowMs = at;
      unlucky = { ...unlucky, hop: turn };
    }
    expect(waits).toEqual([10_000, 20_000, 30_000, 40_000]);
  });

  test.each([
    ['a dead token', 401, { code: 190 }],
    ['a missing permission', 403, { code: 200 }],
    ['a dataset Meta does not show us', 400, { code: 100, error_subcode: 33 }],
  ])('%s holds the events for an hour and names tenant and advice in an error line', async (_name, status, error) => {
    meta.current.answer = (_call, response) => {
      fail(response, status, error);
      return true;
    };
    await deliverAll(message(events(3)));
    expect(broughtBack.map(({ at }) => at.getTime() - nowMs)).toEqual([3_600_000]);
    expect(deadLetters).toEqual([]);
    expect(lines).toContainEqual(
      expect.objectContaining({ severity: 'ERROR', tenantId: 'acme', advice: expect.stringMatching(/\w/) as string }),
    );
  });

  /** Meta answers 500 to every call that holds the event. */
  function failOn(id: string): void {
    meta.current.answer = (call, response) => {
      if (!call.body.data.some((one) => one['event_id'] === id)) return false;
      fail(response, 500, { code: 2 });
      return true;
    };
  }

  /** Lets what was brought back arrive in order of time, in each turn beside an event of `beside`. */
  async function comeBack(turns: number, beside?: (turn: number) => EventsEnvelope): Promise<void> {
    for (let turn = 1; turn <= turns && broughtBack.length > 0; turn += 1) {
      nowMs = Math.min(...broughtBack.map(({ at }) => at.getTime()));
      const due = broughtBack.filter(({ at }) => at.getTime() <= nowMs);
      broughtBack = broughtBack.filter(({ at }) => at.getTime() > nowMs);
      const other = beside?.(turn);
      if (other !== undefined) await deliverAll(other);
      await deliverAll(...due.map(({ envelope }) => ({ ...envelope, hop: (envelope.hop ?? 0) + 1 })));
    }
  }

  test('an event that Meta always answers with a 5xx is set apart, and its siblings and companions reach Meta', async () => {
    withoutLedger();
    failOn('a5');
    await deliverAll(message(events(8, 'a')), message(events(8, 'b')));
    await comeBack(20, (turn) => message([event(`other-${turn}`)]));
    const taken = idsOf(meta.current.taken);
    for (const each of [...events(8, 'b'), ...events(8, 'a').toSpliced(5, 1)])
      expect(taken).toContain(each['event_id']);
    expect(broughtBack.flatMap(({ envelope }) => idsOf(envelope.data.events))).toEqual(['a5']);
    expect(deadLetters).toEqual([]);
  });

  test('it is found also where the dataset has no other events, once Meta had half an hour and takes those of others', async () => {
    withoutLedger();
    failOn('a5');
    await deliverAll(message(events(8, 'a')));
    await comeBack(30, (turn) => message([event(`other-${turn}`)], { tenantId: 'other', datasetId: '222' }));
    expect(broughtBack.flatMap(({ envelope }) => idsOf(envelope.data.events))).toEqual(['a5']);
    expect(meta.current.taken.filter((one) => String(one['event_id']).startsWith('a'))).toHaveLength(7);
  });

  test('an outage cuts no message into pieces', async () => {
    withoutLedger();
    meta.current.answer = (_call, response) => {
      fail(response, 503, { code: 2 });
      return true;
    };
    await deliverAll(message(events(8, 'a')), message(events(8, 'b')));
    await comeBack(20);
    expect(broughtBack.map(({ envelope }) => envelope.data.events.length)).toEqual([8, 8]);
    expect(broughtBack.some(({ envelope }) => envelope.data.isApart === true)).toBe(false);
  });

  test('a dataset Meta does not show us rests for an hour with one call; the tenant’s other datasets go on, and it flows after the fix', async () => {
    meta.current.answer = (call, response) => {
      if (!call.path.includes('/999/')) return false;
      fail(response, 400, { code: 100, error_subcode: 33 });
      return true;
    };
    await deliverAll(message([event('hidden-1')], { datasetId: '999' }));
    await deliverAll(message([event('hidden-2')], { datasetId: '999' }), message([event('seen')]));
    expect(meta.current.calls.filter(({ path }) => path.includes('/999/'))).toHaveLength(1);
    expect(idsOf(meta.current.taken)).toEqual(['seen']);
    expect(broughtBack.map(({ at }) => at.getTime() - nowMs)).toEqual([3_600_000, 3_600_000]);
    meta.current.answer = undefined;
    nowMs += 3_600_000;
    await deliverAll(...broughtBack.splice(0).map(({ envelope }) => envelope));
    expect(idsOf(meta.current.taken)).toEqual(['seen', 'hidden-1', 'hidden-2']);
  });

  test('without a token nothing is sent and the events are held', async () => {
    tokenIsThere = false;
    await deliverAll(message(events(3)));
    expect(meta.current.calls).toEqual([]);
    expect(broughtBack.map(({ at }) => at.getTime() - nowMs)).toEqual([3_600_000]);
    expect(lines).toContainEqual(expect.objectContaining({ severity: 'ERROR', advice: 'Mint a token for acme.' }));
  });

  test('an event that grew too old in the queue goes to the dead letters, its siblings to Meta', async () => {
    const day = 86_400;
    const old = { event_time: startedAtSeconds - 8 * day };
    await deliverAll(
      message([event('fresh'), event('old', old), event('shop', { ...old, action_source: 'physical_store' })]),
    );
    expect(idsOf(meta.current.taken)).toEqual(['fresh', 'shop']);
    expect(deadLetters.map(({ reason, payload }) => [reason, String(payload).includes('"old"')])).toEqual([
      ['expired', true],
    ]);
  });

  test('each call to Meta is one log line with its size and trace, and no line holds a token', async () => {
    await deliverAll(message(events(3)));
    expect(lines).toContainEqual(
      expect.objectContaining({
        message: 'events sent',
        tenantId: 'acme',
        datasetId: '111',
        events: 3,
        fbtrace_id: 'AbCdEf123',
      }),
    );
    expect(JSON.stringify(lines)).not.toContain('token-of-acme');
  });

  test('when the events cannot be scheduled to come back, the message is not acknowledged', async () => {
    meta.current.answer = (_call, response) => {
      fail(response, 503, { code: 2 });
      return true;
    };
    const failing = createDelivery({
      ...stores(),
      graph,
      senderOf: async () => new AccessToken('child', 'x'),
      deadLetters: { record: async () => 'id' },
      bringBack: async () => Promise.reject(new Error('Cloud Tasks is unavailable')),
      partnerAgent: 'kobi_1_0',
      log,
      now: () => new Date(nowMs),
      schedule: (run) => run(),
    });
    await expect(failing(message(events(1)), log)).rejects.toThrow('Cloud Tasks');
  });

  test('an event reaches Meta once, redelivered, sent again by the client in other company, or twice in one message', async () => {
    const first = message([event('a'), event('b'), event('a')]);
    await deliverAll(first);
    await deliverAll(first);
    await deliverAll(
      message([event('b'), event('c')]),
      message([event('c'), event('a', { event_time: startedAtSeconds })]),
    );
    expect(idsOf(meta.current.taken)).toEqual(['a', 'b', 'c']);
    expect(broughtBack).toEqual([]);
  });

  test('a lost answer makes at most one repeat, and after 47 hours none: the event is a dead letter that says so', async () => {
    meta.current.answer = (call, response) => {
      meta.current.taken.push(...call.body.data);
      response.destroy();
      return true;
    };
    await deliverAll(message([event('a', { action_source: 'physical_store' })]));
    const [back] = broughtBack.splice(0);
    meta.current.answer = undefined;
    nowMs += 47 * 3_600_000;
    await deliverAll(back?.envelope ?? message([]));
    expect(meta.current.calls).toHaveLength(1);
    expect(deadLetters.map(({ reason }) => reason)).toEqual(['uncertain-too-old']);
  });

  test('a dead token costs one call and one alert an hour, however many events come, and all flow after the fix', async () => {
    const hourMs = 3_600_000;
    meta.current.answer = (_call, response) => {
      fail(response, 401, { code: 190 });
      return true;
    };
    await deliverAll(message([event('first')]));
    for (let index = 0; index < 10; index += 1) await deliverAll(message([event(`more-${index}`)]));
    expect(meta.current.calls).toHaveLength(1);
    expect(lines.filter(({ severity }) => severity === 'ERROR')).toHaveLength(1);
    nowMs += hourMs;
    for (const { envelope } of broughtBack.splice(0)) await deliverAll(envelope);
    expect(meta.current.calls).toHaveLength(2);
    expect(broughtBack.every(({ envelope }) => envelope.data.attempt === undefined)).toBe(true);
    meta.current.answer = undefined;
    nowMs += hourMs;
    for (const { envelope } of broughtBack.splice(0)) await deliverAll(envelope);
    expect(new Set(idsOf(meta.current.taken)).size).toBe(11);
    expect(meta.current.taken).toHaveLength(11);
    expect(broughtBack).toEqual([]);
    expect(deadLetters).toEqual([]);
  });

  test('an error nobody knows is tried five times more, then its culprit alone is a dead letter', async () => {
    meta.current.answer = (call, response) => {
      if (!call.body.data.some((one) => one['event_id'] === 'odd')) return false;
      fail(response, 412, { code: 5, error_subcode: 12 });
      return true;
    };
    await deliverAll(message([event('odd'), event('even')]));
    for (let turn = 0; turn < 5; turn += 1) {
      expect(deadLetters).toEqual([]);
      const [back] = broughtBack.splice(0);
      nowMs = back?.at.getTime() ?? 0;
      await deliverAll(back?.envelope ?? message([]));
    }
    expect(deadLetters.map(({ reason }) => reason)).toEqual(['unlisted-error']);
    expect(idsOf(meta.current.taken)).toEqual(['even']);
    expect(broughtBack).toEqual([]);
  });

  test('fewer events counted than sent: neither repeated nor forgotten', async () => {
    meta.current.answer = (_call, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ events_received: 1, messages: [] }));
      return true;
    };
    await deliverAll(message(events(2)));
    expect(deadLetters.map(({ reason }) => reason)).toEqual(['not-all-counted', 'not-all-counted']);
    expect(broughtBack).toEqual([]);
  });

  test('9 MB that must wait comes back in pieces that each fit a Cloud Task of 1 MB, without losing an event', async () => {
    meta.current.answer = (_call, response) => {
      fail(response, 503, { code: 2 });
      return true;
    };
    const big = Array.from({ length: 45 }, (_, index) =>
      event(`big-${index}`, { custom_data: { note: 'ş'.repeat(99_000) } }),
    );
    await deliverAll(message(big));
    const sizes = broughtBack.map(({ envelope }) => Buffer.byteLength(JSON.stringify(pushBody('kobi', envelope))));
    expect(sizes.length).toBeGreaterThan(9);
    expect(Math.max(...sizes)).toBeLessThan(990_000);
    expect(new Set(broughtBack.flatMap(({ envelope }) => idsOf(envelope.data.events))).size).toBe(45);
  });

  test.each([10, 100, 1_000])(
    'queued events in messages of %s need no more than 110 calls per 100,000',
    async (size) => {
      withoutLedger();
      const wave = Array.from({ length: 20_000 / size }, (_, index) => message(events(size, `${index}-`)));
      // As many at a time as one instance is given.
      while (wave.length > 0) await deliverAll(...wave.splice(0, 1_000));
      expect(meta.current.taken).toHaveLength(20_000);
      expect(meta.current.calls.length).toBeLessThanOrEqual(22);
    },
  );

  test('queued events in messages of one need a call for each thousand that wait', async () => {
    withoutLedger();
    for (let wave = 0; wave < 5; wave += 1) {
      await deliverAll(...Array.from({ length: 1_000 }, (_, index) => message([event(`${wave}-${index}`)])));
    }
    expect(meta.current.taken).toHaveLength(5_000);
    expect(meta.current.calls).toHaveLength(5);
  });
});
