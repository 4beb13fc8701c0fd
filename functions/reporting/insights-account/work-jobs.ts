import type { InsightsRun } from '../../../shared/contracts/report-documents.ts';
import { afterNews, afterPart, afterTooMuchData, started } from '../../../shared/domain/insights/report-job.ts';
import type { JobNews, ReportJob } from '../../../shared/domain/insights/report-job.ts';
import { insightsDaily } from '../../../shared/gcp/warehouse/tables.ts';
import type { Warehouse } from '../../../shared/gcp/warehouse/warehouse.ts';
import type { CredentialFor } from '../../../shared/meta/credentials.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import type { GraphAs } from '../../../shared/meta/graph-client.ts';
import { readReportRun, startReportRun } from '../../../shared/meta/insights.ts';
import { readPart } from './read-part.ts';

export interface JobWork {
  readonly graph: GraphAs<CredentialFor<'read-insights'>>;
  /** Writes to the run's document under this delivery's fence. */
  readonly save: (changes: Partial<InsightsRun>) => Promise<InsightsRun>;
  readonly warehouse: Pick<Warehouse, 'stage'>;
  readonly now: () => Date;
}

/** No page is asked for later in a turn: the function's timeout, 540 s, must never cut a part off. */
const turnMs = 300_000;

/**
 * Takes every job of the run as far as it goes just now: starts what is pending, asks once how each running one stands,
 * and stages the rows of what is there, part by part. What was reached is written before the next call to Meta, so a
 * process that dies is taken up where it was. Polls never wait here.
 *
 * @throws GraphError when Meta answers none of it; what was reached until then is written
 */
export async function workJobs(held: InsightsRun, work: JobWork): Promise<InsightsRun> {
  let run = held;
  const turnEndsMs = work.now().getTime() + turnMs;
  const asked = new Set<number>();
  for (;;) {
    const jobs = run.jobs ?? [];
    const job = jobs.find(({ state, number }) => state === 'pending' || (state === 'running' && !asked.has(number)));
    // Rows come last: they may take hours of the budget, in which Meta makes what was started before.
    const ready = work.now().getTime() < turnEndsMs ? jobs.find(({ state }) => state === 'ready') : undefined;
    const next = job ?? ready;
    if (next === undefined) return run;
    asked.add(next.number);
    const nextNumber = Math.max(...jobs.map(({ number }) => number)) + 1;
    if (next.state === 'ready') {
      run = await takePart(next, run, { ...work, nextNumber, turnEndsMs });
    } else {
      const became = await workJob(next, run, { ...work, nextNumber });
      run = await work.save({ jobs: replaced(jobs, next, became) });
    }
  }
}

function replaced(jobs: readonly ReportJob[], job: ReportJob, parts: readonly ReportJob[]): ReportJob[] {
  const [first, ...more] = parts;
  return [...jobs.map((each) => (each.number === job.number && first !== undefined ? first : each)), ...more];
}

/** Starts the run of a pending job, or asks how a running one stands. */
async function workJob(
  job: ReportJob,
  { adAccountId, isCollaborative }: InsightsRun,
  { graph, now, nextNumber }: JobWork & { readonly nextNumber: number },
): Promise<ReportJob[]> {
  if (job.state === 'running') return afterNews(job, await newsOf(job, adAccountId, graph), now(), nextNumber);
  const { level, breakdowns, since, until } = job;
  try {
    const request = { adAccountId, level, breakdowns, since, until, isCollaborative };
    return [started(job, await startReportRun(graph, request), now())];
  } catch (error) {
    if (error instanceof GraphError && error.reason === 'report-too-large') return afterTooMuchData(job, nextNumber);
    throw error;
  }
}

/**
 * Stages the next part of a finished run and writes down where it ended.
 *
 * @throws GraphError that ended the part early; the pages before it are staged and written down
 */
async function takePart(
  job: ReportJob,
  run: InsightsRun,
  work: JobWork & { readonly nextNumber: number; readonly turnEndsMs: number },
): Promise<InsightsRun> {
  const { nextNumber, now, save, warehouse } = work;
  const jobs = run.jobs ?? [];
  const part = await readPart(job, run, work);
  if (part === undefined)
    return save({ jobs: replaced(jobs, job, afterNews(job, { kind: 'lost' }, now(), nextNumber)) });
  const { stage, rows, after, endedBy } = part;
  await warehouse.stage(insightsDaily, stage, rows);
  const staged = { stage: rows.length > 0 ? stage : undefined, rows: rows.length, after };
  // Trouble is counted in a row: a part that was staged is none.
  const reached = await save({ jobs: replaced(jobs, job, afterPart(job, staged, now(), nextNumber)), troubles: 0 });
  if (endedBy !== undefined) throw endedBy;
  return reached;
}

async function newsOf({ runId }: ReportJob, adAccountId: string, graph: JobWork['graph']): Promise<JobNews> {
  if (runId === null) return { kind: 'lost' };
  try {
    return await readReportRun(graph, { runId, adAccountId });
  } catch (error) {
    if (error instanceof GraphError && error.class === 'not-found') return { kind: 'lost' };
    throw error;
  }
}
