/** The relay behind functions-framework's own server, over real HTTP, with Meta's own client. */
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import { defaultRelaySettings } from '../../../shared/contracts/relay-documents.ts';
import { makeRelayKey } from '../../../shared/domain/relay-key.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { relayFunction } from './relay-function.ts';

/** What is used here of the SDK, which comes without types. */
interface UserData {
  setEmail(email: string): this;
  setClientUserAgent(userAgent: string): this;
}
interface CustomData {
  setValue(value: number): this;
  setCurrency(currency: string): this;
  setContentIds(ids: readonly string[]): this;
}
interface ServerEvent {
  setEventName(name: string): this;
  setEventTime(seconds: number): this;
  setEventId(id: string): this;
  setActionSource(source: string): this;
  setEventSourceUrl(url: string): this;
  setUserData(user: UserData): this;
  setCustomData(data: CustomData): this;
}
interface EventRequest {
  setEvents(events: readonly ServerEvent[]): this;
  setTestEventCode(code: string): this;
  execute(): Promise<{ events_received: number; messages: unknown[]; fbtrace_id: string }>;
}
interface BusinessSdk {
  readonly FacebookAdsApi: { readonly GRAPH: string };
  readonly CustomData: new () => CustomData;
  readonly EventRequest: new (token: string, datasetId: string) => EventRequest;
  readonly ServerEvent: new () => ServerEvent;
  readonly UserData: new () => UserData;
}
const sdk = createRequire(import.meta.url)('facebook-nodejs-business-sdk') as BusinessSdk;

const relayKey = makeRelayKey(Buffer.alloc(8, 1), Buffer.alloc(32, 1));
const created = { createdAt: '2026-11-23T12:00:00.000Z', createdBy: 'test', events: null, notAfter: null };
const queued: string[] = [];
let server: Server;
let origin: string;

beforeAll(async () => {
  http(
    'relay-under-test',
    relayFunction(() => ({
      directory: {
        dataset: async (datasetId) =>
          datasetId === '111'
            ? {
                datasetId,
                tenantId: 'acme',
                country: 'TR',
                vertical: 'ecommerce',
                createdAt: created.createdAt,
                settings: defaultRelaySettings,
              }
            : undefined,
        relayKey: async (relayKeyId) =>
          relayKeyId === relayKey.relayKeyId
            ? { relayKeyId, sha256: relayKey.sha256, tenantId: 'acme', purpose: 'server', ...created, revokedAt: null }
            : undefined,
      },
      queue: async (json) => void queued.push(json),
      proxy: 'serverless',
      projectId: 'kobi',
      log: createLogger({ level: 'silent', functionName: 'capi-relay' }),
      now: () => new Date(),
    })),
  );
  server = getTestServer('relay-under-test');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  queued.length = 0;
  vi.restoreAllMocks();
});

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
const envelope = (): Envelope<'capi-events'> => JSON.parse(queued[0] ?? '') as Envelope<'capi-events'>;

async function post(
  headers: Record<string, string>,
  body: string | Buffer,
): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${origin}/v25.0/111/events?access_token=${relayKey.key}`, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text };
}

// Stands first on purpose: nothing but the start of the server has happened yet.
test('malformed JSON is answered in the shape of Meta, from the first request of an instance on', async () => {
  for (let turn = 0; turn < 2; turn += 1) {
    expect(await post({ 'content-type': 'application/json' }, '{"data":[')).toEqual({
      status: 400,
      body: { error: expect.objectContaining({ code: 100, type: 'OAuthException', is_transient: false }) as object },
    });
  }
  expect(queued).toEqual([]);
});

test('the official SDK of Meta sends an event with only the host changed, and understands the answer', async () => {
  vi.spyOn(sdk.FacebookAdsApi, 'GRAPH', 'get').mockReturnValue(origin);
  const user = new sdk.UserData().setEmail('Ayse@Example.com').setClientUserAgent('Mozilla/5.0');
  const purchase = new sdk.ServerEvent()
    .setEventName('Purchase')
    .setEventTime(event.event_time)
    .setEventId('order-17')
    .setActionSource('website')
    .setEventSourceUrl('https://shop.example/thanks')
    .setUserData(user)
    .setCustomData(new sdk.CustomData().setValue(129.9).setCurrency('try').setContentIds(['sku-1']));
  const request = new sdk.EventRequest(relayKey.key, '111').setEvents([purchase]).setTestEventCode('TEST17');

  const response = await request.execute();

  expect(response.events_received).toBe(1);
  expect(response.messages).toEqual([]);
  expect(response.fbtrace_id).toMatch(/^A[\w-]{22}$/);
  expect(envelope().data).toMatchObject({
    datasetId: '111',
    testEventCode: 'TEST17',
    events: [{ event_name: 'Purchase', event_id: 'order-17', custom_data: { value: 129.9, currency: 'TRY' } }],
  });
  expect(queued[0]).not.toMatch(/ayse/i);
});

test('the official SDK shows a refusal as the error of Meta it knows', async () => {
  vi.spyOn(sdk.FacebookAdsApi, 'GRAPH', 'get').mockReturnValue(origin);
  const old = new sdk.ServerEvent().setEventName('Lead').setEventTime(1_600_000_000).setActionSource('other');
  const request = new sdk.EventRequest(relayKey.key, '111').setEvents([
    old.setUserData(new sdk.UserData().setEmail('a@b.co')),
  ]);
  await expect(request.execute()).rejects.toMatchObject({
    name: 'FacebookRequestError',
    status: 400,
    response: {
      code: 100,
      error_user_title: 'Events refused',
      error_user_msg: expect.stringMatching(/event_time/) as string,
    },
  });
});

test.each([
  [
    'gzip',
    { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    gzipSync(JSON.stringify({ data: [event] })),
  ],
  [
    'a form',
    { 'content-type': 'application/x-www-form-urlencoded' },
    new URLSearchParams({ data: JSON.stringify([event]) }).toString(),
  ],
  ['text', { 'content-type': 'text/plain' }, JSON.stringify({ data: [event] })],
])('%s is understood over HTTP', async (_name, headers, body) => {
  expect(await post(headers, body)).toMatchObject({ status: 200, body: { events_received: 1 } });
  expect(envelope().data.events).toHaveLength(1);
});

test.each([
  ['broken gzip', { 'content-type': 'application/json', 'content-encoding': 'gzip' }, 'no gzip', 400],
  ['an unknown encoding', { 'content-type': 'application/json', 'content-encoding': 'zip' }, '{}', 415],
  ['an unknown charset', { 'content-type': 'application/json; charset=ebcdic' }, '{}', 415],
])('%s is a client error in the shape of Meta', async (_name, headers, body, status) => {
  expect(await post(headers, body)).toMatchObject({ status, body: { error: { code: 100 } } });
});

test('100 requests at the same time are each answered with their own events', async () => {
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => {
      const data = Array.from({ length: (index % 3) + 1 }, (_event, at) => ({ ...event, event_id: `${index}-${at}` }));
      return post({ 'content-type': 'application/json' }, JSON.stringify({ data }));
    }),
  );
  expect(answers.map(({ body }) => (body as { events_received: number }).events_received)).toEqual(
    Array.from({ length: 100 }, (_, index) => (index % 3) + 1),
  );
  expect(queued).toHaveLength(100);
});
