import { addDays } from '../../../shared/domain/insights/account-day.ts';
import type { DayRange } from '../../../shared/domain/insights/account-day.ts';
import type { RelayNumbers } from '../../../shared/gcp/relay-numbers.ts';
import { offsetHours } from './zone-offset.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The instants at which days of a zone begin and end, to the hour on days when its clocks change. */
export function instantsOf({ since, until }: DayRange, timeZone: string): { readonly from: Date; readonly to: Date } {
  const startOf = (day: string): Date => {
    const noon = new Date(`${day}T12:00:00Z`);
    return new Date(noon.getTime() - (12 + offsetHours(timeZone, noon)) * hourMs);
  };
  return { from: startOf(since), to: startOf(addDays(until, 1)) };
}

/**
 * Purchases the relay brought to Meta between two instants. Undefined unless events came on every day between them: the
 * relay then does not know all orders.
 */
export function purchasesThroughRelay({ hours, total }: RelayNumbers, from: Date, to: Date): number | undefined {
  const days = Math.round((to.getTime() - from.getTime()) / dayMs);
  const seen = new Set(hours.map(({ hour }) => Math.floor((Date.parse(`${hour}:59:59Z`) - from.getTime()) / dayMs)));
  for (let day = 0; day < days; day += 1) if (!seen.has(day)) return undefined;
  return total['Purchase']?.['delivered'] ?? 0;
}
