/** Where the difference between Meta and GA4 comes from: parts that add up to it exactly, in hundredths of a purchase. */
import { isFiledAsOrganic } from '../utm.ts';
import type { Ga4Row, Matches, MetaAd } from './match.ts';

const causes = [
  'view-through',
  'duplicates',
  'untagged-ads',
  'unmatched-ids',
  'hidden-by-ga4',
  'zone-shift',
  'consent-loss',
  'ga4-broken',
  'attribution-model',
] as const;
export type Cause = (typeof causes)[number];

export interface CausePart {
  readonly cause: Cause;
  /** Purchases Meta has and GA4 has not (negative: the other way), in hundredths. */
  readonly hundredths: number;
  /** Counted from what both sides say, or worked out from shares. */
  readonly how: 'counted' | 'estimated' | 'rest';
  readonly what: string;
}

export interface GapInput {
  readonly ads: readonly MetaAd[];
  readonly matches: Matches;
  /** Purchases the shop itself sent for these days, whatever brought them; undefined when nobody knows. */
  readonly orders?: number | undefined;
  /** Hours the ad account's day begins before GA4's; 0 when both count alike. */
  readonly zoneShiftHours: number;
  /** GA4's matched purchases on the day before the first and on the last day, by its own calendar. */
  readonly edgeDays: { readonly before: number; readonly last: number };
  /** The share of tagged clicks that usually becomes a session; undefined in the first weeks. */
  readonly usualSessionShare?: number | undefined;
  /** What GA4 usually has of Meta's purchases after a click. */
  readonly usualRatio?: number | undefined;
  /** Which share of the shop's own count Meta usually claims. */
  readonly usualOrderShare?: number | undefined;
}

/** Less than this beyond what there can have been is nothing to name. */
const duplicatesFrom = 0.2;
/** A week's sessions over clicks below this share of the usual is a loss worth a name. */
const lossFrom = 0.9;
/** Of clicks that are not answered for by ad blockers and bounces before the tag loads. */
const typicalSessionShare = 0.85;

const hundredths = (purchases: number): number => Math.round(purchases * 100);
const sum = <T>(list: readonly T[], read: (item: T) => number): number =>
  list.reduce((total, item) => total + read(item), 0);

/**
 * The gap between what Meta counts (clicks and views) and what GA4 counts for the same campaigns, part by part. Counted
 * parts stand as they are counted; estimated ones are at most what is left; what nothing explains is the different way
 * in which the two attribute.
 */
export function explainGap(input: GapInput): { readonly gapHundredths: number; readonly parts: CausePart[] } {
  const { ads, matches } = input;
  const all = sum(ads, ({ purchases }) => purchases);
  const clicked = sum(ads, ({ purchases7dClick }) => purchases7dClick);
  const ga4 = sum(matches.matched, ({ row }) => row.purchases);
  const gapHundredths = hundredths(all) - hundredths(ga4);
  const parts: CausePart[] = [];
  let left = gapHundredths;
  const take = (cause: Cause, amount: number, how: CausePart['how'], what: string): void => {
    if (amount === 0) return;
    parts.push({ cause, hundredths: amount, how, what });
    left -= amount;
  };
  /** At most what is left, and nothing of the other sign. */
  const atMost = (amount: number): number => (left > 0 ? Math.max(0, Math.min(left, amount)) : 0);

  take(
    'view-through',
    hundredths(all) - hundredths(clicked),
    'counted',
    'Meta counts people who saw an ad and did not click; GA4 cannot.',
  );
  const untagged = sum(
    ads.filter(({ isTagged }) => !isTagged),
    ({ purchases7dClick }) => purchases7dClick,
  );
  const twice = countedTwice(input, clicked, ga4);
  if (twice !== undefined) take('duplicates', atMost(hundredths(twice.extra)), twice.how, twice.what);
  const share = clicked === 0 ? 0 : (clicked - Math.max(0, duplicated(parts))) / clicked;
  take(
    'untagged-ads',
    atMost(hundredths(untagged * share * usual(input))),
    'counted',
    'Ads whose links lack the tags: GA4 has their purchases, but of no campaign.',
  );
  take(
    'unmatched-ids',
    atMost(hundredths(sum(matches.unmatched, ({ purchases }) => purchases))),
    'counted',
    'GA4 has purchases from Meta whose tags name no campaign of this account.',
  );
  take(
    'hidden-by-ga4',
    atMost(hundredths(sum(matches.other, ({ purchases }) => purchases))),
    'counted',
    'GA4 folds rows it will not show into (other).',
  );
  const shifted = (input.zoneShiftHours / 24) * (input.edgeDays.before - input.edgeDays.last);
  take(
    'zone-shift',
    left > 0 ? atMost(hundredths(shifted)) : 0,
    'estimated',
    'The days of the two begin at different hours.',
  );
  takeSessionLoss(input, ga4, atMost, take);
  take(
    'attribution-model',
    left,
    'rest',
    'GA4 credits the last click of any channel, Meta its own ad within seven days.',
  );
  return { gapHundredths, parts };
}

/**
 * What Meta counts beyond what there can have been: more than the shop sent in all, or more of it than ever while GA4 saw
 * nothing of that growth. The shop's own count is of all channels, so fewer are never proof of the contrary.
 */
function countedTwice(
  { orders, usualOrderShare, usualRatio }: GapInput,
  clicked: number,
  ga4: number,
): { readonly extra: number; readonly how: CausePart['how']; readonly what: string } | undefined {
  if (orders === undefined) return undefined;
  const because = 'events of one order are not recognised as one, or reach Meta past the relay as well.';
  const sure = clicked - orders;
  const expected = orders * (usualOrderShare ?? 1);
  const grown = usualRatio === undefined || usualRatio === 0 ? sure : clicked - ga4 / usualRatio;
  const likely = Math.min(clicked - expected, grown);
  const extra = Math.max(sure, likely);
  if (extra <= Math.min(orders, expected) * duplicatesFrom) return undefined;
  const how = likely > sure ? 'estimated' : 'counted';
  return sure > 0
    ? { extra, how, what: `Meta counts more purchases than the shop sent in all: ${because}` }
    : { extra, how, what: `Meta claims more of the shop's orders than ever, and GA4 sees nothing of it: ${because}` };
}

const duplicated = (parts: readonly CausePart[]): number =>
  sum(
    parts.filter(({ cause }) => cause === 'duplicates'),
    (part) => part.hundredths,
  ) / 100;

/** Of an ad's purchases GA4 would have had so many, had it known the campaign. */
const usual = ({ usualRatio }: GapInput): number => Math.min(1, usualRatio ?? 1);

/** Clicks that never became a session: no consent, or no tag on the page at all. */
function takeSessionLoss(
  { ads, matches, usualSessionShare = typicalSessionShare }: GapInput,
  ga4: number,
  atMost: (amount: number) => number,
  take: (cause: Cause, amount: number, how: CausePart['how'], what: string) => void,
): void {
  const clicks = sum(
    ads.filter(({ isTagged }) => isTagged),
    ({ linkClicks }) => linkClicks,
  );
  const seen = [...matches.matched.map(({ row }) => row), ...matches.unmatched, ...matches.other];
  const sessions = sum(seen, (row) => row.sessions);
  const shown = clicks === 0 ? 1 : sessions / clicks;
  if (shown < usualSessionShare * lossFrom && shown > 0.02) {
    // What is there stands for the share that was seen.
    const lost = (ga4 * usualSessionShare) / shown - ga4;
    take(
      'consent-loss',
      atMost(hundredths(lost)),
      'estimated',
      'Fewer of the clicks than usual became sessions: consent refused, or the tag loads late.',
    );
  }
  const purchasesSeen = sum(seen, (row) => row.purchases);
  if (purchasesSeen < 1 && clicks > 0) {
    take(
      'ga4-broken',
      atMost(Number.MAX_SAFE_INTEGER),
      'estimated',
      'GA4 has no purchase at all from Meta: its purchase event is missing.',
    );
  }
}

/** The part that stands out most: what is larger than it is in the tenant's usual week, in shares of Meta's purchases. */
export function mainCause(
  parts: readonly CausePart[],
  purchases: number,
  usualShares: Readonly<Partial<Record<Cause, number>>> = {},
): Cause | undefined {
  const excess = parts
    .map(({ cause, hundredths: amount }) => ({
      cause,
      excess: amount / 100 / Math.max(1, purchases) - (usualShares[cause] ?? 0),
    }))
    .toSorted((a, b) => b.excess - a.excess);
  const first = excess[0];
  return first !== undefined && first.excess > 0.05 ? first.cause : undefined;
}

/** Sessions of Meta's ads that GA4 does not file under its paid channels, by their medium. */
export function channelTrap(rows: readonly Ga4Row[]): {
  readonly sessions: number;
  readonly mediums: readonly string[];
} {
  const trapped = rows.filter(({ medium }) => isFiledAsOrganic(medium));
  return {
    sessions: sum(trapped, ({ sessions }) => sessions),
    mediums: [...new Set(trapped.map(({ medium }) => medium))].toSorted(),
  };
}
