import { beforeEach, describe, expect, test } from 'vitest';
import { defaultRelaySettings } from '../../../shared/contracts/relay-documents.ts';
import type { Dataset, RelayKey } from '../../../shared/contracts/relay-documents.ts';
import { parseEnvelope } from '../../../shared/contracts/topics.ts';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import { makeRelayKey } from '../../../shared/domain/relay-key.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { accept, maxEvents } from './accept.ts';
import type { AcceptDependencies } from './accept.ts';
import type { RelayAnswer } from './meta-answer.ts';

const now = new Date('2026-11-23T12:00:00Z');
const nowSeconds = now.getTime() / 1_000;
const created = { createdAt: now.toISOString(), createdBy: 'test', events: null, notAfter: null };

function issue(number: number, tenantId: string, more: Partial<RelayKey> = {}): { key: string; kept: RelayKey } {
  const { key, relayKeyId, sha256 } = makeRelayKey(Buffer.alloc(8, number), Buffer.alloc(32, number));
  return { key, kept: { relayKeyId, sha256, tenantId, purpose: 'server', ...created, revokedAt: null, ...more } };
}

const acme = issue(1, 'acme');
const other = issue(2, 'other');
const revoked = issue(3, 'acme', { revokedAt: now.toISOString() });
const rotated = issue(5, 'acme', { notAfter: now.toISOString() });
const browser = issue(4, 'acme', { purpose: 'browser' });
const keys = new Map([acme, other, revoked, rotated, browser].map(({ kept }) => [kept.relayKeyId, kept]));
const dataset = {
  vertical: 'ecommerce' as const,
  country: 'TR',
  createdAt: now.toISOString(),
  settings: defaultRelaySettings,
};
const datasets = new Map<string, Dataset>([
  ['111', { ...dataset, datasetId: '111', tenantId: 'acme' }],
  ['222', { ...dataset, datasetId: '222', tenantId: 'other' }],
]);

let queued: string[];
let lines: string[];
let dependencies: AcceptDependencies;

beforeEach(() => {
  queued = [];
  lines = [];
  dependencies = {
    directory: { dataset: async (id) => datasets.get(id), relayKey: async (id) => keys.get(id) },
    queue: async (json) => void queued.push(json),
    proxy: 'serverless',
    projectId: 'kobi',
    log: createLogger({
      level: 'debug',
      functionName: 'capi-relay',
      destination: { write: (line) => void lines.push(line) },
    }),
    now: () => now,
  };
});

interface Sent {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

async function send({ method = 'POST', url = '/111/events', headers = {}, body }: Sent): Promise<RelayAnswer> {
  const bodyBytes = Buffer.byteLength(JSON.stringify(body) ?? '');
  return accept({ method, url, headers, body, bodyBytes, remoteAddress: '10.0.0.1' }, dependencies);
}

const bodyOf = (answer: RelayAnswer): Record<string, unknown> => JSON.parse(answer.body) as Record<string, unknown>;

function message(): Envelope<'capi-events'> {
  expect(queued).toHaveLength(1);
  const parsed = parseEnvelope('capi-events', JSON.parse(queued[0] ?? ''));
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  return parsed.envelope;
}

const purchase = (id: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  event_name: 'Purchase',
  event_time: nowSeconds - 60,
  event_id: id,
  action_source: 'website',
  event_source_url: 'https://shop.example/thanks',
  user_data: { em: 'Ayse@Example.com', client_user_agent: 'Mozilla/5.0' },
  custom_data: { value: 12.5, currency: 'TRY', content_ids: ['sku-1'] },
  ...more,
});

describe('taking events', () => {
  test('a good request is answered as Meta answers and is one message on the queue, hashed', async () => {
    const answer = await send({ body: { data: [purchase('a'), purchase('b')], access_token: acme.key } });
    expect(answer.status).toBe(200);
    expect(bodyOf(answer)).toEqual({
      events_received: 2,
      messages: [],
      fbtrace_id: expect.stringMatching(/^A[\w-]{22}$/) as string,
      refused: [],
      warnings: [],
    });
    const { tenantId, at, data } = message();
    expect({ tenantId, at, datasetId: data.datasetId }).toEqual({
      tenantId: 'acme',
      at: now.toISOString(),
      datasetId: '111',
    });
    expect(data.events.map((event) => event['event_id'])).toEqual(['a', 'b']);
    expect(data.events[0]?.['user_data']).toMatchObject({ em: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
  });

  test('a bad event is answered with its index and reason, and its siblings are queued', async () => {
    const data = [purchase('a'), purchase('b', { event_time: nowSeconds - 8 * 86_400 }), 'no event', purchase('d')];
    const answer = await send({ body: { data, access_token: acme.key } });
    const { events_received: received, refused, messages } = bodyOf(answer);
    expect([answer.status, received]).toEqual([200, 2]);
    expect(refused).toEqual([
      {
        index: 1,
        event_id: 'b',
        field: 'event_time',
        code: 'too_old',
        got: '8.0 days old',
        expected: 'at most 7 days old',
      },
      expect.objectContaining({ index: 2, field: 'event', code: 'not_an_object' }),
    ]);
    expect(messages).toEqual([
      expect.stringContaining('data[1] was refused: event_time'),
      expect.stringContaining('data[2]'),
    ]);
    expect(message().data.events.map((event) => event['event_id'])).toEqual(['a', 'd']);
  });

  test('when every event is bad the answer is the error envelope of Meta with each reason, and nothing is queued', async () => {
    const answer = await send({ body: { data: [purchase('a', { action_source: 'tv' })], access_token: acme.key } });
    expect(answer.status).toBe(400);
    expect(bodyOf(answer)).toMatchObject({
      error: { code: 100, type: 'OAuthException', is_transient: false, error_user_title: 'Events refused' },
      refused: [{ index: 0, field: 'action_source', got: "'tv'" }],
    });
    expect(queued).toEqual([]);
  });

  test('a bad key of an event is dropped with a warning and the event goes through', async () => {
    const user = { em: 'not an address', ph: '0532 123 45 67', client_user_agent: 'Mozilla/5.0' };
    const answer = await send({ body: { data: [purchase('a', { user_data: user })], access_token: acme.key } });
    expect(bodyOf(answer)).toMatchObject({ events_received: 1, refused: [], warnings: [{ index: 0, key: 'em' }] });
    expect(bodyOf(answer)['messages']).toEqual([expect.stringMatching(/^em: .* \(in 1 event\)$/)]);
    expect(Object.keys(message().data.events[0]?.['user_data'] as object).toSorted()).toEqual([
      'client_user_agent',
      'ph',
    ]);
  });

  test('raw e-mail, phone and name appear in no message, answer or log line, also when they stand in the wrong place', async () => {
    const personal = ['canary.person', '5551234567', 'Canaryname'];
    const user = { em: 'canary.person@mail.example', ph: '+90 555 123 45 67', fn: 'Canaryname' };
    const data = [
      purchase('a', { user_data: user, action_source: 'system_generated' }),
      purchase('b', { user_data: user }),
      purchase('c', {
        user_data: { ...user, client_user_agent: 'Mozilla/5.0', 'canary.person@mail.example': 'x', note: 'Canaryname' },
        event_source_url: 'https://shop.example/?email=canary.person%40mail.example&phone=%2B905551234567',
        custom_data: {
          value: 1,
          currency: 'TRY',
          content_ids: ['sku-1'],
          email: 'canary.person@mail.example',
          phone: '+905551234567',
        },
      }),
      purchase('d', { event_name: 'canary.person@mail.example', event_id: 'canary.person@mail.example' }),
    ];
    const answer = await send({ body: { data, access_token: acme.key } });
    expect(message().data.events).toHaveLength(2);
    const everything = [...queued, ...lines, answer.body].join('\n');
    for (const text of personal) expect(everything).not.toContain(text);
  });

  test('the same events sent again make a message of the same id', async () => {
    const body = { data: [purchase('a')], access_token: acme.key };
    await send({ body });
    dependencies = { ...dependencies, now: () => new Date(now.getTime() + 5_000) };
    await send({ body });
    const [first, second] = queued.map((json) => JSON.parse(json) as Envelope);
    expect(first?.eventId).toBe(second?.eventId);
  });

  test('a test code reaches the queue, and a malformed one is an error', async () => {
    await send({ body: { data: [purchase('a')], access_token: acme.key, test_event_code: 'TEST1' } });
    expect(message().data.testEventCode).toBe('TEST1');
    expect((await send({ body: { data: [purchase('a')], access_token: acme.key, test_event_code: {} } })).status).toBe(
      400,
    );
  });

  test('a server’s own address and user agent are not taken for the person’s', async () => {
    const headers = { 'x-forwarded-for': '198.18.0.1, 85.105.12.7', 'user-agent': 'Firefox' };
    const event = purchase('a', { user_data: { em: 'a@example.com' }, action_source: 'chat' });
    await send({ headers, body: { data: [event], access_token: acme.key } });
    expect(Object.keys(message().data.events[0]?.['user_data'] as object)).toEqual(['em']);
  });

  test('the trace of the caller leads from the answer to the message', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    const answer = await send({ headers, body: { data: [purchase('a')], access_token: acme.key } });
    expect(Buffer.from(String(bodyOf(answer)['fbtrace_id']).slice(1), 'base64url').toString('hex')).toBe(traceId);
    expect(message().traceparent.slice(0, 52)).toBe(headers.traceparent.slice(0, 52));
  });

  test('success is answered only after the queue has the events', async () => {
    const held = Promise.withResolvers<void>();
    dependencies = { ...dependencies, queue: () => held.promise };
    let isAnswered = false;
    const answer = send({ body: { data: [purchase('a')], access_token: acme.key } }).then((given) => {
      isAnswered = true;
      return given;
    });
    await new Promise(setImmediate);
    expect(isAnswered).toBe(false);
    held.resolve();
    expect((await answer).status).toBe(200);
  });

  test.each(['queue', 'directory'])('when the %s does not answer, the sender is told to try again', async (what) => {
    const down = async (): Promise<never> => Promise.reject(new Error('UNAVAILABLE'));
    dependencies =
      what === 'queue'
        ? { ...dependencies, queue: down }
        : { ...dependencies, directory: { dataset: down, relayKey: down } };
    const answer = await send({ body: { data: [purchase('a')], access_token: acme.key } });
    expect([answer.status, answer.headers?.['retry-after']]).toEqual([503, '5']);
    expect(bodyOf(answer)).toMatchObject({ error: { is_transient: true } });
  });
});

describe('forms of a request', () => {
  const data = [purchase('a')];
  test.each<[string, Sent]>([
    ['a versioned path', { url: '/v25.0/111/events', body: { data, access_token: acme.key } }],
    ['the key as Bearer', { headers: { authorization: `Bearer ${acme.key}` }, body: { data } }],
    ['the key in the query', { url: `/111/events?access_token=${acme.key}`, body: { data } }],
    ['a form whose data is JSON text', { body: { data: JSON.stringify(data), access_token: acme.key } }],
    ['text from sendBeacon', { body: JSON.stringify({ data, access_token: acme.key }) }],
    ['JSON of an unknown content type', { body: Buffer.from(JSON.stringify({ data, access_token: acme.key })) }],
  ])('%s is understood', async (_name, sent) => {
    expect(await send(sent)).toMatchObject({ status: 200 });
    expect(message().data.events).toHaveLength(1);
  });

  test('a multipart form, as the curl examples of Meta send it, is understood', async () => {
    const form = new FormData();
    form.set('data', JSON.stringify(data));
    form.set('access_token', acme.key);
    const encoded = new Response(form);
    const headers = { 'content-type': encoded.headers.get('content-type') ?? '' };
    expect((await send({ headers, body: Buffer.from(await encoded.arrayBuffer()) })).status).toBe(200);
  });

  test('the Gateway ingress takes accessKey and answers 202', async () => {
    const answer = await send({ url: '/capi/111/events', body: { data, accessKey: acme.key } });
    expect([answer.status, bodyOf(answer)['events_received']]).toEqual([202, 1]);
    expect(queued).toHaveLength(1);
  });

  test('a key in the query is in no log line', async () => {
    await send({ url: `/111/events?access_token=${acme.key}`, body: { data } });
    await send({ url: `/999/events?access_token=${acme.key}`, body: { data } });
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('')).not.toContain(acme.key);
  });
});

describe('refusing requests', () => {
  const data = [purchase('a')];
  test.each<[string, Sent, number, object]>([
    ['no key', { body: { data } }, 401, { code: 190 }],
    ['a key that was never issued', { body: { data, access_token: issue(9, 'acme').key } }, 401, { code: 190 }],
    ['a key with another secret', { body: { data, access_token: `${acme.key.slice(0, -4)}AAAA` } }, 401, { code: 190 }],
    ['a revoked key', { body: { data, access_token: revoked.key } }, 401, { code: 190 }],
    ['a key that was rotated out', { body: { data, access_token: rotated.key } }, 401, { code: 190 }],
    ['a Meta token', { body: { data, access_token: 'EAABsbCS1iHg' } }, 401, { code: 190 }],
    ['the public key of a browser', { body: { data, access_token: browser.key } }, 403, { code: 200 }],
    ['a key of another tenant', { body: { data, access_token: other.key } }, 403, { code: 200 }],
    [
      'an unknown dataset',
      { url: '/999/events', body: { data, access_token: acme.key } },
      404,
      { code: 100, error_subcode: 33 },
    ],
    [
      'a dataset that is no number',
      { url: '/shop/events', body: { data, access_token: acme.key } },
      404,
      { code: 100 },
    ],
    ['no body', { headers: { authorization: `Bearer ${acme.key}` } }, 400, { code: 100 }],
    ['a body that is no JSON', { body: 'data=?' }, 400, { code: 100 }],
    ['data that is no list', { body: { data: {}, access_token: acme.key } }, 400, { code: 100 }],
    ['data that is broken JSON', { body: { data: '[{', access_token: acme.key } }, 400, { code: 100 }],
    ['an empty list', { body: { data: [], access_token: acme.key } }, 400, { code: 100 }],
    ['another path', { url: '/111/activities', body: { data, access_token: acme.key } }, 404, { code: 2500 }],
    ['another method', { method: 'GET' }, 405, { code: 100 }],
  ])('%s is refused in the shape of Meta and nothing is queued', async (_name, sent, status, error) => {
    const answer = await send(sent);
    expect(answer.status).toBe(status);
    const common = { is_transient: false, message: expect.stringMatching(/\w/) as string };
    expect(bodyOf(answer)).toEqual({ error: expect.objectContaining({ ...common, ...error }) as object });
    expect(queued).toEqual([]);
  });

  test('more events than Meta takes are refused with the limit', async () => {
    const many = Array.from({ length: maxEvents + 1 }, (_, index) => purchase(String(index)));
    const answer = await send({ body: { data: many, access_token: acme.key } });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('1000');
    expect((await send({ body: { data: many.slice(1), access_token: acme.key } })).status).toBe(200);
  });

  test('an event too large to be brought back alone is refused and its siblings are queued', async () => {
    const contents = Array.from({ length: 400 }, (_, index) => ({ id: `sku-${index}`, title: 'x'.repeat(600) }));
    const large = purchase('large', { custom_data: { value: 1, currency: 'TRY', contents } });
    const answer = await send({ body: { data: [purchase('a'), large], access_token: acme.key } });
    expect(bodyOf(answer)).toMatchObject({ events_received: 1, refused: [{ index: 1, code: 'too_large' }] });
  });

  test('who shows no valid key cannot tell which datasets exist', async () => {
    const answers = ['/111/events', '/999/events'].map((url) =>
      send({ url, body: { data, access_token: revoked.key } }),
    );
    const [known, unknown] = (await Promise.all(answers)).map((answer) => {
      const { error } = bodyOf(answer) as { error: Record<string, unknown> };
      return { status: answer.status, ...error, fbtrace_id: undefined };
    });
    expect(known).toEqual(unknown);
  });
});
