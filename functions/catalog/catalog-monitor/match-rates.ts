/** Match rates from Meta's daily figures: by event and source, of the last 7 and 28 days. */
import type { CatalogHealth } from '../../../shared/contracts/catalog-documents.ts';
import type { EventStat } from '../../../shared/meta/catalog-health.ts';

type MatchRates = NonNullable<CatalogHealth['matchRates']>;

/** The events dynamic ads learn from and retarget by. */
const gateEvents: ReadonlySet<string> = new Set(['ViewContent', 'AddToCart', 'Purchase']);

const dayMs = 86_400_000;

/** Days count back from `now`, today included. Figures of a day are of ids counted once that day. */
export function matchRates(stats: readonly EventStat[], now: Date): MatchRates {
  const rates = new Map<string, MatchRates[number]>();
  for (const { date, event, matched, sourceId, sourceType, unmatched } of stats) {
    const ageDays = Math.floor(now.getTime() / dayMs) - Math.floor(Date.parse(date) / dayMs);
    if (ageDays < 0 || ageDays >= 28) continue;
    const key = `${event} ${sourceId ?? ''}`;
    const none = { matched: 0, unmatched: 0 };
    const rate = rates.get(key) ?? { event, sourceId, sourceType, days7: none, days28: none };
    const plus = (sum: typeof none): typeof none => ({
      matched: sum.matched + matched,
      unmatched: sum.unmatched + unmatched,
    });
    rates.set(key, { ...rate, days28: plus(rate.days28), days7: ageDays < 7 ? plus(rate.days7) : rate.days7 });
  }
  return [...rates.values()].toSorted((left, right) => left.event.localeCompare(right.event));
}

/** The content ids of the last 7 days by which the gate judges: of the tenant's own pixel. */
export function gateContentIds(rates: MatchRates, datasetId: string): { matched: number; unmatched: number } {
  const sum = { matched: 0, unmatched: 0 };
  for (const { days7, event, sourceId } of rates) {
    if (!gateEvents.has(event) || (sourceId !== null && sourceId !== datasetId)) continue;
    sum.matched += days7.matched;
    sum.unmatched += days7.unmatched;
  }
  return sum;
}
