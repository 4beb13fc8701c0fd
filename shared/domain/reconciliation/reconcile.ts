/** One tenant's week, Meta against GA4. */
import { Big } from 'big.js';
import { addDays, daysBetween } from '../insights/account-day.ts';
import { baselineOf, bandOf } from './bands.ts';
import type { Baseline, Verdict } from './bands.ts';
import { channelTrap, explainGap, mainCause } from './causes.ts';
import type { Cause, CausePart } from './causes.ts';
import { isFromMeta, matchRows } from './match.ts';
import type { Ga4Row, MatchedBy, MetaAd } from './match.ts';

/** Both sides of a week and what is known around it. */
export interface WeekInput {
  /** `2026-W48` */
  readonly week: string;
  readonly ads: readonly MetaAd[];
  readonly rows: readonly Ga4Row[];
  /** Purchases that came through the relay in these days, of whatever channel; undefined when it does not know all. */
  readonly orders?: number | undefined;
  readonly zoneShiftHours: number;
  /** All of GA4's purchases from Meta on the day before the first and on the last day. */
  readonly edgeDays: { readonly before: number; readonly last: number };
  /** ISO 4217, as each side says. */
  readonly currencies: { readonly meta: string; readonly ga4: string };
  /** GA4 said so itself. */
  readonly hasOther: boolean;
  readonly isThresholded: boolean;
}

/** What is kept of a week, to be the past of the next ones. */
export interface WeekFigures {
  readonly week: string;
  readonly ratio: number | null;
  readonly sessionShare: number | null;
  /** Meta's purchases after a click in the purchases that came through the relay. */
  readonly orderShare: number | null;
  readonly causeShares: Readonly<Partial<Record<Cause, number>>>;
}

export interface Reconciliation extends Verdict {
  readonly week: string;
  /** Meta's purchases with views, after a click, by views; and GA4's of the same campaigns. */
  readonly purchases: number;
  readonly purchases7dClick: number;
  readonly viewThrough: number;
  readonly ga4Purchases: number;
  readonly baseline: Baseline | null;
  readonly gapHundredths: number;
  readonly parts: readonly CausePart[];
  readonly mainCause: Cause | 'currency' | null;
  readonly matchedBy: Readonly<Record<MatchedBy, number>>;
  readonly unmatchedCampaigns: readonly string[];
  readonly channelTrap: { readonly sessions: number; readonly mediums: readonly string[] };
  readonly flags: readonly string[];
  readonly figures: WeekFigures;
}

/** Younger rows may still change: seven days of attribution and two until both sides have their data. */
const provisionalDays = 9;

export function isProvisional(lastDay: string, today: string): boolean {
  return daysBetween(lastDay, today) < provisionalDays;
}

/** The newest week of which no day is provisional, by its Sunday. */
export function newestFinalSunday(today: string): string {
  const last = addDays(today, -provisionalDays);
  return addDays(last, -(new Date(Date.parse(last)).getUTCDay() % 7));
}

const sum = <T>(list: readonly T[], read: (item: T) => number): number =>
  list.reduce((total, item) => total + read(item), 0);
/** Averages of orders that differ by so much are not of one currency. */
const currencyFactor = 1.5;

/** @param past figures of the weeks before, oldest first */
export function reconcileWeek(input: WeekInput, past: readonly WeekFigures[]): Reconciliation {
  const { ads, rows, week } = input;
  const matches = matchRows(ads, rows);
  const purchases = sum(ads, (ad) => ad.purchases);
  const purchases7dClick = sum(ads, (ad) => ad.purchases7dClick);
  const ga4Purchases = sum(matches.matched, ({ row }) => row.purchases);
  const ratios = past.flatMap(({ ratio }) => (ratio === null ? [] : [ratio]));
  const baseline = baselineOf(ratios);
  const shares = past.flatMap(({ sessionShare }) => (sessionShare === null ? [] : [sessionShare]));
  const orderShares = past.flatMap(({ orderShare }) => (orderShare === null ? [] : [orderShare]));
  const { gapHundredths, parts } = explainGap({
    ads,
    matches,
    orders: input.orders,
    zoneShiftHours: input.zoneShiftHours,
    edgeDays: input.edgeDays,
    usualSessionShare: baselineOf(shares)?.median,
    usualRatio: baseline?.median,
    usualOrderShare: baselineOf(orderShares)?.median,
  });
  const usualShares = usualOf(past);
  const worth = {
    meta: sumOf(ads, (ad) => ad.purchaseValue),
    ga4: sumOf(matches.matched, ({ row }) => row.revenue),
  };
  const isOtherCurrency = differsInCurrency(input.currencies, worth, purchases, ga4Purchases);
  const seen = [...matches.matched.map(({ row }) => row), ...matches.unmatched, ...matches.other];
  const clicks = sum(ads, ({ linkClicks }) => linkClicks);
  return {
    week,
    ...bandOf(purchases7dClick, ga4Purchases, baseline),
    purchases,
    purchases7dClick,
    viewThrough: purchases - purchases7dClick,
    ga4Purchases,
    baseline: baseline ?? null,
    gapHundredths,
    parts,
    mainCause: isOtherCurrency ? 'currency' : (mainCause(parts, purchases, usualShares) ?? null),
    matchedBy: {
      'campaign-id': sum(
        matches.matched.filter(({ by }) => by === 'campaign-id'),
        ({ row }) => row.sessions,
      ),
      'content-id': sum(
        matches.matched.filter(({ by }) => by === 'content-id'),
        ({ row }) => row.sessions,
      ),
      'campaign-name': sum(
        matches.matched.filter(({ by }) => by === 'campaign-name'),
        ({ row }) => row.sessions,
      ),
    },
    unmatchedCampaigns: [...new Set(matches.unmatched.map(({ campaign }) => campaign))].toSorted().slice(0, 20),
    channelTrap: channelTrap(seen.filter(isFromMeta)),
    flags: [
      ...(input.hasOther || matches.other.length > 0 ? ['GA4 folded rows into (other): its sums are too small'] : []),
      ...(input.isThresholded ? ['GA4 left rows out so that nobody is recognised: its sums are too small'] : []),
      ...(isOtherCurrency ? [currencyFlag(input)] : []),
    ],
    figures: {
      week,
      ratio: purchases7dClick === 0 ? null : ga4Purchases / purchases7dClick,
      sessionShare: clicks === 0 ? null : sum(seen, (row) => row.sessions) / clicks,
      orderShare: (input.orders ?? 0) === 0 ? null : purchases7dClick / (input.orders ?? 1),
      causeShares: Object.fromEntries(
        parts.map(({ cause, hundredths }) => [cause, hundredths / 100 / Math.max(1, purchases)]),
      ),
    },
  };
}

/** The usual share of each cause: the middle of the weeks before. */
function usualOf(past: readonly WeekFigures[]): Partial<Record<Cause, number>> {
  const weeks = past.slice(-8);
  if (weeks.length < 4) return {};
  const all = new Set(weeks.flatMap(({ causeShares }) => Object.keys(causeShares) as Cause[]));
  return Object.fromEntries(
    [...all].map((cause) => {
      const sorted = weeks.map(({ causeShares }) => causeShares[cause] ?? 0).toSorted((a, b) => a - b);
      return [cause, sorted[Math.floor(sorted.length / 2)] ?? 0];
    }),
  );
}

/** Declared by the two sides, or told by what an order is worth on average. */
function differsInCurrency(
  currencies: WeekInput['currencies'],
  worth: { readonly meta: Big; readonly ga4: Big },
  purchases: number,
  ga4Purchases: number,
): boolean {
  if (currencies.ga4 !== '' && currencies.ga4 !== currencies.meta) return true;
  if (purchases < 10 || ga4Purchases < 10 || worth.meta.eq(0) || worth.ga4.eq(0)) return false;
  const factor = worth.ga4.div(ga4Purchases).div(worth.meta.div(purchases)).toNumber();
  return factor > currencyFactor || factor < 1 / currencyFactor;
}

function currencyFlag({ currencies }: WeekInput): string {
  return currencies.ga4 === currencies.meta
    ? 'an order is worth so differently on the two sides that one of them sends another currency than it says'
    : `GA4 counts in ${currencies.ga4}, the ad account in ${currencies.meta}: revenues cannot be compared without a rate`;
}

function sumOf<T>(list: readonly T[], read: (item: T) => string): Big {
  return list.reduce((total, item) => total.plus(read(item)), new Big(0));
}
