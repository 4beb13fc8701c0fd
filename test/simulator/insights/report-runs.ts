/** Reports: asked at once or as a run that takes its time, with everything that goes wrong with runs (Marketing API, "Insights"). */
import type { SimulatorContext } from '../context.ts';
import { endpoint } from '../endpoint.ts';
import type { Shape } from '../field-selection.ts';
import { row, rows } from '../field-selection.ts';
import { GraphError, invalidParameter, unknownObject } from '../graph-error.ts';
import { knownFields } from '../known-fields.ts';
import { text, undescribed, unsigned } from '../parameters.ts';
import type { AdAccount, ReportRun } from '../world.ts';
import { daysOf, insightsParameters, readQuery } from './query.ts';
import type { InsightsQuery } from './query.ts';
import { insightsRows } from './rows.ts';
import { AccountTruth } from './truth.ts';
import type { AccountPlan, Ad } from './truth.ts';

/** How a run ends. `stuck-0` and `stuck-99` never do; `lost` is forgotten by Meta. */
const runOutcomes = ['completed', 'failed', 'skipped', 'stuck-0', 'stuck-99', 'lost', 'too-much-data'] as const;
export type RunOutcome = (typeof runOutcomes)[number];

/** What the accounts' reports are made from, and how the next runs go. */
export class InsightsWorld {
  readonly truths = new Map<string, AccountTruth>();
  /** Fields that Meta ends on a day, beside those it has ended: for canaries. */
  readonly retired = new Map<string, string>();
  readonly #planned: RunOutcome[] = [];
  /** The rows of the run that was read last. */
  #read: { readonly runId: string; readonly rows: readonly Record<string, unknown>[] } | undefined;
  started = 0;

  plant(accountId: string, plan: AccountPlan): AccountTruth {
    const truth = new AccountTruth(accountId.replace(/^act_/, ''), plan);
    this.truths.set(truth.accountId, truth);
    return truth;
  }

  /** Rows of a finished run: they stay as they are, so they are not made anew for each of its pages. */
  rowsOfRun(runId: string, make: () => readonly Record<string, unknown>[]): readonly Record<string, unknown>[] {
    if (this.#read?.runId !== runId) this.#read = { runId, rows: make() };
    return this.#read.rows;
  }

  /** The next runs end so, one after the other. */
  planRuns(...outcomes: RunOutcome[]): void {
    this.#planned.push(...outcomes);
  }

  /** How a new run will end: as planned, else by the failure rate, spread evenly over the ways to fail. */
  outcomeOf(runNumber: number, failurePercent: number): RunOutcome {
    const planned = this.#planned.shift();
    if (planned !== undefined) return planned;
    // A full period of a small generator: of 100 runs exactly `failurePercent` fail, not in a row.
    const isFailing = (runNumber * 37) % 100 < failurePercent;
    if (!isFailing) return 'completed';
    const ways = ['failed', 'skipped', 'stuck-0', 'stuck-99', 'lost'] as const;
    return ways[Math.floor(runNumber / 7) % ways.length] ?? 'failed';
  }
}

/** From "not started" to "completed" unless the outcome says otherwise. */
const runTakesMs = 40_000;
const runLivesMs = 30 * 86_400_000;

function statusOf(run: ReportRun, nowMs: number): { status: string; percent: number } {
  const share = Math.min(1, (nowMs - run.createdAtMs) / runTakesMs);
  if (run.outcome === 'stuck-0') return { status: 'Job Not Started', percent: 0 };
  if (run.outcome === 'stuck-99' && share > 0.9) return { status: 'Job Running', percent: 99 };
  if (share < 0.1) return { status: 'Job Not Started', percent: 0 };
  if (share < 0.2) return { status: 'Job Started', percent: 0 };
  if (share < 0.9) return { status: 'Job Running', percent: Math.floor(share * 100) };
  if (run.outcome === 'failed' || run.outcome === 'too-much-data')
    return { status: 'Job Failed', percent: Math.floor(share * 100) };
  if (run.outcome === 'skipped') return { status: 'Job Skipped', percent: 0 };
  // Meta says "completed" a moment before all is there.
  return share < 1 ? { status: 'Job Completed', percent: 99 } : { status: 'Job Completed', percent: 100 };
}

const failureOf = (run: ReportRun): { code: number; subcode: number; message: string } =>
  run.outcome === 'too-much-data'
    ? {
        code: 100,
        subcode: 1487534,
        message: 'Please reduce the amount of data you are asking for, then retry your request',
      }
    : { code: -2, subcode: 2490547, message: 'The report could not be finished' };

const reportRun: Shape<ReportRun> = {
  name: 'AdReportRun',
  defaults: ['id', 'account_id', 'time_ref', 'async_status', 'async_percent_completion'],
  empty: knownFields.AdReportRun,
  fields: {
    id: ({ id }) => id,
    account_id: ({ accountId }) => accountId.replace(/^act_/, ''),
    async_status: (run, { clock }) => statusOf(run, clock.nowMs()).status,
    async_percent_completion: (run, { clock }) => statusOf(run, clock.nowMs()).percent,
    time_ref: ({ createdAtMs }) => Math.floor(createdAtMs / 1000),
    time_completed: (run, { clock }) =>
      statusOf(run, clock.nowMs()).percent === 100 ? Math.floor((run.createdAtMs + runTakesMs) / 1000) : undefined,
    date_start: ({ query }) => query.since,
    date_stop: ({ query }) => query.until,
    error_code: (run, { clock }) => (hasFailed(run, clock.nowMs()) ? failureOf(run).code : undefined),
    error_subcode: (run, { clock }) => (hasFailed(run, clock.nowMs()) ? failureOf(run).subcode : undefined),
    error_message: (run, { clock }) => (hasFailed(run, clock.nowMs()) ? failureOf(run).message : undefined),
    error_user_msg: (run, { clock }) => (hasFailed(run, clock.nowMs()) ? failureOf(run).message : undefined),
  },
};

const hasFailed = (run: ReportRun, nowMs: number): boolean => statusOf(run, nowMs).status === 'Job Failed';

function rowsOf(
  account: AdAccount,
  query: InsightsQuery,
  asOfMs: number,
  context: SimulatorContext,
): Record<string, unknown>[] {
  const truth = context.insights.truths.get(account.accountId);
  return truth === undefined ? [] : insightsRows(query, truth, account.currency, truth.dayOf(asOfMs), context);
}

/** Meta judges by what it would have to read; the simulator by days, ads and breakdown cells. */
function weightOf(account: AdAccount, query: InsightsQuery, { insights }: SimulatorContext): number {
  const truth = insights.truths.get(account.accountId);
  if (truth === undefined) return 0;
  const objects = query.level === 'ad' || query.breakdowns.length > 0 ? truth.ads.length : truth.plan.campaigns;
  return daysOf(query) * objects * (query.breakdowns.length > 0 ? truth.plan.cells : 1);
}

const tooMuch = (): GraphError =>
  new GraphError({
    code: 100,
    subcode: 1487534,
    message: "(#100) Please reduce the amount of data you're asking for, then retry your request",
  });

const reader = { credentials: ['user', 'parent', 'child'], scopes: ['ads_read', 'ads_management'] } as const;
/** Of an account only whoever is assigned to it reads anything. */
const accountReader = { ...reader, tasks: ['ANALYZE', 'ADVERTISE', 'MANAGE'] } as const;

const readInsights = endpoint({
  operation: 'read_insights',
  method: 'GET',
  on: 'ad_account',
  edge: 'insights',
  ...accountReader,
  parameters: insightsParameters,
  handle({ node, params, nowMs, context }) {
    const query = readQuery(params, context.insights.truths.get(node.accountId), context);
    if (weightOf(node, query, context) > context.switches.insights_sync_row_limit) throw tooMuch();
    return pageOfRows(rowsOf(node, query, nowMs, context), params, context);
  },
});

const startReport = endpoint({
  operation: 'start_report_run',
  method: 'POST',
  on: 'ad_account',
  edge: 'insights',
  ...accountReader,
  parameters: insightsParameters,
  handle({ node, params, nowMs, context }) {
    const { insights, store, switches } = context;
    const query = readQuery(params, insights.truths.get(node.accountId), context);
    insights.started += 1;
    const isTooMuch = weightOf(node, query, context) > switches.insights_async_row_limit;
    const run = store.add<ReportRun>({
      kind: 'report_run',
      id: store.newId('report_run'),
      accountId: node.id,
      businessId: node.businessId,
      query,
      outcome: isTooMuch ? 'too-much-data' : insights.outcomeOf(insights.started, switches.report_run_failure_percent),
      createdAtMs: nowMs,
    });
    return { report_run_id: run.id };
  },
});

const assertKept = (run: ReportRun, nowMs: number, method: string): void => {
  if (run.outcome === 'lost' || nowMs - run.createdAtMs > runLivesMs)
    throw unknownObject(run.id, method, 'the run is gone');
};

const readReport = endpoint({
  operation: 'read_report_run',
  method: 'GET',
  on: 'report_run',
  ...reader,
  parameters: {},
  handle({ node, nowMs }) {
    assertKept(node, nowMs, 'GET');
    return row(reportRun, node);
  },
});

const readReportRows = endpoint({
  operation: 'read_report_rows',
  method: 'GET',
  on: 'report_run',
  edge: 'insights',
  ...reader,
  parameters: { limit: undescribed(unsigned), after: undescribed(text) },
  handle({ node, params, nowMs, context }) {
    assertKept(node, nowMs, 'GET');
    const { status, percent } = statusOf(node, nowMs);
    if (status !== 'Job Completed' || percent < 100) {
      throw new GraphError({
        code: 100,
        message: `(#100) The report run is not completed: ${status}, ${String(percent)} %`,
      });
    }
    const account = context.store.get('ad_account', node.accountId);
    const all = context.insights.rowsOfRun(node.id, () =>
      rowsOf(account, node.query, node.createdAtMs + runTakesMs, context),
    );
    return pageOfRows(all, params, context);
  },
});

const defaultLimit = 25;

function pageOfRows(
  rows: readonly Record<string, unknown>[],
  { limit, after }: { readonly limit?: number | undefined; readonly after?: string | undefined },
  { switches }: SimulatorContext,
): Record<string, unknown> {
  const size = Math.min(limit ?? defaultLimit, switches.insights_page_row_limit);
  const start =
    after === undefined ? 0 : Number(/^row:(\d+)$/.exec(Buffer.from(after, 'base64url').toString())?.[1] ?? -1) + 1;
  if (after !== undefined && start === 0) throw invalidParameter('after', 'is not a cursor of this list.');
  const data = rows.slice(start, start + size);
  const cursor = (index: number): string => Buffer.from(`row:${String(index)}`).toString('base64url');
  const end = start + data.length;
  return {
    data,
    ...(data.length === 0
      ? {}
      : {
          paging: {
            cursors: { before: cursor(start), after: cursor(end - 1) },
            ...(end < rows.length ? { next: `https://graph.facebook.com/next?after=${cursor(end - 1)}` } : {}),
          },
        }),
  };
}

/** An ad of the account's past, and the tags of its creative. */
const creative: Shape<string | null> = {
  name: 'AdCreative',
  defaults: ['id'],
  empty: new Set(['name']),
  fields: { id: () => '64', url_tags: (tags) => tags ?? undefined },
};
const ad: Shape<{ ad: Ad; urlTags: string | null }> = {
  name: 'Ad',
  defaults: ['id'],
  empty: new Set(['status', 'effective_status', 'created_time']),
  fields: {
    id: (value) => value.ad.adId,
    name: (value) => value.ad.adName,
    campaign_id: (value) => value.ad.campaignId,
    adset_id: (value) => value.ad.adsetId,
    creative: ({ urlTags }) => row(creative, urlTags),
  },
};
const fullTags =
  'utm_source={{site_source_name}}&utm_medium=paid_social&utm_campaign={{campaign.id}}&utm_content={{ad.id}}';

const listAds = endpoint({
  operation: 'list_ads',
  method: 'GET',
  on: 'ad_account',
  edge: 'ads',
  isList: true,
  ...accountReader,
  parameters: {},
  handle({ node, context }) {
    const truth = context.insights.truths.get(node.accountId);
    const ads = truth?.ads.map((each, index) => ({
      ad: each,
      urlTags: truth.plan.urlTags?.[index] ?? (truth.plan.urlTags === undefined ? fullTags : null),
    }));
    return rows(ad, ads ?? []);
  },
});

export const insightsEndpoints = [listAds, readInsights, startReport, readReport, readReportRows];
