import { calibrate } from '../../shared/domain/match-quality/calibrate.ts';
import type { Observation } from '../../shared/domain/match-quality/calibrate.ts';
import { keyMixOf, keysOfMix, matchKeys } from '../../shared/domain/match-quality/key-mix.ts';
import type { MatchKey, MixCounts } from '../../shared/domain/match-quality/key-mix.ts';
import { predictScore, startingWeights, worthOfMissingKeys } from '../../shared/domain/match-quality/predict.ts';
import { Random } from '../random.ts';
import { findability } from '../simulator/event-quality.ts';

export interface PredictionFigures {
  readonly mixes: number;
  readonly meanErrorBefore: number;
  readonly meanError: number;
  /** Share of unseen traffic whose score is predicted within 0.3 points. */
  readonly within: number;
  readonly rankCorrelation: number;
  /** How often the key named first is, by the simulator's own formula, worth most. */
  readonly bestKeyNamed: number;
}

/** Fits the predictor on the scores of 1,000 tenants and holds it against `mixes` other tenants' scores. */
export function predictSimulatedScores(mixes: number, seed: number): PredictionFigures {
  const random = new Random(seed);
  const learn = Array.from({ length: 1_000 }, () => observation(random));
  const unseen = Array.from({ length: mixes }, () => observation(random));
  const { weights } = calibrate(learn);
  const errors = unseen.map(({ mixes: sent, score }) => Math.abs((predictScore(sent, weights) ?? 0) - score));
  const before = unseen.map(({ mixes: sent, score }) => Math.abs((predictScore(sent, startingWeights) ?? 0) - score));
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    mixes,
    meanErrorBefore: mean(before),
    meanError: mean(errors),
    within: errors.filter((error) => error <= 0.3).length / mixes,
    rankCorrelation: spearman(
      unseen.map(({ score }) => score),
      unseen.map(({ mixes: sent }) => predictScore(sent, weights) ?? 0),
    ),
    bestKeyNamed: mean(
      unseen.map(({ mixes: sent }) => {
        const [named] = worthOfMissingKeys(sent, weights);
        if (named === undefined) return 1;
        const best = Math.max(...worthBySimulator(sent).values());
        return (worthBySimulator(sent).get(named.key) ?? 0) >= best - 0.15 ? 1 : 0;
      }),
    ),
  };
}

/** A tenant's day: a few mixes, some of them common, and the score the simulator gives, to one decimal as Meta does. */
function observation(random: Random): Observation {
  const sent: Record<string, number> = {};
  const usual: Partial<Record<MatchKey, number>> = {
    em: random.next(),
    ph: random.next() * 0.8,
    external_id: random.chance(0.5) ? random.next() : 0,
    fbc: random.next() * 0.4,
    fbp: random.chance(0.8) ? 0.5 + random.next() / 2 : 0,
    client_ip_address: random.chance(0.9) ? 1 : 0,
    client_user_agent: 1,
    fn: random.next() * 0.5,
    db: random.chance(0.2) ? random.next() : 0,
    ct: random.next() * 0.5,
    country: random.next(),
  };
  for (let mix = 0; mix < 12; mix += 1) {
    const userData: Record<string, string> = {};
    for (const key of matchKeys) if (random.chance(usual[key] ?? 0)) userData[key] = 'x';
    // Names and addresses come as forms ask for them.
    if (userData['fn'] !== undefined) userData['ln'] = 'x';
    if (userData['ct'] !== undefined) userData['zp'] = 'x';
    const text = keyMixOf(userData);
    sent[text] = (sent[text] ?? 0) + 1 + random.below(400);
  }
  return { mixes: sent, score: Math.round(simulatedScore(sent) * 10) / 10 };
}

function simulatedScore(sent: MixCounts, added?: MatchKey): number {
  let events = 0;
  let found = 0;
  for (const [mix, count] of Object.entries(sent)) {
    const userData = Object.fromEntries(
      [...keysOfMix(mix), ...(added === undefined ? [] : [added])].map((key) => [key, 'x']),
    );
    events += count;
    found += count * findability(userData);
  }
  return (10 * found) / events;
}

function worthBySimulator(sent: MixCounts): Map<MatchKey, number> {
  const now = simulatedScore(sent);
  const withClickId = (gain: number, key: MatchKey): number => {
    // As many visits as can have a click id have one at 30 %.
    const has = Object.entries(sent).reduce(
      (sum, [mix, count]) => sum + (keysOfMix(mix).includes('fbc') ? count : 0),
      0,
    );
    const share = has / Object.values(sent).reduce((sum, count) => sum + count, 0);
    return key === 'fbc' ? gain * Math.max(0, (0.3 - share) / (1 - share)) : gain;
  };
  return new Map(
    (['em', 'ph', 'external_id', 'fbc', 'fbp', 'client_ip_address', 'db'] as const).map((key) => [
      key,
      withClickId(simulatedScore(sent, key) - now, key),
    ]),
  );
}

function spearman(left: readonly number[], right: readonly number[]): number {
  const ranks = (values: readonly number[]): number[] => {
    const order = values.map((value, index) => ({ value, index })).sort((one, other) => one.value - other.value);
    const found = Array.from({ length: values.length }, () => 0);
    for (let start = 0; start < order.length;) {
      let end = start;
      while (end < order.length && order[end]?.value === order[start]?.value) end += 1;
      for (const { index } of order.slice(start, end)) found[index] = (start + end - 1) / 2;
      start = end;
    }
    return found;
  };
  const [one, other] = [ranks(left), ranks(right)];
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [oneMean, otherMean] = [mean(one), mean(other)];
  let product = 0;
  let oneSquares = 0;
  let otherSquares = 0;
  for (const [index, rank] of one.entries()) {
    const [a, b] = [rank - oneMean, (other[index] ?? 0) - otherMean];
    product += a * b;
    oneSquares += a * a;
    otherSquares += b * b;
  }
  return product / Math.sqrt(oneSquares * otherSquares);
}
