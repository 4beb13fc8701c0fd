import { createHash } from 'node:crypto';
import type { Tenant } from '../../../shared/contracts/documents.ts';
import type { Ga4State, InsightsRun } from '../../../shared/contracts/report-documents.ts';
import { addDays, dayIn, isoWeekOf } from '../../../shared/domain/insights/account-day.ts';
import { newestFinalSunday, reconcileWeek } from '../../../shared/domain/reconciliation/reconcile.ts';
import type { Reconciliation, WeekFigures } from '../../../shared/domain/reconciliation/reconcile.ts';
import { isFromMeta } from '../../../shared/domain/reconciliation/match.ts';
import type { Ga4Row, MetaAd } from '../../../shared/domain/reconciliation/match.ts';
import { losesItsCampaign, utmProblems } from '../../../shared/domain/utm.ts';
import type { AlertStore } from '../../../shared/gcp/alert-store.ts';
import { Ga4Error, tokensKept } from '../../../shared/gcp/ga4.ts';
import type { Ga4Reader, Ga4Report } from '../../../shared/gcp/ga4.ts';
import type { InsightsRuns } from '../../../shared/gcp/insights-runs.ts';
import type { Outbox } from '../../../shared/gcp/outbox.ts';
import type { Reconciliations } from '../../../shared/gcp/reconciliations.ts';
import type { RelayNumbers } from '../../../shared/gcp/relay-numbers.ts';
import { ga4Daily } from '../../../shared/gcp/warehouse/tables.ts';
import type { Warehouse } from '../../../shared/gcp/warehouse/warehouse.ts';
import { adAccountNumber } from '../../../shared/meta/ad-accounts.ts';
import type { AdTags } from '../../../shared/meta/ads.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import { traceparentOf } from '../../../shared/runtime/trace.ts';
import { instantsOf, purchasesThroughRelay } from './relay-orders.ts';
import { offsetHours } from './zone-offset.ts';

export interface CrossCheckServices {
  readonly ga4: Pick<Ga4Reader, 'readTraffic'>;
  /** The tags of an account's ads. @throws GraphError */
  readonly adTags: (account: InsightsRun) => Promise<readonly AdTags[]>;
  /** What the relay counted of a tenant's events. */
  readonly relayNumbers: (tenantId: string, from: Date, to: Date) => Promise<RelayNumbers>;
  readonly runs: Pick<InsightsRuns, 'ofTenant'>;
  readonly reconciliations: Pick<Reconciliations, 'state' | 'setState' | 'before' | 'save'>;
  readonly warehouse: Pick<Warehouse, 'stage' | 'merge' | 'query'>;
  readonly alerts: Pick<AlertStore, 'raise' | 'resolve'>;
  readonly outbox: Pick<Outbox, 'deliver'>;
  readonly now: () => Date;
  readonly log: Logger;
}

export type Finding = 'compared' | 'up-to-date' | 'no-property' | 'no-access' | 'out-of-quota';

/** Days read from GA4 each time: what is compared, and what came late. */
const readDays = 28;
const pastWeeks = 8;

/**
 * Reads a tenant's GA4 property, keeps its daily rows, and compares the newest week of which no day can change any more:
 * what the gap is, whether it is as large as it always is, and what it is made of.
 */
export async function crossCheckTenant(tenant: Tenant, services: CrossCheckServices): Promise<Finding> {
  const { ga4, reconciliations, now } = services;
  const { tenantId } = tenant;
  const state = await reconciliations.state(tenantId);
  if (state === undefined) return 'no-property';
  const today = dayIn(tenant.timezone, now());
  if (state.day !== null && state.day >= today) return 'up-to-date';
  let report: Ga4Report;
  try {
    report = await ga4.readTraffic(state.propertyId, { since: addDays(today, -readDays), until: today });
  } catch (error) {
    if (!(error instanceof Ga4Error)) throw error;
    if (error.trouble !== 'no-access') return 'out-of-quota';
    await reconciliations.setState(tenantId, { ...state, wait: noAccess(state, now()) });
    return 'no-access';
  }
  await keep(tenantId, state.propertyId, report, today, services);
  const sunday = newestFinalSunday(today);
  for (const until of [addDays(sunday, -7), sunday]) await compare(tenant, until, report, services);
  const tokensLeft = report.tokensLeft.day;
  if (tokensLeft !== null && tokensLeft < tokensKept)
    services.log.warn({ tenantId, tokensLeft }, 'GA4 tokens of the property are low');
  await reconciliations.setState(tenantId, { ...state, day: today, wait: null, tokensLeft });
  return 'compared';
}

function noAccess({ propertyId, wait }: Ga4State, now: Date): Ga4State['wait'] {
  return {
    on: 'client',
    for: 'ga4-access',
    what: `Give Kobi's service account the role Viewer on GA4 property ${propertyId} (Admin, Property access management), or tell us the right property.`,
    since: wait?.since ?? now.toISOString(),
    expiresAt: null,
  };
}

/** Stores the days as GA4 has them now: those that changed, came and went. */
async function keep(
  tenantId: string,
  propertyId: string,
  report: Ga4Report,
  today: string,
  { warehouse, now }: CrossCheckServices,
): Promise<void> {
  const fetchedAt = now().toISOString();
  const accountId = `ga4:${propertyId}`;
  const rows = report.rows.map((row) => ({
    tenant_id: tenantId,
    account_id: accountId,
    date: row.date,
    report: 'traffic',
    row_key: JSON.stringify([accountId, row.date, row.source, row.medium, row.campaign, row.content, row.channelGroup]),
    source: row.source,
    medium: row.medium,
    campaign: row.campaign,
    content: row.content,
    channel_group: row.channelGroup,
    sessions: row.sessions,
    purchases: row.purchases,
    revenue: row.revenue,
    currency: report.currency,
    fetched_at: fetchedAt,
  }));
  const stage = `ga4_${createHash('sha256').update(`${tenantId}\n${propertyId}\n${today}`).digest('hex').slice(0, 24)}`;
  await warehouse.stage(ga4Daily, stage, rows);
  await warehouse.merge(ga4Daily, {
    tenantId,
    accountId,
    stages: rows.length === 0 ? [] : [stage],
    scopes: [{ report: 'traffic', since: addDays(today, -readDays), until: today }],
    fetchedAt,
  });
}

async function compare(tenant: Tenant, until: string, report: Ga4Report, services: CrossCheckServices): Promise<void> {
  const { alerts, outbox, reconciliations, now } = services;
  const { tenantId } = tenant;
  const since = addDays(until, -6);
  const week = isoWeekOf(until);
  // A retailer's shop is not measured by the tenant's own property.
  const accounts = (await services.runs.ofTenant(tenantId)).filter(({ isCollaborative }) => !isCollaborative);
  const [account] = accounts;
  if (account === undefined) return;
  const tags = (await Promise.all(accounts.map(services.adTags))).flat();
  const problems = new Map(tags.map((ad) => [ad.adId, utmProblems(ad.urlTags)]));
  const [metaRows, ga4Rows] = await Promise.all([
    services.warehouse.query('ads', { tenantId, since, until }),
    services.warehouse.query('ga4', { tenantId, since: addDays(since, -1), until }),
  ]);
  const own = new Set(accounts.map(({ adAccountId }) => adAccountNumber(adAccountId)));
  const ownRows = metaRows.filter((row) => own.has(row['account_id'] ?? ''));
  const ads = ownRows.map((row): MetaAd => {
    const adId = row['ad_id'] ?? '';
    return {
      campaignId: row['campaign_id'] ?? '',
      campaignName: row['campaign_name'] ?? '',
      adId,
      linkClicks: Number(row['link_clicks']),
      purchases: Number(row['purchases']),
      purchases7dClick: Number(row['purchases_7d_click']),
      purchaseValue: row['purchase_value'] ?? '0',
      isTagged: !losesItsCampaign(problems.get(adId) ?? []),
    };
  });
  const all = ga4Rows.map((row) => ({ date: row['date'] ?? '', row: ga4RowOf(row) }));
  const onDay = (day: string): number =>
    all.filter(({ date, row }) => date === day && isFromMeta(row)).reduce((sum, { row }) => sum + row.purchases, 0);
  const { from, to } = instantsOf({ since, until }, account.timeZone);
  const [past, relay] = await Promise.all([
    reconciliations.before(tenantId, week, pastWeeks),
    services.relayNumbers(tenantId, from, to),
  ]);
  const result = reconcileWeek(
    {
      week,
      ads,
      rows: all.filter(({ date }) => date >= since).map(({ row }) => row),
      orders: purchasesThroughRelay(relay, from, to),
      zoneShiftHours: zoneShiftHours(account.timeZone, report.timeZone, until),
      edgeDays: { before: onDay(addDays(since, -1)), last: onDay(until) },
      currencies: { meta: account.currency, ga4: report.currency },
      hasOther: report.hasOther,
      isThresholded: report.isThresholded,
    },
    past.map(({ figures }) => figures as WeekFigures),
  );
  await reconciliations.save({
    tenantId,
    week,
    comparedAt: now().toISOString(),
    band: result.band,
    figures: { ...result.figures, causeShares: { ...result.figures.causeShares } },
    result: JSON.parse(JSON.stringify(result)) as Record<string, unknown>,
    tagProblems: tags.flatMap(({ adId, name }) => {
      const found = problems.get(adId) ?? [];
      return found.length === 0 ? [] : [{ adId, name, problems: found.map(({ tag, kind }) => `${tag} ${kind}`) }];
    }),
  });
  const traceparent = traceparentOf(undefined);
  await outbox.deliver(
    result.band === 'red'
      ? await alerts.raise(alertOf(tenantId, result), traceparent)
      : await alerts.resolve(tenantId, 'meta-ga4-gap', 'auto', traceparent),
  );
}

function alertOf(tenantId: string, { week, why, mainCause }: Reconciliation): Parameters<AlertStore['raise']>[0] {
  const because = mainCause === null ? '' : ` Most of it: ${mainCause}.`;
  return {
    tenantId,
    kind: 'meta-ga4-gap',
    severity: 'notice',
    summary: `Week ${week}: ${why}.${because}`,
    detail: { week, mainCause },
  };
}

function ga4RowOf(row: Readonly<Record<string, string | null>>): Ga4Row {
  return {
    source: row['source'] ?? '',
    medium: row['medium'] ?? '',
    campaign: row['campaign'] ?? '',
    content: row['content'] ?? '',
    channelGroup: row['channel_group'] ?? '',
    sessions: Number(row['sessions']),
    purchases: Number(row['purchases']),
    revenue: row['revenue'] ?? '0',
  };
}

/** How many hours the account's day begins before GA4's. */
function zoneShiftHours(account: string, property: string, day: string): number {
  const noon = new Date(`${day}T12:00:00Z`);
  return offsetHours(account, noon) - offsetHours(property === '' ? account : property, noon);
}
