import type { QualityFinding } from './detect.ts';
import type { MatchKey } from './key-mix.ts';
import { highestScore } from './predict.ts';
import type { MatchWeights } from './predict.ts';
import { dayMs, identifierKeys, median } from './reading.ts';
import type { Reading } from './reading.ts';

/** A change of the tenant's settings that the audit trail knows. */
export interface ConfigurationChange {
  readonly atMs: number;
  /** What was done, as the audit trail names it, e.g. `relay-settings-changed`. */
  readonly action: string;
  readonly actor: string;
}

/** The share of received events held back or dropped for want of consent, 0 to 1; null where no events came. */
export interface ConsentShares {
  readonly before: number | null;
  readonly now: number | null;
}

export interface CauseCandidate {
  readonly cause: 'key-coverage' | 'configuration' | 'consent';
  /** The identifier or the action. */
  readonly subject: string;
  /** 0 to 1: how much of the change it would explain. For order only. */
  readonly weight: number;
  /** One sentence for a person. */
  readonly because: string;
}

const consideredMs = 7 * dayMs;
const likelyMs = 2 * dayMs;
/** Less than this many percentage points come and go. */
const leastCoverageFall = 5;
const leastConsentRise = 0.1;

/**
 * What may have caused a finding, the most likely first: identifiers that fewer events carry than before, weighed by what
 * the predictor says that costs; changes of settings shortly before; more people who refuse consent. Empty when nothing
 * that we can see changed.
 */
export function causesOf(
  finding: QualityFinding,
  readings: readonly Reading[],
  known: {
    readonly weights: MatchWeights;
    readonly changes: readonly ConfigurationChange[];
    readonly consent: ConsentShares;
  },
): CauseCandidate[] {
  return [
    ...lostKeys(finding, readings, known.weights),
    ...recentChanges(finding, known.changes),
    ...lostConsent(known.consent),
  ].sort((left, right) => right.weight - left.weight);
}

function lostKeys(finding: QualityFinding, readings: readonly Reading[], weights: MatchWeights): CauseCandidate[] {
  if (finding.problem === 'events-stopped') return [];
  const before = readings.filter(({ atMs }) => atMs < finding.sinceMs && atMs >= finding.sinceMs - 14 * dayMs);
  const after = readings.filter(({ atMs }) => atMs > finding.sinceMs).slice(-4);
  if (before.length === 0 || after.length === 0) return [];
  const usual = coverageLevels(before);
  const now = coverageLevels(after.slice(-2));
  const fallen = finding.before - finding.now;
  return Object.keys(identifierKeys).flatMap((identifier) => {
    const from = usual.get(identifier) ?? 0;
    const to = now.get(identifier) ?? 0;
    if (from - to < leastCoverageFall) return [];
    const cost = scoreAt(usual, weights) - scoreAt(new Map([...usual, [identifier, to]]), weights);
    const because = `${identifier} came with ${Math.round(from)} % of the events, now with ${Math.round(to)} %.`;
    // A key that fell is evidence even where the predictor thinks little of it.
    const weight = Math.min(1, 0.35 + 0.65 * Math.min(1, cost / Math.max(0.1, fallen)));
    return [{ cause: 'key-coverage' as const, subject: identifier, weight, because }];
  });
}

function coverageLevels(readings: readonly Reading[]): Map<string, number> {
  return new Map(
    Object.keys(identifierKeys).map((identifier) => [
      identifier,
      median(readings.map(({ coverage }) => coverage[identifier] ?? 0)),
    ]),
  );
}

/** The predicted score if each identifier came by chance with its share of the events. */
function scoreAt(coverage: ReadonlyMap<string, number>, weights: MatchWeights): number {
  let missed = 1;
  for (const [identifier, percentage] of coverage) {
    const key: MatchKey | undefined = identifierKeys[identifier as keyof typeof identifierKeys];
    if (key === undefined) continue;
    const share = percentage / 100;
    missed *= 1 - share + share * Math.exp(-weights[key]);
  }
  return highestScore * (1 - missed);
}

function recentChanges(finding: QualityFinding, changes: readonly ConfigurationChange[]): CauseCandidate[] {
  return changes.flatMap(({ atMs, action, actor }) => {
    const earlierMs = finding.sinceMs + dayMs / 2 - atMs;
    if (earlierMs < 0 || earlierMs > consideredMs) return [];
    const when = new Date(atMs).toISOString();
    const weight = earlierMs <= likelyMs + dayMs / 2 ? 0.6 : 0.3;
    return [{ cause: 'configuration' as const, subject: action, weight, because: `${action} by ${actor} at ${when}.` }];
  });
}

function lostConsent({ before, now }: ConsentShares): CauseCandidate[] {
  if (before === null || now === null || now - before < leastConsentRise) return [];
  const percent = (share: number): number => Math.round(share * 100);
  const because = `Without consent were ${percent(before)} % of the events, now ${percent(now)} %.`;
  const weight = Math.min(0.95, 0.45 + (now - before));
  return [{ cause: 'consent', subject: 'consent', weight, because }];
}
