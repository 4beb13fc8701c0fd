/**
 * What the goals of reporting are measured with: each proof returns its figures and whether they are met. `proof.ts` runs one
 * from the command line at full size, `proofs.test.ts` runs all of them small.
 */
import { dailyRowOf } from '../../shared/domain/insights/daily-row.ts';
import type { DailyRow } from '../../shared/domain/insights/daily-row.ts';
import { fieldsOf } from '../../shared/domain/insights/reports.ts';
import type { ReportShape } from '../../shared/domain/insights/reports.ts';
import { SimulatorClock } from '../simulator/clock.ts';
import type { SimulatorContext } from '../simulator/context.ts';
import { readQuery } from '../simulator/insights/query.ts';
import { InsightsWorld } from '../simulator/insights/report-runs.ts';
import { insightsRows } from '../simulator/insights/rows.ts';
import type { AccountTruth } from '../simulator/insights/truth.ts';
import { defaultSwitches } from '../simulator/switches.ts';

export interface Proof {
  readonly figures: Readonly<Record<string, number | string>>;
  readonly isMet: boolean;
}

const windows = ['7d_click', '1d_view'];

/** As much of a simulator as its rows need, at an instant. */
export function metaAt(now: { at: Date }): SimulatorContext {
  return {
    clock: new SimulatorClock(() => now.at),
    switches: defaultSwitches(),
    insights: new InsightsWorld(),
  } as unknown as SimulatorContext;
}

/** What Meta would answer for a report, as stored rows. */
export function rowsOf(
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

export const plan = (seed: string, more: object = {}): ConstructorParameters<typeof AccountTruth>[1] => ({
  seed,
  since: '2024-01-01',
  campaigns: 2,
  adsPerCampaign: 2,
  cells: 2,
  timeZone: 'Europe/Istanbul',
  minorDigits: 2,
  ...more,
});
