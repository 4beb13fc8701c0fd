/**
 * What Meta ended or announced to end in its reports, in one table. Requests are checked against it before they leave, so
 * nothing of it is ever asked for; a canary test asks for everything we do ask for.
 */
export interface Deprecation {
  readonly what: 'window' | 'field' | 'breakdown' | 'parameter';
  readonly name: string;
  /** From this day on; what is asked before it still works. */
  readonly since: string;
  readonly instead: string;
}

export const deprecations: readonly Deprecation[] = [
  { what: 'window', name: '7d_view', since: '2026-01-12', instead: '1d_view: longer view windows answer nothing' },
  { what: 'window', name: '28d_view', since: '2026-01-12', instead: '1d_view: longer view windows answer nothing' },
  {
    what: 'parameter',
    name: 'use_unified_attribution_setting',
    since: '2025-06-10',
    instead: 'leave it out: always applied',
  },
  { what: 'parameter', name: 'action_report_time', since: '2025-06-10', instead: 'leave it out: Meta reports "mixed"' },
  { what: 'breakdown', name: 'dma', since: '2026-06-22', instead: 'comscore_market' },
  {
    what: 'breakdown',
    name: 'impression_device',
    since: '2026-08-06',
    instead: 'publisher_platform: the account must opt in, else it comes back empty',
  },
  {
    what: 'breakdown',
    name: 'hourly_stats_aggregated_by_audience_time_zone',
    since: '2026-08-06',
    instead: 'hourly_stats_aggregated_by_advertiser_time_zone',
  },
  { what: 'breakdown', name: 'frequency_value', since: '2026-08-06', instead: 'reach and frequency by campaign' },
  ...['add_to_cart', 'initiate_checkout', 'purchase', 'purchase_values'].map((name): Deprecation => ({
    what: 'field',
    name: `marketing_messages_website_${name}`,
    since: '2026-07-29',
    instead: 'actions',
  })),
];

/** What of a request is in the table, whatever the day: what is going to end is not asked for either. */
export function deprecatedIn(request: {
  readonly fields: readonly string[];
  readonly breakdowns: readonly string[];
  readonly windows: readonly string[];
}): Deprecation[] {
  const asked = { window: request.windows, field: request.fields, breakdown: request.breakdowns, parameter: [] };
  return deprecations.filter(({ what, name }) => asked[what].some((given) => given === name));
}
