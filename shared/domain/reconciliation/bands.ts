/**
 * Whether Meta and GA4 differ by as much as they always do. Nobody publishes a right figure; a tenant's own past is the
 * measure, and what practitioners call broken is the outer limit.
 */

export type Band = 'green' | 'amber' | 'red' | 'too-few';

export interface Baseline {
  /** GA4 ÷ Meta (7d_click) in the middle week. */
  readonly median: number;
  /** Median absolute deviation of the weeks from it. */
  readonly mad: number;
  readonly weeks: number;
}

/** Fewer purchases than this say nothing. */
const minPurchases = 30;
/** Weeks a baseline looks back, and how few are none. */
const baselineWeeks = 8;
const fewestWeeks = 4;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Of the weeks before; undefined when they are too few. One bad week among them does not move it. */
export function baselineOf(ratios: readonly number[]): Baseline | undefined {
  const weeks = ratios.slice(-baselineWeeks);
  if (weeks.length < fewestWeeks) return undefined;
  const middle = median(weeks);
  return { median: middle, mad: median(weeks.map((ratio) => Math.abs(ratio - middle))), weeks: weeks.length };
}

export interface Verdict {
  readonly band: Band;
  /** Why, in words fit to show. */
  readonly why: string;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

/**
 * @param purchases7dClick Meta's purchases after a click, the side compared
 * @param ga4Purchases GA4's purchases of the same campaigns
 */
export function bandOf(purchases7dClick: number, ga4Purchases: number, baseline: Baseline | undefined): Verdict {
  if (purchases7dClick < minPurchases) {
    return { band: 'too-few', why: `fewer than ${minPurchases} purchases say nothing` };
  }
  const ratio = ga4Purchases / purchases7dClick;
  const gap = 1 - ratio;
  if (ratio > 1.1)
    return { band: 'red', why: `GA4 counts ${percent(ratio - 1)} more than Meta, which should count more` };
  if (gap > 0.5) return { band: 'red', why: `GA4 misses ${percent(gap)} of what Meta counts: something is broken` };
  if (gap < 0.05 && purchases7dClick > 100) {
    return {
      band: 'red',
      why: `a gap of ${percent(gap)} is too clean to be true: are events sent twice, or counted by one side for the other?`,
    };
  }
  if (baseline !== undefined) {
    const moved = Math.abs(ratio - baseline.median);
    if (moved > Math.max(0.25, 4 * baseline.mad)) {
      return {
        band: 'red',
        why: `a step: ${percent(ratio)} of Meta's purchases are in GA4, it used to be ${percent(baseline.median)}`,
      };
    }
    if (moved > Math.max(0.1, 2 * baseline.mad)) {
      return {
        band: 'amber',
        why: `${percent(ratio)} of Meta's purchases are in GA4, it used to be ${percent(baseline.median)}`,
      };
    }
  }
  if (gap > 0.4) return { band: 'amber', why: `GA4 misses ${percent(gap)} of what Meta counts` };
  return { band: 'green', why: `GA4 has ${percent(ratio)} of Meta's purchases, as usual` };
}
