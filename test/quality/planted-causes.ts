import { causesOf } from '../../shared/domain/match-quality/causes.ts';
import type { ConfigurationChange, ConsentShares } from '../../shared/domain/match-quality/causes.ts';
import { judgeReadings } from '../../shared/domain/match-quality/detect.ts';
import { startingWeights } from '../../shared/domain/match-quality/predict.ts';
import { dayMs, identifierKeys, pollEveryMs } from '../../shared/domain/match-quality/reading.ts';
import type { Reading } from '../../shared/domain/match-quality/reading.ts';
import { Random } from '../random.ts';
import { findability } from '../simulator/event-quality.ts';

const startMs = Date.parse('2026-09-01T00:00:00Z');
const pollsBefore = 56;
const pollsAfter = 2;
const heavyIdentifiers = ['email', 'phone', 'fbc', 'fbp', 'external_id'] as const;

export interface CauseFigures {
  readonly cases: number;
  /** How often the planted cause is named first. */
  readonly first: number;
  readonly undetected: number;
  readonly mistakes: readonly string[];
}

/**
 * Plants one cause a case among things that change all the time: an identifier that vanishes, a change of settings, or
 * people who refuse consent. Scores come from the simulator's formula, which the product does not know.
 */
export function nameLabelledCauses(cases: number, seed: number): CauseFigures {
  const random = new Random(seed);
  const mistakes: string[] = [];
  let first = 0;
  let undetected = 0;
  for (let index = 0; index < cases; index += 1) {
    const kind = (['key-coverage', 'configuration', 'consent'] as const)[index % 3] ?? 'consent';
    const usual = Object.fromEntries(Object.keys(identifierKeys).map((name) => [name, 0.6 + random.next() * 0.4]));
    const lost = random.pick(heavyIdentifiers);
    const after = { ...usual, ...(kind === 'key-coverage' && { [lost]: random.next() * 0.1 }) };
    const fallAnyway = kind === 'key-coverage' ? 0 : 1 + random.next();
    const readings: Reading[] = [];
    for (let poll = 0; poll < pollsBefore + pollsAfter; poll += 1) {
      const isAfter = poll >= pollsBefore;
      const shares = isAfter ? after : usual;
      const noise = (random.next() - 0.5) * 0.2;
      readings.push({
        atMs: startMs + poll * pollEveryMs,
        score: Math.round((expectedScore(shares) - (isAfter ? fallAnyway : 0) + noise) * 10) / 10,
        coverage: Object.fromEntries(
          Object.entries(shares).map(([name, share]) => [name, Math.round(share * 100 + (random.next() - 0.5) * 4)]),
        ),
        eventsPerDay: 1_000,
      });
    }
    const judgement = judgeReadings(readings);
    if (judgement.kind !== 'problem') {
      undetected += 1;
      continue;
    }
    const onsetMs = startMs + pollsBefore * pollEveryMs;
    const change = (atMs: number, action: string): ConfigurationChange => ({ atMs, action, actor: 'a@kobi.example' });
    const changes = [
      // Older changes have nothing to do with it.
      change(onsetMs - (8 + random.below(20)) * dayMs, 'relay-key-issued'),
      ...(kind === 'configuration' ? [change(onsetMs - random.below(24) * 3_600_000, 'relay-settings-changed')] : []),
    ];
    const quiet = 0.05 + random.next() * 0.05;
    const consent: ConsentShares = {
      before: quiet,
      now: kind === 'consent' ? quiet + 0.2 + random.next() * 0.4 : quiet + 0.02,
    };
    const [named] = causesOf(judgement.finding, readings, { weights: startingWeights, changes, consent });
    const isRight = named?.cause === kind && (kind !== 'key-coverage' || named.subject === lost);
    if (isRight) first += 1;
    else
      mistakes.push(
        `${index} ${kind} ${kind === 'key-coverage' ? lost : ''}: named ${named?.cause ?? 'nothing'} ${named?.subject ?? ''}`,
      );
  }
  return { cases, first, undetected, mistakes };
}

/** The simulator's score when every identifier comes by chance with its share of the events. */
function expectedScore(shares: Readonly<Record<string, number>>): number {
  const names = Object.keys(identifierKeys) as (keyof typeof identifierKeys)[];
  let score = 0;
  for (let mix = 0; mix < 2 ** names.length; mix += 1) {
    let chance = 1;
    const userData: Record<string, string> = {};
    for (const [index, name] of names.entries()) {
      const share = shares[name] ?? 0;
      const has = (mix & (1 << index)) !== 0;
      chance *= has ? share : 1 - share;
      if (has) userData[identifierKeys[name]] = 'x';
    }
    score += 10 * chance * findability(userData);
  }
  return score;
}
