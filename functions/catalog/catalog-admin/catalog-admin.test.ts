import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { csvOf, shop, startCatalogWorld, traceparent } from '../../../test/catalog/catalog-world.ts';
import type { CatalogWorld } from '../../../test/catalog/catalog-world.ts';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import { verifyAuditTrail } from '../../../shared/gcp/audit-trail.ts';
import { CatalogHealthStore } from '../../../shared/gcp/catalog-health-store.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { catalogAdminRoutes } from './routes.ts';

let world: CatalogWorld;
let health: CatalogHealthStore;
const messages: Envelope<'feed-updated'>[] = [];
beforeAll(async () => {
  world = await startCatalogWorld();
  health = new CatalogHealthStore(world.db, world.services.now);
});
afterAll(() => world.close());
beforeEach(() => {
  world.reset();
  messages.length = 0;
});

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function call(method: string, path: string, body?: unknown, query = ''): Promise<Answer> {
  const { alerts, services, tenantId } = world;
  const outbox = new Outbox(world.db, {
    publish: async () => undefined,
    publishJson: async (topic, json) => {
      if (topic === 'feed-updated') messages.push(JSON.parse(json) as Envelope<'feed-updated'>);
    },
    close: async () => undefined,
  });
  const routes = catalogAdminRoutes({
    isTenant: async (id) => id === tenantId,
    catalogs: services.catalogs,
    health,
    batches: services.batches,
    alerts,
    steer: { catalogs: services.catalogs, outbox, now: services.now },
    deliver: (outgoing) => outbox.deliver(outgoing),
    now: services.now,
  });
  const [, , tenant = '', ...rest] = path.split('/');
  const route = routes.find((each) => each.method === method && each.path === `/tenants/{tenant}/${rest.join('/')}`);
  if (route === undefined) throw new Error(`no route ${method} ${path}`);
  try {
    const answer = await route.handle({
      param: () => tenant,
      query: new URLSearchParams(query),
      cookie: () => undefined,
      header: () => undefined,
      rawBody: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
      caller: 'ayse@kobi.example',
      traceparent,
      log: services.log,
    });
    return { status: answer.status, body: JSON.parse(answer.body) as Record<string, unknown> };
  } catch (error) {
    if (error instanceof HttpProblem) return { status: error.status, body: { ...error.details } };
    throw error;
  }
}

const at = (rest: string): string => `/tenants/${world.tenantId}/${rest}`;

describe('a held feed', () => {
  beforeEach(async () => {
    await world.feed(csvOf(shop(40)));
    await world.feed(csvOf(shop(8)));
  });

  it('shows why it is held, and its alert', async () => {
    const { body } = await call('GET', at('catalog'));
    expect(body).toMatchObject({
      items: 40,
      sync: { state: 'held', guards: [{ guard: 'items-lost', fix: expect.any(String) as string }] },
      alerts: [{ kind: 'catalog-feed-held', severity: 'page' }],
    });
  });

  it('released by a person goes out as it was read, once, audited with who and why', async () => {
    expect(await call('POST', at('catalog/release'), { reason: 'They closed four shops' })).toMatchObject({
      status: 200,
    });
    expect(await call('POST', at('catalog/release'), { reason: 'They closed four shops' })).toMatchObject({
      status: 409,
    });
    expect(messages).toHaveLength(1);
    for (const message of messages) await world.work(message);
    expect(world.atMeta().items.size).toBe(8);
    expect(await world.alerts.allOpen(5)).toEqual([]);
    const audit = await world.db.collection(`tenants/${world.tenantId}/audit`).get();
    expect(audit.docs.map((row) => row.data())).toMatchObject([
      {
        action: 'held-feed-released',
        actor: 'ayse@kobi.example',
        detail: { reason: 'They closed four shops', guards: ['items-lost'] },
      },
    ]);
    expect(await verifyAuditTrail(world.db, world.tenantId)).toEqual([]);
    // What was released is what the next feed is compared with.
    expect((await world.feed(`${csvOf(shop(8))}\n`)).current).toBeNull();
  });

  it('is not released without a reason', async () => {
    expect(await call('POST', at('catalog/release'), { reason: '' })).toMatchObject({ status: 400 });
    expect(await call('POST', at('catalog/release'), {})).toMatchObject({ status: 400 });
    expect(messages).toEqual([]);
  });
});

it('nothing is released where nothing is held', async () => {
  await world.feed(csvOf(shop(3)));
  expect(await call('POST', at('catalog/release'), { reason: 'because I can' })).toMatchObject({ status: 409 });
});

it('problems of rows are listed with row, field, what came and what is valid', async () => {
  await world.feed(csvOf(shop(20, (item, index) => (index === 4 ? { ...item, availability: 'maybe' } : item))));
  const { body } = await call('GET', at('catalog/problems'));
  expect(body['problems']).toMatchObject([{ row: 6, id: 'SKU-5', field: 'availability', got: 'maybe', by: 'kobi' }]);
  expect(await call('GET', at('catalog/problems'), undefined, 'limit=0')).toMatchObject({ status: 400 });
});

describe('the launch gate', () => {
  const blocked = {
    checkedAt: '',
    gate: {
      state: 'blocked' as const,
      checks: [{ condition: 'freshness' as const, answer: 'no' as const, reason: 'Old.', fix: 'Send a feed.' }],
    },
    itemCount: null,
    itemCounts: {},
    diagnostics: null,
    matchRates: null,
    contentIds: null,
    productSets: null,
    troubles: [],
  };

  it('is unknown and closed before the first check, and cannot be overridden', async () => {
    expect((await call('GET', at('launch-gate'))).body).toMatchObject({ mayLaunch: false, state: 'unknown' });
    expect(await call('POST', at('launch-gate/override'), { reason: 'we must go', hours: 5 })).toMatchObject({
      status: 409,
    });
  });

  it('overridden with a reason lets ads launch until the override ends by itself or by hand, audited', async () => {
    const tenantId = world.tenantId;
    await health.write({ tenantId, ...blocked, checkedAt: new Date(world.nowMs()).toISOString() });
    expect((await call('GET', at('launch-gate'))).body).toMatchObject({ mayLaunch: false, state: 'blocked' });
    expect(await call('POST', at('launch-gate/override'), { reason: 'no', hours: 5 })).toMatchObject({ status: 400 });
    expect(await call('POST', at('launch-gate/override'), { reason: 'client insists', hours: 1_000 })).toMatchObject({
      status: 400,
    });
    const given = await call('POST', at('launch-gate/override'), { reason: 'client insists', hours: 5 });
    expect(given.body).toMatchObject({ mayLaunch: true, state: 'blocked', override: { actor: 'ayse@kobi.example' } });
    // A later check does not end it.
    await health.write({ tenantId, ...blocked, checkedAt: new Date(world.nowMs()).toISOString() });
    expect((await call('GET', at('launch-gate'))).body).toMatchObject({ mayLaunch: true });
    world.advance(5 * 3_600_000);
    expect((await call('GET', at('launch-gate'))).body).toMatchObject({ mayLaunch: false, override: null });
    await call('POST', at('launch-gate/override'), { reason: 'client insists', hours: 5 });
    expect((await call('DELETE', at('launch-gate/override'))).body).toMatchObject({ mayLaunch: false, override: null });
    expect(await verifyAuditTrail(world.db, tenantId)).toEqual([]);
  });

  it('a check that is a day old says nothing any more', async () => {
    const open = { ...blocked, gate: { state: 'open' as const, checks: [] } };
    await health.write({ tenantId: world.tenantId, ...open, checkedAt: new Date(world.nowMs()).toISOString() });
    expect((await call('GET', at('launch-gate'))).body).toMatchObject({ mayLaunch: true });
    world.advance(25 * 3_600_000);
    expect((await call('GET', at('launch-gate'))).body).toMatchObject({ mayLaunch: false, state: 'unknown' });
  });
});

it('product sets with a rule Meta cannot take are refused, each by its place', async () => {
  const sets = [
    { key: 'shoes', name: 'Shoes', filter: { product_type: { i_contains: 'shoes' } } },
    { key: 'odd', name: 'Odd', filter: { and: [{ colour: { eq: 'red' } }, { brand: { like: 'A%' } }] } },
  ];
  const refused = await call('PUT', at('product-sets'), { sets });
  expect(refused.status).toBe(400);
  expect(JSON.stringify(refused.body)).toContain('sets[1].filter.and[0].colour');
  expect(JSON.stringify(refused.body)).toContain('sets[1].filter.and[1].brand.like');
  expect(await call('PUT', at('product-sets'), { sets: sets.slice(0, 1) })).toMatchObject({ status: 200 });
  expect((await call('GET', at('product-sets'))).body).toMatchObject({
    sets: [{ key: 'shoes' }],
    updatedBy: 'ayse@kobi.example',
  });
});

it.each(['nobody', '..', 'A'])('another tenant or none is 404: %s', async (tenant) => {
  for (const path of ['catalog', 'launch-gate', 'product-sets', 'catalog/problems']) {
    expect((await call('GET', `/tenants/${tenant}/${path}`)).status).toBe(404);
  }
});
