/**
 * Which identifiers an event carries, as one short text: all the match quality of an event depends on, and nothing that
 * tells about the person. Counting mixes instead of keys keeps what belongs together together.
 */

/** In the order of their bits; a new key goes to the end, because mixes of older days are kept. */
export const matchKeys = [
  'em',
  'ph',
  'external_id',
  'fbc',
  'fbp',
  'client_ip_address',
  'client_user_agent',
  'fn',
  'ln',
  'db',
  'ge',
  'ct',
  'st',
  'zp',
  'country',
  'fb_login_id',
  'subscription_id',
  'lead_id',
  'madid',
  'anon_id',
] as const;
export type MatchKey = (typeof matchKeys)[number];

/** How often each mix was seen. */
export type MixCounts = Readonly<Record<string, number>>;

/** The mix of an event's `user_data`: a bit a key, in hexadecimal. */
export function keyMixOf(userData: Readonly<Record<string, unknown>>): string {
  let bits = 0;
  for (const [index, key] of matchKeys.entries()) if (userData[key] !== undefined) bits |= 1 << index;
  return bits.toString(16);
}

/** The keys of a mix; none for a text that is no mix. */
export function keysOfMix(mix: string): MatchKey[] {
  const bits = /^[0-9a-f]{1,6}$/.test(mix) ? Number.parseInt(mix, 16) : 0;
  return matchKeys.filter((_key, index) => (bits & (1 << index)) !== 0);
}

/** The share of events, 0 to 1, that carry each key; keys nobody sent are absent. Empty without events. */
export function coverageOf(mixes: MixCounts): Partial<Record<MatchKey, number>> {
  let total = 0;
  const carrying = new Map<MatchKey, number>();
  for (const [mix, events] of Object.entries(mixes)) {
    total += events;
    for (const key of keysOfMix(mix)) carrying.set(key, (carrying.get(key) ?? 0) + events);
  }
  return total === 0 ? {} : Object.fromEntries([...carrying].map(([key, events]) => [key, events / total]));
}
