/**
 * C-4, measured: large accounts on the least budget of reports that Meta gives. See {@link proveThrottle}.
 */
import { restatedRange } from '../../shared/domain/insights/account-day.ts';
import { dailyReports } from '../../shared/domain/insights/reports.ts';
import type { Proof } from './proof-world.ts';
import { ReportWorld } from './report-world.ts';
import { differences, truthOf } from './truth-check.ts';
import type { TruthRow } from './truth-check.ts';

export interface ThrottleSetting {
  /** Meta's hourly budget of reports for an account. */
  readonly callsPerHour: number;
  /** Rows on a page: what a call brings. */
  readonly pageRows: number;
  /** One account for each, of so many campaigns. */
  readonly campaigns: readonly number[];
}

const hourMinutes = 60;
/** How long a run takes Meta (the simulator). */
const makingMinutes = 40 / 60;
/** Meta refuses one call in the middle of each account's day and names this time to regain access. */
const regainMinutes = 17;
/** The share of a budget that may be used. */
const barPercent = 95;
/** How much longer than the ideal scheduler it may take. */
const barTimes = 1.25;
/** How many more calls than the fewest it may make: no page that came is asked for again. */
const barCalls = 1.01;

/**
 * C-4: an account's reports need about three hours' budgets, and in their middle Meta refuses a call and names a time to
 * regain access. Never is more than 95 % of the budget used, nothing is asked for in the time to regain access, no call is
 * refused but that one, it takes at most 1.25 times as long as the ideal scheduler, and no page is asked for twice.
 *
 * The ideal scheduler knows what nobody can: how many calls the day takes (a start and a poll for each report, and its
 * pages, none twice), when Meta's hours begin, when the runs are made and which call is refused. It spends 95 % of each
 * hour's budget at once and waits for the next hour ({@link idealMinutes}). Its hours are whole, so what is left for a last
 * hour makes its time jump: the accounts' sizes are therefore spread over an hour's budget, and the bar is on the time of
 * all of them together. The worst single one is printed beside it.
 */
export async function proveThrottle({ callsPerHour, pageRows, campaigns }: ThrottleSetting): Promise<Proof> {
  const world = await ReportWorld.start();
  const { switches, usage } = world.simulator.context;
  switches.enforce_rate_limits = true;
  switches.insights_calls_per_hour = callsPerHour;
  switches.insights_page_row_limit = pageRows;
  const firstMorningMs = world.now().getTime();
  let [calls, fewest, minutes, ideal, worst, inRegain, struck, rows, wrong] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  let least = Infinity;
  for (const [index, count] of campaigns.entries()) {
    world.forget();
    world.simulator.faults.clear();
    world.clock.now = new Date(firstMorningMs + index * 86_400_000);
    const startedAt = world.now();
    const account = await world.plant(`t-throttle-${index}`, { campaigns: count, adsPerCampaign: 1, cells: 6 });
    const range = restatedRange(account.truth.plan.timeZone, startedAt);
    const right = truthOf(account, range, startedAt);
    const needed = fewestCalls(right, pageRows);
    const refusedAt = Math.floor(needed / 2);
    // Without a path: every call to Meta while it is blocked counts.
    const fault = world.simulator.faults.plant({ after: refusedAt, throttle: { regainMinutes, code: 80000 } });
    const before = callsOfReports(world);
    await world.openReports();
    await world.work(1_000_000);
    const took = (world.now().getTime() - startedAt.getTime()) / 60_000;
    const idealTook = idealMinutes({ calls: needed, refusedAt, callsPerHour });
    const stored = await world.warehouse.query('rows', { tenantId: account.tenantId, ...range });
    wrong += differences(stored, right).length;
    calls += callsOfReports(world) - before;
    [fewest, minutes, ideal, rows] = [fewest + needed, minutes + took, ideal + idealTook, rows + right.length];
    [worst, least] = [Math.max(worst, took / idealTook), Math.min(least, needed)];
    [inRegain, struck] = [inRegain + fault.callsWhileBlocked, struck + fault.struck];
  }
  const { highestReportPercent, reportsRefused } = usage;
  await world.close();
  const figures = {
    accounts: campaigns.length,
    callsPerHour,
    calls,
    callsPerFewest: rounded(calls / fewest),
    plantedRefusals: struck,
    otherRefusals: reportsRefused,
    callsInRegainTime: inRegain,
    highestBudgetPercent: rounded(highestReportPercent),
    hours: rounded(minutes / hourMinutes),
    idealHours: rounded(ideal / hourMinutes),
    timesIdeal: rounded(minutes / ideal),
    worstTimesIdeal: rounded(worst),
    rowsCompared: rows,
    wrong,
  };
  const isSpared = highestReportPercent <= barPercent && reportsRefused === 0 && inRegain === 0;
  // Had one day's reports fitted into two budgets, or had no call been refused, nothing would be measured.
  const isMeasured = struck === campaigns.length && least > 2 * hourlyBudget(callsPerHour) && rows > 0;
  return {
    figures,
    isMet: isSpared && isMeasured && minutes / ideal <= barTimes && calls / fewest <= barCalls && wrong === 0,
  };
}

/** A start and a poll for each report, and every page of its rows once. */
function fewestCalls(rows: readonly TruthRow[], pageRows: number): number {
  const ofReport = [...Map.groupBy(rows, ({ report }) => report).values()];
  return dailyReports.length * 2 + ofReport.reduce((sum, { length }) => sum + Math.ceil(length / pageRows), 0);
}

/**
 * How long the ideal scheduler needs until it has the last answer. An hour of Meta's begins with the first call after the
 * last one is over; the refused call costs none of the budget and is made again when the time to regain access is over.
 */
export function idealMinutes({
  calls,
  refusedAt,
  callsPerHour,
}: {
  readonly calls: number;
  /** How many calls are answered before one is refused. */
  readonly refusedAt: number;
  readonly callsPerHour: number;
}): number {
  const budget = hourlyBudget(callsPerHour);
  let [at, hourBegan, used] = [0, 0, 0];
  for (let call = 0; call < calls; call += 1) {
    // All runs are started at once, and asked about when they are made.
    if (call === dailyReports.length) at += makingMinutes;
    if (used >= budget) at = Math.max(at, hourBegan + hourMinutes);
    if (call === refusedAt) at += regainMinutes;
    if (at >= hourBegan + hourMinutes) [hourBegan, used] = [at, 0];
    used += 1;
  }
  return at;
}

const hourlyBudget = (callsPerHour: number): number => Math.floor((callsPerHour * barPercent) / 100);

function callsOfReports({ calls }: ReportWorld): number {
  const names = ['POST /act_{id}/insights', 'GET /{id}', 'GET /{id}/insights'];
  return names.reduce((sum, name) => sum + (calls.get(name) ?? 0), 0);
}

const rounded = (value: number): number => Number(value.toFixed(3));
