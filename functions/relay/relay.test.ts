/** From a sender's request to Meta: capi-relay, the queue's message, capi-deliver, against the strict simulator. */
import type { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startEmbeddedFirestore } from '../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../test/local/google/firestore/embedded-firestore.ts';
import { fixedNow, startForTest } from '../../test/simulator/graph-caller.ts';
import type { GraphCaller } from '../../test/simulator/graph-caller.ts';
import { seed } from '../../test/simulator/seed.ts';
import type { Simulator } from '../../test/simulator/server.ts';
import { defaultRelaySettings } from '../../shared/contracts/relay-documents.ts';
import type { Dataset, RelayKey } from '../../shared/contracts/relay-documents.ts';
import { parseEnvelope } from '../../shared/contracts/topics.ts';
import { makeRelayKey } from '../../shared/domain/relay-key.ts';
import type { DeadLetterInput } from '../../shared/gcp/dead-letter-store.ts';
import { createDeliveryLedger } from '../../shared/gcp/delivery-ledger.ts';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { createRelayBreaker } from '../../shared/gcp/relay-breaker.ts';
import { AccessToken } from '../../shared/meta/access-token.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import type { GraphClient } from '../../shared/meta/graph-client.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { createDelivery } from './capi-deliver/deliver.ts';
import { accept } from './capi-relay/accept.ts';

const nowSeconds = fixedNow.getTime() / 1_000;
const relayKey = makeRelayKey(Buffer.alloc(8, 1), Buffer.alloc(32, 1));
const created = { createdAt: fixedNow.toISOString(), createdBy: 'test' };
const key: RelayKey = {
  relayKeyId: relayKey.relayKeyId,
  sha256: relayKey.sha256,
  tenantId: 'acme',
  purpose: 'server',
  events: null,
  notAfter: null,
  revokedAt: null,
  ...created,
};

const log = createLogger({ level: 'silent', functionName: 'relay' });
let simulator: Simulator;
let firestore: EmbeddedFirestore;
let db: Firestore;
let meta: GraphCaller;
let graph: GraphClient;
let dataset: Dataset;
let token: string;
let deadLetters: DeadLetterInput[];

beforeAll(async () => {
  firestore = await startEmbeddedFirestore({ projectId: 'kobi' });
  process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host;
  db = connectFirestore('kobi');
  ({ simulator, graph: meta } = await startForTest());
  graph = createGraphClient({
    baseUrl: simulator.url,
    appSecret: async () => seed.appSecret,
    now: () => fixedNow.getTime(),
  });
});

beforeEach(async () => {
  simulator.reset();
  firestore.clear();
  deadLetters = [];
  const child = await meta.newChild(await meta.logIn());
  const datasetId = await meta.newPixel(child, await meta.newAdAccount(child));
  ({ token } = child);
  dataset = {
    datasetId,
    tenantId: 'acme',
    country: 'TR',
    vertical: 'ecommerce',
    settings: defaultRelaySettings,
    createdAt: created.createdAt,
  };
});

afterAll(async () => {
  await db.terminate();
  await firestore.close();
  await graph.close();
  await simulator.close();
});

/** Sends a request to the relay and delivers what it queued. */
async function relay(data: readonly unknown[]): Promise<Record<string, unknown>> {
  const queued: string[] = [];
  const answer = await accept(
    {
      method: 'POST',
      url: `/v25.0/${dataset.datasetId}/events`,
      headers: {},
      remoteAddress: undefined,
      body: { data, access_token: relayKey.key },
      bodyBytes: 1_000,
    },
    {
      directory: { dataset: () => dataset, relayKey: () => key },
      queue: async (json) => void queued.push(json),
      proxy: 'serverless',
      projectId: 'kobi',
      log,
      now: () => fixedNow,
    },
  );
  const deliver = createDelivery({
    graph,
    senderOf: async () => new AccessToken('child', token),
    deadLetters: {
      record: async (input) => {
        deadLetters.push(input);
        return 'id';
      },
    },
    ledger: createDeliveryLedger(db, { now: () => fixedNow }),
    breaker: createRelayBreaker(db, { now: () => fixedNow }),
    counters: { count: () => undefined, latency: () => undefined, flushIfDue: () => undefined },
    bringBack: async () => Promise.reject(new Error('nothing should come back')),
    partnerAgent: 'kobi_1_0',
    log,
    now: () => fixedNow,
    schedule: (run) => run(),
    gatherMs: 0,
  });
  for (const json of queued) {
    const parsed = parseEnvelope('capi-events', JSON.parse(json));
    if (!parsed.ok) throw new Error(parsed.problems.join('; '));
    await deliver(parsed.envelope, log);
  }
  return JSON.parse(answer.body) as Record<string, unknown>;
}

const delivered = (): Promise<Record<string, unknown>> =>
  meta.control('GET', `/events?dataset=${dataset.datasetId}&limit=1000`);

const purchase = (id: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  event_name: 'Purchase',
  event_time: nowSeconds - 60,
  event_id: id,
  action_source: 'website',
  event_source_url: 'https://shop.example/thanks?email=ayse%40example.com',
  user_data: {
    em: 'Ayse@Example.com',
    ph: '0532 123 45 67',
    fn: 'Ayşe',
    ln: 'Yılmaz',
    ge: 'Kadın',
    db: '1990-05-17',
    ct: 'İstanbul',
    zp: '34000',
    country: 'Türkiye',
    external_id: 'c-1',
    client_user_agent: 'Mozilla/5.0',
    client_ip_address: '85.105.12.7',
  },
  custom_data: { value: 129.9, currency: 'try', contents: [{ id: 'sku-1', quantity: 1 }] },
  ...more,
});

test('every kind of event a client sends is accepted by Meta as the relay hands it on', async () => {
  const user = { em: 'ayse@example.com' };
  const answer = await relay([
    purchase('shop'),
    purchase('store', { action_source: 'physical_store', event_time: nowSeconds - 30 * 86_400 }),
    purchase('lead', {
      event_name: 'Lead',
      action_source: 'system_generated',
      user_data: { ...user, lead_id: 123_456_789_012_345 },
    }),
    purchase('own', {
      event_name: 'BookedVisit',
      action_source: 'phone_call',
      user_data: user,
      custom_data: undefined,
    }),
  ]);
  expect(answer).toMatchObject({ events_received: 4, refused: [] });
  expect(deadLetters).toEqual([]);
  expect(await delivered()).toMatchObject({ accepted: 4, unique: 4, rejectedCalls: 0 });
});

test('1,000 events travel in one message and one call', async () => {
  const answer = await relay(Array.from({ length: 1_000 }, (_, index) => purchase(`p${index}`)));
  expect(answer['events_received']).toBe(1_000);
  expect(await delivered()).toMatchObject({ accepted: 1_000, unique: 1_000 });
});

test('what the relay refuses costs its siblings nothing, and Meta never sees a bad batch', async () => {
  const answer = await relay([purchase('good'), purchase('old', { event_time: nowSeconds - 9 * 86_400 }), {}]);
  expect(answer).toMatchObject({ events_received: 1, refused: [{ index: 1 }, { index: 2 }] });
  expect(await delivered()).toMatchObject({ accepted: 1, rejectedCalls: 0 });
});

test('raw personal data reaches Meta nowhere', async () => {
  await relay([purchase('a', { custom_data: { value: 1, currency: 'TRY', note: 'ayse@example.com' } })]);
  const kept = JSON.stringify(await delivered());
  for (const text of ['yse@', 'xample.com', '5321234567', 'Yılmaz', 'Ayşe']) expect(kept).not.toContain(text);
});
