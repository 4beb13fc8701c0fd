/** The goal about report runs: they end well although many fail. */
import { restatedRange } from '../../shared/domain/insights/account-day.ts';
import type { Proof } from './proof-world.ts';
import { ReportWorld } from './report-world.ts';
import { differences, truthOf } from './truth-check.ts';

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
