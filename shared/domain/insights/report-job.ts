/**
 * One report run at Meta from "to be started" to "its rows are stored": what to do next, and what a status means. Pure, so
 * that every way a run can go is a test of data.
 */
import { halves } from './account-day.ts';
import type { DayRange } from './account-day.ts';
import { dailyReports } from './reports.ts';
import type { ReportShape } from './reports.ts';

export interface ReportJob extends ReportShape, DayRange {
  /** Names the job within the account's run; parts of a split job have numbers of their own. */
  readonly number: number;
  readonly state: 'pending' | 'running' | 'ready' | 'staged' | 'split' | 'given-up';
  readonly runId: string | null;
  readonly startedAt: string | null;
  readonly percent: number;
  /** When the percentage last changed. */
  readonly movedAt: string | null;
  /** Polls of the present run. */
  readonly polls: number;
  /** Runs that came to nothing. */
  readonly failures: number;
  /** Why it was given up, in words fit to show. */
  readonly why: string | null;
  /** Rows read so far. */
  readonly rows: number;
  /** Staging tables of the parts read so far, in order. */
  readonly stages: readonly string[];
  /** Meta's cursor after the last page of them; null: nothing was read yet. */
  readonly after: string | null;
}

/** Some pages of a finished run, staged. */
export interface ReportPart {
  /** Undefined: the pages held no rows, so there is no table. */
  readonly stage: string | undefined;
  readonly rows: number;
  /** Meta's cursor after its last page; undefined: the run ends with it. */
  readonly after: string | undefined;
}

/** What Meta says about a running job. */
export type JobNews =
  | { readonly kind: 'running'; readonly percent: number }
  | { readonly kind: 'completed' }
  | { readonly kind: 'skipped' }
  | { readonly kind: 'lost' }
  /** Its pages went on and on. */
  | { readonly kind: 'endless' }
  | { readonly kind: 'failed'; readonly isTooMuchData: boolean; readonly code?: number | undefined };

/** A run whose percentage does not move for so long will not end; restarting sooner only costs budget. */
export const stuckAfterMs = 20 * 60_000;
/** A run may take an hour; one that moves a little now and then is not waited for longer than this. */
const tooLongMs = 90 * 60_000;
/** Failures after which fewer days are asked for, and after which a single day is given up until the next daily run. */
const splitAfter = 3;
const giveUpAfter = 6;

const firstPollMs = 60_000;
const longestPollMs = 10 * 60_000;

/** More parts than the largest report has; the warehouse takes up to 1,000 tables in a statement. */
const mostParts = 300;

/** Nothing of one run is left when it is given up: what was staged of it is not merged. */
const fresh = {
  runId: null,
  startedAt: null,
  percent: 0,
  movedAt: null,
  polls: 0,
  rows: 0,
  stages: [],
  after: null,
} as const;

export function plannedJobs(range: DayRange, reports: readonly ReportShape[] = dailyReports): ReportJob[] {
  return reports.map((shape, number) => jobOf(number, shape, range));
}

function jobOf(number: number, { level, breakdowns }: ReportShape, { since, until }: DayRange): ReportJob {
  return { ...fresh, number, level, breakdowns, since, until, state: 'pending', failures: 0, why: null };
}

export function started(job: ReportJob, runId: string, now: Date): ReportJob {
  const at = now.toISOString();
  return { ...job, ...fresh, state: 'running', runId, startedAt: at, movedAt: at };
}

/** The job, or the jobs it became, after Meta said how its run stands. */
export function afterNews(job: ReportJob, news: JobNews, now: Date, nextNumber: number): ReportJob[] {
  switch (news.kind) {
    case 'completed':
      return [{ ...job, state: 'ready', percent: 100 }];
    case 'running': {
      const isMoving = news.percent !== job.percent;
      const movedAt = isMoving ? now.toISOString() : (job.movedAt ?? now.toISOString());
      const stillMs = now.getTime() - Date.parse(movedAt);
      const ageMs = now.getTime() - Date.parse(job.startedAt ?? movedAt);
      if (stillMs < stuckAfterMs && ageMs < tooLongMs) {
        return [{ ...job, percent: news.percent, movedAt, polls: job.polls + 1 }];
      }
      return afterFailure(job, `the run stood still at ${news.percent} %`, nextNumber);
    }
    case 'skipped':
      return afterFailure(job, 'Meta skipped the run', nextNumber);
    case 'lost':
      return afterFailure(job, 'Meta no longer knows the run', nextNumber);
    case 'endless':
      return afterFailure(job, 'the pages of the run did not end', nextNumber);
    case 'failed':
      if (news.isTooMuchData) return afterTooMuchData(job, nextNumber);
      return afterFailure(
        job,
        `Meta failed the run${news.code === undefined ? '' : ` with code ${news.code}`}`,
        nextNumber,
      );
  }
}

/** The job after a part of its rows was staged: the next part begins where this one ended. */
export function afterPart(job: ReportJob, part: ReportPart, now: Date, nextNumber: number): ReportJob[] {
  const stages = part.stage === undefined ? job.stages : [...job.stages, part.stage];
  const read = { ...job, stages, rows: job.rows + part.rows };
  if (part.after === undefined) return [{ ...read, state: 'staged', after: null }];
  if (stages.length >= mostParts) return afterNews(job, { kind: 'endless' }, now, nextNumber);
  return [{ ...read, after: part.after }];
}

/** Asks for fewer days; a single day that is still too much is given up, with the reason. */
export function afterTooMuchData(job: ReportJob, nextNumber: number): ReportJob[] {
  const parts = halves(job);
  if (parts === undefined) {
    return [{ ...job, ...fresh, state: 'given-up', why: 'Meta calls a single day too much data' }];
  }
  const [first, second] = parts;
  return [{ ...job, ...fresh, state: 'split' }, jobOf(nextNumber, job, first), jobOf(nextNumber + 1, job, second)];
}

function afterFailure(job: ReportJob, why: string, nextNumber: number): ReportJob[] {
  const failures = job.failures + 1;
  if (failures >= giveUpAfter)
    return [{ ...job, ...fresh, state: 'given-up', failures, why: `${why}, ${failures} times` }];
  const parts = failures === splitAfter ? halves(job) : undefined;
  if (parts === undefined) return [{ ...job, ...fresh, state: 'pending', failures }];
  return afterTooMuchData({ ...job, failures }, nextNumber).map((part) =>
    part.state === 'pending' ? { ...part, failures } : part,
  );
}

/**
 * How long until Meta is asked again: a minute, then ever longer while reports are being made; at once when rows are there
 * to be read. Undefined: nothing is left to ask.
 */
export function nextPollMs(jobs: readonly ReportJob[]): number | undefined {
  if (jobs.some(({ state }) => state === 'ready')) return 0;
  const running = jobs.filter(({ state }) => state === 'running');
  if (running.length === 0) return jobs.some(({ state }) => state === 'pending') ? firstPollMs : undefined;
  return Math.min(...running.map(({ polls }) => Math.min(longestPollMs, firstPollMs * 2 ** Math.max(0, polls - 1))));
}

/** Whether nothing is left to do but to take the rows over. */
export function areSettled(jobs: readonly ReportJob[]): boolean {
  return jobs.every(({ state }) => state === 'staged' || state === 'split' || state === 'given-up');
}
