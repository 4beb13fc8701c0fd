/**
 * Meta's usage headers, and the gate that keeps calls back because of them.
 *
 * - `X-App-Usage` `{call_count,total_time,total_cputime}`, percent of the app's limit
 * - `X-Ad-Account-Usage` `{acc_id_util_pct,reset_time_duration,ads_api_access_tier}`
 * - `X-Business-Use-Case-Usage` `{"<business or account id>":[{type,call_count,…,estimated_time_to_regain_access}]}`,
 *   where the time to regain access is in **minutes**
 *
 * - `X-FB-Ads-Insights-Throttle` `{app_id_util_pct,acc_id_util_pct,ads_api_access_tier}` on answers about reports
 *
 * (Graph API, "Rate Limits"; Marketing API, "Rate Limiting".) State is per process: another instance learns the same
 * from its own next answer.
 */

/** What one limit is at. */
export interface Usage {
  /** What the limit belongs to: `app`, or the digits of a business, ad account, Page or catalog. */
  readonly subject: string;
  /** Which calls the limit counts. */
  readonly useCase: UseCase;
  /** Highest of Meta's percentages; 100 is the limit. */
  readonly percent: number;
  /** Until when Meta answers nothing, in minutes from the answer; 0 when calls are allowed. */
  readonly regainMinutes: number;
  /** `development_access` (Limited) or `standard_access` (Full), where the header names it. */
  readonly accessTier?: string;
}

/** Limits are counted apart for these; everything else shares one. */
export type UseCase = 'ads_insights' | 'custom_audience' | 'catalog_batch' | 'other';

/** Reads whichever usage headers an answer carries; a header that cannot be read is skipped. */
export function readUsage(headers: Headers, call: CallSubject): Usage[] {
  const usages: Usage[] = [];
  const app = parse(headers['x-app-usage']);
  if (app) usages.push({ subject: 'app', useCase: 'other', percent: highestPercent(app), regainMinutes: 0 });

  const account = parse(headers['x-ad-account-usage']);
  if (account) {
    const percent = number(account['acc_id_util_pct']);
    const resetMinutes = percent >= 100 ? number(account['reset_time_duration']) / 60 : 0;
    usages.push({
      subject: call.subject,
      useCase: call.useCase,
      percent,
      regainMinutes: resetMinutes,
      ...tierOf(account),
    });
  }

  const reports = parse(headers['x-fb-ads-insights-throttle']);
  if (reports) {
    const [app, account] = [number(reports['app_id_util_pct']), number(reports['acc_id_util_pct'])];
    usages.push({ subject: 'app', useCase: 'ads_insights', percent: app, regainMinutes: 0 });
    usages.push({ subject: call.subject, useCase: 'ads_insights', percent: account, regainMinutes: 0 });
  }

  for (const [subject, entries] of Object.entries(parse(headers['x-business-use-case-usage']) ?? {})) {
    if (!Array.isArray(entries)) continue;
    for (const entry of entries) {
      if (!isRecord(entry)) continue;
      const regainMinutes = number(entry['estimated_time_to_regain_access']);
      usages.push({
        subject: subjectOf(subject),
        useCase: useCaseOf(entry['type']),
        percent: highestPercent(entry),
        regainMinutes,
        ...tierOf(entry),
      });
    }
  }
  return usages;
}

function tierOf({ ads_api_access_tier: tier }: Record<string, unknown>): { accessTier?: string } {
  return typeof tier === 'string' ? { accessTier: tier } : {};
}

/** Which limit a call counts against. */
export interface CallSubject {
  readonly subject: string;
  readonly useCase: UseCase;
}

/** `/act_1/insights` → subject `1`, use case `ads_insights`. */
export function subjectOfPath(path: string): CallSubject {
  const [node = '', edge = ''] = path.replace(/^\//, '').split('/');
  const useCases: Record<string, UseCase> = {
    insights: 'ads_insights',
    customaudiences: 'custom_audience',
    users: 'custom_audience',
    items_batch: 'catalog_batch',
    batch: 'catalog_batch',
  };
  return { subject: subjectOf(node), useCase: useCases[edge] ?? 'other' };
}

function subjectOf(node: string): string {
  return node.replace(/^act_/, '');
}

function useCaseOf(type: unknown): UseCase {
  return type === 'ads_insights' || type === 'custom_audience' || type === 'catalog_batch' ? type : 'other';
}

export interface UsageGate {
  /** Epoch milliseconds before which this call must not be made, or `undefined` when it may. */
  blockedUntilMs(call: CallSubject): number | undefined;
  /** How long to hold this call back because a limit is near; 0 most of the time. */
  paceMs(call: CallSubject): number;
  /** Learns from an answer. Returns when the call may be repeated if the answer names a time. */
  learn(call: CallSubject, usages: readonly Usage[]): number | undefined;
  /** Keeps calls of this kind back until then, whatever the headers said. */
  block(call: CallSubject, untilMs: number): void;
}

/** From this share of a limit on, calls are spaced out; at the limit itself each waits {@link maxPaceMs}. */
const slowDownFromPercent = 80;
const maxPaceMs = 2_000;
/**
 * Reports can wait for hours: from this share of their budget on they rest after each percent more, and further on after
 * each call. Meta's least budget is 600 calls an hour: 93 % and the nine calls of the rests that are left stay below 95 %.
 */
const reportsRestFromPercent = 90;
const reportsCrawlFromPercent = 93;
const reportsRestMs = 300_000;
const batchRestMs = 60_000;
/** Meta's account score decays in 300 s, so an older percentage says nothing. */
const percentLastsMs = 300_000;
/** More subjects than one instance works for at a time; beyond it, what has expired is dropped. */
const pruneAbove = 2_000;

/** @param now the clock, epoch milliseconds */
export function createUsageGate(now: () => number): UsageGate {
  const blocks = new Map<string, number>();
  const percents = new Map<string, { percent: number; untilMs: number }>();
  const app: CallSubject = { subject: 'app', useCase: 'other' };
  const key = (call: CallSubject): string => `${call.subject} ${call.useCase}`;

  const block = (call: CallSubject, untilMs: number): void => {
    const name = key(call);
    blocks.set(name, Math.max(untilMs, blocks.get(name) ?? 0));
    if (blocks.size > pruneAbove) for (const [old, until] of blocks) if (until <= now()) blocks.delete(old);
  };
  const percentOf = (call: CallSubject): number => {
    const seen = percents.get(key(call));
    return seen !== undefined && seen.untilMs > now() ? seen.percent : 0;
  };

  return {
    block,
    blockedUntilMs(call) {
      const appOfUseCase = { subject: 'app', useCase: call.useCase };
      const untilMs = Math.max(...[call, app, appOfUseCase].map((limit) => blocks.get(key(limit)) ?? 0));
      return untilMs > now() ? untilMs : undefined;
    },
    paceMs(call) {
      const percent = Math.min(100, Math.max(percentOf(call), percentOf(app)));
      if (percent < slowDownFromPercent) return 0;
      return Math.round(((percent - slowDownFromPercent) / (100 - slowDownFromPercent)) * maxPaceMs);
    },
    learn(call, usages) {
      let regainAtMs: number | undefined;
      const before = new Map<string, number>();
      const highest = new Map<string, number>();
      for (const usage of usages) {
        // A limit of another object, e.g. the ad account behind a dataset, also stands for the node just called.
        const subjects: CallSubject[] = [usage];
        if (usage.subject !== 'app' && usage.useCase === call.useCase) subjects.push(call);
        for (const subject of subjects) {
          const name = key(subject);
          if (!before.has(name)) before.set(name, percents.get(name)?.percent ?? 0);
          const percent = Math.max(usage.percent, highest.get(name) ?? 0);
          highest.set(name, percent);
          percents.set(name, { percent, untilMs: now() + percentLastsMs });
          const hasRisen = usage.percent > (before.get(name) ?? 0);
          const isReportBudgetLow = usage.percent >= (hasRisen ? reportsRestFromPercent : reportsCrawlFromPercent);
          if (usage.useCase === 'ads_insights' && isReportBudgetLow)
            block({ ...subject, useCase: 'ads_insights' }, now() + reportsRestMs);
          // Batches are counted by the minute: the next is not sent only to be refused.
          const isBatchBucketFull = usage.useCase === 'catalog_batch' && usage.percent >= 100;
          if (isBatchBucketFull) block({ ...subject, useCase: 'catalog_batch' }, now() + batchRestMs);
          if (usage.regainMinutes > 0) block(subject, now() + Math.ceil(usage.regainMinutes * 60_000));
        }
        if (usage.regainMinutes > 0 && subjects.length > 1) {
          regainAtMs = Math.max(regainAtMs ?? 0, now() + Math.ceil(usage.regainMinutes * 60_000));
        }
      }
      if (percents.size > pruneAbove) {
        for (const [old, seen] of percents) if (seen.untilMs <= now()) percents.delete(old);
      }
      return regainAtMs;
    },
  };
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function parse(header: string | string[] | undefined): Record<string, unknown> | undefined {
  if (typeof header !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(header);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function highestPercent(entry: Record<string, unknown>): number {
  return Math.max(number(entry['call_count']), number(entry['total_cputime']), number(entry['total_time']));
}

function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
