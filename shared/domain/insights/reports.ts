/** The reports that are read of every ad account, and what each asks for. */

export const insightsLevels = ['account', 'campaign', 'adset', 'ad'] as const;
export type InsightsLevel = (typeof insightsLevels)[number];

/**
 * One table of numbers: a level, and what its rows are broken down by. Totals of one level need not equal another's
 * (Meta estimates each by itself), so each level that is shown is read, none is summed up from a finer one.
 */
export interface ReportShape {
  readonly level: InsightsLevel;
  readonly breakdowns: readonly string[];
}

/** Read every day for the days Meta may still change. */
export const dailyReports: readonly ReportShape[] = [
  { level: 'account', breakdowns: [] },
  { level: 'campaign', breakdowns: [] },
  { level: 'ad', breakdowns: [] },
  { level: 'campaign', breakdowns: ['age', 'gender'] },
  { level: 'campaign', breakdowns: ['publisher_platform', 'platform_position'] },
  { level: 'campaign', breakdowns: ['country'] },
];

/** The windows purchases are told apart by; what arrives without a window is counted by the account's own setting. */
export const attributionWindows = ['7d_click', '1d_view'] as const;

/** `ad`, or `campaign by age,gender`: the name of the table in storage. */
export function reportName({ level, breakdowns }: ReportShape): string {
  return breakdowns.length === 0 ? level : `${level} by ${breakdowns.toSorted().join(',')}`;
}

const idFields: Readonly<Record<InsightsLevel, readonly string[]>> = {
  account: [],
  campaign: ['campaign_id', 'campaign_name'],
  adset: ['campaign_id', 'campaign_name', 'adset_id', 'adset_name'],
  ad: ['campaign_id', 'campaign_name', 'adset_id', 'adset_name', 'ad_id', 'ad_name'],
};
const metrics = [
  'account_id',
  'account_currency',
  'spend',
  'impressions',
  'clicks',
  'inline_link_clicks',
  'actions',
  'action_values',
];
/** People reached are not counted apart within every breakdown, and not for long. */
const reach = ['reach'];
/**
 * A retailer's sales through a shared part of its catalog (Collaborative Ads) never show among an account's own purchases:
 * these are the shared-item metrics that show them.
 */
const sharedItems = ['catalog_segment_actions', 'catalog_segment_value'];

/** The fields to ask for. @param isCollaborative the account advertises a shared part of a retailer's catalog */
export function fieldsOf({ level, breakdowns }: ReportShape, isCollaborative: boolean): string[] {
  return [
    ...metrics,
    ...idFields[level],
    ...(breakdowns.length === 0 ? reach : []),
    ...(isCollaborative ? sharedItems : []),
  ];
}
