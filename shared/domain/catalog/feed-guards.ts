/**
 * When a feed is held back. A feed that is broken looks like one that is not: it is well formed, and would empty the
 * catalog or sell everything for a hundredth. Each guard asks whether this feed can be what the shop means, given the
 * last one that was; when in doubt the catalog keeps its last good state until the feed is well or a person says so.
 */
import { itemFieldNames } from './item-fields.ts';

/** What a feed looks like as a whole. Counts are of rows with a readable id, first rows of an id only. */
export interface FeedProfile {
  /** Rows of the feed, whatever they hold. */
  readonly rows: number;
  /** Distinct ids. */
  readonly items: number;
  /** Rows whose id an earlier row has. */
  readonly duplicates: number;
  /** Items that can be sent. */
  readonly valid: number;
  readonly inStock: number;
  readonly zeroPrices: number;
  /** Field → items that have a value in it. */
  readonly fields: Readonly<Record<string, number>>;
  /** Currency → items priced in it. */
  readonly currencies: Readonly<Record<string, number>>;
}

/** How it differs from what Meta has accepted, over the items that both have. */
export interface FeedComparison {
  /** Items Meta has. */
  readonly accepted: number;
  readonly common: number;
  /** Of the common ones: prices at least {@link guardLimits.priceJump} times higher or lower. */
  readonly priceJumps: number;
  readonly currencyChanges: number;
}

export const guards = [
  'empty-feed',
  'items-lost',
  'lost-column',
  'price-jump',
  'price-zero',
  'currency-flip',
  'all-out-of-stock',
  'duplicate-ids',
  'mostly-refused',
] as const;
export type Guard = (typeof guards)[number];

export interface GuardFinding {
  readonly guard: Guard;
  /** What is wrong with the feed, with its figures. */
  readonly what: string;
  /** What to do about it. */
  readonly fix: string;
}

const guardLimits = {
  /** Held when so large a share of the accepted items is gone. */
  lostShare: 0.5,
  /** Below so many items a share says nothing: the third of three products may simply be sold. */
  minItems: 10,
  /** A column counts as there when so large a share of the items had a value in it, … */
  columnShare: 0.5,
  /** … and as lost when no more than this share still has one. */
  columnLeftShare: 0.05,
  /** A factor, in either direction. A hundredfold error is caught with every plausible sale beside it. */
  priceJump: 20,
  /** Held when so large a share of the common items shows it. */
  changedShare: 0.2,
  zeroShare: 0.05,
  duplicateShare: 0.01,
  /** Held when so large a share of the rows cannot be sent. */
  refusedShare: 0.5,
} as const;

/**
 * Every guard the feed trips; none: it may be published.
 *
 * @param lastGood the feed that was last published; null before the first
 */
export function judgeFeed(
  feed: FeedProfile,
  comparison: FeedComparison,
  lastGood: FeedProfile | null,
): readonly GuardFinding[] {
  if (feed.items === 0) {
    const what = feed.rows === 0 ? 'The feed holds no rows.' : `None of the ${feed.rows} rows has an id.`;
    return [
      { guard: 'empty-feed', what, fix: 'Look at the feed at its source: an empty file would empty the catalog.' },
    ];
  }
  const found: GuardFinding[] = [];
  const hold = (guard: Guard, what: string, fix: string): void => void found.push({ guard, what, fix });

  const { accepted, common } = comparison;
  const lost = accepted - common;
  if (accepted >= guardLimits.minItems && lost >= accepted * guardLimits.lostShare) {
    hold(
      'items-lost',
      `${lost} of the ${accepted} items in the catalog (${percent(lost, accepted)}) are not in the feed.`,
      'Check that the export is complete. If the shop really dropped them, release the feed.',
    );
  }
  const columns = lastGood === null ? [] : lostColumns(feed, lastGood);
  if (columns.length > 0) {
    hold(
      'lost-column',
      `Items no longer have ${columns.join(', ')}.`,
      'Put the column back, under the name it had. If it was removed on purpose, release the feed.',
    );
  }
  if (isShare(comparison.priceJumps, common, guardLimits.changedShare)) {
    hold(
      'price-jump',
      `${comparison.priceJumps} of ${common} prices changed at least ${guardLimits.priceJump}-fold.`,
      'Check the decimal point: prices are whole units, such as 10.00 TRY.',
    );
  }
  if (isShare(feed.zeroPrices, feed.items, guardLimits.zeroShare)) {
    hold(
      'price-zero',
      `${feed.zeroPrices} of ${feed.items} prices are 0.`,
      'Check where the export takes the price from.',
    );
  }
  if (isShare(comparison.currencyChanges, common, guardLimits.changedShare)) {
    const now = Object.keys(feed.currencies).toSorted().join(', ');
    hold(
      'currency-flip',
      `${comparison.currencyChanges} of ${common} prices changed their currency; the feed is in ${now}.`,
      'Check the currency of the export. If the shop changed its currency, release the feed.',
    );
  }
  if (feed.valid > 0 && feed.inStock === 0 && feed.items >= guardLimits.minItems) {
    hold(
      'all-out-of-stock',
      `None of the ${feed.valid} items is in stock.`,
      'Check the stock in the export. If the shop is really sold out, release the feed.',
    );
  }
  if (isShare(feed.duplicates, feed.rows, guardLimits.duplicateShare)) {
    hold(
      'duplicate-ids',
      `${feed.duplicates} of ${feed.rows} rows have an id that an earlier row has.`,
      'Give each variant an id of its own; the shared one belongs in item_group_id.',
    );
  }
  const refused = feed.items - feed.valid;
  if (found.length === 0 && isShare(refused, feed.items, guardLimits.refusedShare)) {
    hold('mostly-refused', `${refused} of ${feed.items} items are not valid.`, 'The problems of the rows say why.');
  }
  return found;
}

/** Whether a price is so far from what it was that it is rather a mistake than a sale. */
export function isPriceJump(beforeHundredths: number, afterHundredths: number): boolean {
  return (
    afterHundredths >= beforeHundredths * guardLimits.priceJump ||
    beforeHundredths >= afterHundredths * guardLimits.priceJump
  );
}

/** What ends for all items at once in the ordinary course of things: a sale, a stock count. */
const passingFields = new Set([
  'sale_price',
  'sale_price_effective_date',
  'expiration_date',
  'quantity_to_sell_on_facebook',
]);

/** Columns that most items had and next to none has. Without a required one rows are refused, which says it less well. */
function lostColumns(feed: FeedProfile, lastGood: FeedProfile): string[] {
  return itemFieldNames.filter((field) => {
    if (field === 'id' || passingFields.has(field)) return false;
    const before = (lastGood.fields[field] ?? 0) / Math.max(1, lastGood.items);
    const after = (feed.fields[field] ?? 0) / feed.items;
    return before >= guardLimits.columnShare && after <= guardLimits.columnLeftShare;
  });
}

function isShare(part: number, whole: number, share: number): boolean {
  return part > 0 && part >= whole * share;
}

function percent(part: number, whole: number): string {
  return `${Math.round((part / whole) * 100)} %`;
}
