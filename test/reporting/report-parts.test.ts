/** The rows of a finished report run are read in parts of twenty pages; here a page has five rows. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { paths } from '../../shared/contracts/documents.ts';
import type { InsightsRun } from '../../shared/contracts/report-documents.ts';
import { restatedRange } from '../../shared/domain/insights/account-day.ts';
import { dailyReports } from '../../shared/domain/insights/reports.ts';
import { insightsDaily, stagingDataset } from '../../shared/gcp/warehouse/tables.ts';
import type { Warehouse } from '../../shared/gcp/warehouse/warehouse.ts';
import type { ReportRun } from '../simulator/world.ts';
import { ReportWorld } from './report-world.ts';
import type { PlantedAccount } from './report-world.ts';
import { differences, truthOf } from './truth-check.ts';

const [pageRows, pagesPerPart] = [5, 20];
const leaseMs = 570_000;
let world: ReportWorld;
beforeAll(async () => {
  world = await ReportWorld.start();
  world.simulator.context.switches.insights_page_row_limit = pageRows;
});
afterAll(() => world.close());
beforeEach(() => {
  world.forget();
  world.simulator.faults.clear();
  world.simulator.context.switches.insights_calls_per_hour = 0;
});

/** About 900 rows: three reports of one part, three of three. */
const large = { campaigns: 3, adsPerCampaign: 1, cells: 3 };

const run = async (account: PlantedAccount): Promise<InsightsRun | undefined> =>
  (await world.runs.ofTenant(account.tenantId))[0];
const wrong = async (account: PlantedAccount): Promise<string[]> => {
  const range = restatedRange(account.truth.plan.timeZone, world.now());
  const stored = await world.warehouse.query('rows', { tenantId: account.tenantId, ...range });
  return differences(stored, truthOf(account, range, world.now()));
};

/** Delivers the account's message until the run is over, a minute apart; after a death when the lease is over. */
async function workThrough(account: PlantedAccount): Promise<{ deaths: number; turns: number }> {
  const [message] = world.messages.splice(0);
  let [deaths, turns] = [0, 0];
  for (; (await run(account))?.state === 'running' && turns < 200; turns += 1) {
    const isAlive = await world.deliver(message!);
    if (!isAlive) deaths += 1;
    world.later(isAlive ? 60_000 : leaseMs);
    world.messages.length = 0;
  }
  return { deaths, turns };
}

describe('the rows of a finished report run', () => {
  it('are the same after a kill at any page of a part and at its staging, each page asked for at most twice', async () => {
    const account = await world.plant('t-kills', { ...large, campaigns: 5 });
    await world.openReports();
    let [part, page, isKilled] = [0, 0, false];
    const killedAt = new Set<number>();
    // Each part is killed once: the first at its first page, the next a page later, at last before it is staged.
    world.diesBefore = (call) => {
      if (call !== 'page' && call !== 'stage') return false;
      const isHere = !isKilled && (call === 'stage' || page === part % (pagesPerPart + 1));
      if (isHere) {
        killedAt.add(call === 'stage' ? pagesPerPart : page);
        [page, isKilled] = [0, true];
        return true;
      }
      if (call === 'page') page += 1;
      else [part, page, isKilled] = [part + 1, 0, false];
      return false;
    };
    const { deaths } = await workThrough(account);
    expect((await run(account))?.state).toBe('done');
    expect(await wrong(account)).toEqual([]);
    expect(deaths).toBe(part);
    expect(killedAt.size).toBeGreaterThan(10);
    expect(Math.max(...world.pagesAsked.values())).toBe(2);
    const stages = ((await run(account))?.jobs ?? []).flatMap((job) => job.stages);
    expect(stages.length).toBeGreaterThan(15);
    // What a process holds at most is what it stages at once.
    for (const stage of stages) {
      const [staged] = await world.warehouse.engine.run(`SELECT COUNT(*) AS n FROM ${stagingDataset}.${stage}`);
      expect(Number(staged?.['n'])).toBeLessThanOrEqual(pageRows * pagesPerPart);
    }
  });

  it('are read on from where a throttle cut them off: no page that came is asked for again', async () => {
    const account = await world.plant('t-cut', large);
    world.simulator.faults.plant({
      path: '/{report_run}/insights',
      after: 57,
      times: 3,
      throttle: { regainMinutes: 17, code: 80000 },
    });
    await world.openReports();
    await world.work();
    const [fault] = world.simulator.faults.list();
    expect([fault?.struck, fault?.callsWhileBlocked]).toEqual([3, 0]);
    expect((await run(account))?.state).toBe('done');
    expect(await wrong(account)).toEqual([]);
    // The page that was refused is asked for until it comes, every other once.
    expect([...world.pagesAsked.values()].filter((times) => times > 1)).toEqual([4]);
  });

  it('are read on from where a dead token cut them off, once it is mended, in the same runs', async () => {
    const account = await world.plant('t-mended', large);
    const token = world.simulator.context.tokens.find(account.token)!;
    const before = world.simulator.context.insights.started;
    await world.openReports();
    let pages = 0;
    world.diesBefore = (call) => {
      if (call === 'page' && (pages += 1) === 57) token.revokedSubcode = 463;
      return false;
    };
    await world.work();
    expect((await run(account))?.state).toBe('waiting');
    token.revokedSubcode = undefined;
    world.later(3_600_000);
    await world.openReports();
    await world.work();
    expect((await run(account))?.state).toBe('done');
    expect(await wrong(account)).toEqual([]);
    expect(world.simulator.context.insights.started - before).toBe(dailyReports.length);
    expect([...world.pagesAsked.values()].filter((times) => times > 1)).toEqual([2]);
  });

  it('of a run that Meta loses half-way begin again with a new run, and nothing staged of the lost one is merged', async () => {
    const account = await world.plant('t-lost', large);
    await world.openReports();
    const { store } = world.simulator.context;
    let stagesSeen = 0;
    let lostRun: string | undefined;
    world.waitsBefore = async (call) => {
      if (call === 'stage') stagesSeen += 1;
      // The second part of the first large report is being staged; its third is never read.
      if (call !== 'stage' || lostRun !== undefined || stagesSeen < 5) return;
      const job = (await run(account))?.jobs?.find(({ state, after }) => state === 'ready' && after !== null);
      if (job === undefined) return;
      lostRun = job.runId ?? '';
      store.get('report_run', lostRun).outcome = 'lost' satisfies ReportRun['outcome'];
    };
    await world.work();
    const jobs = (await run(account))?.jobs ?? [];
    expect(lostRun).toBeDefined();
    expect(jobs.filter(({ failures }) => failures === 1)).toHaveLength(1);
    expect(jobs.some(({ runId }) => runId === lostRun)).toBe(false);
    expect((await run(account))?.state).toBe('done');
    expect(await wrong(account)).toEqual([]);
  });

  it('are not written over by a process that was overtaken while it staged a longer part', async () => {
    const account = await world.plant('t-zombie', large);
    await world.openReports();
    const [message] = world.messages.splice(0);
    await world.deliver(message!);
    world.messages.length = 0;
    world.later(60_000);
    // It stands still before it stages its first whole part.
    const [stands, wakes] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let pages = 0;
    world.waitsBefore = (call) => {
      if (call === 'page') pages += 1;
      if (call !== 'stage') return undefined;
      if (pages < pagesPerPart) {
        pages = 0;
        return undefined;
      }
      stands.resolve();
      return wakes.promise;
    };
    const zombie = world.deliver(message!);
    await stands.promise;
    world.waitsBefore = () => undefined;
    world.later(leaseMs);
    // The one that overtakes it is cut off seven pages into the same part.
    world.simulator.faults.plant({
      path: '/{report_run}/insights',
      after: 7,
      throttle: { regainMinutes: 5, code: 80000 },
    });
    await world.deliver(message!);
    wakes.resolve();
    expect(await zombie).toBe(true);
    await world.work();
    expect((await run(account))?.state).toBe('done');
    expect(await wrong(account)).toEqual([]);
  });

  it('are asked for during five minutes of a turn at most, and in the next turn from there', async () => {
    const account = await world.plant('t-slow', large);
    await world.openReports();
    let turnBeganMs = 0;
    let longestMs = 0;
    world.diesBefore = (call) => {
      // Each call takes Meta 15 seconds.
      if (call === 'page') world.later(15_000);
      longestMs = Math.max(longestMs, world.now().getTime() - turnBeganMs);
      return false;
    };
    let turns = 0;
    for (; world.messages.length > 0 && turns < 100; turns += 1) {
      const [next] = world.messages.splice(0);
      world.clock.now = new Date(Math.max(next!.atMs, world.now().getTime()));
      turnBeganMs = world.now().getTime();
      await world.deliver(next!);
    }
    expect(turns).toBeGreaterThan(5);
    expect(longestMs).toBeLessThan(400_000);
    expect(Math.max(...world.pagesAsked.values())).toBe(1);
    expect((await run(account))?.state).toBe('done');
    expect(await wrong(account)).toEqual([]);
  });

  it('are read to the end when they take longer than six hours of the budget, whatever the hourly schedule says', async () => {
    const account = await world.plant('t-hours', large);
    world.simulator.context.switches.insights_calls_per_hour = 25;
    const before = world.simulator.context.insights.started;
    const openedMs = world.now().getTime();
    await world.openReports();
    while (world.messages.length > 0) {
      world.messages.sort((a, b) => a.atMs - b.atMs);
      const next = world.messages.shift();
      while (world.now().getTime() + 3_600_000 < (next?.atMs ?? 0)) {
        world.later(3_600_000);
        await world.openReports();
      }
      world.clock.now = new Date(Math.max(next!.atMs, world.now().getTime()));
      await world.deliver(next!);
      await world.openReports();
    }
    expect(world.now().getTime() - openedMs).toBeGreaterThan(6.5 * 3_600_000);
    expect(world.simulator.context.insights.started - before).toBe(dailyReports.length);
    expect(Math.max(...world.pagesAsked.values())).toBe(1);
    expect((await run(account))?.state).toBe('done');
    expect(await wrong(account)).toEqual([]);
  });

  it('are taken up where an earlier version left them: staged in one table, or not read yet', async () => {
    const account = await world.plant('t-earlier', large);
    await world.openReports();
    // The last reports are not read yet, the others are staged.
    let parts = 0;
    world.diesBefore = (call) => call === 'stage' && (parts += 1) > 7;
    const [message] = world.messages.splice(0);
    for (const isAlive of [true, false]) {
      expect(await world.deliver(message!)).toBe(isAlive);
      world.later(60_000);
    }
    world.diesBefore = () => false;
    const held = await run(account);
    const reference = world.db.doc(paths.insightsRun(account.tenantId, account.adAccountId));
    const jobs = (held?.jobs ?? []).map(({ stages, after, ...job }) => ({ job, stages, after }));
    expect(jobs.some(({ job, after }) => job.state === 'ready' && after !== null)).toBe(true);
    for (const { job, stages } of jobs) {
      if (job.state !== 'staged') continue;
      await restage(world.warehouse, stages, earlierStageOf(held!, job.number));
    }
    const { takenUpAt: _, ...earlier } = held!;
    await reference.set({
      ...earlier,
      lease: null,
      jobs: jobs.map(({ job }) => (job.state === 'staged' ? job : { ...job, rows: 0 })),
    });
    await world.deliver(message!);
    expect((await run(account))?.state).toBe('done');
    expect(await wrong(account)).toEqual([]);
  });
});

/** The one staging table of a job, as versions before parts named it. */
function earlierStageOf({ tenantId, adAccountId, day, openedAt }: InsightsRun, number: number): string {
  const text = [tenantId, adAccountId, day, openedAt, number].join('\n');
  return `insights_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
}

/** Puts the rows of several staging tables into one. */
async function restage(
  { engine }: Pick<ReportWorld['warehouse'], 'engine'> & Pick<Warehouse, 'stage'>,
  from: readonly string[],
  to: string,
): Promise<void> {
  const columns = Object.keys(insightsDaily.columns).join(', ');
  const rows = from.map((stage) => `SELECT ${columns} FROM ${stagingDataset}.${stage}`).join(' UNION ALL ');
  await engine.run(`CREATE TABLE ${stagingDataset}.${to} AS ${rows}`);
  for (const stage of from) await engine.run(`DROP TABLE ${stagingDataset}.${stage}`);
}
