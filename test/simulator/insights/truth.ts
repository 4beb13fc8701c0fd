/**
 * What really happened in an ad account: ads, their delivery and the orders they brought, and what of it Meta knows by a
 * given day. Everything follows from a seed, so a proof can ask for the truth the simulator reported from.
 *
 * Meta restates 28 days: late orders come in, orders are taken back, invalid traffic is refunded, rows appear and go.
 */

export interface AccountPlan {
  readonly seed: string;
  /** First day with delivery, `YYYY-MM-DD` in the account's zone. */
  readonly since: string;
  /** Last day with delivery; absent: it goes on. */
  readonly until?: string;
  readonly campaigns: number;
  readonly adsPerCampaign: number;
  /** Delivery rows of an ad and day before any breakdown. */
  readonly cells: number;
  /** IANA zone the account reports in. */
  readonly timeZone: string;
  /** Decimal digits of the account's currency at Meta: 0 or 2. */
  readonly minorDigits: 0 | 2;
  /** A collaborative account: orders are the retailer's, seen only in shared-item metrics. */
  readonly isCollaborative?: boolean;
  /** Names of UTM problems by ad number, for reconciliation; absent: every ad carries the full tags. */
  readonly urlTags?: readonly (string | null)[];
  /** Absent: `Prospecting 1` and so on. */
  readonly campaignNames?: readonly string[];
}

export interface Ad {
  readonly campaignId: string;
  readonly campaignName: string;
  readonly adsetId: string;
  readonly adsetName: string;
  readonly adId: string;
  readonly adName: string;
}

export interface Order {
  readonly orderId: string;
  readonly window: '1d_click' | '7d_click' | '1d_view';
  readonly channel: 'web' | 'app';
  readonly valueMinor: number;
}

/** One cell of an ad's delivery on a day, as Meta knows it on the day asked about. */
export interface Fact {
  readonly date: string;
  readonly ad: Ad;
  /** Breakdown → value; null where Meta has none. */
  readonly cell: Readonly<Record<string, string | null>>;
  readonly spendMinor: number;
  readonly impressions: number;
  readonly clicks: number;
  readonly linkClicks: number;
  readonly orders: readonly Order[];
}

/** Days after which Meta no longer changes a day. */
const restatedDays = 28;
const dayMs = 86_400_000;

const ages = ['18-24', '25-34', '35-44', '45-54', '55-64', '65+', 'unknown'];
const genders = ['female', 'male', 'unknown'];
const countries = ['TR', 'DE', 'GB', 'NL'];
const regions = ['Istanbul', 'Ankara', 'İzmir', 'Unknown', null];
const platforms = ['facebook', 'instagram', 'audience_network', 'messenger'];
const positions = ['feed', 'instagram_stories', 'rewarded_video', null];
const devices = ['iphone', 'android_smartphone', 'desktop', null];
const devicePlatforms = ['mobile_app', 'mobile_web', 'desktop', 'unknown'];
const products = ['SKU-1, Mavi tişört', 'SKU-2, Kırmızı kazak', null];
const markets = ['Istanbul', null];

/** 32 bits of FNV-1a, mixed: the same words give the same number on every machine. */
function hash(...words: (string | number)[]): number {
  let state = 0x811c9dc5;
  for (const char of words.join('|')) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x45d9f3b);
  state = Math.imul(state ^ (state >>> 16), 0x45d9f3b);
  return (state ^ (state >>> 16)) >>> 0;
}

const pick = <T>(values: readonly T[], number: number): T => values[number % values.length] as T;

interface Cell {
  readonly ad: Ad;
  readonly cell: Fact['cell'];
  readonly spendMinor: number;
  readonly refundMinor: number;
  readonly impressions: number;
  readonly clicks: number;
  /** Ages of the day, in days, at which the row appears and disappears again. */
  readonly appears: number;
  readonly disappears: number;
  readonly orders: readonly (Order & { readonly appears: number; readonly disappears: number })[];
}

export class AccountTruth {
  readonly plan: AccountPlan;
  readonly accountId: string;
  readonly ads: readonly Ad[];
  readonly #days = new Map<string, readonly Cell[]>();
  /** Made once: making it costs a thousand times what asking it does. */
  readonly #calendar: Intl.DateTimeFormat;

  constructor(accountId: string, plan: AccountPlan) {
    this.accountId = accountId;
    this.plan = plan;
    this.#calendar = new Intl.DateTimeFormat('en-CA', { timeZone: plan.timeZone, dateStyle: 'short' });
    this.ads = Array.from({ length: plan.campaigns * plan.adsPerCampaign }, (_, index) => {
      const campaign = Math.floor(index / plan.adsPerCampaign) + 1;
      const number = String(index + 1).padStart(3, '0');
      const base = `${accountId.slice(-9)}${String(campaign).padStart(3, '0')}`;
      return {
        campaignId: `61${base}000`,
        campaignName: plan.campaignNames?.[campaign - 1] ?? `Prospecting ${campaign}`,
        adsetId: `62${base}000`,
        adsetName: `Broad ${campaign}`,
        adId: `63${base}${number}`,
        adName: `Creative ${number}`,
      };
    });
  }

  /** The day it is at the account at an instant. */
  dayOf(instantMs: number): string {
    return this.#calendar.format(instantMs);
  }

  /** What Meta knows about a day on another day; nothing about days to come. */
  facts(date: string, asOf: string): Fact[] {
    const age = daysBetween(date, asOf);
    if (age < 0 || date < this.plan.since || (this.plan.until !== undefined && date > this.plan.until)) return [];
    const lag = Math.min(age, restatedDays);
    return this.#cells(date).flatMap((cell) => {
      if (cell.appears > lag || cell.disappears <= lag) return [];
      // The refund comes in over the days; on the first day nothing of it is known.
      const refunded = Math.floor((cell.refundMinor * lag) / restatedDays);
      return [
        {
          date,
          ad: cell.ad,
          cell: cell.cell,
          spendMinor: cell.spendMinor - refunded,
          impressions: cell.impressions - Math.floor(refunded / 2),
          clicks: cell.clicks,
          linkClicks: Math.ceil(cell.clicks * 0.8),
          orders: cell.orders.filter(({ appears, disappears }) => appears <= lag && disappears > lag),
        },
      ];
    });
  }

  #cells(date: string): readonly Cell[] {
    const known = this.#days.get(date);
    if (known !== undefined) return known;
    const made = this.ads.flatMap((ad, adNumber) =>
      Array.from({ length: this.plan.cells }, (_, index) => this.#cell(date, ad, adNumber, index)),
    );
    // A proof of a year looks at 28 days at a time.
    if (this.#days.size > 80) this.#days.delete(this.#days.keys().next().value ?? '');
    this.#days.set(date, made);
    return made;
  }

  #cell(date: string, ad: Ad, adNumber: number, index: number): Cell {
    const number = (what: string): number => hash(this.plan.seed, this.accountId, date, adNumber, index, what);
    const scale = this.plan.minorDigits === 0 ? 1 : 100;
    const spendMinor = (50 + (number('spend') % 400)) * scale + (scale === 1 ? 0 : number('kurus') % 100);
    const isLate = number('late') % 10 === 0;
    const isWithdrawn = number('gone') % 20 === 0;
    return {
      ad,
      cell: {
        age: pick(ages, number('age')),
        gender: pick(genders, number('gender')),
        country: pick(countries, number('country')),
        region: pick(regions, number('region')),
        publisher_platform: pick(platforms, number('platform')),
        platform_position: pick(positions, number('position')),
        impression_device: pick(devices, number('device')),
        device_platform: pick(devicePlatforms, number('device-platform')),
        product_id: pick(products, number('product')),
        comscore_market: pick(markets, number('market')),
        hourly_stats_aggregated_by_advertiser_time_zone: hourRange(number('hour') % 24),
      },
      spendMinor,
      refundMinor: number('refund') % 3 === 0 ? number('refunded') % Math.max(1, Math.floor(spendMinor / 20)) : 0,
      impressions: 1_000 + (number('impressions') % 9_000),
      clicks: 10 + (number('clicks') % 90),
      appears: isLate ? 1 + (number('appears') % 20) : 0,
      disappears: isWithdrawn ? 2 + (number('disappears') % 25) : Number.POSITIVE_INFINITY,
      orders: Array.from({ length: number('orders') % 4 }, (_, order) =>
        this.#order(date, adNumber, index, order, scale),
      ),
    };
  }

  #order(date: string, adNumber: number, index: number, order: number, scale: number): Cell['orders'][number] {
    const number = (what: string): number => hash(this.plan.seed, this.accountId, date, adNumber, index, order, what);
    const kind = number('window') % 10;
    return {
      orderId: `${this.accountId}-${date}-${adNumber}-${index}-${order}`,
      window: kind < 6 ? '1d_click' : kind < 8 ? '7d_click' : '1d_view',
      channel: number('channel') % 8 === 0 ? 'app' : 'web',
      valueMinor: (80 + (number('value') % 900)) * scale + (scale === 1 ? 0 : number('value-kurus') % 100),
      appears: number('order-lag') % 3 === 0 ? number('order-days') % restatedDays : 0,
      disappears: number('order-gone') % 25 === 0 ? 3 + (number('order-gone-day') % 24) : Number.POSITIVE_INFINITY,
    };
  }
}

const two = (number: number): string => String(number).padStart(2, '0');
const hourRange = (hour: number): string => `${two(hour)}:00:00 - ${two(hour)}:59:59`;

export const daysBetween = (from: string, to: string): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / dayMs);
export const addDays = (date: string, days: number): string =>
  new Date(Date.parse(date) + days * dayMs).toISOString().slice(0, 10);
