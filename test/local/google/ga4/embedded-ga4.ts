/**
 * The GA4 Data API for this machine, over gRPC for the unchanged `@google-analytics/data` client: `RunReport` over planted
 * sessions, one row for each set of dimension values, with pages, quota, `(other)` rows and thresholding. As strict as GA4
 * with names of dimensions and metrics.
 */
import { GrpcCode, GrpcError, readProtoJson, serveGrpc } from '../grpc-service.ts';

/** Sessions of one day with one set of tags. */
export interface PlantedTraffic {
  readonly date: string;
  readonly source: string;
  readonly medium: string;
  readonly campaign: string;
  readonly content: string;
  readonly channelGroup?: string;
  readonly sessions: number;
  readonly purchases: number;
  /** In the property's currency, as a decimal. */
  readonly revenue: string;
}

export interface Ga4Property {
  readonly timeZone: string;
  readonly currency: string;
  traffic: PlantedTraffic[];
  /** Whether our service account may read it. */
  isReadable: boolean;
  tokensPerDay: number;
  hasOther: boolean;
  isThresholded: boolean;
}

export interface EmbeddedGa4 {
  /** `host:port`, for GA4_EMULATOR_HOST. */
  readonly host: string;
  readonly properties: Map<string, Ga4Property>;
  /** A property that may be read, without traffic unless told. */
  plant(propertyId: string, property?: Partial<Ga4Property>): Ga4Property;
  /** How many reports were run. */
  reports(): number;
  close(): Promise<void>;
}

interface RunReportRequest {
  readonly property?: string;
  readonly dateRanges?: readonly { startDate?: string; endDate?: string }[];
  readonly dimensions?: readonly { name?: string }[];
  readonly metrics?: readonly { name?: string }[];
  readonly limit?: string | number;
  readonly offset?: string | number;
}

/** What one report of this size costs is not documented; ten tokens is what small ones were seen to cost. */
const tokensPerReport = 10;

const dimensionOf: Readonly<Record<string, (row: PlantedTraffic) => string>> = {
  date: ({ date }) => date.replaceAll('-', ''),
  sessionSource: ({ source }) => source,
  sessionMedium: ({ medium }) => medium,
  sessionCampaignName: ({ campaign }) => campaign,
  sessionManualAdContent: ({ content }) => content,
  sessionDefaultChannelGroup: (row) => row.channelGroup ?? channelGroupOf(row),
};
const metricOf: Readonly<Record<string, (rows: readonly PlantedTraffic[]) => string>> = {
  sessions: (rows) => String(rows.reduce((sum, { sessions }) => sum + sessions, 0)),
  ecommercePurchases: (rows) => String(rows.reduce((sum, { purchases }) => sum + purchases, 0)),
  purchaseRevenue: (rows) =>
    (rows.reduce((sum, { revenue }) => sum + Math.round(Number(revenue) * 100), 0) / 100).toFixed(2),
};

/** GA4's default channel groups, for the sources that matter here ("Default channel group"). */
function channelGroupOf({ source, medium }: Pick<PlantedTraffic, 'source' | 'medium'>): string {
  const isPaid = /^(.*cp.*|ppc|retargeting|paid.*)$/.test(medium);
  const isSocial = ['fb', 'ig', 'facebook', 'instagram'].includes(source);
  if (isSocial) return isPaid ? 'Paid Social' : 'Organic Social';
  if (isPaid) return medium.includes('social') ? 'Paid Social' : 'Paid Other';
  return source === '(direct)' ? 'Direct' : 'Unassigned';
}

export async function startEmbeddedGa4(options: { port?: number } = {}): Promise<EmbeddedGa4> {
  const properties = new Map<string, Ga4Property>();
  let reports = 0;

  const runReport = async (request: RunReportRequest): Promise<unknown> => {
    const id = /^properties\/(\d+)$/.exec(request.property ?? '')?.[1];
    if (id === undefined) throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'property must be properties/NUMBER');
    const property = properties.get(id);
    if (property === undefined || !property.isReadable) {
      throw new GrpcError(GrpcCode.PERMISSION_DENIED, 'User does not have sufficient permissions for this property.');
    }
    if (property.tokensPerDay < tokensPerReport) {
      throw new GrpcError(GrpcCode.RESOURCE_EXHAUSTED, 'Exhausted property tokens per day.');
    }
    property.tokensPerDay -= tokensPerReport;
    reports += 1;
    const asked = (request.dimensions ?? []).map(({ name = '' }) => read(dimensionOf, name, 'dimension'));
    const measured = (request.metrics ?? []).map(({ name = '' }) => read(metricOf, name, 'metric'));
    const [range] = request.dateRanges ?? [];
    const isDay = (day: string | undefined): day is string => /^\d{4}-\d{2}-\d{2}$/.test(day ?? '');
    if (!isDay(range?.startDate) || !isDay(range.endDate)) {
      throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'dateRanges needs startDate and endDate as YYYY-MM-DD');
    }
    const { startDate, endDate } = range;
    const traffic = property.traffic
      .filter(({ date }) => date >= startDate && date <= endDate)
      .toSorted((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
    const rows = [...Map.groupBy(traffic, (each) => JSON.stringify(asked.map((of) => of(each))))].map(
      ([values, found]) => ({ values: JSON.parse(values) as string[], found }),
    );
    const offset = Number(request.offset ?? 0);
    const page = rows.slice(offset, offset + Number(request.limit ?? 10_000));
    return {
      rows: page.map(({ values, found }) => ({
        dimensionValues: values.map((value) => ({ value })),
        metricValues: measured.map((of) => ({ value: of(found) })),
      })),
      rowCount: rows.length,
      metadata: {
        currencyCode: property.currency,
        timeZone: property.timeZone,
        dataLossFromOtherRow: property.hasOther,
        subjectToThresholding: property.isThresholded,
      },
      propertyQuota: {
        tokensPerDay: { consumed: tokensPerReport, remaining: property.tokensPerDay },
        tokensPerHour: { consumed: tokensPerReport, remaining: Math.min(40_000, property.tokensPerDay) },
      },
      kind: 'analyticsData#runReport',
    };
  };

  const server = await serveGrpc({
    port: options.port ?? 0,
    services: [
      {
        protoJson: readProtoJson('@google-analytics/data', 'build/protos/protos.json'),
        serviceName: 'google.analytics.data.v1beta.BetaAnalyticsData',
        handlers: { runReport },
      },
    ],
  });
  return {
    host: server.address,
    properties,
    plant(propertyId, property = {}) {
      const planted: Ga4Property = {
        timeZone: 'Europe/Istanbul',
        currency: 'TRY',
        traffic: [],
        isReadable: true,
        tokensPerDay: 200_000,
        hasOther: false,
        isThresholded: false,
        ...property,
      };
      properties.set(propertyId, planted);
      return planted;
    },
    reports: () => reports,
    close: () => server.close(),
  };
}

function read<T>(table: Readonly<Record<string, T>>, name: string, what: string): T {
  const found = Object.hasOwn(table, name) ? table[name] : undefined;
  if (found === undefined) throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `Field ${name} is not a valid ${what}.`);
  return found;
}
