import type { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startEmbeddedFirestore } from '../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../test/local/google/firestore/embedded-firestore.ts';
import { parseEnvelope } from '../contracts/topics.ts';
import { AlertStore } from './alert-store.ts';
import type { AlertFacts } from './alert-store.ts';
import { connectFirestore } from './firestore.ts';
import { Outbox } from './outbox.ts';

const projectId = 'kobi-alerts';
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const held: AlertFacts = {
  tenantId: 'acme',
  kind: 'catalog-feed-held',
  severity: 'page',
  summary: 'The feed is empty.',
  detail: { guards: ['empty-feed'] },
};

let firestore: EmbeddedFirestore;
let db: Firestore;
let nowMs: number;
let published: { topic: string; json: string }[];

beforeAll(async () => {
  firestore = await startEmbeddedFirestore({ projectId });
  process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host;
  db = connectFirestore(projectId);
});
afterAll(async () => {
  await db.terminate();
  await firestore.close();
});
beforeEach(() => {
  firestore.clear();
  nowMs = Date.parse('2026-11-25T12:00:00Z');
  published = [];
});

const outbox = (): Outbox =>
  new Outbox(db, {
    publish: async () => undefined,
    publishJson: async (topic, json) => void published.push({ topic, json }),
    close: async () => undefined,
  });
const store = (): AlertStore => new AlertStore({ db, outbox: outbox(), now: () => new Date(nowMs) });
const left = async (): Promise<string[]> => (await db.collection('outbox').get()).docs.map(({ id }) => id);

describe('alerts', () => {
  test('trouble seen by many at once is one alert and one message', async () => {
    const stores = [store(), store(), store()];
    const messages = await Promise.all([...stores, ...stores, ...stores].map((each) => each.raise(held, traceparent)));
    expect(messages.flat()).toHaveLength(1);
    expect(await left()).toEqual(['acme:alert-raised:catalog-feed-held:1']);
    expect(await store().allOpen(10)).toMatchObject([{ ...held, occurrence: 1, resolvedAt: null }]);
  });

  test('its message is one its topic takes', async () => {
    await outbox().deliver(await store().raise(held, traceparent));
    const [message] = published;
    expect(message?.topic).toBe('alert-changed');
    expect(parseEnvelope('alert-changed', JSON.parse(message?.json ?? ''))).toMatchObject({ ok: true });
  });

  test('an open alert keeps its beginning and tells the newest detail, without a second message', async () => {
    await store().raise(held, traceparent);
    nowMs += 5_000;
    const detail = { guards: ['empty-feed', 'lost-column'] };
    expect(await store().raise({ ...held, detail }, traceparent)).toEqual([]);
    expect(await store().ofTenant('acme')).toMatchObject([
      { detail, since: '2026-11-25T12:00:00.000Z', lastSeenAt: '2026-11-25T12:00:05.000Z' },
    ]);
  });

  test('an alert seen again and again is written at most once a minute', async () => {
    await store().raise(held, traceparent);
    const before = await db.doc('tenants/acme/alerts/catalog-feed-held').get();
    for (let seen = 0; seen < 20; seen += 1) {
      nowMs += 2_000;
      await store().raise(held, traceparent);
    }
    const after = await db.doc('tenants/acme/alerts/catalog-feed-held').get();
    expect(after.updateTime?.isEqual(before.updateTime ?? after.readTime)).toBe(true);
    nowMs += 60_000;
    await store().raise(held, traceparent);
    expect((await store().ofTenant('acme'))[0]?.lastSeenAt).toBe('2026-11-25T12:01:40.000Z');
  });

  test('it is resolved once, and its return is another occurrence with a message of its own', async () => {
    await store().raise(held, traceparent);
    nowMs += 60_000;
    expect(await store().resolve('acme', held.kind, 'auto', traceparent)).toHaveLength(1);
    expect(await store().resolve('acme', held.kind, 'auto', traceparent)).toEqual([]);
    expect(await store().allOpen(10)).toEqual([]);
    nowMs += 16 * 60_000;
    expect(await store().raise(held, traceparent)).toMatchObject([
      { eventId: 'acme:alert-raised:catalog-feed-held:2' },
    ]);
    expect(await store().ofTenant('acme')).toMatchObject([
      { occurrence: 2, since: '2026-11-25T12:17:00.000Z', resolvedAt: null, resolvedBy: null },
    ]);
  });

  test('trouble that comes and goes is told once, and again only when it stays', async () => {
    const told: unknown[] = [];
    for (let flap = 0; flap < 20; flap += 1) {
      nowMs += 30_000;
      told.push(...(await store().raise(held, traceparent)));
      nowMs += 30_000;
      if (flap < 19) await store().resolve('acme', held.kind, 'auto', traceparent);
    }
    expect(told).toHaveLength(1);
    nowMs += 15 * 60_000;
    expect(await store().raise(held, traceparent)).toMatchObject([
      { eventId: 'acme:alert-raised:catalog-feed-held:20' },
    ]);
    expect(await store().raise(held, traceparent)).toEqual([]);
  });

  test('what lasts is told once more, as a page', async () => {
    const notice: AlertFacts = { ...held, severity: 'notice' };
    await store().raise(notice, traceparent);
    nowMs += 71 * 3_600_000;
    expect(await store().raise(notice, traceparent)).toEqual([]);
    nowMs += 3_600_000;
    expect(await store().raise(notice, traceparent)).toMatchObject([
      { eventId: 'acme:alert-escalated:catalog-feed-held:1' },
    ]);
    nowMs += 72 * 3_600_000;
    expect(await store().raise(notice, traceparent)).toEqual([]);
    expect(await store().ofTenant('acme')).toMatchObject([{ severity: 'page' }]);
  });

  test('a snoozed kind is seen and not told until the snooze ends by itself or by hand, audited', async () => {
    await store().raise(held, traceparent);
    await store().resolve('acme', held.kind, 'auto', traceparent);
    const until = new Date(nowMs + 3_600_000).toISOString();
    expect(await store().snooze('acme', held.kind, 'a@kobi.example', { until, reason: 'known' })).toBe(true);
    expect(await store().snooze('acme', 'drift', 'a@kobi.example', { until, reason: 'known' })).toBe(false);
    nowMs += 30 * 60_000;
    expect(await store().raise(held, traceparent)).toEqual([]);
    expect(await store().allOpen(10)).toMatchObject([{ occurrence: 2, toldAt: null }]);
    nowMs += 31 * 60_000;
    expect(await store().raise(held, traceparent)).toMatchObject([
      { eventId: 'acme:alert-raised:catalog-feed-held:2' },
    ]);
    await store().snooze('acme', held.kind, 'a@kobi.example', null);
    const audit = await db.collection('tenants/acme/audit').get();
    expect(audit.docs.map((row) => [row.get('action'), row.get('actor')] as unknown[])).toEqual([
      ['alert-snoozed', 'a@kobi.example'],
      ['alert-snooze-ended', 'a@kobi.example'],
    ]);
  });

  test('what nobody was told of is not told to be over', async () => {
    await store().raise(held, traceparent);
    await store().resolve('acme', held.kind, 'auto', traceparent);
    nowMs += 60_000;
    await store().raise(held, traceparent);
    expect(await store().resolve('acme', held.kind, 'auto', traceparent)).toEqual([]);
  });

  test('resolving what was never raised says nothing', async () => {
    expect(await store().resolve('acme', held.kind, 'auto', traceparent)).toEqual([]);
    expect(await left()).toEqual([]);
  });

  test('tenants and kinds are apart', async () => {
    await store().raise(held, traceparent);
    await store().raise({ ...held, tenantId: 'other' }, traceparent);
    await store().raise({ ...held, kind: 'catalog-sync-failed' }, traceparent);
    await store().resolve('acme', 'catalog-sync-failed', 'a@kobi.example', traceparent);
    expect((await store().allOpen(10)).map(({ tenantId, kind }) => `${tenantId} ${kind}`)).toEqual([
      'acme catalog-feed-held',
      'other catalog-feed-held',
    ]);
  });
});
