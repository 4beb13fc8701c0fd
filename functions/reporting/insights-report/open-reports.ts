import type { OutboxMessage, Tenant } from '../../../shared/contracts/documents.ts';
import type { InsightsRun } from '../../../shared/contracts/report-documents.ts';
import { dayIn } from '../../../shared/domain/insights/account-day.ts';
import { isOpenAgain } from '../../../shared/gcp/insights-runs.ts';
import type { InsightsRuns } from '../../../shared/gcp/insights-runs.ts';
import type { Outbox } from '../../../shared/gcp/outbox.ts';
import type { ReportingAccount } from '../../../shared/gcp/reporting-accounts.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import type { JobReport, JobRun } from '../../../shared/runtime/scheduled-function.ts';
import { traceparentOf } from '../../../shared/runtime/trace.ts';

export interface OpenReportsDependencies {
  readonly tenants: () => AsyncIterable<Tenant>;
  readonly accounts: (tenant: Tenant) => Promise<readonly ReportingAccount[]>;
  readonly runs: Pick<InsightsRuns, 'ofTenant' | 'open'>;
  readonly outbox: Pick<Outbox, 'deliver'>;
  readonly now: () => Date;
  readonly log: Logger;
}

/** Yesterday's numbers are there by three in the morning, and the calls spread over the day as the zones do. */
const nightIsOverAfterMs = 3 * 60 * 60_000;

/**
 * Opens the reports of every ad account of every live tenant whose own day is three hours old and not yet reported. Each
 * account's work is a message of its own, so one tenant's trouble is no other's. What waits or failed is opened again an
 * hour later, until its day is over.
 */
export async function openReports(
  dependencies: OpenReportsDependencies,
  run: Pick<JobRun, 'runId' | 'signal'>,
): Promise<JobReport> {
  const { tenants, log } = dependencies;
  const counts = { opened: 0, upToDate: 0, unreadable: 0, left: 0 };
  for await (const tenant of tenants()) {
    if (tenant.status !== 'live') continue;
    if (run.signal.aborted) {
      counts.left += 1;
      continue;
    }
    try {
      const opened = await openTenant(tenant, dependencies, run.runId);
      counts.opened += opened.opened;
      counts.upToDate += opened.upToDate;
    } catch (error) {
      counts.unreadable += 1;
      log.error({ err: error, tenantId: tenant.tenantId }, 'the reports of a tenant could not be opened');
    }
  }
  return counts;
}

async function openTenant(
  tenant: Tenant,
  { accounts, runs, outbox, now }: OpenReportsDependencies,
  attempt: string,
): Promise<{ opened: number; upToDate: number }> {
  const { tenantId } = tenant;
  const [known, wanted] = await Promise.all([runs.ofTenant(tenantId), accounts(tenant)]);
  const messages: OutboxMessage[] = [];
  for (const { adAccountId, isCollaborative, operator } of wanted) {
    const last = known.find((each) => each.adAccountId === adAccountId);
    const timeZone = last?.timeZone ?? tenant.timezone;
    const day = dayIn(timeZone, new Date(now().getTime() - nightIsOverAfterMs));
    if (last !== undefined && !isDue(last, day, now())) continue;
    const facts = { isCollaborative, operator, timeZone, currency: last?.currency ?? tenant.currency };
    messages.push(...(await runs.open({ tenantId, adAccountId, day }, facts, attempt, traceparentOf(undefined))));
  }
  await outbox.deliver(messages);
  return { opened: messages.length, upToDate: wanted.length - messages.length };
}

/** A day not begun, or begun and left with something a person or time may have mended. */
function isDue(run: InsightsRun, today: string, now: Date): boolean {
  return run.day < today || (run.day === today && isOpenAgain(run, now));
}
