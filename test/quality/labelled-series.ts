import { judgeReadings, hasRecovered } from '../../shared/domain/match-quality/detect.ts';
import type { QualityFinding } from '../../shared/domain/match-quality/detect.ts';
import { dayMs, pollEveryMs } from '../../shared/domain/match-quality/reading.ts';
import type { Reading } from '../../shared/domain/match-quality/reading.ts';
import { Random } from '../random.ts';

/** Histories of one event name, each with what a person looking at the curve would say. */
const seriesKinds = [
  'drop',
  'deep-drop',
  'decay',
  'stopped',
  'weekly-rhythm',
  'few-events',
  'missing-polls',
  'flat-line',
  'noise',
  'dip-that-returns',
] as const;
export type SeriesKind = (typeof seriesKinds)[number];

const expected: Readonly<Record<SeriesKind, QualityFinding['problem'] | undefined>> = {
  drop: 'match-quality-drop',
  'deep-drop': 'match-quality-drop',
  decay: 'match-quality-decay',
  stopped: 'events-stopped',
  'weekly-rhythm': undefined,
  'few-events': undefined,
  'missing-polls': undefined,
  'flat-line': undefined,
  noise: undefined,
  'dip-that-returns': undefined,
};

interface LabelledSeries {
  readonly kind: SeriesKind;
  readonly readings: readonly Reading[];
  /** The index of the first reading that shows the trouble. */
  readonly onset: number | undefined;
}

const days = 42;
const pollsPerDay = dayMs / pollEveryMs;
const startMs = Date.parse('2026-09-01T00:00:00Z');

function seriesOf(kind: SeriesKind, random: Random): LabelledSeries {
  const base = 5 + random.next() * 4;
  const noise = kind === 'flat-line' ? 0 : kind === 'noise' ? 0.25 + random.next() * 0.15 : 0.05 + random.next() * 0.1;
  const count = days * pollsPerDay;
  const onset = 30 * pollsPerDay + random.below(6 * pollsPerDay);
  const depth = kind === 'deep-drop' ? 2.5 + random.next() * 2 : 1.2 + random.next();
  const volume = kind === 'few-events' ? 5 + random.below(30) : 200 + random.below(5_000);
  const gaussian = (): number => random.next() + random.next() + random.next() + random.next() - 2;
  const readings: Reading[] = [];
  for (let index = 0; index < count; index += 1) {
    const atMs = startMs + index * pollEveryMs;
    if (kind === 'missing-polls' && (random.chance(0.2) || (index > 60 && index < 68))) continue;
    let score = base + noise * gaussian() * 1.7;
    let eventsPerDay: number | null = Math.round(volume * (0.8 + random.next() * 0.4));
    if (kind === 'few-events') score = 2 + random.next() * 7;
    if (kind === 'weekly-rhythm') score -= [0, 6].includes(new Date(atMs).getUTCDay()) ? 0.9 : 0;
    if ((kind === 'drop' || kind === 'deep-drop') && index >= onset) score -= depth;
    if (kind === 'dip-that-returns' && index === onset) score -= 0.7 + random.next() * 0.6;
    // Over the last four weeks: 1.2 to 2.2 points.
    if (kind === 'decay') score -= (depth * Math.max(0, index - (count - 28 * pollsPerDay))) / (28 * pollsPerDay);
    const isSilent = kind === 'stopped' && index >= onset + pollsPerDay;
    if (isSilent) eventsPerDay = 0;
    const isBelowScale = isSilent && index >= onset + 3 * pollsPerDay;
    readings.push({
      atMs,
      score: isBelowScale ? null : Math.round(Math.min(10, Math.max(0, score)) * 10) / 10,
      coverage: {},
      eventsPerDay,
    });
  }
  const first = { drop: onset, 'deep-drop': onset, stopped: onset + pollsPerDay }[kind as string];
  return { kind, readings, onset: first };
}

export interface AlertFigures {
  readonly series: number;
  readonly recall: number;
  readonly precision: number;
  /** Of drops and stops: the most polls from the first that shows it to the alert. */
  readonly slowestPolls: number;
  readonly pagesForFewEvents: number;
  readonly mistakes: readonly string[];
}

/** Lets time pass over `series` labelled histories, poll by poll, as emq-poller does, and counts what it would tell. */
export function judgeLabelledSeries(series: number, seed: number): AlertFigures {
  const random = new Random(seed);
  const mistakes: string[] = [];
  let hits = 0;
  let wanted = 0;
  let alerts = 0;
  let slowestPolls = 0;
  let pagesForFewEvents = 0;
  for (let index = 0; index < series; index += 1) {
    const kind = seriesKinds[index % seriesKinds.length] ?? 'noise';
    const { readings, onset } = seriesOf(kind, random);
    const raised = raisedOver(readings);
    alerts += raised.length;
    if (kind === 'few-events') pagesForFewEvents += raised.length;
    const want = expected[kind];
    const right = raised.find(({ problem, at }) => problem === want && (onset === undefined || at >= onset));
    if (want !== undefined) {
      wanted += 1;
      if (right === undefined) mistakes.push(`${kind} ${index}: not seen`);
      else {
        hits += 1;
        if (onset !== undefined) slowestPolls = Math.max(slowestPolls, right.at - onset + 1);
      }
    }
    for (const one of raised) if (one !== right) mistakes.push(`${kind} ${index}: ${one.problem} at poll ${one.at}`);
  }
  return {
    series,
    recall: hits / wanted,
    precision: alerts === 0 ? 0 : hits / alerts,
    slowestPolls,
    pagesForFewEvents,
    mistakes,
  };
}

function raisedOver(readings: readonly Reading[]): { problem: QualityFinding['problem']; at: number }[] {
  const raised: { problem: QualityFinding['problem']; at: number }[] = [];
  let open: QualityFinding | undefined;
  for (let end = 1; end <= readings.length; end += 1) {
    const seen = readings.slice(Math.max(0, end - 29 * pollsPerDay), end);
    if (open !== undefined && !hasRecovered(open, seen)) continue;
    const judgement = judgeReadings(seen);
    open = judgement.kind === 'problem' ? judgement.finding : undefined;
    if (open !== undefined) raised.push({ problem: open.problem, at: end - 1 });
  }
  return raised;
}
