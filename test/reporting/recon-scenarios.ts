/**
 * Weeks of a shop, Meta's side and GA4's, made from the same clicks and orders, with one thing planted to be wrong. What is
 * planted and how far the two should then be apart is the label; how it is found out is none of this file's business.
 */
import { seededRandom } from '../random.ts';
import type { Ga4Row, MetaAd } from '../../shared/domain/reconciliation/match.ts';
import type { WeekInput } from '../../shared/domain/reconciliation/reconcile.ts';

export const planted = [
  'clean',
  'view-through',
  'untagged-ads',
  'unmatched-ids',
  'consent-loss',
  'zone-shift',
  'currency',
  'duplicates',
  'hidden-by-ga4',
  'ga4-broken',
  'attribution-model',
] as const;
export type Planted = (typeof planted)[number];

export interface Scenario {
  readonly label: Planted;
  readonly band: 'green' | 'amber' | 'red';
  readonly past: readonly WeekInput[];
  readonly week: WeekInput;
}

interface Shop {
  /** Purchases after a click in a week, by Meta's count. */
  readonly purchases: number;
  /** Share of them that GA4 credits to the campaign, consent and attribution together. */
  readonly credited: number;
  readonly viewShare: number;
  readonly sessionShare: number;
  /** Meta's share of all the orders that the shop sends. */
  readonly metaShare: number;
}

/** What is wrong in a week, as shares; nothing by default. */
interface Wrong {
  readonly views?: number;
  readonly untagged?: number;
  readonly unmatched?: number;
  readonly noConsent?: number;
  readonly hidden?: number;
  readonly broken?: boolean;
  readonly doubled?: boolean;
  readonly stolen?: number;
  readonly ga4Currency?: string;
  readonly sale?: { readonly hours: number; readonly share: number };
}

/** By how much a ratio must clear a limit, so that noise does not decide the label. */
const clear = 0.05;

export function scenario(number: number): Scenario {
  const label = planted[number % planted.length] ?? 'clean';
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    const random = seededRandom(number * 1_000 + attempt + 7);
    const shop: Shop = {
      purchases: 220 + random() * 500,
      credited: 0.68 + random() * 0.14,
      viewShare: 0.05 + random() * 0.12,
      sessionShare: 0.82 + random() * 0.08,
      metaShare: 0.2 + random() * 0.7,
    };
    const wrong = wrongOf(label, random);
    const ratio = ratioOf(shop, wrong);
    const band = bandOf(ratio, shop.credited);
    if (band === undefined) continue;
    const weekNumber = (index: number): string => `2026-W${String(30 + index).padStart(2, '0')}`;
    const past = Array.from({ length: 8 }, (_, index) => weekOf(weekNumber(index), shop, {}, random));
    return { label, band, past, week: weekOf(weekNumber(8), shop, wrong, random) };
  }
  throw new Error(`no clear case of ${label} was found`);
}

function wrongOf(label: Planted, random: () => number): Wrong {
  const share = 0.3 + random() * 0.4;
  switch (label) {
    case 'clean':
      return {};
    case 'view-through':
      return { views: 0.35 + random() * 0.25 };
    case 'untagged-ads':
      return { untagged: share };
    case 'unmatched-ids':
      return { unmatched: share };
    case 'consent-loss':
      return { noConsent: share };
    case 'zone-shift':
      return { sale: { hours: 8 + Math.floor(random() * 4), share: 0.5 + random() * 0.7 } };
    case 'currency':
      return { ga4Currency: 'EUR' };
    case 'duplicates':
      return { doubled: true };
    case 'hidden-by-ga4':
      return { hidden: share };
    case 'ga4-broken':
      return { broken: true };
    case 'attribution-model':
      return { stolen: share };
  }
}

/** What GA4 has of Meta's purchases after a click, without noise. */
function ratioOf(shop: Shop, wrong: Wrong): number {
  const kept =
    (1 - (wrong.untagged ?? 0)) *
    (1 - (wrong.unmatched ?? 0)) *
    (1 - (wrong.noConsent ?? 0)) *
    (1 - (wrong.hidden ?? 0)) *
    (1 - (wrong.stolen ?? 0));
  const saleOnMetasSide = wrong.sale === undefined ? 0 : (wrong.sale.hours / 24) * wrong.sale.share;
  if (wrong.broken === true) return 0;
  return (shop.credited * kept) / ((wrong.doubled === true ? 2 : 1) * (1 + saleOnMetasSide));
}

/** The rule of the bands in its plain form; undefined when a limit is too near for noise. */
function bandOf(ratio: number, usual: number): Scenario['band'] | undefined {
  const [gap, moved] = [1 - ratio, Math.abs(ratio - usual)];
  const near = [
    [gap, 0.5],
    [gap, 0.4],
    [moved, 0.25],
    [moved, 0.1],
  ].some(([value = 0, limit = 0]) => Math.abs(value - limit) < clear);
  if (gap > 0.5 + clear || moved > 0.25 + clear) return 'red';
  if (near) return undefined;
  return gap > 0.4 || moved > 0.1 ? 'amber' : 'green';
}

const campaigns = 4;
const adsEach = 3;

function weekOf(week: string, shop: Shop, wrong: Wrong, random: () => number): WeekInput {
  const ads: MetaAd[] = [];
  const rows: Ga4Row[] = [];
  const total = campaigns * adsEach;
  const sale = wrong.sale === undefined ? 0 : shop.purchases * wrong.sale.share * (wrong.sale.hours / 24);
  const untaggedAds = new Set(worst(wrong.untagged ?? 0, total));
  const unmatchedAds = new Set(worst(wrong.unmatched ?? 0, total));
  const hiddenAds = new Set(worst(wrong.hidden ?? 0, total));
  let orders = 0;
  for (let index = 0; index < total; index += 1) {
    const campaignId = `6100${Math.floor(index / adsEach)}`;
    const adId = `6300${index}`;
    const clicked = around((shop.purchases + sale) / total, random);
    orders += clicked;
    const viewShare = wrong.views ?? shop.viewShare;
    const views = around((clicked * viewShare) / (1 - viewShare), random);
    const double = wrong.doubled === true ? 2 : 1;
    const linkClicks = Math.round(clicked * (28 + random() * 4));
    ads.push({
      campaignId,
      campaignName: `Prospecting ${campaignId}`,
      adId,
      linkClicks,
      purchases: (clicked + views) * double,
      purchases7dClick: clicked * double,
      purchaseValue: String((clicked + views) * double * 500),
      isTagged: !untaggedAds.has(index),
    });
    const consented = 1 - (wrong.noConsent ?? 0);
    // The part of a sale that lies before GA4's first day is not among its rows.
    const inGa4Days = shop.purchases / (shop.purchases + sale);
    const credited = some(clicked * inGa4Days, shop.credited * consented * (1 - (wrong.stolen ?? 0)), random);
    const row: Ga4Row = {
      source: index % 2 === 0 ? 'fb' : 'ig',
      medium: 'paid_social',
      campaign: unmatchedAds.has(index) ? 'summer-sale' : campaignId,
      content: unmatchedAds.has(index) ? 'banner' : adId,
      channelGroup: 'Paid Social',
      sessions: some(linkClicks * inGa4Days, shop.sessionShare * consented, random),
      purchases: wrong.broken === true ? 0 : credited,
      revenue:
        wrong.broken === true
          ? '0'
          : (wrong.ga4Currency === undefined ? credited * 500 : (credited * 500) / 48).toFixed(2),
    };
    if (untaggedAds.has(index))
      rows.push({ ...row, source: '(direct)', medium: '(none)', campaign: '(direct)', content: '(not set)' });
    else if (hiddenAds.has(index)) rows.push({ ...row, source: '(other)', campaign: '(other)', content: '(other)' });
    else rows.push(row);
  }
  const perDay = (shop.purchases * shop.credited) / 7;
  return {
    week,
    ads,
    rows: rows.toSorted(() => random() - 0.5),
    orders: around(orders / shop.metaShare, random),
    zoneShiftHours: wrong.sale?.hours ?? 0,
    edgeDays: { before: perDay + shop.purchases * (wrong.sale?.share ?? 0), last: perDay },
    // Half of such shops say so, half only send other numbers.
    currencies: { meta: 'TRY', ga4: wrong.ga4Currency !== undefined && random() < 0.5 ? wrong.ga4Currency : 'TRY' },
    hasOther: (wrong.hidden ?? 0) > 0,
    isThresholded: false,
  };
}

/** The first ads that make up a share of them. */
const worst = (share: number, total: number): number[] =>
  Array.from({ length: Math.round(share * total) }, (_, index) => index);

/** A count around a mean, as counts are. */
const around = (mean: number, random: () => number): number =>
  Math.max(1, Math.round(mean + Math.sqrt(mean) * (random() + random() + random() - 1.5)));

/** How many of `count` things happen that each happen with a chance. */
function some(count: number, chance: number, random: () => number): number {
  const spread = Math.sqrt(count * chance * (1 - chance));
  return Math.max(0, Math.round(count * chance + spread * (random() + random() + random() - 1.5)));
}
