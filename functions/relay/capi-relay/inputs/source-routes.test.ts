import { beforeEach, describe, expect, test } from 'vitest';
import { defaultRelaySettings } from '../../../../shared/contracts/relay-documents.ts';
import type { Dataset, RelayKey } from '../../../../shared/contracts/relay-documents.ts';
import { parseEnvelope } from '../../../../shared/contracts/topics.ts';
import { exampleNowSeconds, ga4Examples, segmentExamples } from '../../../../shared/domain/event-sources/examples.ts';
import { makeRelayKey } from '../../../../shared/domain/relay-key.ts';
import { createLogger } from '../../../../shared/runtime/logger.ts';
import { accept } from '../accept.ts';

const now = new Date(exampleNowSeconds * 1_000);
const { key, relayKeyId, sha256 } = makeRelayKey(Buffer.alloc(8, 1), Buffer.alloc(32, 1));
const created = { createdAt: now.toISOString(), createdBy: 'test', events: null, notAfter: null, revokedAt: null };
const kept: RelayKey = { relayKeyId, sha256, tenantId: 'acme', purpose: 'server', ...created };
const dataset: Dataset = {
  datasetId: '111',
  tenantId: 'acme',
  vertical: 'ecommerce',
  country: 'TR',
  createdAt: now.toISOString(),
  settings: defaultRelaySettings,
};

let queued: string[];
let lines: string[];

beforeEach(() => {
  queued = [];
  lines = [];
});

interface Sent {
  readonly url?: string;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

async function send({ url = '/111/events', headers = { authorization: `Bearer ${key}` }, body }: Sent) {
  const bodyBytes = Buffer.byteLength(JSON.stringify(body));
  const answer = await accept(
    { method: 'POST', url, headers, body, bodyBytes, remoteAddress: '10.0.0.1' },
    {
      directory: {
        dataset: (id) => (id === '111' ? dataset : undefined),
        relayKey: (id) => (id === relayKeyId ? kept : undefined),
      },
      queue: async (json) => void queued.push(json),
      proxy: 'serverless',
      projectId: 'kobi',
      log: createLogger({
        level: 'debug',
        functionName: 'capi-relay',
        destination: { write: (line) => void lines.push(line) },
      }),
      now: () => now,
    },
  );
  return { status: answer.status, body: JSON.parse(answer.body) as Record<string, unknown> };
}

function events(): Record<string, unknown>[] {
  expect(queued).toHaveLength(1);
  const parsed = parseEnvelope('capi-events', JSON.parse(queued[0] ?? ''));
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  return parsed.envelope.data.events;
}

const [order] = segmentExamples;
const [purchase] = ga4Examples;
const track = (more: Record<string, unknown> = {}) => ({
  type: 'track',
  event: 'Lead Generated',
  userId: 'u-1',
  timestamp: '2026-11-23T11:59:00Z',
  ...more,
});

describe('events of Segment and of Google reach the queue as Meta’s, hashed', () => {
  test.each([
    ['Segment, by path', '/111/segment', order],
    ['Segment, by what the body says', '/111/events', order],
    ['Segment, by what the body says, versioned path', '/v25.0/111/events', order],
    ['GA4, by path', '/111/ga4', purchase],
    ['GA4, by what the body says', '/111/events', purchase],
  ])('%s', async (_title, url, example) => {
    const answer = await send({ url, body: example?.body });
    expect(answer).toMatchObject({ status: 200, body: { events_received: 1, refused: [] } });
    expect(events()).toMatchObject([{ event_name: 'Purchase', custom_data: { order_id: 'o-9', value: 149.9 } }]);
    const everything = [...queued, ...lines, JSON.stringify(answer.body)].join('\n');
    expect(everything).not.toMatch(/ayse@|0532 123|5321234567|Yılmaz|Ayşe|"u-77"/i);
    expect(everything).not.toContain(key);
  });

  test('`data` is Meta’s: a body that has it is never read as anybody else’s', async () => {
    const { status, body } = await send({ body: { ...track(), data: [] } });
    expect([status, body]).toMatchObject([
      400,
      { error: { message: expect.stringContaining('Param data') as string } },
    ]);
  });

  test('a body that is nobody’s is answered as Meta answers one without data', async () => {
    const { status, body } = await send({ body: { event: 'X', userId: 'u' } });
    expect([status, body]).toMatchObject([
      400,
      { error: { code: 100, message: '(#100) Param data must be an array' } },
    ]);
  });
});

describe('a relay key is taken where each kind of sender puts its own', () => {
  const basic = `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
  test.each([
    ['Bearer', '/111/segment', { authorization: `Bearer ${key}` }, {}],
    ['the user name of Basic, as Segment’s write key', '/111/segment', { authorization: basic }, {}],
    ['writeKey in the body', '/111/segment', {}, { writeKey: key }],
    ['access_token in the body', '/111/segment', {}, { access_token: key }],
    ['access_token in the query', `/111/segment?access_token=${key}`, {}, {}],
    ['api_secret in the query, as the Measurement Protocol', `/111/segment?api_secret=${key}`, {}, {}],
  ])('%s', async (_title, url, headers: Record<string, string>, more) => {
    expect((await send({ url, headers, body: track(more) })).status).toBe(200);
  });

  test.each([
    ['none', {}],
    ['a wrong one', { authorization: 'Basic eDp5' }],
    ['Basic that is no base64', { authorization: 'Basic %%%' }],
  ])(
    '%s is refused as Meta refuses a token, and nothing is queued',
    async (_title, headers: Record<string, string>) => {
      expect(await send({ url: '/111/segment', headers, body: track() })).toMatchObject({
        status: 401,
        body: { error: { code: 190 } },
      });
      expect(queued).toEqual([]);
    },
  );
});

describe('batches', () => {
  test('a bad call is answered with its place in the batch, and its siblings are queued', async () => {
    const batch = [
      { type: 'identify', userId: 'u-1', traits: {} },
      track({ messageId: 'a' }),
      track({ messageId: 'b', timestamp: '2026-11-01T00:00:00Z' }),
      { type: 'shout', userId: 'u-1' },
    ];
    const { status, body } = await send({ url: '/111/segment', body: { batch } });
    expect(status).toBe(200);
    expect(body['refused']).toMatchObject([
      { index: 2, event_id: 'b', field: 'event_time', code: 'too_old' },
      { index: 3, code: 'not_an_object' },
    ]);
    expect(body['messages']).toEqual([
      expect.stringMatching(/^batch\[2\] was refused/) as string,
      expect.stringMatching(/^batch\[3\] was refused/) as string,
      expect.stringMatching(/^batch\[0\] was not sent: identify/) as string,
    ]);
    expect(events().map((event) => event['event_id'])).toEqual(['a']);
  });

  test('only calls that are no conversion: success, nothing queued, so that Segment does not send them again', async () => {
    const { status, body } = await send({ url: '/111/segment', body: { type: 'identify', userId: 'u-1', traits: {} } });
    expect([status, body['events_received'], queued]).toEqual([200, 0, []]);
  });

  test('more than 1,000 are a clear error, and so is a list that is none', async () => {
    const many = Array.from({ length: 1_001 }, () => track());
    expect(await send({ url: '/111/segment', body: { batch: many } })).toMatchObject({
      status: 400,
      body: { error: { message: '(#100) Param batch must have 1 to 1000 elements, it has 1001' } },
    });
    expect((await send({ url: '/111/ga4', body: { client_id: '1', events: 'x' } })).status).toBe(400);
    expect(queued).toEqual([]);
  });

  test('a phone that Google hashed with its + is left out with a warning: it could never match', async () => {
    const body = {
      client_id: '1.2',
      user_data: { sha256_phone_number: 'a'.repeat(64) },
      events: [{ name: 'generate_lead', params: {} }],
    };
    const answer = await send({ url: '/111/ga4', body });
    expect(answer.body['warnings']).toEqual([
      { index: 0, key: 'user_data.sha256_phone_number', code: 'hashed_with_plus' },
    ]);
    expect(events()[0]?.['user_data']).not.toHaveProperty('ph');
  });
});
