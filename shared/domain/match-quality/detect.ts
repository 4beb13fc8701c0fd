import { dayMs, median, pollEveryMs, spread } from './reading.ts';
import type { Reading } from './reading.ts';

/** What can be wrong with one event name's match quality. */
export const qualityProblems = ['match-quality-drop', 'match-quality-decay', 'events-stopped'] as const;
export type QualityProblem = (typeof qualityProblems)[number];

export interface QualityFinding {
  readonly problem: QualityProblem;
  /** When it began, Unix milliseconds, as far as the polls can tell. */
  readonly sinceMs: number;
  /** The level before and the lowest since: scores, or events a day for `events-stopped`. */
  readonly before: number;
  readonly now: number;
}

export type Judgement =
  | { readonly kind: 'problem'; readonly finding: QualityFinding }
  | { readonly kind: 'fine' }
  /** Too little is known to say anything, and why. Nobody is woken for it, and nothing is called mended. */
  | { readonly kind: 'unknown'; readonly because: 'few-events' | 'short-history' | 'no-score' };

/** Below this many events a day a score moves by chance. */
const fewestEventsPerDay = 50;

/** A drop must be this deep, in points, whatever the usual noise. */
const leastDrop = 0.6;
/** So deep a fall is believed at the first sight of it; others need a second poll. */
const obviousDrop = 1.8;
const leastDecay = 0.6;
const dropWindowMs = 14 * dayMs;
const decayWindowMs = 28 * dayMs;
const fewestReadings = 8;

/**
 * Judges the readings of one event name, oldest first. Weekly rhythm is no problem: a drop must go below what the
 * last two weeks showed one time in ten, and a decay compares whole weeks. Missing polls are gaps, never zeros.
 */
export function judgeReadings(readings: readonly Reading[]): Judgement {
  const last = readings.at(-1);
  if (last === undefined) return { kind: 'unknown', because: 'short-history' };
  const stopped = stoppedEvents(readings, last);
  if (stopped !== undefined) return { kind: 'problem', finding: stopped };
  if (isQuiet(readings)) return { kind: 'unknown', because: 'few-events' };
  const scored = readings.filter(hasScore);
  if (scored.length === 0 || last.score === null) return { kind: 'unknown', because: 'no-score' };
  if (scored.length < fewestReadings) return { kind: 'unknown', because: 'short-history' };
  const finding = drop(scored) ?? decay(scored);
  return finding === undefined ? { kind: 'fine' } : { kind: 'problem', finding };
}

/**
 * Whether a problem found earlier is over: the level before is reached again, in two polls on end. A dip that lasted
 * longer than the window of {@link judgeReadings} has become the history there, so only this ends it.
 */
export function hasRecovered(finding: QualityFinding, readings: readonly Reading[]): boolean {
  const lastTwo = readings.slice(-2);
  if (lastTwo.length < 2) return false;
  if (finding.problem === 'events-stopped') {
    return lastTwo.every(({ eventsPerDay }) => eventsPerDay !== null && eventsPerDay >= finding.before / 4);
  }
  const nearly = finding.before - Math.min(0.4, (finding.before - finding.now) / 2);
  return lastTwo.every(({ score }) => score !== null && score >= nearly);
}

type Scored = Reading & { readonly score: number };
const hasScore = (reading: Reading): reading is Scored => reading.score !== null;

function isQuiet(readings: readonly Reading[]): boolean {
  const volumes = readings.slice(-8).flatMap(({ eventsPerDay }) => (eventsPerDay === null ? [] : [eventsPerDay]));
  return volumes.length === 0 || median(volumes) < fewestEventsPerDay;
}

/** Events came every day, and now none has for a day. Two polls, so that a late counter is no alarm. */
function stoppedEvents(readings: readonly Reading[], last: Reading): QualityFinding | undefined {
  const silent = readings.slice(-2);
  if (silent.length < 2 || silent.some(({ eventsPerDay }) => eventsPerDay !== 0)) return undefined;
  const before = readings
    .filter(({ atMs }) => atMs >= last.atMs - dropWindowMs)
    .flatMap(({ eventsPerDay }) => (eventsPerDay === null || eventsPerDay === 0 ? [] : [eventsPerDay]));
  if (before.length < fewestReadings || median(before) < fewestEventsPerDay) return undefined;
  const firstSilent = readings.findLastIndex(({ eventsPerDay }) => eventsPerDay !== 0 && eventsPerDay !== null) + 1;
  const sinceMs = (readings[firstSilent]?.atMs ?? last.atMs) - dayMs;
  return { problem: 'events-stopped', sinceMs, before: median(before), now: 0 };
}

function drop(scored: readonly Scored[]): QualityFinding | undefined {
  const last = scored.at(-1);
  const previous = scored.at(-2);
  if (last === undefined || previous === undefined) return undefined;
  const history = scored.filter(({ atMs }) => atMs < previous.atMs && atMs >= last.atMs - dropWindowMs);
  if (history.length < fewestReadings) return undefined;
  const scores = history.map(({ score }) => score);
  const before = median(scores);
  const usual = spread(scores);
  // What two weeks showed one time in ten is usual, as a weekend is; a single dip is not.
  const usualLow = scores.toSorted((left, right) => left - right)[Math.floor(scores.length / 10)] ?? before;
  const isBelow = (score: number, depth: number): boolean => score < before - depth && score < usualLow - 0.25;
  const depth = Math.max(leastDrop, 4 * usual);
  const knowsAWeek = last.atMs - (history[0]?.atMs ?? last.atMs) >= 7 * dayMs;
  const isConfirmed = knowsAWeek && isBelow(last.score, depth) && isBelow(previous.score, depth);
  const isObvious = isBelow(last.score, Math.max(obviousDrop, 8 * usual));
  if (!isConfirmed && !isObvious) return undefined;
  const sinceMs = isBelow(previous.score, depth) ? previous.atMs : last.atMs;
  return { problem: 'match-quality-drop', sinceMs: sinceMs - pollEveryMs, before, now: last.score };
}

/** Four weeks that go down, week by week, by more than the noise within a week could make. */
function decay(scored: readonly Scored[]): QualityFinding | undefined {
  const last = scored.at(-1);
  if (last === undefined) return undefined;
  const weeks = [3, 2, 1, 0].map((weeksAgo) =>
    scored
      .filter(({ atMs }) => {
        const ageMs = last.atMs - atMs;
        return ageMs >= weeksAgo * 7 * dayMs && ageMs < (weeksAgo + 1) * 7 * dayMs && ageMs < decayWindowMs;
      })
      .map(({ score }) => score),
  );
  if (weeks.some((scores) => scores.length < fewestReadings / 2)) return undefined;
  const levels = weeks.map((scores) => median(scores));
  const [first = 0] = levels;
  const newest = levels.at(-1) ?? 0;
  const isFalling = levels.every((level, week) => week === 0 || level < (levels[week - 1] ?? 0) - 0.05);
  const noise = median(weeks.map((scores) => spread(scores)));
  if (!isFalling || first - newest < Math.max(leastDecay, 2 * noise)) return undefined;
  return { problem: 'match-quality-decay', sinceMs: last.atMs - 3 * 7 * dayMs, before: first, now: newest };
}
