/** A row of a report as it is stored: one day of one object, or of one cell of its breakdown. */
import { decimalOf, purchasesOf } from './purchases.ts';
import type { ActionStats } from './purchases.ts';
import { reportName } from './reports.ts';
import type { ReportShape } from './reports.ts';

/** What arrives: metrics as text, a breakdown without a value left out or null. */
export type InsightsRow = Readonly<Record<string, unknown>>;

export interface RowContext extends ReportShape {
  readonly tenantId: string;
  /** Digits, without `act_`. */
  readonly accountId: string;
  /** Used when a row does not say. */
  readonly currency: string;
  /** When Meta made the report: of two rows of one key the later is right. */
  readonly fetchedAt: string;
}

/** Columns of `insights_daily`. Money and counts that may have decimals are decimal strings. */
export interface DailyRow {
  readonly tenant_id: string;
  readonly account_id: string;
  readonly date: string;
  readonly report: string;
  /** One per account, day, report, object and breakdown cell; a missing value is no value, not the text of one. */
  readonly row_key: string;
  readonly campaign_id: string | null;
  readonly campaign_name: string | null;
  readonly adset_id: string | null;
  readonly ad_id: string | null;
  readonly ad_name: string | null;
  /** Breakdown names and values as JSON, in the order of the names; null without breakdowns. */
  readonly breakdowns: string | null;
  readonly currency: string;
  readonly spend: string;
  readonly impressions: string;
  readonly clicks: string;
  readonly link_clicks: string;
  readonly reach: string | null;
  readonly purchase_action: string | null;
  readonly purchases: string;
  readonly purchases_7d_click: string;
  readonly purchases_1d_view: string;
  readonly purchase_value: string;
  readonly purchase_value_7d_click: string;
  readonly purchase_value_1d_view: string;
  /** Purchases at a retailer, by the shared-item metrics. */
  readonly shared_purchases: string;
  readonly shared_purchase_value: string;
  readonly fetched_at: string;
}

/** A row that does not say what it is about; the message names the field, never a value. */
export class UnreadableRow extends Error {
  override readonly name = 'UnreadableRow';
}

const idFieldOf = { account: 'account_id', campaign: 'campaign_id', adset: 'adset_id', ad: 'ad_id' } as const;

/** @throws UnreadableRow */
export function dailyRowOf(row: InsightsRow, context: RowContext): DailyRow {
  const { accountId, breakdowns, level } = context;
  const date = textOf(row, 'date_start');
  if (date === null || row['date_stop'] !== date) throw new UnreadableRow('a row does not cover exactly one day');
  const objectId = level === 'account' ? accountId : textOf(row, idFieldOf[level]);
  if (objectId === null) throw new UnreadableRow(`a row has no ${idFieldOf[level]}`);
  const cell = breakdowns.toSorted().map((name) => [name, textOf(row, name)] as const);
  const report = reportName(context);
  const own = purchasesOf(statsOf(row, 'actions'), statsOf(row, 'action_values'));
  const shared = purchasesOf(statsOf(row, 'catalog_segment_actions'), statsOf(row, 'catalog_segment_value'));
  return {
    tenant_id: context.tenantId,
    account_id: accountId,
    date,
    report,
    row_key: JSON.stringify([accountId, date, report, objectId, ...cell.map(([, value]) => value)]),
    campaign_id: textOf(row, 'campaign_id'),
    campaign_name: textOf(row, 'campaign_name'),
    adset_id: textOf(row, 'adset_id'),
    ad_id: textOf(row, 'ad_id'),
    ad_name: textOf(row, 'ad_name'),
    breakdowns: cell.length === 0 ? null : JSON.stringify(Object.fromEntries(cell)),
    currency: textOf(row, 'account_currency') ?? context.currency,
    spend: metric(row, 'spend'),
    impressions: metric(row, 'impressions'),
    clicks: metric(row, 'clicks'),
    link_clicks: metric(row, 'inline_link_clicks'),
    reach: textOf(row, 'reach') === null ? null : metric(row, 'reach'),
    purchase_action: own.actionType,
    purchases: own.count,
    purchases_7d_click: own.count7dClick,
    purchases_1d_view: own.count1dView,
    purchase_value: own.value,
    purchase_value_7d_click: own.value7dClick,
    purchase_value_1d_view: own.value1dView,
    shared_purchases: shared.count,
    shared_purchase_value: shared.value,
    fetched_at: context.fetchedAt,
  };
}

function textOf(row: InsightsRow, name: string): string | null {
  const value = row[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string' && typeof value !== 'number') throw new UnreadableRow(`${name} is not text`);
  return String(value);
}

function metric(row: InsightsRow, name: string): string {
  try {
    return decimalOf(textOf(row, name) ?? undefined);
  } catch {
    throw new UnreadableRow(`${name} is not a decimal number`);
  }
}

function statsOf(row: InsightsRow, name: string): readonly ActionStats[] | undefined {
  const list = row[name];
  if (list === undefined || list === null) return undefined;
  const isStats = Array.isArray(list) && list.every((entry) => typeof entry === 'object' && entry !== null);
  if (!isStats) throw new UnreadableRow(`${name} is not a list of action stats`);
  return list as readonly ActionStats[];
}
