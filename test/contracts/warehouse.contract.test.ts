/** One suite for the warehouse: through Google's own BigQuery client at the wire, and straight on DuckDB. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBigQueryWarehouse } from '../../shared/gcp/warehouse/bigquery-warehouse.ts';
import { insightsDaily } from '../../shared/gcp/warehouse/tables.ts';
import type { Warehouse, WarehouseRow } from '../../shared/gcp/warehouse/warehouse.ts';
import { createDuckDbWarehouse } from '../local/google/bigquery/duckdb-warehouse.ts';
import { startEmbeddedBigQuery } from '../local/google/bigquery/embedded-bigquery.ts';
import type { EmbeddedBigQuery } from '../local/google/bigquery/embedded-bigquery.ts';

let bigQuery: EmbeddedBigQuery;
const opened: Warehouse[] = [];
beforeAll(async () => {
  bigQuery = await startEmbeddedBigQuery();
});
afterAll(async () => {
  for (const warehouse of opened) await warehouse.close();
  delete process.env['BIGQUERY_EMULATOR_HOST'];
  await bigQuery.close();
});

const kinds: [string, () => Promise<Warehouse>][] = [
  [
    'BigQuery, at the wire',
    async () => {
      // The client reads the variable by itself, so it is set as in a running stack.
      process.env['BIGQUERY_EMULATOR_HOST'] = bigQuery.url;
      return createBigQueryWarehouse({ projectId: 'kobi', location: 'EU', emulatorHost: bigQuery.url });
    },
  ],
  ['DuckDB', createDuckDbWarehouse],
];

const fetchedAt = '2026-11-20T03:00:00.000Z';

function row(
  tenant: string,
  changes: Partial<Record<keyof typeof insightsDaily.columns, string | null>> = {},
): WarehouseRow {
  const date = changes.date ?? '2026-11-10';
  return {
    tenant_id: tenant,
    account_id: '18001',
    date,
    report: 'account',
    row_key: JSON.stringify(['18001', date, changes.report ?? 'account', changes.row_key ?? 'x']),
    campaign_id: null,
    campaign_name: null,
    adset_id: null,
    ad_id: null,
    ad_name: null,
    breakdowns: null,
    currency: 'TRY',
    spend: '10.10',
    impressions: '1000',
    clicks: '10',
    link_clicks: '8',
    reach: null,
    purchase_action: 'omni_purchase',
    purchases: '1',
    purchases_7d_click: '1',
    purchases_1d_view: '0',
    purchase_value: '99.99',
    purchase_value_7d_click: '99.99',
    purchase_value_1d_view: '0',
    shared_purchases: '0',
    shared_purchase_value: '0',
    fetched_at: fetchedAt,
    ...changes,
    ...(changes.row_key === undefined ? {} : { row_key: changes.row_key }),
  };
}

describe.each(kinds)('warehouse: %s', (name, open) => {
  const tenant = `t-${name.slice(0, 3).toLowerCase()}`;
  const days = { since: '2026-11-01', until: '2026-11-30' };
  let warehouse: Warehouse;
  beforeAll(async () => {
    warehouse = await open();
    opened.push(warehouse);
  });
  let stages = 0;
  const put = async (
    rows: readonly WarehouseRow[],
    scope: { report?: string; since?: string; until?: string; fetchedAt?: string; tenantId?: string } = {},
  ): Promise<void> => {
    const stage = `s_${tenant.replace('-', '_')}_${(stages += 1)}`;
    await warehouse.stage(insightsDaily, stage, rows);
    await warehouse.merge(insightsDaily, {
      tenantId: scope.tenantId ?? tenant,
      accountId: '18001',
      stages: rows.length === 0 ? [] : [stage],
      scopes: [
        { report: scope.report ?? 'account', since: scope.since ?? days.since, until: scope.until ?? days.until },
      ],
      fetchedAt: scope.fetchedAt ?? fetchedAt,
    });
  };
  const rows = (tenantId = tenant): Promise<Record<string, string | null>[]> =>
    warehouse.query('rows', { tenantId, ...days });

  it('adds, and merging the same again changes nothing', async () => {
    await put([row(tenant), row(tenant, { date: '2026-11-11' })]);
    const first = await rows();
    expect(first.map(({ date, spend }) => [date, spend])).toEqual([
      ['2026-11-10', '10.1'],
      ['2026-11-11', '10.1'],
    ]);
    await put([row(tenant), row(tenant, { date: '2026-11-11' })]);
    expect(await rows()).toEqual(first);
  });

  it('changes restated rows and deletes those that are gone, within the days and the report of the scope only', async () => {
    await put([row(tenant, { report: 'ad', row_key: 'ad' })], { report: 'ad' });
    await put([row(tenant, { date: '2026-10-31', row_key: 'older' })], { since: '2026-10-31', until: '2026-10-31' });
    await put([row(tenant, { spend: '9.95' })]);
    expect((await rows()).map(({ report, spend }) => [report, spend])).toEqual([
      ['account', '9.95'],
      ['ad', '10.1'],
    ]);
    expect(await warehouse.query('rows', { tenantId: tenant, since: '2026-10-31', until: '2026-10-31' })).toHaveLength(
      1,
    );
    await put([], {});
    expect((await rows()).map(({ report }) => report)).toEqual(['ad']);
  });

  it('does not let an older fetch that comes late undo a newer one', async () => {
    await put([row(tenant, { spend: '2', fetched_at: '2026-11-21T03:00:00.000Z' })], {
      fetchedAt: '2026-11-21T03:00:00.000Z',
    });
    await put([row(tenant, { spend: '1' })], {});
    await put([], {});
    expect((await rows()).find(({ report }) => report === 'account')?.spend).toBe('2');
  });

  it('adds up money exactly, to the last decimal, and never across currencies', async () => {
    const cents = Array.from({ length: 30 }, (_, index) =>
      row(`${tenant}-money`, {
        date: `2026-11-${String(index + 1).padStart(2, '0')}`,
        spend: '0.1',
        currency: index < 10 ? 'TRY' : 'EUR',
      }),
    );
    await put(cents, { tenantId: `${tenant}-money` });
    const totals = await warehouse.query('totals', { tenantId: `${tenant}-money`, ...days });
    expect(totals.map(({ currency, spend }) => [currency, spend])).toEqual([
      ['EUR', '2'],
      ['TRY', '1'],
    ]);
  });

  it.each(['in one stage', 'in two stages'])('merges nothing when two rows %s have one key', async (where) => {
    const tenantId = `${tenant}-twice`;
    await put([row(tenantId, { spend: '1' })], { tenantId });
    // One key is stored already and would be updated, the other is new and would be inserted.
    for (const row_key of ['new', undefined]) {
      const twins = ['2', '3'].map((spend) => row(tenantId, { spend, ...(row_key !== undefined && { row_key }) }));
      const name = `twice_${tenant.replace('-', '_')}_${row_key ?? 'stored'}`;
      const stages = where === 'in one stage' ? [name] : [`${name}_1`, `${name}_2`];
      if (where === 'in one stage') await warehouse.stage(insightsDaily, name, twins);
      else for (const [index, stage] of stages.entries()) await warehouse.stage(insightsDaily, stage, [twins[index]!]);
      const scopes = [{ report: 'account', ...days }];
      await expect(
        warehouse.merge(insightsDaily, { tenantId, accountId: '18001', stages, scopes, fetchedAt }),
      ).rejects.toThrow('two staged rows of one key');
    }
    expect((await rows(tenantId)).map(({ spend }) => spend)).toEqual(['1']);
  });

  it('shows a tenant nothing of another, not even with keys alike', async () => {
    await put([row(`${tenant}-other`, { spend: '5' })], { tenantId: `${tenant}-other` });
    await put([row(tenant, { spend: '3', fetched_at: '2026-11-22T03:00:00.000Z' })], {
      fetchedAt: '2026-11-22T03:00:00.000Z',
    });
    expect((await rows(`${tenant}-other`)).map(({ spend }) => spend)).toEqual(['5']);
    await put([], { fetchedAt: '2026-11-23T03:00:00.000Z' });
    expect((await rows(`${tenant}-other`)).map(({ spend }) => spend)).toEqual(['5']);
  });

  it('erases a tenant from every table and nobody else, and erasing nothing is no error', async () => {
    const [gone, stays] = [`${tenant}-gone`, `${tenant}-gone-not`];
    for (const tenantId of [gone, stays]) await put([row(tenantId, { spend: '7' })], { tenantId });
    await warehouse.erase(gone);
    await warehouse.erase(gone);
    expect(await rows(gone)).toEqual([]);
    expect((await rows(stays)).map(({ spend }) => spend)).toEqual(['7']);
  });

  it('answers every model', async () => {
    for (const model of ['totals', 'days', 'campaigns', 'ads', 'ga4', 'rows'] as const) {
      expect(Array.isArray(await warehouse.query(model, { tenantId: tenant, ...days }))).toBe(true);
    }
    expect(await warehouse.query('cells', { tenantId: tenant, ...days, report: 'campaign by country' })).toEqual([]);
  });

  it('refuses a row that does not fit, and stores nothing of the stage', async () => {
    const bad = row(tenant, { spend: 'ten' });
    await expect(warehouse.stage(insightsDaily, 'bad_rows', [row(tenant), bad])).rejects.toThrow(/spend|DECIMAL|ten/);
  });
});

describe('BigQuery, at the wire', () => {
  it('takes a busy answer as one, and merges when it is asked again', async () => {
    const warehouse = createBigQueryWarehouse({ projectId: 'kobi', location: 'EU', emulatorHost: bigQuery.url });
    await warehouse.stage(insightsDaily, 'busy', [row('t-busy')]);
    bigQuery.failNext(1, 503, 'backendError');
    const days = { since: '2026-11-01', until: '2026-11-30' };
    await warehouse.merge(insightsDaily, {
      tenantId: 't-busy',
      accountId: '18001',
      stages: ['busy'],
      scopes: [{ report: 'account', ...days }],
      fetchedAt,
    });
    expect(await warehouse.query('rows', { tenantId: 't-busy', ...days })).toHaveLength(1);
  });

  it('is asked for a load and a statement, not for each row', async () => {
    const before = bigQuery.requests.length;
    const warehouse = createBigQueryWarehouse({ projectId: 'kobi', location: 'EU', emulatorHost: bigQuery.url });
    const many = Array.from({ length: 2_000 }, (_, index) => row('t-many', { row_key: `k${index}` }));
    await warehouse.stage(insightsDaily, 'many', many);
    expect(bigQuery.requests.length - before).toBeLessThanOrEqual(3);
  });
});
