import type { MixCounts } from './key-mix.ts';

/** Event name → what became of its events → how many (the relay's own numbers). */
export type Totals = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** The key mixes of each event name's web events that Meta took; names without any are absent. */
export function mixesOf(totals: Totals): ReadonlyMap<string, MixCounts> {
  const mixes = new Map<string, Record<string, number>>();
  for (const [eventName, verdicts] of Object.entries(totals)) {
    for (const [verdict, events] of Object.entries(verdicts)) {
      const mix = /^keys:([0-9a-f]{1,6})$/.exec(verdict)?.[1];
      if (mix === undefined) continue;
      mixes.set(eventName, { ...mixes.get(eventName), [mix]: events });
    }
  }
  return mixes;
}

export function eventsIn(mixes: MixCounts): number {
  return Object.values(mixes).reduce((sum, events) => sum + events, 0);
}

/** The share of received events that were dropped or held for want of consent, 0 to 1; null when none was received. */
export function shareWithoutConsent(totals: Totals): number | null {
  let received = 0;
  let without = 0;
  for (const verdicts of Object.values(totals)) {
    for (const [verdict, events] of Object.entries(verdicts)) {
      if (verdict === 'received') received += events;
      if (verdict === 'held' || verdict.startsWith('dropped:consent')) without += events;
    }
  }
  return received === 0 ? null : Math.min(1, without / received);
}
