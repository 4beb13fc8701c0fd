import { createHash } from 'node:crypto';
import type { InsightsRun } from '../../../shared/contracts/report-documents.ts';
import { dailyRowOf } from '../../../shared/domain/insights/daily-row.ts';
import type { DailyRow, InsightsRow } from '../../../shared/domain/insights/daily-row.ts';
import type { ReportJob } from '../../../shared/domain/insights/report-job.ts';
import type { WarehouseRow } from '../../../shared/gcp/warehouse/warehouse.ts';
import { adAccountNumber } from '../../../shared/meta/ad-accounts.ts';
import type { CredentialFor } from '../../../shared/meta/credentials.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import type { GraphAs, Page } from '../../../shared/meta/graph-client.ts';
import { readReportPage } from '../../../shared/meta/insights.ts';

/** 10,000 rows at 500 a page: what a process holds at most, and what a killed one has to read again. */
const pagesPerPart = 20;

export interface PartRead {
  /** Name of the staging table the rows belong in. */
  readonly stage: string;
  readonly rows: readonly WarehouseRow[];
  /** Meta's cursor after the last page read; undefined: the report ends here. */
  readonly after: string | undefined;
  /** Why the part ended before its time: what Meta refused the page after it with. */
  readonly endedBy?: unknown;
}

/**
 * The next pages of a finished run, from where the job has got to. When Meta refuses a page, those before it are kept: pages
 * are what a small budget is spent on. Undefined: Meta has lost the run.
 *
 * @throws GraphError when not even the first page came; Error for rows that cannot be told apart by their keys
 */
export async function readPart(
  job: ReportJob,
  run: InsightsRun,
  { graph, now, turnEndsMs }: { graph: GraphAs<CredentialFor<'read-insights'>>; now: () => Date; turnEndsMs: number },
): Promise<PartRead | undefined> {
  const { tenantId, adAccountId, currency } = run;
  const { level, breakdowns } = job;
  const accountId = adAccountNumber(adAccountId);
  const context = { tenantId, accountId, currency, level, breakdowns, fetchedAt: now().toISOString() };
  const rows = new Map<string, DailyRow>();
  const partOf = (after: string | undefined, endedBy?: unknown): PartRead => ({
    stage: stageOf(run, job, after),
    rows: [...rows.values()].map((row) => ({ ...row })),
    after,
    endedBy,
  });
  let after = job.after;
  for (let pages = 0; pages < pagesPerPart && (pages === 0 || now().getTime() < turnEndsMs); pages += 1) {
    let page: Page<InsightsRow>;
    try {
      page = await readReportPage(graph, { runId: job.runId ?? '', adAccountId }, after);
    } catch (error) {
      if (error instanceof GraphError && error.class === 'not-found') return undefined;
      if (after === null || after === job.after) throw error;
      return partOf(after, error);
    }
    for (const item of page.items) {
      const row = dailyRowOf(item, context);
      if (rows.has(row.row_key)) throw new Error('Meta sent two rows of one key: the key lacks a breakdown');
      rows.set(row.row_key, row);
    }
    if (page.after === undefined) return partOf(undefined);
    after = page.after;
  }
  return partOf(after ?? undefined);
}

/**
 * The staging table of a part, named by the pages it holds: every attempt at the same pages writes the same table, and a
 * process that was overtaken in the middle of a longer part does not write over the shorter one that counts.
 */
function stageOf(run: InsightsRun, job: ReportJob, after: string | undefined): string {
  return nameOf([...namesOf(run, job), job.runId, job.after, after ?? 'end']);
}

/** The staging tables of all that was read of a job. */
export function stagesOf(run: InsightsRun, job: ReportJob): readonly string[] {
  if (job.stages.length > 0 || job.rows === 0) return job.stages;
  // Staged by an earlier version, in one table of this name.
  return [nameOf(namesOf(run, job))];
}

function namesOf({ tenantId, adAccountId, day, openedAt }: InsightsRun, { number }: ReportJob): (string | number)[] {
  return [tenantId, adAccountId, day, openedAt, number];
}

function nameOf(parts: readonly (string | number | null)[]): string {
  return `insights_${createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 24)}`;
}
