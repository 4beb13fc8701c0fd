/** Goals about what is stored: it is what Meta knows, once, to the minor unit. */
import { addDays, restatedRange } from '../../shared/domain/insights/account-day.ts';
import type { DailyRow } from '../../shared/domain/insights/daily-row.ts';
import { insightsLevels, reportName } from '../../shared/domain/insights/reports.ts';
import type { ReportShape } from '../../shared/domain/insights/reports.ts';
import { insightsDaily } from '../../shared/gcp/warehouse/tables.ts';
import type { Warehouse } from '../../shared/gcp/warehouse/warehouse.ts';
import { createDuckDbWarehouse } from '../local/google/bigquery/duckdb-warehouse.ts';
import { optInBreakdowns, permittedBreakdowns } from '../simulator/insights/enums.ts';
import { AccountTruth } from '../simulator/insights/truth.ts';
import { metaAt, plan, rowsOf } from './proof-world.ts';
import type { Proof } from './proof-world.ts';
import { differences, minorOf, truthOf } from './truth-check.ts';

/** C-1: after every daily run the warehouse is what Meta knows, to the kuruş, for every final day and every younger one. */
export async function proveRestatement(accounts: number, days: number): Promise<Proof> {
  const warehouse = await createDuckDbWarehouse();
  const now = { at: new Date('2025-11-25T06:00:00Z') };
  const meta = metaAt(now);
  const shapes: ReportShape[] = (['account', 'campaign', 'ad'] as const).map((level) => ({ level, breakdowns: [] }));
  const truths = Array.from(
    { length: accounts },
    (_, index) => new AccountTruth(`18${String(index).padStart(13, '0')}`, plan(`a${index}`)),
  );
  let [wrong, checked, rowsChecked] = [0, 0, 0];
  for (let day = 0; day < days; day += 1) {
    for (const truth of truths) {
      const range = restatedRange(truth.plan.timeZone, now.at);
      const rows = shapes.flatMap((shape) => rowsOf(truth, shape, range, now.at, meta));
      const stage = `r_${truth.accountId}_${day % 2}`;
      await warehouse.stage(
        insightsDaily,
        stage,
        rows.map((row) => ({ ...row })),
      );
      await warehouse.merge(insightsDaily, {
        tenantId: `t-${truth.accountId}`,
        accountId: truth.accountId,
        scopes: shapes.map((shape) => ({ report: reportName(shape), ...range })),
        stages: [stage],
        fetchedAt: now.at.toISOString(),
      });
      const isLast = day === days - 1;
      if (day % 29 !== 28 && !isLast) continue;
      // At last everything ever stored, before that the days Meta still changes and those that have just become final.
      const all = { since: isLast ? addDays(range.until, -days - 28) : addDays(range.since, -28), until: range.until };
      const first = addDays(new Date('2025-11-25').toISOString().slice(0, 10), -28);
      const since = all.since < first ? first : all.since;
      const stored = await warehouse.query('rows', { tenantId: `t-${truth.accountId}`, since, until: all.until });
      const right = truthOf({ truth }, { since, until: all.until }, now.at, shapes.map(reportName));
      wrong += differences(stored, right).length;
      rowsChecked += right.length;
      checked += 1;
    }
    now.at = new Date(now.at.getTime() + 86_400_000);
  }
  warehouse.engine.close();
  return {
    figures: { accounts, days, levels: shapes.length, comparisons: checked, rowsCompared: rowsChecked, wrong },
    isMet: wrong === 0 && rowsChecked > 0,
  };
}

/**
 * C-2: every level with every permitted breakdown has one key a row, nulls included, and merging twice changes nothing.
 *
 * @param storedEvery of how many combinations one goes through the warehouse, too
 */
export async function proveKeys(storedEvery = 1): Promise<Proof> {
  const warehouse = await createDuckDbWarehouse();
  const now = { at: new Date('2026-11-25T06:00:00Z') };
  const meta = metaAt(now);
  const truth = new AccountTruth('180000000000007', plan('keys', { cells: 6 }));
  const range = { since: '2026-11-19', until: '2026-11-25' };
  let [combinations, wrong, nulls] = [0, 0, 0];
  const shapes = insightsLevels.flatMap((level) =>
    permittedBreakdowns
      .filter((set) => !set.some((name) => optInBreakdowns.has(name) && name !== 'impression_device'))
      .map((breakdowns) => ({ level, breakdowns })),
  );
  for (const spelling of ['absent', 'null'] as const) {
    meta.switches.insights_null_breakdown = spelling;
    for (const [index, shape] of shapes.entries()) {
      combinations += 1;
      // A tenant of its own for each, so that only its rows are read back.
      const tenantId = `${spelling}-${index}`;
      const rows = rowsOf(truth, shape, range, now.at, meta).map((row) => ({ ...row, tenant_id: tenantId }));
      const keys = new Set(rows.map(({ row_key }) => row_key));
      nulls += rows.filter(({ row_key }) => (JSON.parse(row_key) as unknown[]).includes(null)).length;
      if (keys.size !== rows.length) wrong += 1;
      if (index % storedEvery === 0 && !(await isStoredOnce(warehouse, rows, { stage: `k_${index}`, range, shape })))
        wrong += 1;
      const spend = rows.reduce((sum, row) => sum + minorOf(row.spend, 2), 0);
      let real = 0;
      for (let day = range.since; day <= range.until; day = addDays(day, 1)) {
        for (const fact of truth.facts(day, '2026-11-25')) real += fact.spendMinor;
      }
      if (spend !== real) wrong += 1;
    }
  }
  warehouse.engine.close();
  return {
    figures: { combinations: combinations / 2, nullSpellings: 2, rowsWithNull: nulls, wrong },
    isMet: wrong === 0 && combinations / 2 >= 60 && nulls > 0,
  };
}

/** Whether rows that are merged twice are there once, and the second time changes nothing. */
async function isStoredOnce(
  warehouse: Pick<Warehouse, 'merge' | 'query' | 'stage'>,
  rows: readonly DailyRow[],
  { stage, range, shape }: { stage: string; range: { since: string; until: string }; shape: ReportShape },
): Promise<boolean> {
  const [first] = rows;
  if (first === undefined) return false;
  const { account_id: accountId, fetched_at: fetchedAt, tenant_id: tenantId } = first;
  const stored: string[] = [];
  for (let time = 0; time < 2; time += 1) {
    await warehouse.stage(
      insightsDaily,
      stage,
      rows.map((row) => ({ ...row })),
    );
    const scopes = [{ report: reportName(shape), ...range }];
    await warehouse.merge(insightsDaily, { tenantId, accountId, scopes, stages: [stage], fetchedAt });
    const found = await warehouse.query('rows', { tenantId, ...range });
    if (found.length !== rows.length) return false;
    stored.push(JSON.stringify(found));
  }
  return stored[0] === stored[1];
}

/** C-5: the sum of the days is the total, to the minor unit, whatever the currency has for one. */
export async function proveMoney(): Promise<Proof> {
  const warehouse = await createDuckDbWarehouse();
  const now = { at: new Date('2026-11-25T06:00:00Z') };
  const meta = metaAt(now);
  const range = restatedRange('Europe/Istanbul', now.at);
  let wrong = 0;
  for (const digits of [0, 2] as const) {
    const truth = new AccountTruth(`18000000000001${digits}`, plan('money', { minorDigits: digits, cells: 8 }));
    const rows = rowsOf(truth, { level: 'account', breakdowns: [] }, range, now.at, meta);
    await warehouse.stage(
      insightsDaily,
      `m_${digits}`,
      rows.map((row) => ({ ...row })),
    );
    await warehouse.merge(insightsDaily, {
      tenantId: `t-${truth.accountId}`,
      accountId: truth.accountId,
      scopes: [{ report: 'account', ...range }],
      stages: [`m_${digits}`],
      fetchedAt: now.at.toISOString(),
    });
    const [totals] = await warehouse.query('totals', { tenantId: `t-${truth.accountId}`, ...range });
    const right = truthOf({ truth }, range, now.at, ['account']).reduce((sum, { spendMinor }) => sum + spendMinor, 0);
    if (minorOf(totals?.['spend'], digits) !== right) wrong += 1;
  }
  warehouse.engine.close();
  return { figures: { offsets: 2, days: 29, wrong }, isMet: wrong === 0 };
}
