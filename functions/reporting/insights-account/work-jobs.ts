import { createHash } from 'node:crypto';
import type { InsightsRun } from '../../../shared/contracts/report-documents.ts';
import { dailyRowOf } from '../../../shared/domain/insights/daily-row.ts';
import type { DailyRow } from '../../../shared/domain/insights/daily-row.ts';
import { afterNews, afterTooMuchData, started } from '../../../shared/domain/insights/report-job.ts';
import type { JobNews, ReportJob } from '../../../shared/domain/insights/report-job.ts';
import type { InsightsRuns } from '../../../shared/gcp/insights-runs.ts';
import { insightsDaily } from '../../../shared/gcp/warehouse/tables.ts';
import type { Warehouse } from '../../../shared/gcp/warehouse/warehouse.ts';
import { adAccountNumber } from '../../../shared/meta/ad-accounts.ts';
import type { CredentialFor } from '../../../shared/meta/credentials.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import type { GraphAs } from '../../../shared/meta/graph-client.ts';
import { readReportRows, readReportRun, startReportRun } from '../../../shared/meta/insights.ts';

export interface JobWork {
  readonly graph: GraphAs<CredentialFor<'read-insights'>>;
  readonly runs: Pick<InsightsRuns, 'save'>;
  readonly warehouse: Pick<Warehouse, 'stage'>;
  readonly now: () => Date;
}

/**
 * Takes every job of the run as far as it goes just now: starts what is pending, asks once how each running one stands,
 * stages the rows of what is there. What was reached is written before the next call to Meta, so a process that dies is
 * taken up where it was. Polls never wait here.
 *
 * @throws GraphError when Meta answers none of it; what was reached until then is written
 */
export async function workJobs(held: InsightsRun, work: JobWork): Promise<InsightsRun> {
  let run = held;
  const numbers = (run.jobs ?? []).map(({ number }) => number);
  for (let index = 0; index < numbers.length; index += 1) {
    const job = run.jobs?.find(({ number }) => number === numbers[index]);
    if (job === undefined) continue;
    const parts = await workJob(job, run, work);
    if (parts.length === 1 && parts[0] === job) continue;
    run = await work.runs.save(run, { jobs: replaced(run.jobs ?? [], job, parts) });
    // The parts of a split job, and one whose run came to nothing, have their turn now.
    for (const part of parts) if (part.state === 'pending' || part.state === 'ready') numbers.push(part.number);
  }
  return run;
}

function replaced(jobs: readonly ReportJob[], job: ReportJob, parts: readonly ReportJob[]): ReportJob[] {
  const [first, ...more] = parts;
  return [...jobs.map((each) => (each.number === job.number && first !== undefined ? first : each)), ...more];
}

async function workJob(job: ReportJob, run: InsightsRun, work: JobWork): Promise<ReportJob[]> {
  const { adAccountId, isCollaborative } = run;
  const { graph, now } = work;
  const nextNumber = Math.max(...(run.jobs ?? []).map(({ number }) => number)) + 1;
  switch (job.state) {
    case 'pending': {
      const { level, breakdowns, since, until } = job;
      try {
        const request = { adAccountId, level, breakdowns, since, until, isCollaborative };
        return [started(job, await startReportRun(graph, request), now())];
      } catch (error) {
        if (error instanceof GraphError && error.reason === 'report-too-large')
          return afterTooMuchData(job, nextNumber);
        throw error;
      }
    }
    case 'running': {
      const news = await newsOf(job, adAccountId, graph);
      return afterNews(job, news, now(), nextNumber);
    }
    case 'ready': {
      const rows = await rowsOf(job, run, work);
      if (rows === undefined) return afterNews(job, { kind: 'lost' }, now(), nextNumber);
      await work.warehouse.stage(
        insightsDaily,
        stageOf(run, job),
        rows.map((row) => ({ ...row })),
      );
      return [{ ...job, state: 'staged', rows: rows.length }];
    }
    case 'staged':
    case 'split':
    case 'given-up':
      return [job];
  }
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

/** The rows of a finished run by their keys; undefined when Meta has lost it meanwhile. */
async function rowsOf(job: ReportJob, run: InsightsRun, { graph, now }: JobWork): Promise<DailyRow[] | undefined> {
  const { tenantId, adAccountId, currency } = run;
  const context = {
    tenantId,
    accountId: adAccountNumber(adAccountId),
    currency,
    level: job.level,
    breakdowns: job.breakdowns,
    fetchedAt: now().toISOString(),
  };
  try {
    const rows = await readReportRows(graph, { runId: job.runId ?? '', adAccountId });
    const byKey = new Map(rows.map((row) => dailyRowOf(row, context)).map((row) => [row.row_key, row]));
    if (byKey.size !== rows.length) throw new Error('Meta sent two rows of one key: the key lacks a breakdown');
    return [...byKey.values()];
  } catch (error) {
    if (error instanceof GraphError && error.class === 'not-found') return undefined;
    throw error;
  }
}

/** The staging table of a job: the same for every attempt at it, another for every other. */
export function stageOf({ tenantId, adAccountId, day, openedAt }: InsightsRun, { number }: ReportJob): string {
  const text = [tenantId, adAccountId, day, openedAt, number].join('\n');
  return `insights_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
}
