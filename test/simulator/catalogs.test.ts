import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adAccountParams, fixedNow, startForTest } from './graph-caller.ts';
import type { GraphCaller, GraphReply } from './graph-caller.ts';
import type { Simulator } from './server.ts';

let simulator: Simulator;
let graph: GraphCaller;
let token: string;
let catalogId: string;
let pixelId: string;

beforeEach(async () => {
  ({ simulator, graph } = await startForTest());
  const child = await graph.newChild(await graph.logIn());
  token = child.token;
  const account = await graph.newAdAccount(child, adAccountParams);
  pixelId = await graph.newPixel(child, account);
  ({ id: catalogId } = await graph.done<{ id: string }>(
    graph.post(`/${child.id}/owned_product_catalogs`, token, { name: 'kobi_acme_meta' }),
  ));
});
afterEach(() => simulator.close());

const item = (id: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  id,
  title: `Product ${id}`,
  description: 'Soft',
  availability: 'in stock',
  condition: 'new',
  price: '9.99 TRY',
  link: 'https://shop.example/p',
  image_link: 'https://shop.example/p.jpg',
  brand: 'Acme',
  ...more,
});
const update = (...items: Record<string, unknown>[]): unknown[] => items.map((data) => ({ method: 'UPDATE', data }));
const send = (requests: unknown[], more: Record<string, unknown> = {}) =>
  graph.post(`/${catalogId}/items_batch`, token, { item_type: 'PRODUCT_ITEM', requests, ...more });
const status = async (handle: unknown): Promise<Record<string, unknown>> => {
  const { data } = await graph.done<{ data: Record<string, unknown>[] }>(
    graph.get(`/${catalogId}/check_batch_request_status`, token, {
      handle,
      load_ids_of_invalid_requests: true,
      fields: 'status,errors,errors_total_count,warnings,ids_of_invalid_requests',
    }),
  );
  return data[0] ?? {};
};
const sendAndFinish = async (requests: unknown[]): Promise<Record<string, unknown>> => {
  const { handles } = await graph.done<{ handles: string[] }>(send(requests));
  simulator.context.clock.advance(60_000);
  return status(handles[0]);
};

describe('items_batch', () => {
  it('takes effect only when the batch has finished', async () => {
    const { handles } = await graph.done<{ handles: string[] }>(send(update(item('A'), item('B'))));
    expect(await status(handles[0])).toMatchObject({ status: 'in_progress' });
    const before = await graph.done<{ product_count: number }>(
      graph.get(`/${catalogId}`, token, { fields: 'product_count' }),
    );
    expect(before.product_count).toBe(0);
    simulator.context.clock.advance(60_000);
    expect(await status(handles[0])).toMatchObject({ status: 'finished', errors_total_count: 0 });
    const after = await graph.done<{ product_count: number }>(
      graph.get(`/${catalogId}`, token, { fields: 'product_count' }),
    );
    expect(after.product_count).toBe(2);
  });

  it.each([
    ['title', undefined],
    ['title', 'x'.repeat(201)],
    ['price', '9,99 TRY'],
    ['price', 999],
    ['price', '0.00 TRY'],
    ['availability', 'in_stock'],
    ['condition', 'brand new'],
    ['link', '/p'],
    ['sale_price', '5.00 USD'],
    ['custom_number_0', -1],
    ['gtin', '123'],
  ])('refuses an item whose %s is %s, by its line and id, and takes its neighbours', async (field, value) => {
    const answer = await sendAndFinish(update(item('good'), item('bad', { [field]: value }), item('fine')));
    expect(answer).toMatchObject({ errors: [{ line: 1, id: 'bad' }], ids_of_invalid_requests: ['bad'] });
    expect([...simulator.store.get('catalog', catalogId).items.keys()]).toEqual(['good', 'fine']);
  });

  it('an unknown field is a warning, not an error', async () => {
    expect(await sendAndFinish(update(item('A', { colour: 'red' })))).toMatchObject({
      errors_total_count: 0,
      warnings: [{ id: 'A' }],
    });
  });

  it('answers 200 without a handle when no request can be read', async () => {
    const answer = await graph.done(send(update({ title: 'no id' }, item('x'.repeat(101)))));
    expect(answer['handles']).toEqual([]);
    expect(answer['validation_status']).toHaveLength(2);
  });

  it('an update keeps what it leaves out and takes away what it empties; a deletion needs only the id', async () => {
    await sendAndFinish(update(item('A', { sale_price: '5.00 TRY', color: 'red' }), item('B')));
    await sendAndFinish([
      { method: 'UPDATE', data: { id: 'A', title: 'New', sale_price: '' } },
      { method: 'DELETE', data: { id: 'B' } },
    ]);
    const { items } = simulator.store.get('catalog', catalogId);
    expect([...items.keys()]).toEqual(['A']);
    expect(items.get('A')?.data).toMatchObject({ title: 'New', color: 'red' });
    expect(items.get('A')?.data).not.toHaveProperty('sale_price');
  });

  it.each([
    [{ item_type: 'HOTEL' }, 'item_type'],
    [{ requests: [] }, 'requests'],
    [{ requests: [{ method: 'PUT', data: { id: 'A' } }] }, 'requests'],
    [{ version: -1 }, 'version'],
    [{ upsert: true }, 'upsert'],
  ])('%j is refused', async (params, blamed) => {
    const error = await graph.refused(send(update(item('A')), params));
    expect(error).toMatchObject({ code: 100 });
    expect(error.message).toContain(blamed);
  });

  it('has a limit of items', async () => {
    const many = Array.from({ length: 5_001 }, (_, index) => item(`S${index}`));
    expect(await graph.refused(send(update(...many)))).toMatchObject({ code: 100 });
  });
});

describe('the limits of a catalog', () => {
  const usageOf = ({ headers }: GraphReply): unknown =>
    (JSON.parse(headers.get('x-business-use-case-usage') ?? '{}') as Record<string, unknown[]>)[catalogId]?.[0];
  const batch = (): Promise<GraphReply> => send(update(item('A')));
  const look = (): Promise<GraphReply> => graph.get(`/${catalogId}/diagnostics`, token);

  it.each([
    ['catalog_batch', { catalog_batch_calls_per_minute: 3 }, batch, look, 80014, 1],
    ['catalog_management', { catalog_management_calls_per_hour: 3 }, look, batch, 80009, 60],
  ] as const)(
    '%s: refused beyond it, with the time to wait, and until then',
    async (type, limit, call, other, code, minutes) => {
      await graph.control('POST', '/switches', limit);
      simulator.context.clock.advance(3_600_000);
      for (const percent of [33, 66, 100]) {
        const reply = await call();
        expect(reply.body['error']).toBeUndefined();
        expect(usageOf(reply)).toMatchObject({ type, call_count: percent, estimated_time_to_regain_access: 0 });
      }
      const refused = await call();
      expect(refused.body['error']).toMatchObject({ code });
      expect(usageOf(refused)).toMatchObject({ type, call_count: 100, estimated_time_to_regain_access: minutes });
      // The other limit is another limit, and a call that is refused does not make the wait longer.
      await graph.done(other());
      simulator.context.clock.advance(minutes * 60_000 - 1);
      expect((await call()).body['error']).toMatchObject({ code });
      expect(simulator.context.usage.catalogs.refused).toEqual({ full: 1, beforeRegain: 1 });
      simulator.context.clock.advance(1);
      await graph.done(call());
    },
  );
});

describe('products and sets', () => {
  beforeEach(async () => {
    await sendAndFinish(
      update(
        ...Array.from({ length: 30 }, (_, index) =>
          item(`SKU-${index}`, { product_type: index % 3 === 0 ? 'Shoes' : 'Hats', price: `${index + 1}.00 TRY` }),
        ),
      ),
    );
  });

  it('products are listed in pages, by their own names, through a filter', async () => {
    const first = await graph.done<{ data: unknown[]; paging: { next?: string } }>(
      graph.get(`/${catalogId}/products`, token, {
        fields: 'retailer_id,name,price',
        limit: 8,
        filter: { product_type: { eq: 'Shoes' } },
      }),
    );
    expect(first.data).toHaveLength(8);
    expect(first.data[0]).toMatchObject({ retailer_id: 'SKU-0', name: 'Product SKU-0', price: '1.00 TRY' });
    expect(first.paging.next).toBeDefined();
  });

  it.each([
    [{ product_type: { i_contains: 'shoe' } }, 10],
    [{ price_amount: { gt: 2_500 } }, 5],
    [{ and: [{ product_type: { eq: 'Hats' } }, { price_amount: { lte: 500 } }] }, 3],
    [{ or: [{ retailer_id: { is_any: ['SKU-1', 'SKU-2'] } }, { name: { starts_with: 'Product SKU-29' } }] }, 3],
    [{ not: { product_type: { eq: 'Shoes' } } }, 20],
  ])('a set of %j has %i products', async (filter, count) => {
    const { id } = await graph.done<{ id: string }>(
      graph.post(`/${catalogId}/product_sets`, token, { name: 's', filter }),
    );
    expect(await graph.done(graph.get(`/${id}`, token, { fields: 'name,product_count' }))).toMatchObject({
      product_count: count,
    });
    const { data } = await graph.done<{ data: unknown[] }>(graph.get(`/${id}/products`, token, { limit: 100 }));
    expect(data).toHaveLength(count);
  });

  it.each([{ colour: { eq: 'red' } }, { brand: { like: 'A' } }, { and: [] }, { brand: { is_any: 'A' } }, 'shoes'])(
    'the filter %j is refused',
    async (filter) => {
      expect(await graph.refused(graph.post(`/${catalogId}/product_sets`, token, { name: 's', filter }))).toMatchObject(
        {
          code: 100,
        },
      );
    },
  );

  it('sets are found by their key, changed and removed', async () => {
    const params = { name: 'Shoes', retailer_id: 'shoes', filter: { product_type: { eq: 'Shoes' } } };
    const { id } = await graph.done<{ id: string }>(graph.post(`/${catalogId}/product_sets`, token, params));
    expect(await graph.refused(graph.post(`/${catalogId}/product_sets`, token, params))).toMatchObject({ code: 100 });
    const listed = await graph.done<{ data: { id: string }[] }>(
      graph.get(`/${catalogId}/product_sets`, token, { retailer_id: 'shoes' }),
    );
    expect(listed.data.map((each) => each.id)).toEqual([id]);
    await graph.done(graph.post(`/${id}`, token, { name: 'Boots' }));
    expect(await graph.done(graph.get(`/${id}`, token, { fields: 'name' }))).toMatchObject({ name: 'Boots' });
    await graph.done(graph.delete(`/${id}`, token));
    expect(await graph.refused(graph.get(`/${id}`, token))).toMatchObject({ code: 100, error_subcode: 33 });
  });
});

describe('health', () => {
  it('a catalog without an event source has something that must be fixed', async () => {
    const before = await graph.done<{ data: unknown[] }>(
      graph.get(`/${catalogId}/diagnostics`, token, { severities: ['MUST_FIX'], affected_channels: ['da'] }),
    );
    expect(before.data).toMatchObject([{ type: 'EVENT_SOURCE_ISSUES', severity: 'MUST_FIX' }]);
    await graph.done(graph.post(`/${catalogId}/external_event_sources`, token, { external_event_sources: [pixelId] }));
    const after = await graph.done<{ data: unknown[] }>(graph.get(`/${catalogId}/diagnostics`, token));
    expect(after.data).toEqual([]);
    expect(
      await graph.refused(graph.get(`/${catalogId}/diagnostics`, token, { severities: ['WARNING'] })),
    ).toMatchObject({ code: 100 });
  });

  it('event_stats count the content ids of the events received, by day, event and source', async () => {
    await graph.done(graph.post(`/${catalogId}/external_event_sources`, token, { external_event_sources: [pixelId] }));
    await sendAndFinish(update(item('A'), item('B', { item_group_id: 'G' })));
    const event = (name: string, custom: Record<string, unknown>) => ({
      event_name: name,
      event_time: Math.floor(fixedNow.getTime() / 1_000),
      action_source: 'system_generated',
      user_data: { em: ['a'.repeat(64)] },
      custom_data: custom,
    });
    await graph.done(
      graph.post(`/${pixelId}/events`, token, {
        data: [
          event('ViewContent', { content_ids: ['A', 'nobody'], content_type: 'product' }),
          event('ViewContent', { contents: [{ id: 'A', quantity: 1 }] }),
          event('AddToCart', { content_ids: ['G'], content_type: 'product_group' }),
          event('PageView', { content_ids: ['A'] }),
        ],
      }),
    );
    const { data } = await graph.done<{ data: Record<string, unknown>[] }>(
      graph.get(`/${catalogId}/event_stats`, token, {
        fields:
          'date_start,event,event_source{id,source_type},total_matched_content_ids,unique_matched_content_ids,unique_unmatched_content_ids',
      }),
    );
    expect(data).toHaveLength(2);
    expect(data).toContainEqual({
      date_start: '2026-11-23',
      event: 'ViewContent',
      event_source: { id: pixelId, source_type: 'PIXEL' },
      total_matched_content_ids: 2,
      unique_matched_content_ids: 1,
      unique_unmatched_content_ids: 1,
    });
    expect(data).toContainEqual(expect.objectContaining({ event: 'AddToCart', unique_matched_content_ids: 1 }));
  });
});
