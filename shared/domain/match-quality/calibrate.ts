import { keysOfMix, matchKeys } from './key-mix.ts';
import type { MatchKey, MixCounts } from './key-mix.ts';
import { highestScore, startingWeights } from './predict.ts';
import type { MatchWeights } from './predict.ts';

/** What we sent in the days Meta's score is about, and the score it gave. */
export interface Observation {
  readonly mixes: MixCounts;
  /** 0 to 10. */
  readonly score: number;
}

/** How strongly a key that few observations tell about stays where it started. */
const priorStrength = 0.002;
const rounds = 400;
const strongest = 3;

/** One observation, ready for the arithmetic: shares of events and the indices of the keys each carries. */
interface Sample {
  readonly target: number;
  readonly rows: readonly { readonly share: number; readonly keys: readonly number[] }[];
}

/**
 * The weights under which the predictor explains the scores Meta gave, over all tenants: least squares by descent along
 * the gradient with a step of its own per key (RMSProp), no weight below zero. The same observations always give the same
 * weights. Without observations the weights stay where they start.
 */
export function calibrate(
  observations: readonly Observation[],
  start: MatchWeights = startingWeights,
): { readonly weights: MatchWeights; readonly meanAbsoluteError: number | null } {
  const samples = observations.flatMap(sampleOf);
  const prior = matchKeys.map((key) => start[key]);
  const theta = [...prior];
  if (samples.length === 0) return { weights: start, meanAbsoluteError: null };
  const meanSquares = theta.map(() => 0);
  for (let round = 0; round < rounds; round += 1) {
    const gradient = gradientOf(samples, theta);
    const step = 0.05 / (1 + round / 60);
    for (const [index, own] of gradient.entries()) {
      const pulled = own + 2 * priorStrength * ((theta[index] ?? 0) - (prior[index] ?? 0));
      const mean = 0.9 * (meanSquares[index] ?? 0) + 0.1 * pulled * pulled;
      meanSquares[index] = mean;
      const next = (theta[index] ?? 0) - (step * pulled) / (Math.sqrt(mean) + 1e-9);
      theta[index] = Math.min(strongest, Math.max(0, next));
    }
  }
  const errors = samples.map((sample) => Math.abs(chance(sample, theta) - sample.target) * highestScore);
  return {
    weights: Object.fromEntries(matchKeys.map((key, index) => [key, theta[index] ?? 0])) as Record<MatchKey, number>,
    meanAbsoluteError: errors.reduce((sum, error) => sum + error, 0) / errors.length,
  };
}

function sampleOf({ mixes, score }: Observation): Sample[] {
  const total = Object.values(mixes).reduce((sum, events) => sum + events, 0);
  if (total === 0) return [];
  const rows = Object.entries(mixes).map(([mix, events]) => ({
    share: events / total,
    keys: keysOfMix(mix).map((key) => matchKeys.indexOf(key)),
  }));
  return [{ target: score / highestScore, rows }];
}

function missOf(keys: readonly number[], theta: readonly number[]): number {
  return Math.exp(-keys.reduce((sum, key) => sum + (theta[key] ?? 0), 0));
}

function chance({ rows }: Sample, theta: readonly number[]): number {
  return rows.reduce((sum, { share, keys }) => sum + share * (1 - missOf(keys, theta)), 0);
}

/** Of the mean squared error, by each weight. */
function gradientOf(samples: readonly Sample[], theta: readonly number[]): number[] {
  const gradient = theta.map(() => 0);
  for (const sample of samples) {
    const scale = (2 * (chance(sample, theta) - sample.target)) / samples.length;
    for (const { share, keys } of sample.rows) {
      const slope = scale * share * missOf(keys, theta);
      for (const key of keys) gradient[key] = (gradient[key] ?? 0) + slope;
    }
  }
  return gradient;
}
