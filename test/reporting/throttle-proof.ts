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
  const days: MeasuredDay[] = [];
  for (const count of campaigns) days.push(await measureDay(count, callsPerHour, pageRows));
  const sum = (read: (day: MeasuredDay) => number): number => days.reduce((total, day) => total + read(day), 0);
  const callsPerFewest = sum(({ calls }) => calls) / sum(({ fewestCalls: fewest }) => fewest);
  const timesIdeal = sum(({ minutes }) => minutes) / sum((day) => day.idealMinutes);
  const highestPercent = Math.max(...days.map((day) => day.highestPercent));
  const figures = {
    accounts: days.length,
    callsPerHour,
    calls: sum(({ calls }) => calls),
    callsPerFewest: rounded(callsPerFewest),
    plantedRefusals: sum(({ plantedRefusals }) => plantedRefusals),
    otherRefusals: sum(({ otherRefusals }) => otherRefusals),
    callsInRegainTime: sum(({ callsInRegainTime }) => callsInRegainTime),
    highestBudgetPercent: rounded(highestPercent),
    hours: rounded(sum(({ minutes }) => minutes) / hourMinutes),
    idealHours: rounded(sum((day) => day.idealMinutes) / hourMinutes),
    timesIdeal: rounded(timesIdeal),
    worstTimesIdeal: rounded(Math.max(...days.map((day) => day.minutes / day.idealMinutes))),
    rowsCompared: sum(({ rows }) => rows),
    wrong: sum(({ wrong }) => wrong),
  };
  // Had a day's reports fitted into two budgets, or had no call been refused, nothing would be measured.
  const isMeasured = days.every(
    (day) => day.plantedRefusals === 1 && day.fewestCalls > 2 * hourlyBudget(callsPerHour) && day.rows > 0,
  );
  const isSpared = highestPercent <= barPercent && figures.otherRefusals === 0 && figures.callsInRegainTime === 0;
  const isQuick = timesIdeal <= barTimes && callsPerFewest <= barCalls;
  return { figures, isMet: isMeasured && isSpared && isQuick && figures.wrong === 0 };
}

interface MeasuredDay {
  /** Calls that count against the budget of reports, the refused one included. */
  readonly calls: number;
  readonly fewestCalls: number;
  readonly minutes: number;
  readonly idealMinutes: number;
  readonly highestPercent: number;
  readonly plantedRefusals: number;
  readonly otherRefusals: number;
  readonly callsInRegainTime: number;
  readonly rows: number;
  readonly wrong: number;
}

/** One account's reports of one day, from the hourly run that opens them until all is stored, in a world of its own. */
async function measureDay(campaigns: number, callsPerHour: number, pageRows: number): Promise<MeasuredDay> {
  const world = await ReportWorld.start();
  try {
    const { faults, context } = world.simulator;
    context.switches.enforce_rate_limits = true;
    context.switches.insights_calls_per_hour = callsPerHour;
    context.switches.insights_page_row_limit = pageRows;
    const openedAt = world.now();
    const account = await world.plant('t-throttle', { campaigns, adsPerCampaign: 1, cells: 6 });
    const range = restatedRange(account.truth.plan.timeZone, openedAt);
    const right = truthOf(account, range, openedAt);
    const fewest = fewestCalls(right, pageRows);
    const refusedAt = Math.floor(fewest / 2);
    // Without a path: whatever is asked of Meta while it is blocked counts.
    const fault = faults.plant({ after: refusedAt, throttle: { regainMinutes, code: 80000 } });
    await world.openReports();
    await world.work(1_000_000);
    const stored = await world.warehouse.query('rows', { tenantId: account.tenantId, ...range });
    return {
      calls: callsOfReports(world),
      fewestCalls: fewest,
      minutes: (world.now().getTime() - openedAt.getTime()) / 60_000,
      idealMinutes: idealMinutes({ calls: fewest, refusedAt, callsPerHour }),
      highestPercent: context.usage.highestReportPercent,
      plantedRefusals: fault.struck,
      otherRefusals: context.usage.reportsRefused,
      callsInRegainTime: fault.callsWhileBlocked,
      rows: right.length,
      wrong: differences(stored, right).length,
    };
  } finally {
    await world.close();
  }
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
