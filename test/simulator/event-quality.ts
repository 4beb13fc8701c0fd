import type { AcceptedEvent } from './event-ledger.ts';

/**
 * How Meta might score the findability of people. The real formula is secret; this one is unlike anything in our product
 * on purpose: points that saturate, and identifiers that count only together, so a predictor has to learn it.
 */
const points: Readonly<Record<string, number>> = {
  em: 6,
  ph: 4.5,
  external_id: 2,
  fbc: 3.5,
  fbp: 2,
  db: 0.5,
  fb_login_id: 4,
  lead_id: 5,
};
const pairs: readonly (readonly [string, string, number])[] = [
  ['client_ip_address', 'client_user_agent', 1.5],
  ['fn', 'ln', 1],
  ['ct', 'zp', 0.5],
];
const halfwayPoints = 4;

/** The identifiers Dataset Quality reports on, and the keys of `user_data` they stand for. */
const identifiers: Readonly<Record<string, string>> = {
  email: 'em',
  phone: 'ph',
  external_id: 'external_id',
  fbc: 'fbc',
  fbp: 'fbp',
  ip_address: 'client_ip_address',
  user_agent: 'client_user_agent',
};

/** What one event name's events look like to Dataset Quality. */
export interface EventQuality {
  readonly eventName: string;
  /** 0 to 10, one decimal; absent below the number of events Meta needs to say anything. */
  readonly compositeScore: number | undefined;
  readonly coverage: readonly { readonly identifier: string; readonly percentage: number }[];
  readonly withEventIdPercentage: number;
  readonly uploadFrequency: 'real_time' | 'hourly' | 'daily';
}

/** 0 to 1 by the keys of one event's `user_data`. */
export function findability(userData: Readonly<Record<string, unknown>>): number {
  const has = (key: string): boolean => userData[key] !== undefined;
  let sum = 0;
  for (const [key, worth] of Object.entries(points)) if (has(key)) sum += worth;
  for (const [one, other, worth] of pairs) if (has(one) && has(other)) sum += worth;
  return sum / (sum + halfwayPoints);
}

/** Quality by event name, of the web events received since an instant, in the order their names were first seen. */
export function qualityOf(events: readonly AcceptedEvent[], sinceMs: number, fewestEvents: number): EventQuality[] {
  const byName = new Map<string, AcceptedEvent[]>();
  for (const event of events) {
    if (event.receivedAtMs < sinceMs || event.payload['action_source'] !== 'website') continue;
    byName.set(event.event_name, [...(byName.get(event.event_name) ?? []), event]);
  }
  return [...byName].map(([eventName, own]) => {
    const userData = own.map(({ payload }) => (payload['user_data'] ?? {}) as Record<string, unknown>);
    const share = (count: number): number => Math.round((100 * count) / own.length);
    const mean = userData.reduce((sum, each) => sum + findability(each), 0) / own.length;
    const delays = own.map(({ payload, receivedAtMs }) => receivedAtMs / 1_000 - Number(payload['event_time']));
    const medianDelayS = delays.toSorted((left, right) => left - right)[Math.floor(delays.length / 2)] ?? 0;
    return {
      eventName,
      compositeScore: own.length < fewestEvents ? undefined : Math.round(mean * 100) / 10,
      coverage: Object.entries(identifiers)
        .map(([identifier, key]) => ({
          identifier,
          percentage: share(userData.filter((each) => each[key] !== undefined).length),
        }))
        .filter(({ percentage }) => percentage > 0),
      withEventIdPercentage: share(own.filter(({ event_id: eventId }) => eventId !== undefined).length),
      uploadFrequency: medianDelayS < 3_600 ? 'real_time' : medianDelayS < 86_400 ? 'hourly' : 'daily',
    };
  });
}
