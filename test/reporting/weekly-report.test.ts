import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WeeklyReport } from '../../functions/reporting/reports/weekly-report.ts';
import { createRelayCounters } from '../../shared/gcp/relay-counters.ts';
import { trafficOf } from '../local/google/ga4/traffic-of-ads.ts';
import { Ga4World } from './ga4-world.ts';
import { ReportWorld } from './report-world.ts';
import type { PlantedAccount } from './report-world.ts';
import { minorOf, truthOf } from './truth-check.ts';

let world: ReportWorld;
let ga4: Ga4World;
beforeAll(async () => {
  world = await ReportWorld.start();
  ga4 = await Ga4World.start(world);
});
afterAll(async () => {
  await ga4.close();
  await world.close();
});
beforeEach(() => world.forget());

/** The newest week of which no day can change any more, on 2026-11-25. */
const week = '2026-W46';
const range = { since: '2026-11-09', until: '2026-11-15' };

async function reported(
  tenantId: string,
  share: number,
  changes: object = {},
  alsoPlant: () => Promise<unknown> = async () => undefined,
): Promise<PlantedAccount> {
  const account = await world.plant(tenantId, { cells: 6, campaigns: 3 });
  await alsoPlant();
  await world.openReports();
  await world.work();
  ga4.ga4.plant('123456789', { traffic: trafficOf(account.truth, world.now(), share, changes) });
  await ga4.report(`/tenants/${tenantId}/ga4`, { method: 'PUT', body: { propertyId: '123456789' } });
  return account;
}

/** As many purchases a day through the relay, over the week. */
async function relayed(tenantId: string, purchases: number): Promise<void> {
  let nowMs = 0;
  const counters = createRelayCounters({ db: world.db, now: () => new Date(nowMs), instance: 'a' });
  for (let day = 0; day < 7; day += 1) {
    nowMs = Date.parse(range.since) + day * 86_400_000 + 9 * 3_600_000;
    counters.count(tenantId, 'Purchase', 'delivered', purchases);
  }
  await counters.flush();
}

describe('ga4-crosscheck and the weekly report', () => {
  it('says that the two differ as they always do, with parts that add up, and shows Meta’s numbers to the kuruş', async () => {
    const account = await reported('t-week', 0.7);
    expect(await ga4.crossCheck()).toMatchObject({ compared: 1 });
    expect(await ga4.crossCheck()).toMatchObject({ 'up-to-date': 1 });
    const report = JSON.parse((await ga4.report(`/tenants/t-week/weeks/${week}`)).body) as WeeklyReport;
    const truth = truthOf(account, range, world.now()).filter((row) => row.report === 'account');
    const sum = (read: (row: (typeof truth)[number]) => number): number =>
      truth.reduce((total, row) => total + read(row), 0);
    const [{ totals, days } = { totals: undefined, days: [] }] = report.currencies;
    expect(minorOf(totals?.spend, 2)).toBe(sum(({ spendMinor }) => spendMinor));
    expect(minorOf(totals?.purchaseValue, 2)).toBe(sum(({ valueMinor }) => valueMinor));
    expect(Number(totals?.purchases)).toBe(sum(({ orders }) => orders));
    expect(days.reduce((total, { spend }) => total + minorOf(spend, 2), 0)).toBe(sum(({ spendMinor }) => spendMinor));
    const record = report.reconciliation;
    const result = record?.result as {
      gapHundredths: number;
      parts: { hundredths: number }[];
      matchedBy: Record<string, number>;
    };
    expect(record?.band).toBe('green');
    expect(result.parts.reduce((total, { hundredths }) => total + hundredths, 0)).toBe(result.gapHundredths);
    expect(result.matchedBy['campaign-id']).toBeGreaterThan(0);
    expect(report.isProvisional).toBe(false);
  });

  it('is a page of its own: no script, nothing from elsewhere, every name escaped, a chart for whoever cannot see it', async () => {
    await reported('t-page', 0.7);
    await ga4.crossCheck();
    const page = await ga4.report(`/tenants/t-page/weeks/${week}`, { accept: 'text/html' });
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.body).not.toMatch(/<script|src=|href=|url\(|@import/i);
    expect(page.body.match(/role="img" aria-label="[^"]{40,}/g)?.length).toBeGreaterThanOrEqual(4);
    expect(page.body).toContain('as usual');
  });

  it('tells of lost tags, of the channel trap, of orders counted twice and of a step, and raises one alert', async () => {
    // A retailer's shop sends nothing to this property: the clicks there are no loss.
    const retailer = { isCollaborative: true, seed: 'retailer' };
    const account = await reported('t-trap', 0.2, { medium: 'social' }, () => world.plant('t-trap', retailer));
    await relayed('t-trap', 10);
    Object.assign(account.truth.plan, {
      urlTags: account.truth.ads.map((_, index) => (index === 0 ? 'utm_source=fb' : undefined)),
    });
    await ga4.crossCheck();
    const page = (await ga4.report(`/tenants/t-trap/weeks/${week}?format=html`)).body;
    expect(page).toContain('sessions are filed as organic by GA4, because their medium is social');
    expect(page).toContain('links without the right tags');
    expect(page).toContain('more purchases than the shop sent in all');
    expect(page).not.toContain('became sessions');
    expect((await world.alerts.ofTenant('t-trap')).map(({ kind, resolvedAt }) => [kind, resolvedAt])).toEqual([
      ['meta-ga4-gap', null],
    ]);
  });

  it('waits on the client for access, spares a used-up quota, and keeps nobody else waiting', async () => {
    await reported('t-denied', 0.7);
    ga4.ga4.properties.get('123456789')!.isReadable = false;
    const other = await world.plant('t-allowed');
    ga4.ga4.plant('987654321', { traffic: trafficOf(other.truth, world.now(), 0.7) });
    await ga4.report('/tenants/t-allowed/ga4', { method: 'PUT', body: { propertyId: '987654321' } });
    expect(await ga4.crossCheck()).toMatchObject({ 'no-access': 1, compared: 1 });
    const { ga4: state } = JSON.parse((await ga4.report('/tenants/t-denied')).body) as { ga4: { wait: object } };
    expect(state.wait).toMatchObject({ on: 'client', for: 'ga4-access' });
    Object.assign(ga4.ga4.properties.get('123456789')!, { isReadable: true, tokensPerDay: 5 });
    expect(await ga4.crossCheck()).toMatchObject({ 'out-of-quota': 1 });
    ga4.ga4.properties.get('123456789')!.tokensPerDay = 200_000;
    expect(await ga4.crossCheck()).toMatchObject({ compared: 1 });
  });

  it('reports on a retailer’s account once a person names it, audited, but never with a token that reads other tenants', async () => {
    const { adAccountId: own } = await world.plant('t-retail');
    const path = '/tenants/t-retail/collaborative-accounts';
    const put = { method: 'PUT', body: { retailer: 'Hepsiburada' } };
    await ga4.report(`${path}/act_123456789`, put);
    await ga4.report(`${path}/act_123456789`, put);
    const shown = JSON.parse((await ga4.report('/tenants/t-retail')).body) as object;
    expect(shown).toMatchObject({
      collaborativeAccounts: [{ adAccountId: 'act_123456789', retailer: 'Hepsiburada' }],
    });
    await ga4.report(`${path}/act_123456789`, { method: 'DELETE' });
    const audit = await world.db.collection('tenants/t-retail/audit').get();
    expect(audit.docs.map((row) => row.get('action') as string)).toEqual([
      'collaborative-account-added',
      'collaborative-account-removed',
    ]);
    await expect(ga4.report(`${path}/${own}`, put)).rejects.toThrow('own ad account');
    await expect(ga4.report(`${path}/123`, put)).rejects.toThrow('no ad account');
    await world.plant('t-shared', { operator: 'fallback' });
    await expect(ga4.report('/tenants/t-shared/collaborative-accounts/act_123456789', put)).rejects.toThrow('migrate');
  });

  it('refuses what is no week and no property with what is valid, and knows no other tenant', async () => {
    await expect(ga4.report('/tenants/t-x/weeks/2026-48')).rejects.toThrow('no ISO week');
    await expect(ga4.report('/tenants/nobody/weeks/2026-W46')).rejects.toThrow('no such tenant');
    await world.plant('t-y');
    await expect(ga4.report('/tenants/t-y/ga4', { method: 'PUT', body: { propertyId: 'UA-1' } })).rejects.toThrow(
      'GA4 property',
    );
  });
});
