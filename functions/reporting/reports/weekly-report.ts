import { Big } from 'big.js';
import type { Tenant } from '../../../shared/contracts/documents.ts';
import type { InsightsRun, ReconciliationRecord } from '../../../shared/contracts/report-documents.ts';
import { addDays, dayIn } from '../../../shared/domain/insights/account-day.ts';
import type { DayRange } from '../../../shared/domain/insights/account-day.ts';
import { isProvisional } from '../../../shared/domain/reconciliation/reconcile.ts';
import type { Warehouse } from '../../../shared/gcp/warehouse/warehouse.ts';

/** Money and quotients are decimal strings in whole units of `currency`; null where there is nothing to divide by. */
export interface Results {
  readonly spend: string;
  readonly impressions: string;
  readonly clicks: string;
  readonly purchases: string;
  readonly purchaseValue: string;
  readonly sharedPurchases: string;
  readonly sharedPurchaseValue: string;
  /** Own shop and retailers together. */
  readonly sales: string;
  readonly salesValue: string;
  /** Spend for one purchase. */
  readonly cpa: string | null;
  /** Value for one unit of spend. */
  readonly roas: string | null;
}

export interface NamedResults extends Results {
  readonly name: string;
}

export interface CurrencyReport {
  readonly currency: string;
  readonly totals: Results;
  /** The week before, for comparison. */
  readonly before: Results;
  readonly days: readonly (Results & { readonly date: string })[];
  readonly campaigns: readonly NamedResults[];
  readonly placements: readonly NamedResults[];
  readonly people: readonly NamedResults[];
  readonly countries: readonly NamedResults[];
}

export interface WeeklyReport extends DayRange {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly week: string;
  readonly timeZone: string;
  /** Meta may still change days of this week. */
  readonly isProvisional: boolean;
  /** One for each currency the tenant advertises in; sums never cross currencies. */
  readonly currencies: readonly CurrencyReport[];
  readonly reconciliation: ReconciliationRecord | null;
  /** How fresh the numbers are, account by account, and what stands in the way. */
  readonly accounts: readonly {
    readonly adAccountId: string;
    readonly completeDay: string | null;
    readonly state: string;
    readonly reason: string | null;
  }[];
}

type Row = Readonly<Record<string, string | null>>;

const most = 8;

/** The report of a week from what is stored: the same numbers whoever asks, and however often. */
export async function buildWeeklyReport(
  tenant: Tenant,
  week: string,
  range: DayRange,
  stored: { readonly runs: readonly InsightsRun[]; readonly reconciliation: ReconciliationRecord | undefined },
  warehouse: Pick<Warehouse, 'query'>,
  now: Date,
): Promise<WeeklyReport> {
  const { tenantId } = tenant;
  const of = { tenantId, ...range };
  const weekBefore = { tenantId, since: addDays(range.since, -7), until: addDays(range.since, -1) };
  const cells = (report: string): Promise<Row[]> => warehouse.query('cells', { ...of, report });
  const [totals, before, days, campaigns, placements, people, countries] = await Promise.all([
    warehouse.query('totals', of),
    warehouse.query('totals', weekBefore),
    warehouse.query('days', of),
    warehouse.query('campaigns', of),
    cells('campaign by platform_position,publisher_platform'),
    cells('campaign by age,gender'),
    cells('campaign by country'),
  ]);
  const timeZone = stored.runs[0]?.timeZone ?? tenant.timezone;
  return {
    tenantId,
    tenantName: tenant.name,
    week,
    ...range,
    timeZone,
    isProvisional: isProvisional(range.until, dayIn(timeZone, now)),
    currencies: totals.map((row): CurrencyReport => {
      const currency = row['currency'] ?? '';
      const mine = (rows: readonly Row[]): Row[] => rows.filter((each) => each['currency'] === currency);
      const [last] = mine(before);
      return {
        currency,
        totals: resultsOf(row),
        before: resultsOf(last ?? {}),
        days: everyDay(range, mine(days)),
        campaigns: mine(campaigns).map((each) => ({
          name: each['campaign_name'] ?? each['campaign_id'] ?? '',
          ...resultsOf(each),
        })),
        placements: named(mine(placements), ['publisher_platform', 'platform_position']),
        people: named(mine(people), ['age', 'gender']),
        countries: named(mine(countries), ['country']),
      };
    }),
    reconciliation: stored.reconciliation ?? null,
    accounts: stored.runs.map(({ adAccountId, completeDay, state, reason }) => ({
      adAccountId,
      completeDay,
      state,
      reason,
    })),
  };
}

function everyDay({ since }: DayRange, rows: readonly Row[]): (Results & { date: string })[] {
  return Array.from({ length: 7 }, (_, index) => {
    const date = addDays(since, index);
    return { date, ...resultsOf(rows.find((row) => row['date'] === date) ?? {}) };
  });
}

function named(rows: readonly Row[], parts: readonly string[]): NamedResults[] {
  return rows.slice(0, most).map((row) => {
    const cell = JSON.parse(row['breakdowns'] ?? '{}') as Record<string, string | null>;
    const name = parts.map((part) => (cell[part] ?? 'not known').replaceAll('_', ' ')).join(' · ');
    return { name, ...resultsOf(row) };
  });
}

function resultsOf(row: Row): Results {
  const text = (name: string): string => row[name] ?? '0';
  const [spend, value, count] = [new Big(text('spend')), new Big(text('purchase_value')), new Big(text('purchases'))];
  const [allValue, allCount] = [value.plus(text('shared_purchase_value')), count.plus(text('shared_purchases'))];
  return {
    spend: spend.toFixed(),
    impressions: text('impressions'),
    clicks: text('clicks'),
    purchases: count.toFixed(),
    purchaseValue: value.toFixed(),
    sharedPurchases: text('shared_purchases'),
    sharedPurchaseValue: text('shared_purchase_value'),
    sales: allCount.toFixed(),
    salesValue: allValue.toFixed(),
    cpa: allCount.eq(0) ? null : spend.div(allCount).toFixed(2),
    roas: spend.eq(0) ? null : allValue.div(spend).toFixed(2),
  };
}
