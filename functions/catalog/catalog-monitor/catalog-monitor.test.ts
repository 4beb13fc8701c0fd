import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { csvOf, shop, startCatalogWorld } from '../../../test/catalog/catalog-world.ts';
import type { CatalogWorld } from '../../../test/catalog/catalog-world.ts';
import { CatalogHealthStore } from '../../../shared/gcp/catalog-health-store.ts';
import type { CatalogHealth } from '../../../shared/contracts/catalog-documents.ts';
import type { SeenContentId } from '../../../shared/domain/catalog/content-id-form.ts';
import type { GateCondition } from '../../../shared/domain/catalog/launch-gate.ts';
import type { OutboxMessage, Tenant } from '../../../shared/contracts/documents.ts';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';
import { checkCatalogs } from './check-catalogs.ts';
import type { MonitorServices } from './check-catalogs.ts';

let world: CatalogWorld;
let health: CatalogHealthStore;
let seen: readonly SeenContentId[] | undefined;
beforeAll(async () => {
  world = await startCatalogWorld();
  health = new CatalogHealthStore(world.db, world.services.now);
});
afterAll(() => world.close());
beforeEach(() => {
  world.reset();
  seen = undefined;
});

const services = (changes: Partial<MonitorServices> = {}): MonitorServices => {
  const { catalogs, deliver, items, log, now, openCatalog } = world.services;
  const outbox = new Outbox(world.db, {
    publish: async () => undefined,
    publishJson: async () => undefined,
    close: async () => undefined,
  });
  return {
    tenants: () => live(world.meta.tenant),
    catalogs,
    health,
    items,
    openCatalog,
    contentIdsSeen: async () => seen,
    steer: { catalogs, outbox, now },
    deliver,
    now,
    log,
    ...changes,
  };
};
async function* live(...tenants: readonly Tenant[]): AsyncGenerator<Tenant> {
  for (const tenant of tenants) yield { ...tenant, status: 'live' };
}
const check = async (changes: Partial<MonitorServices> = {}): Promise<CatalogHealth> => {
  await checkCatalogs(services(changes), new AbortController().signal);
  const found = await health.read(world.tenantId);
  if (found === undefined) throw new Error('the catalog was not checked');
  return found;
};
const answers = ({ gate }: CatalogHealth): Partial<Record<GateCondition, string>> =>
  Object.fromEntries(gate.checks.map(({ answer, condition }) => [condition, answer]));

/** Content ids of today's events, as Meta counts them. */
const meetMeta = (matched: number, unmatched: number, event = 'ViewContent', daysAgo = 0): void => {
  const date = new Date(world.nowMs() - daysAgo * 86_400_000).toISOString().slice(0, 10);
  world.atMeta().plans.eventStats.push({ date, event, matched, unmatched });
};

describe('the launch gate', () => {
  it('opens when the pixel is connected, the feed is fresh, Meta has no complaint and events match', async () => {
    await world.feed(csvOf(shop(30)));
    meetMeta(90, 10);
    const found = await check();
    expect(found.gate.state).toBe('open');
    expect(found).toMatchObject({ itemCount: 30, troubles: [], diagnostics: [], override: null });
    expect(found.matchRates).toMatchObject([
      { event: 'ViewContent', sourceType: 'PIXEL', days7: { matched: 90, unmatched: 10 } },
    ]);
  });

  it('is unknown, not open and not 0, while there are no events and no feed', async () => {
    const found = await check();
    expect(answers(found)).toEqual({
      'event-source': 'yes',
      diagnostics: 'yes',
      'match-rate': 'unknown',
      'refused-items': 'unknown',
      freshness: 'unknown',
      'item-count': 'no',
    });
  });

  it('what cannot be read is unknown, and the rest is still read', async () => {
    await world.feed(csvOf(shop(30)));
    meetMeta(90, 10);
    world.meta.simulator.faults.plant({ path: 'read_catalog_diagnostics', error: { code: 200 }, times: 0 });
    world.meta.simulator.faults.plant({ path: 'read_catalog_event_stats', error: { code: 200 }, times: 0 });
    const found = await check();
    expect(answers(found)).toMatchObject({ diagnostics: 'unknown', 'match-rate': 'unknown', freshness: 'yes' });
    expect(found).toMatchObject({ gate: { state: 'unknown' }, matchRates: null, diagnostics: null });
    expect(found.troubles).toHaveLength(2);
  });

  it('is blocked by what Meta says must be fixed, by stale feeds and by a loss of items, each with what to do', async () => {
    await world.feed(csvOf(shop(30)));
    meetMeta(90, 10);
    await check();
    world.advance(2 * 86_400_000 + 7_200_000);
    world.atMeta().plans.eventStats = [];
    meetMeta(90, 10);
    world.atMeta().plans.diagnostics = [
      {
        type: 'ATTRIBUTES_MISSING',
        severity: 'MUST_FIX',
        title: 'Missing images',
        affected_channels: ['da'],
        number_of_affected_items: 9,
      },
      {
        type: 'IMAGE_QUALITY',
        severity: 'OPPORTUNITY',
        title: 'Small images',
        affected_channels: ['da'],
        number_of_affected_items: 30,
      },
    ];
    for (const id of [...world.atMeta().items.keys()].slice(0, 10)) world.atMeta().items.delete(id);
    const found = await check();
    expect(answers(found)).toEqual({
      'event-source': 'yes',
      diagnostics: 'no',
      'match-rate': 'yes',
      'refused-items': 'yes',
      freshness: 'no',
      'item-count': 'no',
    });
    for (const { answer, fix, reason } of found.gate.checks) {
      expect(reason).not.toBe('');
      expect(fix === '').toBe(answer === 'yes');
    }
  });

  it('figures are by event, of 7 and of 28 days; older ones do not count', async () => {
    await world.feed(csvOf(shop(30)));
    meetMeta(10, 0, 'Purchase', 6);
    meetMeta(5, 5, 'Purchase', 7);
    meetMeta(7, 7, 'Purchase', 27);
    meetMeta(100, 0, 'Purchase', 28);
    meetMeta(0, 50, 'Search', 1);
    const found = await check();
    expect(found.matchRates).toMatchObject([
      { event: 'Purchase', days7: { matched: 10, unmatched: 0 }, days28: { matched: 22, unmatched: 12 } },
      { event: 'Search', days7: { matched: 0, unmatched: 50 } },
    ]);
  });

  it('events that name products in another form are told how the forms differ', async () => {
    await world.feed(csvOf(shop(30)));
    meetMeta(2, 98);
    seen = Array.from({ length: 20 }, (_, index) => ({ id: String(index + 1), type: 'product' }));
    const found = await check();
    expect(found.contentIds).toMatchObject({ seen: 20, matched: 0 });
    const rate = found.gate.checks.find(({ condition }) => condition === 'match-rate');
    expect(rate).toMatchObject({ answer: 'no', fix: expect.stringContaining('“SKU-”') as string });
  });

  it.each([
    ['product', 'no', 'content_type “product”, and it is an item_group_id', '“product_group”'],
    ['product_group', 'yes', '100 % of 20 content ids', ''],
  ] as const)(
    'events that send an item_group_id with content_type %s: match-rate says %s, as Meta counts them',
    async (contentType, answer, words, fix) => {
      const grouped = shop(80, (item, index) => ({ ...item, item_group_id: `TOWEL-${index >> 2}` }));
      await world.feed(csvOf(grouped));
      const ids = Array.from({ length: 20 }, (_, index) => `TOWEL-${index}`);
      const { datasetId } = await world.services.openCatalog(world.tenantId);
      const event = { event_name: 'ViewContent', custom_data: { content_type: contentType, content_ids: ids } };
      const at = { nowMs: world.nowMs(), testEventCode: undefined, retainAtMost: 10 };
      world.meta.simulator.context.events.accept(datasetId, [event], at);
      seen = ids.map((id) => ({ id, type: contentType }));
      const found = await check();
      const rate = found.gate.checks.find(({ condition }) => condition === 'match-rate');
      expect(rate?.answer).toBe(answer);
      expect(rate?.reason).toContain(words);
      expect(rate?.fix).toContain(fix);
    },
  );
});

describe('looking at every catalog', () => {
  it('asks about a catalog four times a day, however often it runs', async () => {
    await check();
    const calls = world.meta.simulator.log.total;
    for (let hour = 0; hour < 5; hour += 1) {
      world.advance(3_600_000);
      await check();
    }
    expect(world.meta.simulator.log.total).toBe(calls);
    world.advance(3_600_000);
    await check();
    expect(world.meta.simulator.log.total).toBeGreaterThan(calls);
  });

  it('a tenant without a usable token, and one whose check fails, stop no other; the first is told why', async () => {
    const others = ['no-token', 'broken'].map((tenantId) => ({ ...world.meta.tenant, tenantId }));
    const changes: Partial<MonitorServices> = {
      tenants: () => live(...others, world.meta.tenant),
      openCatalog: async (tenantId) => {
        if (tenantId === 'broken') throw new Error('the secret store answers nonsense');
        if (tenantId !== 'no-token') return world.services.openCatalog(tenantId);
        throw new Waiting({ on: 'kobi', for: 'child-token', what: 'Mint a token for it.', pollEveryMs: 1 });
      },
    };
    const report = await checkCatalogs(services(changes), new AbortController().signal);
    expect(report).toMatchObject({ failed: 1, notReady: 1, checked: 1 });
    const told = await health.read('no-token');
    expect(told).toMatchObject({ gate: { state: 'unknown' }, troubles: ['Waits on kobi: Mint a token for it.'] });
    // Asked again within the hour's next run, not in six hours.
    world.advance(3_600_000);
    expect(await checkCatalogs(services(changes), new AbortController().signal)).toMatchObject({ notReady: 1 });
  });

  it('a token that is dead at Meta leaves everything unknown, each with Meta’s words', async () => {
    for (const path of [
      'list_event_sources',
      'read_catalog',
      'list_product_sets',
      'read_catalog_diagnostics',
      'read_catalog_event_stats',
    ])
      world.meta.simulator.faults.plant({ path, error: { code: 190, subcode: 460 }, times: 0 });
    const { gate, troubles } = await check();
    expect(new Set(gate.checks.map(({ answer }) => answer))).toEqual(new Set(['unknown']));
    expect(troubles).toHaveLength(5);
    expect(troubles.every((trouble) => trouble.includes('190'))).toBe(true);
  });

  it('a throttled check writes nothing, so that it is done whole the next time', async () => {
    world.meta.simulator.faults.plant({
      path: 'read_catalog_event_stats',
      throttle: { regainMinutes: 3, code: 80009 },
    });
    expect(await checkCatalogs(services(), new AbortController().signal)).toMatchObject({ throttled: 1 });
    expect(await health.read(world.tenantId)).toBeUndefined();
  });

  it('product sets of the rules are made once, corrected when a rule changes, and sized', async () => {
    await world.feed(csvOf(shop(10, (item, index) => ({ ...item, product_type: index < 4 ? 'Shoes' : 'Towels' }))));
    const filter = { product_type: { i_contains: 'shoes' } };
    await health.writeSets(world.tenantId, 'a@kobi.example', [{ key: 'shoes', name: 'Shoes', filter }]);
    expect((await check()).productSets).toMatchObject([{ name: 'Shoes', productCount: 4 }]);
    world.advance(7 * 3_600_000);
    await check();
    expect(world.atMeta().setIds).toHaveLength(1);
    await health.writeSets(world.tenantId, 'a@kobi.example', [
      { key: 'shoes', name: 'Not shoes', filter: { not: filter } },
    ]);
    world.advance(7 * 3_600_000);
    expect((await check()).productSets).toMatchObject([{ name: 'Not shoes', productCount: 6 }]);
    expect(world.atMeta().setIds).toHaveLength(1);
  });

  it('a tenant that was moved to another catalog gets it filled, without a new feed and once', async () => {
    await world.feed(csvOf(shop(9)));
    const catalogId = await world.moveTo('child');
    const assets = {
      runId: 'run-2',
      operator: 'child',
      businessId: '1',
      adAccountId: 'act_1',
      datasetId: '1',
    } as const;
    const sent: OutboxMessage[] = [];
    const changes: Partial<MonitorServices> = {
      tenants: () => live({ ...world.meta.tenant, assets: { ...assets, catalogId } }),
      deliver: async (messages) => void sent.push(...messages),
    };
    await check(changes);
    await check(changes);
    expect(sent).toHaveLength(1);
    await world.work(JSON.parse(sent[0]?.json ?? '') as Envelope<'feed-updated'>);
    expect(world.atMeta().items.size).toBe(9);
    await check(changes);
    expect(sent).toHaveLength(1);
  });

  it('a sync that waited for somebody is tried again', async () => {
    world.meta.simulator.faults.plant({ path: 'send_catalog_items', error: { code: 190, subcode: 460 } });
    await world.feed(csvOf(shop(5)));
    await check();
    expect((await world.document()).current?.state).toBe('sending');
  });
});
