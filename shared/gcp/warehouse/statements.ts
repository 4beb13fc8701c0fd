/** The statements of the warehouse, in the common part of BigQuery's and DuckDB's SQL: one text for both. */
import type { DayRange } from '../../domain/insights/account-day.ts';
import { reportingDataset, stagingDataset } from './tables.ts';
import type { WarehouseTable } from './tables.ts';

/** What a merge stands for completely: rows of it that are not staged were deleted at the source. */
export interface MergeScope extends DayRange {
  readonly report: string;
}

export interface MergeRequest {
  readonly tenantId: string;
  readonly accountId: string;
  readonly scopes: readonly MergeScope[];
  /** Staging tables of this table's columns. A key twice in them fails the merge, which then changes nothing. */
  readonly stages: readonly string[];
  /** Rows stored by a later fetch are left alone. */
  readonly fetchedAt: string;
}

export interface Statement {
  readonly sql: string;
  /** All text; the SQL casts. `@name` in the SQL. */
  readonly params: Readonly<Record<string, string>>;
}

export function mergeStatement(table: WarehouseTable, request: MergeRequest): Statement {
  const columns = Object.keys(table.columns);
  const target = `${reportingDataset}.${table.name}`;
  const staged = request.stages.map((stage) => `SELECT ${columns.join(', ')} FROM ${stagingDataset}.${stage}`);
  const source =
    staged.length > 0 ? sourceOf(table, staged) : `SELECT ${columns.join(', ')} FROM ${target} WHERE FALSE`;
  const days = request.scopes.flatMap(({ since, until }) => [since, until]).toSorted();
  const params: Record<string, string> = {
    tenant: request.tenantId,
    account: request.accountId,
    first_day: days[0] ?? '',
    last_day: days.at(-1) ?? '',
    fetched_at: request.fetchedAt,
  };
  const scopes = request.scopes.map(({ report, since, until }, index) => {
    Object.assign(params, { [`report${index}`]: report, [`since${index}`]: since, [`until${index}`]: until });
    return `(T.report = @report${index} AND T.date BETWEEN CAST(@since${index} AS DATE) AND CAST(@until${index} AS DATE))`;
  });
  const sql = `
MERGE INTO ${target} AS T
USING (${source}) AS S
ON T.tenant_id = S.tenant_id AND T.row_key = S.row_key AND T.date = S.date
  AND T.date BETWEEN CAST(@first_day AS DATE) AND CAST(@last_day AS DATE)
WHEN MATCHED AND S.fetched_at >= T.fetched_at THEN
  UPDATE SET ${columns.map((column) => `${column} = S.${column}`).join(', ')}
WHEN NOT MATCHED BY TARGET THEN
  INSERT (${columns.join(', ')}) VALUES (${columns.map((column) => `S.${column}`).join(', ')})
WHEN NOT MATCHED BY SOURCE AND T.tenant_id = @tenant AND T.account_id = @account
  AND T.fetched_at <= CAST(@fetched_at AS TIMESTAMP) AND (${scopes.join(' OR ')}) THEN
  DELETE`;
  return { sql, params };
}

/**
 * The staged rows, or an error that names a key two of them have: MERGE would insert both (BigQuery and DuckDB), or update
 * a row with either (DuckDB).
 */
function sourceOf({ columns, key }: WarehouseTable, staged: readonly string[]): string {
  const names = Object.keys(columns).map((column) => `staged.${column}`);
  return `
  WITH staged AS (${staged.join(' UNION ALL ')}),
    twice AS (SELECT MAX(t.${key}) AS ${key} FROM (
      SELECT ${key} FROM staged GROUP BY tenant_id, date, ${key} HAVING COUNT(*) > 1) AS t)
  SELECT ${names.join(', ')} FROM staged CROSS JOIN twice
  WHERE CASE WHEN twice.${key} IS NULL THEN TRUE ELSE ERROR(CONCAT('two staged rows of one key: ', twice.${key})) END`;
}

/** Everything of one tenant. */
export function eraseStatement(table: WarehouseTable, tenantId: string): Statement {
  return {
    sql: `DELETE FROM ${reportingDataset}.${table.name} WHERE tenant_id = @tenant`,
    params: { tenant: tenantId },
  };
}

/** Sums of a report's columns over days; decimals come back as text. */
const sums = `
  CAST(SUM(t.spend) AS STRING) AS spend,
  CAST(SUM(t.impressions) AS STRING) AS impressions,
  CAST(SUM(t.clicks) AS STRING) AS clicks,
  CAST(SUM(t.link_clicks) AS STRING) AS link_clicks,
  CAST(SUM(t.purchases) AS STRING) AS purchases,
  CAST(SUM(t.purchases_7d_click) AS STRING) AS purchases_7d_click,
  CAST(SUM(t.purchases_1d_view) AS STRING) AS purchases_1d_view,
  CAST(SUM(t.purchase_value) AS STRING) AS purchase_value,
  CAST(SUM(t.purchase_value_7d_click) AS STRING) AS purchase_value_7d_click,
  CAST(SUM(t.shared_purchases) AS STRING) AS shared_purchases,
  CAST(SUM(t.shared_purchase_value) AS STRING) AS shared_purchase_value`;

const within = `t.tenant_id = @tenant AND t.date BETWEEN CAST(@since AS DATE) AND CAST(@until AS DATE)`;

/**
 * The models: spend and results by what they are shown by. CPA and ROAS are quotients of these sums, taken after the sums
 * and never averaged.
 */
export const models = {
  /** One row a currency: accounts of different currencies are never added up. */
  totals: `SELECT currency, ${sums} FROM ${reportingDataset}.insights_daily AS t
    WHERE ${within} AND t.report = 'account' GROUP BY currency ORDER BY currency`,
  days: `SELECT CAST(t.date AS STRING) AS date, currency, ${sums} FROM ${reportingDataset}.insights_daily AS t
    WHERE ${within} AND t.report = 'account' GROUP BY t.date, t.currency ORDER BY t.date, t.currency`,
  campaigns: `SELECT account_id, campaign_id, MAX(t.campaign_name) AS campaign_name, currency, ${sums}
    FROM ${reportingDataset}.insights_daily AS t WHERE ${within} AND t.report = 'campaign'
    GROUP BY account_id, campaign_id, currency ORDER BY SUM(t.spend) DESC, campaign_id`,
  ads: `SELECT account_id, campaign_id, MAX(t.campaign_name) AS campaign_name, ad_id, MAX(t.ad_name) AS ad_name, currency, ${sums}
    FROM ${reportingDataset}.insights_daily AS t WHERE ${within} AND t.report = 'ad'
    GROUP BY account_id, campaign_id, ad_id, currency ORDER BY SUM(t.spend) DESC, ad_id`,
  /** By the cells of one breakdown report, named by `@report`. */
  cells: `SELECT breakdowns, currency, ${sums} FROM ${reportingDataset}.insights_daily AS t
    WHERE ${within} AND t.report = @report GROUP BY breakdowns, currency ORDER BY SUM(t.spend) DESC, breakdowns`,
  /** What GA4 says of paid traffic, by its tags. */
  ga4: `SELECT source, medium, campaign, content, channel_group, currency, CAST(t.date AS STRING) AS date,
      CAST(SUM(t.sessions) AS STRING) AS sessions, CAST(SUM(t.purchases) AS STRING) AS purchases,
      CAST(SUM(t.revenue) AS STRING) AS revenue
    FROM ${reportingDataset}.ga4_daily AS t WHERE ${within}
    GROUP BY source, medium, campaign, content, channel_group, currency, t.date ORDER BY t.date, campaign, content, source, medium`,
  /** Every stored row as text: for proofs and for whoever exports. */
  rows: `SELECT CAST(t.date AS STRING) AS date, account_id, report, row_key, CAST(t.spend AS STRING) AS spend,
      CAST(t.impressions AS STRING) AS impressions, CAST(t.purchases AS STRING) AS purchases,
      CAST(t.purchase_value AS STRING) AS purchase_value
    FROM ${reportingDataset}.insights_daily AS t WHERE ${within} ORDER BY t.date, t.row_key`,
} as const;
export type ModelName = keyof typeof models;
