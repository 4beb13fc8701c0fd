import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { restatedRange } from '../../shared/domain/insights/account-day.ts';
import { dailyReports, reportName } from '../../shared/domain/insights/reports.ts';
import { seed } from '../simulator/seed.ts';
import { ReportWorld } from './report-world.ts';
import type { PlantedAccount } from './report-world.ts';
import { differences, minorOf, truthOf } from './truth-check.ts';

const dayMs = 86_400_000;
let world: ReportWorld;
beforeAll(async () => {
  world = await ReportWorld.start();
});
afterAll(() => world.close());
beforeEach(() => world.forget());

const run = async (account: PlantedAccount) => (await world.runs.ofTenant(account.tenantId))[0];
const wrong = async (account: PlantedAccount): Promise<string[]> => {
  const range = restatedRange(account.truth.plan.timeZone, world.now());
  const stored = await world.warehouse.query('rows', { tenantId: account.tenantId, ...range });
  return differences(stored, truthOf(account, range, world.now()));
};

describe('insights-report', () => {
  it('stores what Meta knows of the last 28 days at every level and breakdown, and restates it day after day', async () => {
    const account = await world.plant('t-restate');
    for (let day = 0; day < 4; day += 1) {
      await world.openReports();
      await world.work();
      expect((await run(account))?.state).toBe('done');
      expect(await wrong(account)).toEqual([]);
      world.later(dayMs);
    }
  });

  it('reads an account once a day of its own, however often Scheduler calls and Pub/Sub delivers', async () => {
    const account = await world.plant('t-once');
    await world.openReports();
    const [message] = world.messages;
    const before = world.simulator.context.insights.started;
    world.messages.push({ ...message! }, { ...message! });
    await world.work();
    await world.openReports();
    await world.work();
    expect(world.simulator.context.insights.started - before).toBe(dailyReports.length);
    await world.deliver(message!);
    expect((await run(account))?.state).toBe('done');
    expect(await wrong(account)).toEqual([]);
  });

  it('comes through failed, skipped, stuck, lost and too large runs, and stores the same', async () => {
    const account = await world.plant('t-trouble');
    world.simulator.context.insights.planRuns('failed', 'skipped', 'stuck-0', 'stuck-99', 'lost', 'too-much-data');
    await world.openReports();
    await world.work();
    expect((await run(account))?.state).toBe('done');
    expect(await wrong(account)).toEqual([]);
  });

  it('survives the death of its process before every single call to Meta', async () => {
    const account = await world.plant('t-deaths');
    await world.openReports();
    let call = 0;
    let deaths = 0;
    // Every other call dies before it is made; the redelivery comes when the lease is over.
    const ofMeta = ['get', 'post', 'page'];
    world.diesBefore = (name) => ofMeta.includes(name) && (call += 1) % 2 === 0;
    const [message] = world.messages.splice(0);
    for (let tries = 0; (await run(account))?.state === 'running' && tries < 100; tries += 1) {
      if (!(await world.deliver(message!))) deaths += 1;
      world.messages.length = 0;
      world.later(10 * 60_000);
    }
    world.diesBefore = () => false;
    expect(deaths).toBeGreaterThan(5);
    expect((await run(account))?.state).toBe('done');
    expect(await wrong(account)).toEqual([]);
  });

  it('tells one tenant’s dead token as that tenant’s reason, leaves no other behind, and goes on when it is mended', async () => {
    const dead = await world.plant('t-dead');
    const denied = await world.plant('t-denied');
    const fine = await world.plant('t-fine');
    world.simulator.context.tokens.find(dead.token)!.revokedSubcode = 463;
    world.simulator.context.tokens.find(denied.token)!.scopes.clear();
    await world.openReports();
    await world.work();
    expect((await run(fine))?.state).toBe('done');
    expect(await run(dead)).toMatchObject({ state: 'waiting', wait: { on: 'kobi', for: 'child-token' } });
    expect((await run(denied))?.reason).toContain('permission');
    const [alert] = await world.alerts.ofTenant('t-dead');
    expect(alert).toMatchObject({ kind: 'insights-report-waiting', resolvedAt: null });
    expect(JSON.stringify(alert)).not.toContain(dead.token);
    world.simulator.context.tokens.find(dead.token)!.revokedSubcode = undefined;
    world.later(3_600_000);
    await world.openReports();
    await world.work();
    expect((await run(dead))?.state).toBe('done');
    expect((await world.alerts.ofTenant('t-dead'))[0]?.resolvedBy).toBe('auto');
  });

  it('makes no call in the time Meta names to regain access, and then finishes', async () => {
    const account = await world.plant('t-throttled');
    world.simulator.faults.plant({ path: '/{ad_account}/insights', throttle: { regainMinutes: 17, code: 80000 } });
    await world.openReports();
    await world.work();
    expect(world.simulator.faults.list().at(-1)?.callsWhileBlocked).toBe(0);
    expect((await run(account))?.state).toBe('done');
    world.simulator.faults.clear();
  });

  it('reads a retailer’s sales from the shared-item metrics of a collaborative account, and no purchases', async () => {
    const own = await world.plant('t-cpas');
    const retailer = await world.plant('t-cpas', { isCollaborative: true, seed: 'retailer' });
    await world.openReports();
    await world.work();
    const range = restatedRange('Europe/Istanbul', world.now());
    const [totals] = await world.warehouse.query('totals', { tenantId: 't-cpas', ...range });
    const truth = (account: PlantedAccount, read: 'orders' | 'valueMinor'): number =>
      truthOf(account, range, world.now(), ['account']).reduce((sum, row) => sum + row[read], 0);
    expect(Number(totals?.['purchases'])).toBe(truth(own, 'orders'));
    expect(Number(totals?.['shared_purchases'])).toBe(truth(retailer, 'orders'));
    expect(minorOf(totals?.['shared_purchase_value'], 2)).toBe(truth(retailer, 'valueMinor'));
  });

  it('reads a tenant on the fallback path with the token of the parent, and one of its own business with its own', async () => {
    const fallback = await world.plant('t-parent', { operator: 'fallback' });
    const child = await world.plant('t-child');
    const { tokens } = world.simulator.context;
    tokens.find(seed.parentSystemUserToken)!.revokedSubcode = 463;
    await world.openReports();
    await world.work();
    expect((await run(child))?.state).toBe('done');
    expect(await run(fallback)).toMatchObject({ state: 'waiting', wait: { on: 'kobi', for: 'parent-token' } });
    tokens.find(seed.parentSystemUserToken)!.revokedSubcode = undefined;
    world.later(3_600_000);
    await world.openReports();
    await world.work();
    expect((await run(fallback))?.state).toBe('done');
    expect(await wrong(fallback)).toEqual([]);
  });

  it('asks for fewer days when Meta calls it too much data, and stores the same', async () => {
    const account = await world.plant('t-large', { campaigns: 1, adsPerCampaign: 1 });
    // 29 days without breakdowns are just right, with them they are three times too much.
    world.simulator.context.switches.insights_async_row_limit = 30;
    world.simulator.faults.plant({ path: 'start_report_run', error: { code: 100, subcode: 1487534 } });
    await world.openReports();
    await world.work();
    world.simulator.context.switches.insights_async_row_limit = 200_000;
    const jobs = (await run(account))?.jobs ?? [];
    expect(jobs.filter(({ state }) => state === 'split').length).toBeGreaterThan(3);
    expect(jobs.every(({ state }) => state === 'split' || state === 'staged')).toBe(true);
    expect(await wrong(account)).toEqual([]);
  });

  it('never asks for what Meta has ended: every report we read is accepted on the day the last of it ends', async () => {
    expect(dailyReports.map(reportName)).toHaveLength(new Set(dailyReports.map(reportName)).size);
    const account = await world.plant('t-canary');
    world.simulator.context.insights.retired.set('inline_link_clicks', '2026-11-01');
    await world.openReports();
    await world.work();
    // The canary: a field that Meta ends shows as this tenant's reason at once.
    expect(await run(account)).toMatchObject({ state: 'failed' });
    world.simulator.context.insights.retired.clear();
  });
});
