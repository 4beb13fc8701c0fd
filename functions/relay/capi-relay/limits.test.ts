/** What no sender can do to the relay, over real HTTP behind functions-framework's own server. */
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { defaultRelaySettings } from '../../../shared/contracts/relay-documents.ts';
import { makeRelayKey } from '../../../shared/domain/relay-key.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { parseBoundedJson } from './bounded-json.ts';
import { relayFunction } from './relay-function.ts';

const { key, relayKeyId, sha256 } = makeRelayKey(Buffer.alloc(8, 1), Buffer.alloc(32, 1));
const created = { createdAt: '2026-11-23T12:00:00.000Z', createdBy: 'test' };
const queued: string[] = [];
let server: Server;
let origin: string;

beforeAll(async () => {
  http(
    'limits-under-test',
    relayFunction(() => ({
      directory: {
        dataset: (datasetId) => ({
          datasetId,
          tenantId: 'acme',
          country: 'TR',
          vertical: 'ecommerce',
          createdAt: created.createdAt,
          settings: defaultRelaySettings,
        }),
        relayKey: () => ({
          relayKeyId,
          sha256,
          tenantId: 'acme',
          purpose: 'server',
          events: null,
          notAfter: null,
          revokedAt: null,
          ...created,
        }),
      },
      queue: async (json) => void queued.push(json),
      proxy: 'serverless',
      projectId: 'kobi',
      log: createLogger({ level: 'silent', functionName: 'capi-relay' }),
      now: () => new Date(),
    })),
  );
  server = getTestServer('limits-under-test');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

beforeEach(() => void (queued.length = 0));

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const event = {
  event_name: 'Lead',
  event_time: Math.floor(Date.now() / 1_000) - 60,
  event_id: 'lead-1',
  action_source: 'system_generated',
  user_data: { em: 'ayse@example.com' },
};

interface Sent {
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body: string | Buffer;
}

async function post({ path = '/111/events', headers = {}, body }: Sent): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${origin}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text };
}

/** Bytes of memory that are left over after `work`, and what it answered. */
async function heldBytes<Result>(work: () => Promise<Result>): Promise<{ bytes: number; result: Result }> {
  const before = process.memoryUsage().rss;
  const result = await work();
  return { bytes: process.memoryUsage().rss - before, result };
}

const metaError = { error: expect.objectContaining({ code: 100, is_transient: false }) as object };
const megabytes = (count: number): number => count * 1_000_000;

// Stands first on purpose: the very first request of an instance is protected too.
test('a body that inflates without end is refused with 413, and takes no memory with it', async () => {
  const bomb = gzipSync(Buffer.alloc(megabytes(100), 0x20));
  const { bytes, result } = await heldBytes(() => post({ headers: { 'content-encoding': 'gzip' }, body: bomb }));
  expect(result).toEqual({ status: 413, body: metaError });
  expect(bytes).toBeLessThan(megabytes(60));
  expect(queued).toEqual([]);
});

test.each([
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['gzip', gzipSync],
] as const)('%s is understood, and a bomb of it refused', async (encoding, compress) => {
  const headers = { 'content-encoding': encoding };
  expect(await post({ headers, body: compress(JSON.stringify({ data: [event] })) })).toMatchObject({ status: 200 });
  expect((await post({ headers, body: compress(Buffer.alloc(megabytes(20))) })).status).toBe(413);
});

test('a path nothing is at inflates nothing either', async () => {
  const bomb = gzipSync(Buffer.alloc(megabytes(20)));
  expect((await post({ path: '/x', headers: { 'content-encoding': 'gzip' }, body: bomb })).status).toBe(413);
});

test('a body larger than 9 MB is refused with 413, whether its length is told or not', async () => {
  const body = Buffer.alloc(megabytes(10), 0x20);
  expect(await post({ body })).toEqual({ status: 413, body: metaError });
  const stream = new ReadableStream({
    start(controller) {
      for (let sent = 0; sent < 10; sent += 1) controller.enqueue(new Uint8Array(megabytes(1)));
      controller.close();
    },
  });
  const init = { method: 'POST', body: stream, duplex: 'half', headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`${origin}/111/events`, init as RequestInit);
  expect(answer.status).toBe(413);
});

describe('JSON made to swell is refused with 400 and memory stays flat', () => {
  test.each<[string, () => string]>([
    ['nested lists', () => '['.repeat(megabytes(4)) + ']'.repeat(megabytes(4))],
    ['nested lists that never end', () => '['.repeat(megabytes(8))],
    ['nested objects', () => `${'{"a":'.repeat(megabytes(1))}1${'}'.repeat(megabytes(1))}`],
    ['empty lists', () => `{"data":[${'[],'.repeat(megabytes(2))}[]]}`],
    ['keys', () => `{${Array.from({ length: 600_000 }, (_, index) => `"k${index}":0`).join(',')}}`],
    ['small numbers', () => `{"data":[${'0,'.repeat(megabytes(4))}0]}`],
  ])('%s', async (_name, body) => {
    const text = body();
    const { bytes, result } = await heldBytes(() => post({ body: text }));
    expect(result).toEqual({ status: 400, body: metaError });
    expect(bytes).toBeLessThan(megabytes(150));
  });

  test('inside a form field too', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await post({ headers, body: `data=${'['.repeat(megabytes(4))}` })).status).toBe(400);
    expect((await post({ headers, body: 'a=1&'.repeat(megabytes(1)) })).status).toBe(400);
  });

  test('what is deep but short is judged like any event: the deep part is left out, the event goes on', async () => {
    let deep: unknown = 1;
    for (let level = 0; level < 1_000; level += 1) deep = [deep];
    const answer = await post({ body: JSON.stringify({ data: [{ ...event, custom_data: { deep } }] }) });
    expect(answer).toMatchObject({ status: 200, body: { warnings: [{ code: 'too_deep' }] } });
  });

  test('a large and honest body is not taken for a bomb', () => {
    const contents = Array.from({ length: 150 }, (_, id) => ({ id: `sku-${id}[`, quantity: 1, note: 'a "quoted" {' }));
    const data = Array.from({ length: 500 }, () => ({ ...event, custom_data: { contents } }));
    expect(parseBoundedJson(JSON.stringify({ data }))).toEqual({ data });
  });
});

test('keys of prototypes are data, change nothing, and never reach the queue', async () => {
  const wire = `{"data":[{"event_name":"Lead","event_time":${event.event_time},"action_source":"other","__proto__":{"polluted":1},
    "constructor":{"prototype":{"polluted":1}},"user_data":{"em":"a@b.co","__proto__":{"ph":"1"},"constructor":"x"},
    "custom_data":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":{"__proto__":{"polluted":1}}}}],
    "__proto__":{"access_token":"x"}}`;
  expect((await post({ body: wire })).status).toBe(200);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(queued[0]).not.toContain('__proto__');
});

test.each([
  ['a number beyond what a number can be', '{"value":1e999,"currency":"TRY"}'],
  ['a number too small to be one', '{"value":-1e999,"currency":"TRY"}'],
  ['ten thousand digits', `{"value":${'9'.repeat(10_000)},"currency":"TRY"}`],
])('%s as value of a purchase is refused, not sent as null', async (_name, customData) => {
  const body = `{"data":[{"event_name":"Purchase","event_time":${event.event_time},"action_source":"other","user_data":{"em":"a@b.co"},"custom_data":${customData}}]}`;
  expect(await post({ body })).toMatchObject({ status: 400, body: { refused: [{ field: 'custom_data.value' }] } });
});

test.each<[string, Record<string, string>, Buffer, number]>([
  ['bytes that are no UTF-8', {}, Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 400],
  ['half a character', {}, Buffer.from(JSON.stringify({ a: 'ş' })).subarray(0, 7), 400],
  ['a charset that is none', { 'content-type': 'application/json; charset=klingon' }, Buffer.from('{}'), 415],
  ['an encoding that is none', { 'content-encoding': 'constructor' }, Buffer.from('{}'), 415],
  ['gzip cut off', { 'content-encoding': 'gzip' }, gzipSync('{"data":[]}').subarray(0, 12), 400],
  ['a list', {}, Buffer.from('[]'), 400],
  ['null', {}, Buffer.from('null'), 400],
])('%s is a client error in the shape of Meta', async (_name, headers, body, status) => {
  expect(await post({ headers, body })).toEqual({ status, body: metaError });
});

test('a byte order mark and an older charset are understood', async () => {
  const named = { ...event, user_data: { ...event.user_data, fn: 'Ayşe' } };
  const text = JSON.stringify({ data: [named] });
  expect((await post({ body: Buffer.from(`\uFEFF${text}`) })).status).toBe(200);
  const latin5 = Buffer.from(text.replace('ş', '\u00fe'), 'latin1');
  const headers = { 'content-type': 'application/json; charset=iso-8859-9' };
  expect((await post({ headers, body: latin5 })).status).toBe(200);
  const [first, second] = queued.map((json) => (JSON.parse(json) as { data: { events: unknown[] } }).data.events);
  expect(first).toEqual(second);
});

test('of a key that is there twice the last one counts, as everywhere', async () => {
  const body = `{"data":[],"data":${JSON.stringify([event])}}`;
  expect((await post({ body })).status).toBe(200);
});

test.each(['/%ff/events', '/111/events/%', '/..%2f111/events', '//111/events', `/${'1'.repeat(60_000)}/events`])(
  'the path %s is a client error, never one of ours',
  async (path) => {
    const { status } = await post({ path, body: JSON.stringify({ data: [event] }) });
    expect([400, 404, 431]).toContain(status);
    expect(queued).toEqual([]);
  },
);

test('a sender that never finishes its request holds nothing but a socket, and others are served', async () => {
  const { port } = server.address() as AddressInfo;
  const slow = Array.from({ length: 50 }, () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      'POST /111/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n{',
    );
    return socket;
  });
  expect((await post({ body: JSON.stringify({ data: [event] }) })).status).toBe(200);
  // Node ends such a request itself; in the cloud Google's front end does before it reaches an instance.
  expect([server.headersTimeout > 0, server.requestTimeout > 0]).toEqual([true, true]);
  for (const socket of slow) socket.destroy();
  expect((await post({ body: JSON.stringify({ data: [event] }) })).status).toBe(200);
});
