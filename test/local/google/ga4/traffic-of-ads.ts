import { addDays } from '../../../simulator/insights/truth.ts';
import type { AccountTruth } from '../../../simulator/insights/truth.ts';
import type { PlantedTraffic } from './embedded-ga4.ts';

/** Sessions and purchases GA4 has for an account's ads in the last four weeks: a share of what Meta counts after a click. */
export function trafficOf(
  truth: AccountTruth,
  now: Date,
  share: number,
  changes: Partial<PlantedTraffic> = {},
): PlantedTraffic[] {
  const today = truth.dayOf(now.getTime());
  const rows: PlantedTraffic[] = [];
  let due = 0;
  for (let date = addDays(today, -28); date <= today; date = addDays(date, 1)) {
    for (const fact of truth.facts(date, today)) {
      const clicked = fact.orders.filter(({ window }) => window !== '1d_view');
      due += clicked.length * share;
      const purchases = Math.floor(due);
      due -= purchases;
      const value = clicked.slice(0, purchases).reduce((sum, { valueMinor }) => sum + valueMinor, 0);
      rows.push({
        date,
        source: 'fb',
        medium: 'paid_social',
        campaign: fact.ad.campaignId,
        content: fact.ad.adId,
        sessions: Math.round(fact.linkClicks * 0.85),
        purchases,
        revenue: (value / 100).toFixed(2),
        ...changes,
      });
    }
  }
  return rows;
}
