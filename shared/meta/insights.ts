/** Insights: reports of an ad account, made by report runs (Marketing API, "Insights", "Asynchronous Jobs"). */
import * as v from 'valibot';
import { deprecatedIn } from '../domain/insights/deprecations.ts';
import { attributionWindows, fieldsOf } from '../domain/insights/reports.ts';
import type { ReportShape } from '../domain/insights/reports.ts';
import type { DayRange } from '../domain/insights/account-day.ts';
import type { InsightsRow } from '../domain/insights/daily-row.ts';
import { adAccountNodeId, adAccountNumber } from './ad-accounts.ts';
import { graphId } from './answers.ts';
import type { CredentialFor } from './credentials.ts';
import type { GraphAs, Page } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

export interface ReportRequest extends ReportShape, DayRange {
  /** `act_…` or its digits. */
  readonly adAccountId: string;
  /** The account advertises a shared part of a retailer's catalog. */
  readonly isCollaborative: boolean;
}

const pageSize = 500;

/**
 * `POST /act_…/insights`: starts a report run, one row a day. Nothing is changed at Meta but a budget, so a run whose id
 * got lost is simply started again.
 *
 * @throws GraphError `report-too-large` when Meta asks to reduce the amount of data; `bad-report-query` among others
 * @throws TypeError for what Meta has ended or announced to end: our mistake, not sent
 */
export async function startReportRun(
  graph: GraphAs<CredentialFor<'read-insights'>>,
  request: ReportRequest,
): Promise<string> {
  const { adAccountId, level, breakdowns, since, until } = request;
  const fields = fieldsOf(request, request.isCollaborative);
  const ended = deprecatedIn({ fields, breakdowns, windows: attributionWindows });
  if (ended.length > 0) throw new TypeError(`Meta ended ${ended.map(({ name }) => name).join(', ')}`);
  const answer = await graph.post(
    graphPath(adAccountNodeId(adAccountId), 'insights'),
    {
      level,
      fields: fields.join(','),
      breakdowns: breakdowns.length === 0 ? undefined : breakdowns,
      action_attribution_windows: attributionWindows,
      time_range: { since, until },
      time_increment: 1,
    },
    v.object({ report_run_id: graphId }),
    { isRepeatable: true },
  );
  return answer.report_run_id;
}

/** How a run stands. `percent` can be 99 although Meta says "completed": only both together mean it is there. */
export type ReportRunStatus =
  | { readonly kind: 'running'; readonly percent: number }
  | { readonly kind: 'completed' }
  | { readonly kind: 'skipped' }
  | {
      readonly kind: 'failed';
      readonly isTooMuchData: boolean;
      readonly code: number | undefined;
      readonly subcode: number | undefined;
    };

const runNode = v.object({
  async_status: v.optional(v.string(), ''),
  async_percent_completion: v.optional(v.number(), 0),
  error_code: v.optional(v.number()),
  error_subcode: v.optional(v.number()),
});

/** Subcodes by which Meta asks for less data. */
const tooMuchData: readonly number[] = [1487534, 1504045];

/** `GET /{report_run}`. @throws GraphError `object-not-visible` when Meta has lost or forgotten the run (after 30 days) */
export async function readReportRun(
  graph: GraphAs<CredentialFor<'read-insights'>>,
  run: { readonly runId: string; readonly adAccountId: string },
): Promise<ReportRunStatus> {
  const fields = 'async_status,async_percent_completion,error_code,error_subcode';
  const limitOf = limitOfReports(run.adAccountId);
  const node = await graph.get(graphPath(run.runId), { fields }, runNode, { limitOf });
  const { async_status: status, async_percent_completion: percent, error_code: code, error_subcode: subcode } = node;
  if (status === 'Job Completed' && percent === 100) return { kind: 'completed' };
  if (status === 'Job Skipped') return { kind: 'skipped' };
  if (status === 'Job Failed') {
    return { kind: 'failed', isTooMuchData: subcode !== undefined && tooMuchData.includes(subcode), code, subcode };
  }
  return { kind: 'running', percent };
}

/**
 * `GET /{report_run}/insights`: one page of the rows of a finished run, which stay as they are for its 30 days.
 *
 * @param after the cursor of the page before; null: the first page
 * @throws GraphError `object-not-visible` when Meta has lost or forgotten the run
 */
export async function readReportPage(
  graph: GraphAs<CredentialFor<'read-insights'>>,
  run: { readonly runId: string; readonly adAccountId: string },
  after: string | null,
): Promise<Page<InsightsRow>> {
  const row = v.record(v.string(), v.unknown());
  const limitOf = limitOfReports(run.adAccountId);
  const params = { limit: pageSize, after: after ?? undefined };
  return graph.page(graphPath(run.runId, 'insights'), params, row, { limitOf });
}

/** Polls and pages of a run count against its account's budget of reports. */
function limitOfReports(adAccountId: string): { subject: string; useCase: 'ads_insights' } {
  return { subject: adAccountNumber(adAccountId), useCase: 'ads_insights' };
}

export interface ReportingFacts {
  readonly currency: string;
  /** IANA; absent: Meta did not say. */
  readonly timeZone: string | undefined;
}

/** `GET /act_…`: in which currency and time zone the account counts. @throws GraphError */
export async function readReportingFacts(
  graph: GraphAs<CredentialFor<'read-insights'>>,
  adAccountId: string,
): Promise<ReportingFacts> {
  const node = v.object({ currency: v.string(), timezone_name: v.optional(v.string()) });
  const account = await graph.get(graphPath(adAccountNodeId(adAccountId)), { fields: 'currency,timezone_name' }, node);
  return { currency: account.currency, timeZone: account.timezone_name };
}
