import type { Firestore } from '@google-cloud/firestore';
import { collections, paths } from '../contracts/documents.ts';
import { relayCountersSchema } from '../contracts/relay-documents.ts';
import { readDocument } from './firestore.ts';
import { hourOf } from './relay-counters.ts';

/** Event name → verdict → how many. */
export type RelayTotals = Record<string, Record<string, number>>;

export interface RelayNumbers {
  readonly total: RelayTotals;
  /** In the order of time; hours without events are absent. */
  readonly hours: readonly { readonly hour: string; readonly counts: RelayTotals }[];
}

/**
 * A tenant's numbers of the hours that `from` (inclusive) to `to` (exclusive) touch, summed over all processes. Costs one
 * read per hour and process. Numbers of the last minutes may still be in a process's memory.
 */
export async function readRelayNumbers(db: Firestore, tenantId: string, from: Date, to: Date): Promise<RelayNumbers> {
  const page = await db
    .collection(`${paths.tenant(tenantId)}/${collections.relayCounters}`)
    .where('hour', '>=', hourOf(from.getTime()))
    .where('hour', '<=', hourOf(to.getTime() - 1))
    .orderBy('hour')
    .get();
  const total: RelayTotals = {};
  const hours = new Map<string, RelayTotals>();
  for (const snapshot of page.docs) {
    const document = readDocument(snapshot, relayCountersSchema);
    if (document === undefined) continue;
    const counts = hours.get(document.hour) ?? {};
    hours.set(document.hour, counts);
    add(counts, document.counts);
    add(total, document.counts);
  }
  return { total, hours: Array.from(hours, ([hour, counts]) => ({ hour, counts })) };
}

function add(totals: RelayTotals, counts: Readonly<Record<string, number>>): void {
  for (const [key, n] of Object.entries(counts)) {
    const bar = key.indexOf('|');
    const verdicts = ownEntry(totals, key.slice(0, bar));
    const verdict = key.slice(bar + 1);
    verdicts[verdict] = (verdicts[verdict] ?? 0) + n;
  }
}

/** Names come from tenants, and one may be `constructor`. */
function ownEntry(totals: RelayTotals, name: string): Record<string, number> {
  const known = Object.hasOwn(totals, name) ? totals[name] : undefined;
  if (known !== undefined) return known;
  const fresh: Record<string, number> = {};
  Object.defineProperty(totals, name, { value: fresh, enumerable: true, writable: true, configurable: true });
  return fresh;
}
