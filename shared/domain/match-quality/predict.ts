import { coverageOf, keysOfMix, matchKeys } from './key-mix.ts';
import type { MatchKey, MixCounts } from './key-mix.ts';

/** How much each key adds to the chance that Meta finds the person: the strength θ of 1 − exp(−Σθ). */
export type MatchWeights = Readonly<Record<MatchKey, number>>;

/**
 * Where calibration starts. Meta publishes the order of importance and no figures ("Best practices", parameters by
 * priority): e-mail address, click id and phone first, then external id, browser id and address, then the rest.
 */
export const startingWeights: MatchWeights = {
  em: 0.9,
  ph: 0.7,
  external_id: 0.35,
  fbc: 0.55,
  fbp: 0.35,
  client_ip_address: 0.15,
  client_user_agent: 0.1,
  fn: 0.08,
  ln: 0.08,
  db: 0.1,
  ge: 0.02,
  ct: 0.04,
  st: 0.02,
  zp: 0.06,
  country: 0.02,
  fb_login_id: 0.6,
  subscription_id: 0.1,
  lead_id: 0.7,
  madid: 0.3,
  anon_id: 0.1,
};

/** Meta's scale. */
export const highestScore = 10;

/** Keys a sender can add. The others come from Meta itself, from an app or from an ad's form. */
const obtainable: readonly MatchKey[] = matchKeys.filter(
  (key) => !['fb_login_id', 'subscription_id', 'lead_id', 'madid', 'anon_id'].includes(key),
);

/** The share of events that can have the key at all, 1 unless said: only a visit that came from an ad has a click id. */
const reachable: Partial<Record<MatchKey, number>> = { fbc: 0.3 };

/**
 * The score Meta is expected to give events of these mixes, 0 to 10; null without events. It says how findable the people
 * are by what we send, before Meta has seen enough events to say so itself.
 */
export function predictScore(mixes: MixCounts, weights: MatchWeights): number | null {
  let total = 0;
  let found = 0;
  for (const [mix, events] of Object.entries(mixes)) {
    total += events;
    found += events * chanceOf(keysOfMix(mix), weights);
  }
  return total === 0 ? null : (highestScore * found) / total;
}

/** The chance, 0 to 1, that a person is found by these keys. */
function chanceOf(keys: readonly MatchKey[], weights: MatchWeights): number {
  return 1 - Math.exp(-keys.reduce((sum, key) => sum + weights[key], 0));
}

export interface KeyWorth {
  readonly key: MatchKey;
  /** The share of events that carry it now, 0 to 1. */
  readonly coverage: number;
  /** Points of the score to be won by sending it with every event that can have it. */
  readonly gain: number;
}

/** Every key that would raise the score, the most valuable first. */
export function worthOfMissingKeys(mixes: MixCounts, weights: MatchWeights): KeyWorth[] {
  const now = predictScore(mixes, weights);
  if (now === null) return [];
  const coverage = coverageOf(mixes);
  return obtainable
    .map((key) => {
      const has = coverage[key] ?? 0;
      // Of the events without the key, this share could have it.
      const goal = reachable[key] ?? 1;
      const share = has >= goal ? 0 : (goal - has) / (1 - has);
      return { key, coverage: has, gain: share * ((withKey(mixes, key, weights) ?? now) - now) };
    })
    .filter(({ gain }) => gain >= 0.05)
    .sort((left, right) => right.gain - left.gain);
}

/** The score if every event carried the key. */
function withKey(mixes: MixCounts, key: MatchKey, weights: MatchWeights): number | null {
  const bit = 1 << matchKeys.indexOf(key);
  const added: Record<string, number> = {};
  for (const [mix, events] of Object.entries(mixes)) {
    const next = ((Number.parseInt(mix, 16) || 0) | bit).toString(16);
    added[next] = (added[next] ?? 0) + events;
  }
  return predictScore(added, weights);
}
