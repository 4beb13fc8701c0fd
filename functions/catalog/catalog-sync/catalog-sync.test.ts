import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { csvOf, jsonlOf, shop, startCatalogWorld, xmlOf } from '../../../test/catalog/catalog-world.ts';
import type { CatalogWorld } from '../../../test/catalog/catalog-world.ts';
import type { GraphAs } from '../../../shared/meta/graph-client.ts';

let world: CatalogWorld;
beforeAll(async () => {
  world = await startCatalogWorld();
});
afterAll(() => world.close());
beforeEach(() => world.reset());

const idsAtMeta = (): string[] => [...world.atMeta().items.keys()].toSorted();
const lastSync = async () => (await world.document()).history[0];

describe('a feed', () => {
  it.each([
    ['csv', csvOf(shop(40))],
    ['tsv', csvOf(shop(40)).replaceAll(',', '\t').replaceAll('Soft\t', 'Soft,')],
    ['jsonl', jsonlOf(shop(40))],
    ['xml', xmlOf(shop(40))],
  ] as const)('as %s brings every item to Meta, and the same again sends nothing', async (format, text) => {
    await world.feed(text, { format });
    expect(world.atMeta().items.size).toBe(40);
    expect(world.atMeta().items.get('SKU-7')?.data).toMatchObject({
      id: 'SKU-7',
      title: 'Product SKU-7',
      price: '10.00 TRY',
      availability: 'in stock',
      image_link: 'https://shop.example/i/SKU-7.jpg',
    });
    const calls = world.meta.simulator.log.total;
    const again = await world.feed(`${text}\n`, { format });
    expect(again.history[0]).toMatchObject({ state: 'unchanged', counts: { unchanged: 40 } });
    expect(world.meta.simulator.log.total).toBe(calls);
  });

  it('gzipped is read as it is', async () => {
    await world.feed(gzipSync(csvOf(shop(12))));
    expect(world.atMeta().items.size).toBe(12);
  });

  it('sends changes, new items and explicit deletions, and nothing else', async () => {
    await world.feed(csvOf(shop(30)));
    const changed = shop(30, (item, index) => (index === 3 ? { ...item, price: '12.50 TRY' } : item)).filter(
      ({ id }) => id !== 'SKU-9',
    );
    const after = await world.feed(csvOf([...changed, { id: 'SKU-new' }]));
    expect(world.sentIds().at(-1)?.toSorted()).toEqual(['SKU-4', 'SKU-9', 'SKU-new']);
    expect(after.history[0]?.counts).toMatchObject({ created: 1, updated: 1, deleted: 1, unchanged: 28, accepted: 3 });
    expect(world.atMeta().items.get('SKU-4')?.data['price']).toBe('12.50 TRY');
    expect(idsAtMeta()).not.toContain('SKU-9');
    expect(after.items).toBe(30);
  });

  it('takes away a sale that is over: Meta keeps what an update leaves out', async () => {
    await world.feed(csvOf(shop(5, (item) => ({ ...item, sale_price: '8.00 TRY' }))));
    expect(world.atMeta().items.get('SKU-1')?.data['sale_price']).toBe('8.00 TRY');
    await world.feed(csvOf(shop(5)));
    expect(world.atMeta().items.get('SKU-1')?.data).not.toHaveProperty('sale_price');
  });

  it('of many items goes out in batches of at most 3,000', { timeout: 30_000 }, async () => {
    await world.feed(jsonlOf(shop(3_001)), { format: 'jsonl' });
    expect(world.atMeta().items.size).toBe(3_001);
    const sizes = world.meta.simulator.log
      .entries()
      .filter(({ operation }) => operation === 'send_catalog_items')
      .map(({ params }) => /of (\d+) items/.exec(JSON.stringify(params['requests']))?.[1] ?? 'few');
    expect(sizes).toEqual(['3000', 'few']);
  });
});

describe('rows that are not good', () => {
  it('cost only themselves, are told by row and field, and a good item keeps its last good state', async () => {
    await world.feed(csvOf(shop(20)));
    const after = await world.feed(
      csvOf(
        shop(20, (item, index) =>
          index === 1
            ? { ...item, price: '9,99' }
            : index === 2
              ? { ...item, link: 'javascript:alert(1)' }
              : index === 3
                ? { ...item, title: 'New title', sale_price: '99.00 TRY' }
                : item,
        ),
      ),
    );
    expect(after.history[0]?.counts).toMatchObject({ updated: 1, refused: 2, warned: 1, deleted: 0 });
    expect(world.atMeta().items.size).toBe(20);
    expect(world.atMeta().items.get('SKU-2')?.data['price']).toBe('10.00 TRY');
    expect(world.atMeta().items.get('SKU-4')?.data['title']).toBe('New title');
    const problems = await world.services.batches.problemsOf(world.tenantId, after.history[0]?.syncId ?? '', 10);
    expect(problems.map(({ row, id, field, got, isRefused }) => ({ row, id, field, got, isRefused }))).toEqual([
      { row: 3, id: 'SKU-2', field: 'price', got: '9,99', isRefused: true },
      { row: 4, id: 'SKU-3', field: 'link', got: 'javascript:alert(1)', isRefused: true },
      { row: 5, id: 'SKU-4', field: 'sale_price', got: '99.00 TRY', isRefused: false },
    ]);
  });

  it('Meta refuses are mapped back to their rows and not sent again until they change', async () => {
    world.atMeta().plans.rejections.set('SKU-3', 'image_link could not be fetched.');
    const after = await world.feed(csvOf(shop(10)));
    expect(after).toMatchObject({ items: 10, rejectedItems: 1, history: [{ counts: { accepted: 9, rejected: 1 } }] });
    const problems = await world.services.batches.problemsOf(world.tenantId, after.history[0]?.syncId ?? '', 10);
    expect(problems).toMatchObject([{ row: 4, id: 'SKU-3', field: 'image_link', by: 'meta', isRefused: true }]);
    const calls = world.sentIds().length;
    await world.feed(`${csvOf(shop(10))}\n`);
    expect(world.sentIds()).toHaveLength(calls);
    world.atMeta().plans.rejections.clear();
    await world.feed(csvOf(shop(10, (item, index) => (index === 2 ? { ...item, title: 'Better' } : item))));
    expect(world.sentIds().at(-1)).toEqual(['SKU-3']);
    expect(await world.document()).toMatchObject({ rejectedItems: 0, items: 10 });
  });

  it('an HTTP 200 without handles is no success: the batch is sent again, and given up after three', async () => {
    world.atMeta().plans.emptyHandles = 2;
    await world.feed(csvOf(shop(6)));
    expect(world.atMeta().items.size).toBe(6);
    world.atMeta().plans.emptyHandles = 3;
    const after = await world.feed(csvOf(shop(6, (item) => ({ ...item, title: 'T' }))));
    expect(after.history[0]).toMatchObject({ counts: { accepted: 0, unknown: 6 } });
    // Nothing of it counts as accepted, so the next feed brings it.
    await world.feed(`${csvOf(shop(6, (item) => ({ ...item, title: 'T' })))}\n`);
    expect(world.atMeta().items.get('SKU-2')?.data['title']).toBe('T');
  });
});

describe('trouble on the way', () => {
  /** Small batches do what large ones do. */
  const small = { maxItemsPerBatch: 5 };

  it('a feed announced twice, and at the same time, is sent once', async () => {
    const message = world.announce(csvOf(shop(15)));
    await Promise.all([world.work(message), world.work(message), world.work({ ...message })]);
    await world.work(message);
    expect(world.sentIds()).toHaveLength(1);
    expect(world.atMeta().items.size).toBe(15);
  });

  it('an older feed that comes late is passed over', async () => {
    const old = world.announce(csvOf(shop(10)));
    await world.feed(csvOf(shop(12)));
    await world.work(old);
    expect(world.atMeta().items.size).toBe(12);
    expect(world.sentIds()).toHaveLength(1);
  });

  it(
    'a worker that dies after Meta’s answer: the next goes on, and what was accepted is not sent again',
    { timeout: 30_000 },
    async () => {
      const message = world.announce(jsonlOf(shop(13)), { format: 'jsonl' });
      let sent = 0;
      // Dies for good in the middle of its writes: nothing of it releases the lease.
      const dying = new Proxy(world.services.catalogs, {
        get(target, name) {
          const value = Reflect.get(target, name) as unknown;
          if (typeof value !== 'function') return value;
          return (...args: unknown[]): unknown => {
            if (sent >= 2) throw new Error('killed');
            return (value as (...all: unknown[]) => unknown).apply(target, args);
          };
        },
      });
      const openCatalog: typeof world.services.openCatalog = async (tenantId) => {
        const opened = await world.services.openCatalog(tenantId);
        const graph: GraphAs<'child' | 'fallback'> = {
          ...opened.graph,
          post: async (path, params, answer, more) => {
            const posted = await opened.graph.post(path, params, answer, more);
            if (path.endsWith('/items_batch')) sent += 1;
            return posted;
          },
        };
        return { ...opened, graph };
      };
      await expect(world.deliver(message, { ...small, catalogs: dying, openCatalog })).rejects.toThrow('killed');
      expect(sent).toBe(2);
      await world.work(message);
      expect(world.atMeta().items.size).toBe(13);
      // Three batches in all, and the first two once each.
      expect(
        world.meta.simulator.log.entries().filter(({ operation }) => operation === 'send_catalog_items'),
      ).toHaveLength(3);
    },
  );

  it('a lost answer is sent again: an upsert twice is an upsert once', async () => {
    world.meta.simulator.faults.plant({ path: 'send_catalog_items', lostResponse: true });
    await world.feed(csvOf(shop(8)));
    expect(world.atMeta().items.size).toBe(8);
    expect((await lastSync())?.counts).toMatchObject({ accepted: 8, unknown: 0 });
  });

  it('Meta’s throttle is obeyed: no call before the time it names', async () => {
    const fault = world.meta.simulator.faults.plant({
      path: 'send_catalog_items',
      throttle: { regainMinutes: 7, code: 80014 },
    });
    await world.feed(csvOf(shop(8)));
    expect(world.atMeta().items.size).toBe(8);
    expect(fault.callsWhileBlocked).toBe(0);
  });

  it('the catalog’s bucket of batch calls is never overrun, and not left unused either', async () => {
    const { switches, usage } = world.meta.simulator.context;
    switches.catalog_batch_calls_per_minute = 8;
    const before = { ...usage.catalogs.refused };
    const startedMs = world.nowMs();
    await world.work(world.announce(jsonlOf(shop(100)), { format: 'jsonl' }), small);
    expect(world.atMeta().items.size).toBe(100);
    expect(usage.catalogs.refused).toEqual(before);
    // Twenty batches of eight a minute: two whole minutes and the outcomes of the last.
    expect(world.nowMs() - startedMs).toBeLessThan(3 * 60_000);
  });

  it.each([
    ['batch calls (80014)', { catalog_batch_calls_per_minute: 0 }, 'send_catalog_items', 60],
    ['calls on it (80009)', { catalog_management_calls_per_hour: 0 }, 'check_batch_request_status', 3_600],
  ] as const)(
    'a catalog whose %s are used up by others: one refusal, and nothing before the time Meta names',
    async (_what, limit, operation, waitSeconds) => {
      const { simulator } = world.meta;
      const { switches, usage } = simulator.context;
      const usual = { ...switches };
      Object.assign(switches, limit);
      const before = { ...usage.catalogs.refused };
      let message = world.announce(csvOf(shop(8)));
      const startedMs = world.nowMs();
      const refusedAtMs = (): number[] =>
        simulator.log
          .entries()
          .flatMap((one) => (one.error && one.operation === operation ? [Date.parse(one.at)] : []));
      // Until Meta has said no once; then there is room again, from the time on that Meta named.
      while (refusedAtMs().length === 0) {
        const outcome = await world.deliver(message);
        message = { ...message, hop: (message.hop ?? 0) + 1 };
        if (outcome.kind === 'retry') world.advance(outcome.afterMs ?? 0);
      }
      Object.assign(switches, usual);
      await world.work(message);
      expect(world.atMeta().items.size).toBe(8);
      expect(usage.catalogs.refused).toEqual({ full: before.full + 1, beforeRegain: before.beforeRegain });
      const [refusedMs = 0] = refusedAtMs();
      const next = simulator.log.entries().find((one) => one.operation === operation && !one.error);
      expect(Date.parse(next?.at ?? '') - refusedMs).toBeGreaterThanOrEqual(waitSeconds * 1_000);
      expect(world.nowMs() - startedMs).toBeLessThan((waitSeconds + 120) * 1_000);
    },
  );

  it('a batch that never finishes is given up after a day, and its items are sent with the next feed', async () => {
    world.atMeta().plans.stuck = true;
    const after = await world.feed(csvOf(shop(9)));
    expect(after.history[0]).toMatchObject({ state: 'done', counts: { unknown: 9, accepted: 0 } });
    world.atMeta().plans.stuck = false;
    await world.feed(`${csvOf(shop(9))}\n`);
    expect((await lastSync())?.counts).toMatchObject({ created: 9, accepted: 9 });
  });

  it('a newer feed takes the place of what was not sent yet', async () => {
    world.meta.simulator.context.switches.catalog_batch_calls_per_minute = 1;
    const first = world.announce(jsonlOf(shop(15)), { format: 'jsonl' });
    await world.deliver(first, small);
    const better = shop(15, (item) => ({ ...item, title: 'Better' }));
    const second = world.announce(jsonlOf(better), { format: 'jsonl' });
    world.meta.simulator.context.switches.catalog_batch_calls_per_minute = 200;
    await world.work(second, small);
    const { history } = await world.document();
    expect(history.map(({ state }) => state)).toEqual(['done', 'superseded']);
    expect([...world.atMeta().items.values()].every(({ data }) => data['title'] === 'Better')).toBe(true);
    expect(world.atMeta().items.size).toBe(15);
  });

  it.each([
    ['a dead token', { code: 190, subcode: 460 }, 'kobi'],
    ['a missing permission', { code: 200 }, 'kobi'],
    ['a policy block', { code: 368 }, 'meta'],
  ] as const)('%s makes the sync wait with words, and the next feed goes on where it was', async (_what, error, on) => {
    world.meta.simulator.faults.plant({ path: 'send_catalog_items', error });
    const waiting = await world.feed(csvOf(shop(5)));
    expect(waiting.current).toMatchObject({ state: 'waiting', resumeAs: 'sending', wait: { on } });
    expect(waiting.current?.reason).toContain(String(error.code));
    expect(await world.alerts.allOpen(5)).toMatchObject([{ kind: 'catalog-sync-failed' }]);
    await world.feed(csvOf(shop(6)));
    expect(world.atMeta().items.size).toBe(6);
    expect(await world.alerts.allOpen(5)).toEqual([]);
  });

  it('a feed at an address that is not on the public internet, or that is not there, is told as such', async () => {
    const message = world.announce(csvOf(shop(3)));
    const at = (source: typeof message.data.source) => ({ ...message, data: { ...message.data, source } });
    await world.work(at({ kind: 'url', url: 'http://169.254.169.254/feed.csv' }));
    expect((await lastSync())?.reason).toContain('not on the public internet');
    const second = world.announce(csvOf(shop(3)));
    await world.work({
      ...second,
      data: { ...second.data, source: { kind: 'object', bucket: 'feeds', object: 'gone' } },
    });
    expect((await lastSync())?.reason).toContain('gs://feeds/gone does not exist');
    expect(await world.alerts.allOpen(5)).toMatchObject([{ kind: 'catalog-sync-failed' }]);
  });

  it.each([
    ['broken XML', '<rss><channel><item><g:id>1</g:id>', 'xml', 'not xml'],
    ['another file than was announced', csvOf(shop(3)), 'csv', 'SHA-256'],
  ] as const)('%s changes nothing, and says why', async (_what, text, format, words) => {
    await world.feed(csvOf(shop(20)));
    const after = await world.feed(text, { format, ...(format === 'csv' && { sha256: '0'.repeat(64) }) });
    expect(after.current).toBeNull();
    expect(after.history[0]).toMatchObject({ state: 'failed' });
    expect(after.history[0]?.reason).toContain(words);
    expect(world.atMeta().items.size).toBe(20);
    expect(await world.alerts.allOpen(5)).toMatchObject([{ kind: 'catalog-sync-failed', tenantId: world.tenantId }]);
    await world.feed(csvOf(shop(21)));
    expect(await world.alerts.allOpen(5)).toEqual([]);
  });
});

describe('a tenant on the fallback path', () => {
  it('has its catalog in the parent business: the parent’s token is used, and named when Meta refuses it', async () => {
    await world.moveTo('fallback');
    await world.feed(csvOf(shop(7)));
    expect(world.atMeta().items.size).toBe(7);
    const calls = world.meta.simulator.log.entries().filter(({ edge }) => edge.endsWith('/items_batch'));
    expect(calls.map(({ token }) => token.kind)).toEqual(['parent']);
    world.meta.simulator.faults.plant({ path: 'send_catalog_items', error: { code: 190, subcode: 460 } });
    const { current } = await world.feed(csvOf(shop(8)));
    expect(current).toMatchObject({ state: 'waiting', wait: { on: 'kobi', for: 'parent-token' } });
  });

  it('that moves to a business of its own: the new catalog gets every item, and from then on the changes', async () => {
    await world.moveTo('fallback');
    await world.feed(csvOf(shop(12)));
    await world.moveTo('child');
    const after = await world.feed(csvOf(shop(12, (item, index) => (index === 1 ? { ...item, title: 'New' } : item))));
    expect(after.history[0]).toMatchObject({ state: 'done', counts: { created: 12, updated: 0, deleted: 0 } });
    expect(world.atMeta().items.size).toBe(12);
    await world.feed(csvOf(shop(12)));
    expect(world.sentIds().at(-1)).toEqual(['SKU-2']);
  });

  it('that moves while a sync is being sent: the rest is not sent to the other catalog as it was, all of it is', async () => {
    world.meta.simulator.context.switches.catalog_batch_calls_per_minute = 1;
    const message = world.announce(csvOf(shop(15)));
    await world.deliver(message, { maxItemsPerBatch: 5 });
    await world.moveTo('child');
    await world.work({ ...message, hop: 1 }, { maxItemsPerBatch: 5 });
    expect(world.atMeta().items.size).toBe(15);
    expect(await world.document()).toMatchObject({ items: 15, history: [{ counts: { accepted: 15 } }] });
  });
});
