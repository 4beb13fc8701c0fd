import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adAccountParams, startForTest } from '../graph-caller.ts';
import type { GraphCaller, GraphReply } from '../graph-caller.ts';
import type { Simulator } from '../server.ts';
import { addDays } from './truth.ts';

let simulator: Simulator;
let graph: GraphCaller;
let token: string;
let stranger: string;
let account: string;
let today: string;

beforeAll(async () => {
  ({ simulator, graph } = await startForTest());
  const child = await graph.newChild(await graph.logIn());
  token = child.token;
  account = await graph.newAdAccount(child, adAccountParams);
  stranger = simulator.context.tokens.issue({
    kind: 'system_user',
    ownerId: child.systemUserId,
    businessId: child.id,
    scopes: ['business_management'],
    pageIds: undefined,
    life: 'never',
  }).value;
  const truth = simulator.context.insights.plant(account, {
    seed: 'insights',
    since: '2020-01-01',
    campaigns: 2,
    adsPerCampaign: 2,
    cells: 3,
    timeZone: 'Europe/Istanbul',
    minorDigits: 2,
  });
  today = truth.dayOf(simulator.context.clock.nowMs());
});
afterAll(() => simulator.close());
beforeEach(() => simulator.context.insights.retired.clear());

const range = (days: number): Record<string, string> => ({ since: addDays(today, -days), until: addDays(today, -1) });
const read = (params: Record<string, unknown>): Promise<GraphReply> => graph.get(`/${account}/insights`, token, params);
const code = async (params: Record<string, unknown>): Promise<unknown> => {
  const { body } = await read(params);
  const { code: number, error_subcode: subcode } =
    (body as { error?: { code: number; error_subcode?: number } }).error ?? {};
  return subcode === undefined ? number : [number, subcode];
};
interface Run {
  async_status: string;
  async_percent_completion: number;
}

describe('a report', () => {
  it('refuses breakdowns that do not go together, and what Meta has ended, each as Meta does', async () => {
    expect(await code({ breakdowns: ['age', 'country', 'publisher_platform'] })).toEqual([2, 1504041]);
    expect(await code({ breakdowns: ['gender', 'age'] })).toBeUndefined();
    expect(await code({ breakdowns: ['shoe_size'] })).toBe(100);
    expect(await code({ fields: 'spend,no_such_metric' })).toBe(100);
    expect(await code({ level: 'galaxy' })).toBe(100);
    expect(await code({ action_attribution_windows: ['9d_click'] })).toBe(100);
    expect(await code({ level: 'account', fields: 'converted_product_quantity' })).toBe(100);
    simulator.context.insights.retired.set('spend', today);
    expect(await code({ fields: 'spend' })).toBe(100);
  });

  it('takes ranges up to today and 37 months back, and no others', async () => {
    expect(await code({ time_range: { since: '2019-01-01', until: today } })).toBe(3018);
    expect(await code({ time_range: { since: addDays(today, 1), until: addDays(today, 2) } })).toBe(100);
    expect(await code({ time_range: { since: today, until: addDays(today, -1) } })).toBe(100);
    expect(await code({ time_range: { since: 'yesterday', until: today } })).toBe(100);
    expect(await code({ time_range: range(3), time_increment: '91' })).toBe(100);
  });

  it('answers nothing for a view window that Meta has ended, and money as text', async () => {
    const params = {
      time_range: range(7),
      fields: 'actions,spend',
      action_attribution_windows: ['7d_click', '7d_view'],
    };
    const { data } = await graph.done<{ data: { spend: string; actions: Record<string, string>[] }[] }>(read(params));
    expect(data[0]?.spend).toMatch(/^\d+\.\d\d$/);
    const purchase = data[0]?.actions.find(({ action_type }) => action_type === 'purchase');
    // The day of this test is after that of the window's end.
    expect(Object.keys(purchase ?? {})).toContain('7d_click');
    expect(Object.keys(purchase ?? {})).not.toContain('7d_view');
  });

  it('comes in pages that together are all its rows, once each', async () => {
    const params = { level: 'ad', fields: 'ad_id,spend', time_range: range(5), time_increment: '1' };
    const rows: string[] = [];
    for (let after: string | undefined; ;) {
      const page = await graph.done<{
        data: object[];
        paging: { cursors: { after: string }; next?: string };
      }>(read({ ...params, limit: 3, ...(after === undefined ? {} : { after }) }));
      rows.push(...page.data.map((row) => JSON.stringify(row)));
      if (page.paging.next === undefined) break;
      after = page.paging.cursors.after;
    }
    const { data } = await graph.done<{ data: object[] }>(read({ ...params, limit: 500 }));
    expect(rows).toEqual(data.map((row) => JSON.stringify(row)));
    expect(new Set(rows).size).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(6);
    expect(await code({ ...params, after: 'elsewhere' })).toBe(100);
  });

  it('is for those who are assigned and hold the permission', async () => {
    const { body } = await graph.get(`/${account}/insights`, stranger, {});
    expect(body).toMatchObject({ error: { code: 200 } });
    const node = simulator.context.store.get('ad_account', account);
    const before = new Map(node.assigned);
    node.assigned.clear();
    expect(await code({})).toEqual([100, 33]);
    for (const [user, tasks] of before) node.assigned.set(user, tasks);
  });

  it('asked for at once is refused when it is too much, and made as a run', async () => {
    const { switches } = simulator.context;
    const limit = switches.insights_sync_row_limit;
    switches.insights_sync_row_limit = 10;
    expect(await code({ level: 'ad', time_range: range(20) })).toEqual([100, 1487534]);
    switches.insights_sync_row_limit = limit;
  });
});

describe('a report run', () => {
  const start = async (): Promise<string> => {
    const params = { level: 'campaign', fields: 'campaign_id,spend', time_range: range(3), time_increment: '1' };
    return (await graph.done<{ report_run_id: string }>(graph.post(`/${account}/insights`, token, params)))
      .report_run_id;
  };
  const look = (run: string): Promise<Run> => graph.done<Run>(graph.get(`/${run}`, token, {}));
  const rows = (run: string): Promise<GraphReply> => graph.get(`/${run}/insights`, token, {});

  it('goes from not started to completed, where completed at 99 % is not there yet', async () => {
    const run = await start();
    expect(await look(run)).toMatchObject({ async_status: 'Job Not Started', async_percent_completion: 0 });
    expect((await rows(run)).status).toBe(400);
    const seen = new Set<string>();
    for (let second = 0; second < 45; second += 3) {
      simulator.context.clock.advance(3_000);
      const { async_percent_completion: percent, async_status: status } = await look(run);
      seen.add(status === 'Job Completed' ? `${status} ${percent}` : status);
      expect((await rows(run)).status).toBe(status === 'Job Completed' && percent === 100 ? 200 : 400);
    }
    expect([...seen]).toEqual([
      'Job Not Started',
      'Job Started',
      'Job Running',
      'Job Completed 99',
      'Job Completed 100',
    ]);
  });

  it('fails, is skipped, stands still or is forgotten, as planned', async () => {
    simulator.context.insights.planRuns('failed', 'skipped', 'stuck-99', 'lost', 'too-much-data');
    const runs: string[] = [];
    for (let each = 0; each < 5; each += 1) runs.push(await start());
    simulator.context.clock.advance(10 * 60_000);
    const [failed = '', skipped = '', stuck = '', lost = '', large = ''] = runs;
    expect(await look(failed)).toMatchObject({ async_status: 'Job Failed' });
    expect(await look(skipped)).toMatchObject({ async_status: 'Job Skipped' });
    expect(await look(stuck)).toMatchObject({ async_status: 'Job Running', async_percent_completion: 99 });
    expect((await graph.get(`/${lost}`, token, {})).body).toMatchObject({ error: { code: 100, error_subcode: 33 } });
    const fields = 'async_status,error_code,error_subcode';
    expect(await graph.done(graph.get(`/${large}`, token, { fields }))).toMatchObject({ error_subcode: 1487534 });
    for (const run of runs) expect((await rows(run)).status).toBe(400);
  });

  it('is forgotten after thirty days', async () => {
    const run = await start();
    simulator.context.clock.advance(31 * 86_400_000);
    expect((await graph.get(`/${run}`, token, {})).body).toMatchObject({ error: { code: 100, error_subcode: 33 } });
  });
});
