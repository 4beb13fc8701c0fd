/**
 * The goals of reporting, measured: each proof returns its figures and whether they are met. `proof.ts` runs one from the
 * command line at full size, `proofs.test.ts` runs all of them small.
 */
import { addDays, earliestReportDay, restatedRange } from '../../shared/domain/insights/account-day.ts';
import { deprecatedIn, deprecations } from '../../shared/domain/insights/deprecations.ts';
import { dailyRowOf } from '../../shared/domain/insights/daily-row.ts';
import type { DailyRow } from '../../shared/domain/insights/daily-row.ts';
import {
  attributionWindows,
  dailyReports,
  fieldsOf,
  insightsLevels,
  reportName,
} from '../../shared/domain/insights/reports.ts';
import type { ReportShape } from '../../shared/domain/insights/reports.ts';
import { metaTimezones } from '../../shared/domain/meta-timezones.ts';
import { insightsDaily } from '../../shared/gcp/warehouse/tables.ts';
import type { Warehouse } from '../../shared/gcp/warehouse/warehouse.ts';
import { createDuckDbWarehouse } from '../local/google/bigquery/duckdb-warehouse.ts';
import { SimulatorClock } from '../simulator/clock.ts';
import type { SimulatorContext } from '../simulator/context.ts';
import { GraphError } from '../simulator/graph-error.ts';
import { optInBreakdowns, permittedBreakdowns } from '../simulator/insights/enums.ts';
import { readQuery } from '../simulator/insights/query.ts';
import { InsightsWorld } from '../simulator/insights/report-runs.ts';
import { insightsRows } from '../simulator/insights/rows.ts';
import { AccountTruth } from '../simulator/insights/truth.ts';
import { defaultSwitches } from '../simulator/switches.ts';
import { ReportWorld } from './report-world.ts';
import { differences, minorOf, truthOf } from './truth-check.ts';

export interface Proof {
  readonly figures: Readonly<Record<string, number | string>>;
  readonly isMet: boolean;
}

const windows = ['7d_click', '1d_view'];

/** As much of a simulator as its rows need, at an instant. */
function metaAt(now: { at: Date }): SimulatorContext {
  return {
    clock: new SimulatorClock(() => now.at),
    switches: defaultSwitches(),
    insights: new InsightsWorld(),
  } as unknown as SimulatorContext;
}

/** What Meta would answer for a report, as stored rows. */
function rowsOf(
  truth: AccountTruth,
  shape: ReportShape,
  range: { since: string; until: string },
  now: Date,
  meta: SimulatorContext,
): DailyRow[] {
  const params = {
    level: shape.level,
    fields: fieldsOf(shape, truth.plan.isCollaborative ?? false),
    breakdowns: [...shape.breakdowns],
    action_attribution_windows: windows,
    time_range: range,
    time_increment: '1',
  };
  const query = readQuery(params as never, truth, meta);
  const context = {
    tenantId: `t-${truth.accountId}`,
    accountId: truth.accountId,
    currency: 'TRY',
    fetchedAt: now.toISOString(),
    ...shape,
  };
  return insightsRows(query, truth, 'TRY', truth.dayOf(now.getTime()), meta).map((row) => dailyRowOf(row, context));
}

const plan = (seed: string, more: object = {}): ConstructorParameters<typeof AccountTruth>[1] => ({
  seed,
  since: '2024-01-01',
  campaigns: 2,
  adsPerCampaign: 2,
  cells: 2,
  timeZone: 'Europe/Istanbul',
  minorDigits: 2,
  ...more,
});

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

/** C-3: report runs that fail in every way; what is stored, and what it took. */
export async function proveJobs(jobs: number, failurePercent: number): Promise<Proof> {
  const world = await ReportWorld.start();
  world.simulator.context.switches.report_run_failure_percent = failurePercent;
  const reports = 6;
  const perDay = 20;
  const days = Math.ceil(jobs / reports / perDay);
  for (let index = 0; index < perDay; index += 1)
    await world.plant(`t-jobs-${String(index).padStart(2, '0')}`, { campaigns: 1, adsPerCampaign: 2, cells: 2 });
  let [done, total, wrong] = [0, 0, 0];
  for (let day = 0; day < days; day += 1) {
    const dayStart = world.now().getTime();
    await world.openReports();
    await world.work(1_000_000);
    for (const account of world.accounts) {
      const [run] = await world.runs.ofTenant(account.tenantId);
      const made = (run?.jobs ?? []).filter(({ state }) => state !== 'split');
      total += reports;
      if (run?.state === 'done') done += reports;
      else done += Math.min(reports, made.filter(({ state }) => state === 'staged').length);
      if (day !== days - 1) continue;
      const range = restatedRange('Europe/Istanbul', world.now());
      const stored = await world.warehouse.query('rows', { tenantId: account.tenantId, ...range });
      const right = truthOf(account, range, world.now());
      wrong += differences(stored, right).length;
    }
    world.clock.now = new Date(dayStart + 86_400_000);
  }
  const calls = ['POST /act_{id}/insights', 'GET /{id}', 'GET /{id}/insights'].reduce(
    (sum, call) => sum + (world.calls.get(call) ?? 0),
    0,
  );
  await world.close();
  const ratio = calls / (total * 3);
  return {
    figures: {
      jobs: total,
      failurePercent,
      success: done / total,
      callsPerOptimal: Number(ratio.toFixed(3)),
      wrongRowsOfTheLastDay: wrong,
    },
    isMet: done / total >= 0.999 && ratio <= 1.3 && wrong === 0,
  };
}

/**
 * C-9: of what Meta has ended or announced to end nothing is asked for; Meta refuses what it ended; and the day it ends a
 * field that we do ask for, the report of that very field fails instead of coming back thinner.
 */
export function proveDeprecations(): Proof {
  const now = { at: new Date('2026-11-25T06:00:00Z') };
  const meta = metaAt(now);
  const range = restatedRange('Europe/Istanbul', now.at);
  let [askedFor, requests, canaries, unnoticed] = [0, 0, 0, 0];
  for (const isCollaborative of [false, true]) {
    const truth = new AccountTruth('180000000000010', plan('deprecations', { isCollaborative }));
    for (const shape of dailyReports) {
      const fields = fieldsOf(shape, isCollaborative);
      requests += 1;
      askedFor += deprecatedIn({ fields, breakdowns: shape.breakdowns, windows: attributionWindows }).length;
      for (const field of fields) {
        canaries += 1;
        meta.insights.retired.set(field, truth.dayOf(now.at.getTime()));
        if (!isRefused(() => rowsOf(truth, shape, range, now.at, meta))) unnoticed += 1;
        meta.insights.retired.clear();
      }
      // Without the canary it is answered: it is the canary that was refused.
      rowsOf(truth, shape, range, now.at, meta);
    }
  }
  const figures = { table: deprecations.length, requests, askedFor, canaries, unnoticed };
  return { figures, isMet: askedFor === 0 && unnoticed === 0 && canaries > 0 };
}

function isRefused(ask: () => unknown): boolean {
  try {
    ask();
    return false;
  } catch (error) {
    if (error instanceof GraphError && error.details.code === 100) return true;
    throw error;
  }
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

const oddZones = [
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
  'Asia/Kathmandu',
  'Pacific/Chatham',
  'Australia/Lord_Howe',
  'America/St_Johns',
  'Asia/Kolkata',
  'Australia/Broken_Hill',
];

/** C-6: today and the 37 months are the account's own, in zones from −11 to +14, every half hour over changes of the clocks. */
export function proveZones(): Proof {
  const zones = [...oddZones, ...metaTimezones.filter((_, index) => index % 5 === 0)].slice(0, 30);
  let [instants, wrong] = [0, 0];
  for (const timeZone of zones) {
    const truth = new AccountTruth('18', plan('zones', { timeZone, since: '2020-01-01' }));
    for (const start of [
      '2026-03-28T00:00:00Z',
      '2026-10-24T12:00:00Z',
      '2026-12-31T00:00:00Z',
      '2024-02-28T12:00:00Z',
    ]) {
      for (let half = 0; half < 96; half += 1) {
        const now = { at: new Date(Date.parse(start) + half * 1_800_000) };
        const meta = metaAt(now);
        instants += 1;
        const range = restatedRange(timeZone, now.at);
        if (range.until !== truth.dayOf(now.at.getTime())) wrong += 1;
        const ask = (since: string): boolean => {
          try {
            readQuery({ time_range: { since, until: range.until } } as never, truth, meta);
            return true;
          } catch (error) {
            if (error instanceof GraphError && error.details.code === 3018) return false;
            throw error;
          }
        };
        const earliest = earliestReportDay(range.until);
        if (!ask(earliest) || !ask(range.since)) wrong += 1;
      }
    }
  }
  return { figures: { zones: zones.length, instants, wrong }, isMet: wrong === 0 && zones.length === 30 };
}

/** C-7: orders that Meta lists under every alias are counted once, clicks and views apart, whatever aliases an account has. */
export function proveActions(orders: number): Proof {
  const now = { at: new Date('2026-11-25T06:00:00Z') };
  const meta = metaAt(now);
  const truth = new AccountTruth('180000000000009', plan('actions', { campaigns: 4, adsPerCampaign: 4, cells: 6 }));
  let [seen, wrong] = [0, 0];
  for (let until = '2026-11-25'; seen < orders; until = addDays(until, -7)) {
    const range = { since: addDays(until, -6), until };
    const facts = Array.from({ length: 7 }, (_, day) => truth.facts(addDays(range.since, day), '2026-11-25')).flat();
    const real = facts.flatMap((fact) => fact.orders);
    seen += real.length;
    for (const aliases of ['all', 'without omni'] as const) {
      meta.switches.insights_purchase_aliases = aliases;
      const rows = rowsOf(truth, { level: 'ad', breakdowns: [] }, range, now.at, meta);
      const sum = (name: 'purchases' | 'purchases_7d_click' | 'purchases_1d_view'): number =>
        rows.reduce((total, row) => total + Number(row[name]), 0);
      const views = real.filter(({ window }) => window === '1d_view').length;
      wrong +=
        Math.abs(sum('purchases') - real.length) +
        Math.abs(sum('purchases_1d_view') - views) +
        Math.abs(sum('purchases_7d_click') - (real.length - views));
    }
  }
  return { figures: { orders: seen, aliasSets: 2, wrong }, isMet: wrong === 0 && seen >= orders };
}
