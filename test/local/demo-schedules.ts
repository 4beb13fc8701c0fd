/** The demo's tenant later in its life: every scheduled job runs once, and what came of it is shown. */
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { dayIn, isoWeekOf } from '../../shared/domain/insights/account-day.ts';
import { newestFinalSunday } from '../../shared/domain/reconciliation/reconcile.ts';
import { AccountTruth } from '../simulator/insights/truth.ts';
import type { DemoPrinter } from './demo-printer.ts';
import { operatorToken } from './gateway.ts';
import { trafficOf } from './google/ga4/traffic-of-ads.ts';
import type { SimulatorControl } from './simulator-control.ts';
import type { Stack } from './stack.ts';

/** What happens around the functions while time passes, and what the client has elsewhere. */
export interface LaterWorld {
  /** Cloud Tasks brings what is due within that time now. False: nothing was waiting. */
  bringTasks(withinMs: number): Promise<boolean>;
  /** The client's GA4 property, with what it saw of the ads. */
  plantGa4(propertyId: string, traffic: ReturnType<typeof trafficOf>): void;
}

export function laterWorldOf({ google }: Pick<Stack, 'google'>): LaterWorld {
  return {
    bringTasks: async (withinMs) => (await google.cloudTasks.runDue(withinMs)) > 0,
    plantGa4: (propertyId, traffic) => void google.ga4.plant(propertyId, { traffic }),
  };
}

export interface ScheduleSummary {
  /** Jobs that ran. */
  readonly jobs: number;
  readonly week: string;
  readonly spend: string;
  readonly purchases: string;
  readonly band: string;
}

interface ScheduleDemo {
  readonly url: string;
  readonly tenantId: string;
  readonly adAccountId: string;
  readonly simulator: SimulatorControl;
  readonly later: LaterWorld;
  readonly print: DemoPrinter;
}

/** The demo tenant's. */
const timeZone = 'Europe/Istanbul';
const propertyId = '123456789';
const patienceMs = 20_000;
const runsTakeMs = 60_000;
const tasksWithinMs = 10 * 60_000;
const lookEveryMs = 50;

const qualitySchema = v.object({
  events: v.record(
    v.string(),
    v.object({ score: v.nullable(v.number()), missingKeys: v.array(v.object({ key: v.string() })) }),
  ),
});
const freshnessSchema = v.object({
  accounts: v.array(
    v.object({ state: v.string(), completeDay: v.nullable(v.string()), reason: v.nullable(v.string()) }),
  ),
});
const results = v.object({ spend: v.string(), sales: v.string(), roas: v.nullable(v.string()) });
const weekSchema = v.object({
  currencies: v.array(v.object({ currency: v.string(), totals: results, campaigns: v.array(v.unknown()) })),
  reconciliation: v.nullable(
    v.object({
      band: v.string(),
      result: v.looseObject({ ga4Purchases: v.number(), purchases: v.number(), why: v.string() }),
    }),
  ),
});

/** Jobs that have nothing to show of this tenant but that they looked. */
const quietJobs = [
  ['token-check', 'asks Meta about every token'],
  ['drift-check', 'compares Meta with our records'],
  ['readiness-check', 'asks Meta what Kobi may do'],
  ['emq-calibrate', 'fits the predictor to Meta’s scores'],
  ['resume-waits', 'wakes what was parked'],
  ['outbox-sweeper', 'publishes what a crash left'],
  ['missed-slots', 'brings back what was missed'],
  ['ops-metrics', 'logs the gauges'],
] as const;

/** Gives the ad account a past and runs every schedule that has not run yet. Throws with words when one does not work. */
export async function showLater(demo: ScheduleDemo): Promise<ScheduleSummary> {
  const { print } = demo;
  print.heading('Two months later: each schedule once');
  await plantPast(demo);
  await showMatchQuality(demo);
  await readReports(demo);
  const week = await compareWithGa4(demo);
  for (const [job, what] of quietJobs) {
    const report = v.parse(v.record(v.string(), v.unknown()), await runJob(demo, job));
    const counts = Object.entries(report).filter(([, count]) => typeof count === 'number' && count > 0);
    const said = counts.map(([name, count]) => `${String(count)} ${name}`).join(', ');
    print.ok(`${job.padEnd(24)} ${what}${said === '' ? '' : `: ${said}`}`);
  }
  // With catalog-monitor, which ran beside the catalog.
  return { jobs: quietJobs.length + 4, ...week };
}

async function showMatchQuality(demo: ScheduleDemo): Promise<void> {
  await runJob(demo, 'emq-poller');
  const { events } = v.parse(
    qualitySchema,
    await ask(demo, 'GET', `/relay-admin/tenants/${demo.tenantId}/match-quality`),
  );
  const scores = Object.entries(events).flatMap(([name, { score }]) => (score === null ? [] : [`${name} ${score}`]));
  demo.print.ok(
    `${'emq-poller'.padEnd(24)} match quality by Meta: ${scores.join(', ') || 'no scores yet, too few events'}`,
  );
}

/** insights-report opens the day, insights-account reads it while Meta's reports are made. */
async function readReports({ ...demo }: ScheduleDemo): Promise<void> {
  const { later, print, simulator, tenantId } = demo;
  await runJob(demo, 'insights-report');
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const { accounts } = v.parse(freshnessSchema, await ask(demo, 'GET', `/reports/tenants/${tenantId}`));
    const [account] = accounts;
    if (account?.state === 'done') {
      print.ok(
        `${'insights-report'.padEnd(24)} 29 days of the ad account in the warehouse, complete to ${account.completeDay ?? ''}`,
      );
      return;
    }
    if (performance.now() > deadlineMs || (account !== undefined && account.state !== 'running')) {
      throw new Error(`The reports are ${account?.state ?? 'not opened'}: ${account?.reason ?? 'no reason yet'}.`);
    }
    // Meta takes its time with report runs; a minute later they are there.
    if (await later.bringTasks(tasksWithinMs)) await simulator.advanceClock(runsTakeMs);
    else await delay(lookEveryMs);
  }
}

async function compareWithGa4(demo: ScheduleDemo): Promise<Omit<ScheduleSummary, 'jobs'>> {
  const { print, tenantId } = demo;
  await ask(demo, 'PUT', `/reports/tenants/${tenantId}/ga4`, { propertyId });
  await runJob(demo, 'ga4-crosscheck');
  const week = isoWeekOf(newestFinalSunday(dayIn(timeZone, new Date())));
  const path = `/reports/tenants/${tenantId}/weeks/${week}`;
  const report = v.parse(weekSchema, await ask(demo, 'GET', path));
  const [first] = report.currencies;
  const { reconciliation } = report;
  if (first === undefined || reconciliation === null) throw new Error(`Week ${week} has no numbers.`);
  const { ga4Purchases, purchases, why } = reconciliation.result;
  print.ok(
    `${'ga4-crosscheck'.padEnd(24)} week ${week}: Meta ${purchases} purchases, GA4 ${ga4Purchases}, ${reconciliation.band}: ${why}`,
  );
  const { roas, sales, spend } = first.totals;
  print.ok(
    `${'the weekly report'.padEnd(24)} ${spend} ${first.currency} spent, ${sales} purchases, return ${roas ?? '–'} ×`,
  );
  const browserUrl = new URL(path, demo.url);
  [browserUrl.username, browserUrl.password] = ['dev', operatorToken];
  print.line(`    ${browserUrl.href}`);
  return { week, spend, purchases: sales, band: reconciliation.band };
}

/** Two months of ads at Meta, and what the client's GA4 saw of them. */
async function plantPast(demo: ScheduleDemo): Promise<void> {
  const { adAccountId, later, simulator } = demo;
  const plan = await simulator.plantInsights(adAccountId, timeZone);
  later.plantGa4(propertyId, trafficOf(new AccountTruth(adAccountId.replace(/^act_/, ''), plan), new Date(), 0.72));
}

const runJob = (demo: ScheduleDemo, job: string): Promise<unknown> => ask(demo, 'POST', `/${job}`, { again: true });

async function ask({ url }: Pick<ScheduleDemo, 'url'>, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
