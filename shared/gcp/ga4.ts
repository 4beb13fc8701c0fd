import { BetaAnalyticsDataClient } from '@google-analytics/data';
import type { DayRange } from '../domain/insights/account-day.ts';
import { emulatorEndpoint } from './emulator-endpoint.ts';
import { googleUniverse } from './universe.ts';

/** One day and one set of tags, as GA4 reports it. Counts and money are text, as they came. */
export interface Ga4DailyRow {
  /** In the property's own zone, `YYYY-MM-DD`. */
  readonly date: string;
  readonly source: string;
  readonly medium: string;
  readonly campaign: string;
  readonly content: string;
  readonly channelGroup: string;
  readonly sessions: string;
  readonly purchases: string;
  readonly revenue: string;
}

export interface Ga4Report {
  readonly rows: readonly Ga4DailyRow[];
  readonly currency: string;
  readonly timeZone: string;
  /** GA4 folded rows into `(other)`, or left some out so that nobody is recognised: the sums are too small. */
  readonly hasOther: boolean;
  readonly isThresholded: boolean;
  /** Tokens of the property that are left; null when GA4 did not say. */
  readonly tokensLeft: { readonly hour: number | null; readonly day: number | null };
}

/** Why a property cannot be read. */
export type Ga4Trouble =
  /** The property is not there, or our service account has no access: for the client to give. */
  | 'no-access'
  /** The property's quota is used up for now. */
  | 'quota'
  /** Google had a temporary problem. */
  | 'transient';

export class Ga4Error extends Error {
  override readonly name = 'Ga4Error';
  readonly trouble: Ga4Trouble;
  constructor(trouble: Ga4Trouble, message: string, options?: ErrorOptions) {
    super(message, options);
    this.trouble = trouble;
  }
}

export interface Ga4Reader {
  /** Every row of the days with its tags, from all pages. @throws Ga4Error */
  readTraffic(propertyId: string, range: DayRange): Promise<Ga4Report>;
  close(): Promise<void>;
}

/** `utm_campaign` reads back as the campaign's name, `utm_content` as the ad content (GA4 Data API, "Dimensions"). */
const dimensions = [
  'date',
  'sessionSource',
  'sessionMedium',
  'sessionCampaignName',
  'sessionManualAdContent',
  'sessionDefaultChannelGroup',
] as const;
const metrics = ['sessions', 'ecommercePurchases', 'purchaseRevenue'] as const;
const pageSize = 50_000;
/** A standard property has 200,000 tokens a day; below this they are left to the client's own reports. */
export const tokensKept = 20_000;

/** @param emulatorHost `host:port` of the local stand-in */
export function createGa4Reader({ emulatorHost }: { readonly emulatorHost?: string | undefined }): Ga4Reader {
  const client = new BetaAnalyticsDataClient({
    ...googleUniverse,
    ...(emulatorHost === undefined ? {} : emulatorEndpoint(emulatorHost)),
  });
  return {
    async readTraffic(propertyId, { since, until }) {
      const rows: Ga4DailyRow[] = [];
      let report: Omit<Ga4Report, 'rows'> | undefined;
      let total = 0;
      do {
        const page = await client
          .runReport({
            property: `properties/${propertyId}`,
            dateRanges: [{ startDate: since, endDate: until }],
            dimensions: dimensions.map((name) => ({ name })),
            metrics: metrics.map((name) => ({ name })),
            limit: pageSize,
            offset: rows.length,
            // By all of them: where rows tie, one could be on two pages and another on none.
            orderBys: dimensions.map((dimensionName) => ({ dimension: { dimensionName } })),
            returnPropertyQuota: true,
            keepEmptyRows: false,
          })
          .then(([answer]) => answer, asGa4Error);
        total = page.rowCount ?? 0;
        const found = (page.rows ?? []).map(({ dimensionValues, metricValues }): Ga4DailyRow => {
          const [day = '', source = '', medium = '', campaign = '', content = '', channelGroup = ''] = (
            dimensionValues ?? []
          ).map(({ value }) => value ?? '');
          const [sessions = '0', purchases = '0', revenue = '0'] = (metricValues ?? []).map(
            ({ value }) => value ?? '0',
          );
          const date = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
          return { date, source, medium, campaign, content, channelGroup, sessions, purchases, revenue };
        });
        rows.push(...found);
        const { metadata, propertyQuota } = page;
        report = {
          currency: metadata?.currencyCode ?? '',
          timeZone: metadata?.timeZone ?? '',
          hasOther: (report?.hasOther ?? false) || metadata?.dataLossFromOtherRow === true,
          isThresholded: (report?.isThresholded ?? false) || metadata?.subjectToThresholding === true,
          tokensLeft: {
            hour: propertyQuota?.tokensPerHour?.remaining ?? null,
            day: propertyQuota?.tokensPerDay?.remaining ?? null,
          },
        };
        if (found.length === 0) break;
      } while (rows.length < total);
      return { ...report, rows };
    },
    close: () => client.close(),
  };
}

const troubles: Readonly<Record<number, Ga4Trouble>> = {
  4: 'transient',
  5: 'no-access',
  7: 'no-access',
  8: 'quota',
  13: 'transient',
  14: 'transient',
};

function asGa4Error(error: unknown): never {
  const code = typeof error === 'object' && error !== null && 'code' in error ? Number(error.code) : Number.NaN;
  const trouble = troubles[code];
  if (trouble === undefined) throw error;
  throw new Ga4Error(trouble, `GA4 Data API: gRPC status ${code}`, { cause: error });
}
