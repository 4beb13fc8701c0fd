/**
 * The warehouse's tables: names, columns and the key a row is known by. Terraform creates them in BigQuery from this list,
 * the local stand-in in DuckDB.
 */

export type ColumnType = 'STRING' | 'DATE' | 'INT64' | 'NUMERIC' | 'TIMESTAMP';

export interface WarehouseTable {
  readonly name: string;
  /** Column → type. `NUMERIC` holds decimals exactly: money and counts that may have them. */
  readonly columns: Readonly<Record<string, ColumnType>>;
  /** Columns that may be null. */
  readonly nullable: readonly string[];
  /** Together with `tenant_id` and `date`, names a row. */
  readonly key: 'row_key';
}

/** Rows are partitioned by `date`; both datasets live in one location. */
export const reportingDataset = 'kobi_reporting';
/** Rows on their way: tables of one job each, gone after a day. */
export const stagingDataset = 'kobi_staging';

export const insightsDaily = {
  name: 'insights_daily',
  columns: {
    tenant_id: 'STRING',
    account_id: 'STRING',
    date: 'DATE',
    report: 'STRING',
    row_key: 'STRING',
    campaign_id: 'STRING',
    campaign_name: 'STRING',
    adset_id: 'STRING',
    ad_id: 'STRING',
    ad_name: 'STRING',
    breakdowns: 'STRING',
    currency: 'STRING',
    spend: 'NUMERIC',
    impressions: 'INT64',
    clicks: 'INT64',
    link_clicks: 'INT64',
    reach: 'INT64',
    purchase_action: 'STRING',
    purchases: 'NUMERIC',
    purchases_7d_click: 'NUMERIC',
    purchases_1d_view: 'NUMERIC',
    purchase_value: 'NUMERIC',
    purchase_value_7d_click: 'NUMERIC',
    purchase_value_1d_view: 'NUMERIC',
    shared_purchases: 'NUMERIC',
    shared_purchase_value: 'NUMERIC',
    fetched_at: 'TIMESTAMP',
  },
  nullable: ['campaign_id', 'campaign_name', 'adset_id', 'ad_id', 'ad_name', 'breakdowns', 'reach', 'purchase_action'],
  key: 'row_key',
} as const satisfies WarehouseTable;

export const ga4Daily = {
  name: 'ga4_daily',
  columns: {
    tenant_id: 'STRING',
    account_id: 'STRING',
    date: 'DATE',
    report: 'STRING',
    row_key: 'STRING',
    source: 'STRING',
    medium: 'STRING',
    campaign: 'STRING',
    content: 'STRING',
    channel_group: 'STRING',
    sessions: 'INT64',
    purchases: 'NUMERIC',
    revenue: 'NUMERIC',
    currency: 'STRING',
    fetched_at: 'TIMESTAMP',
  },
  nullable: [],
  key: 'row_key',
} as const satisfies WarehouseTable;

export const warehouseTables: readonly WarehouseTable[] = [insightsDaily, ga4Daily];
