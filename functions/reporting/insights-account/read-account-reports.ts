import { randomUUID } from 'node:crypto';
import type { InsightsRun } from '../../../shared/contracts/report-documents.ts';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import { restatedRange } from '../../../shared/domain/insights/account-day.ts';
import { areSettled, nextPollMs, plannedJobs } from '../../../shared/domain/insights/report-job.ts';
import { reportName } from '../../../shared/domain/insights/reports.ts';
import type { AlertFacts, AlertStore } from '../../../shared/gcp/alert-store.ts';
import { InsightsRunLost } from '../../../shared/gcp/insights-runs.ts';
import type { InsightsRuns } from '../../../shared/gcp/insights-runs.ts';
import type { Outbox } from '../../../shared/gcp/outbox.ts';
import { insightsDaily } from '../../../shared/gcp/warehouse/tables.ts';
import type { Warehouse } from '../../../shared/gcp/warehouse/warehouse.ts';
import { adAccountNumber } from '../../../shared/meta/ad-accounts.ts';
import type { GraphClient } from '../../../shared/meta/graph-client.ts';
import { readReportingFacts } from '../../../shared/meta/insights.ts';
import { outcomeOf } from '../../../shared/runtime/graph-outcome.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import type { Outcome } from '../../../shared/runtime/outcomes.ts';
import type { TenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';
import { stagesOf } from './read-part.ts';
import { workJobs } from './work-jobs.ts';

export interface AccountReportServices {
  readonly graph: Pick<GraphClient, 'as'>;
  readonly credentials: Pick<TenantCredentials, 'operator'>;
  readonly runs: Pick<InsightsRuns, 'acquire' | 'save'>;
  readonly warehouse: Pick<Warehouse, 'stage' | 'merge'>;
  readonly alerts: Pick<AlertStore, 'raise' | 'resolve'>;
  readonly outbox: Pick<Outbox, 'deliver'>;
  readonly now: () => Date;
}

/** Trouble in a row after which the account waits for the next hour instead of the next minute. */
const maxTroubles = 12;

/**
 * One turn at the reports of one ad account: every turn asks Meta once how the runs stand, reads of the finished ones as
 * much as Meta gives, and leaves; Cloud Tasks brings the message back for the next. When all rows are staged they are
 * merged at once, so a day is stored whole or as it was.
 *
 * A dead token, a missing permission or a block of Meta's ends in a wait that names who must act, as an alert of the
 * tenant; the next hour looks again. A duplicate delivery finds the run leased, finished or replaced, and does nothing.
 */
export async function readAccountReports(
  envelope: Envelope<'insights-account'>,
  services: AccountReportServices,
  log: Logger,
): Promise<Outcome> {
  const { runs, now } = services;
  const { tenantId, data } = envelope;
  const acquired = await runs.acquire({ tenantId, ...data }, randomUUID());
  if (acquired.kind === 'over') return { kind: 'done' };
  if (acquired.kind === 'busy') return later('another delivery is at it', Date.parse(acquired.until) - now().getTime());
  let { run } = acquired;
  // Whatever ends the turn finds the run as it was last written.
  const save = async (changes: Partial<InsightsRun>): Promise<InsightsRun> => (run = await runs.save(run, changes));
  try {
    const graph = services.graph.as(await services.credentials.operator(tenantId, run.operator));
    if (run.jobs === null) await save(await planOf(run, graph, now()));
    await workJobs(run, { ...services, graph, save });
    const jobs = run.jobs ?? [];
    if (areSettled(jobs)) return await store(run, services, envelope, log);
    await runs.save(run, { lease: null, troubles: 0 });
    return later('reports are being made or read', nextPollMs(jobs) ?? 0);
  } catch (error) {
    if (error instanceof InsightsRunLost) return { kind: 'done' };
    return await afterTrouble(run, error, services, envelope, log);
  }
}

/** Asks in which zone and currency the account counts, and plans the reports of the days Meta may still change. */
async function planOf(
  run: InsightsRun,
  graph: Parameters<typeof readReportingFacts>[0],
  now: Date,
): Promise<Pick<InsightsRun, 'timeZone' | 'currency' | 'jobs'>> {
  const facts = await readReportingFacts(graph, run.adAccountId);
  const timeZone = facts.timeZone ?? run.timeZone;
  return { timeZone, currency: facts.currency, jobs: plannedJobs(restatedRange(timeZone, now)) };
}

async function store(
  run: InsightsRun,
  { alerts, outbox, runs, warehouse, now }: AccountReportServices,
  { traceparent }: Envelope,
  log: Logger,
): Promise<Outcome> {
  const jobs = run.jobs ?? [];
  const staged = jobs.filter(({ state }) => state === 'staged');
  const { tenantId, adAccountId } = run;
  const at = now().toISOString();
  await warehouse.merge(insightsDaily, {
    tenantId,
    accountId: adAccountNumber(adAccountId),
    scopes: staged.map((job) => ({ report: reportName(job), since: job.since, until: job.until })),
    stages: staged.flatMap((job) => stagesOf(run, job)),
    fetchedAt: at,
  });
  const missing = jobs.filter(({ state }) => state === 'given-up');
  const reason =
    missing.length === 0
      ? null
      : missing.map((job) => `${reportName(job)} ${job.since} to ${job.until}: ${job.why ?? 'no reason'}`).join('; ');
  await runs.save(run, {
    lease: null,
    state: missing.length === 0 ? 'done' : 'incomplete',
    finishedAt: at,
    reason,
    troubles: 0,
    ...(missing.length === 0 && { completeDay: run.day }),
  });
  const messages = [...(await alerts.resolve(tenantId, 'insights-report-waiting', 'auto', traceparent))];
  if (reason === null)
    messages.push(...(await alerts.resolve(tenantId, 'insights-report-incomplete', 'auto', traceparent)));
  else {
    const summary = `Reports of ${adAccountId} are incomplete, the rest is stored: ${reason}`.slice(0, 900);
    messages.push(...(await alerts.raise(alertOf(run, 'insights-report-incomplete', 'notice', summary), traceparent)));
  }
  await outbox.deliver(messages);
  log.info(
    { adAccountId, rows: staged.reduce((sum, { rows }) => sum + rows, 0), missing: missing.length },
    'reports stored',
  );
  return { kind: 'done' };
}

/** Waits and failures are the tenant's to see; trouble that passes is tried again, at last by the next hour. */
async function afterTrouble(
  run: InsightsRun,
  error: unknown,
  services: AccountReportServices,
  envelope: Envelope,
  log: Logger,
): Promise<Outcome> {
  const { alerts, outbox, runs, now } = services;
  const outcome = outcomeOf(error, run.operator === 'child' ? 'child' : 'parent', run.troubles, now());
  if (outcome === undefined) log.error({ err: error, adAccountId: run.adAccountId }, 'reports: unexpected error');
  const afterMs = outcome?.kind === 'retry' ? outcome.afterMs : outcome === undefined ? 60_000 : undefined;
  const burnsAttempt = outcome?.kind === 'retry' ? outcome.burnsAttempt : true;
  try {
    if (afterMs !== undefined && run.troubles < maxTroubles) {
      await runs.save(run, { lease: null, troubles: run.troubles + (burnsAttempt ? 1 : 0) });
      return later('Meta is in trouble or at a limit', afterMs);
    }
    const wait =
      outcome?.kind === 'waiting'
        ? {
            on: outcome.wait.on,
            for: outcome.wait.for,
            what: outcome.wait.what,
            since: now().toISOString(),
            expiresAt: null,
          }
        : null;
    const reason = wait?.what ?? (error instanceof Error ? error.message : 'unexpected error');
    await runs.save(run, {
      lease: null,
      state: wait === null ? 'failed' : 'waiting',
      wait,
      reason,
      finishedAt: now().toISOString(),
    });
    const whose = wait === null ? 'Kobi' : wait.on;
    const summary = `No reports of ${run.adAccountId}, it is for ${whose} to act: ${reason}`.slice(0, 900);
    const facts = alertOf(run, 'insights-report-waiting', wait?.on === 'client' ? 'notice' : 'page', summary);
    await outbox.deliver(await alerts.raise(facts, envelope.traceparent));
  } catch (failure) {
    if (!(failure instanceof InsightsRunLost)) throw failure;
  }
  return { kind: 'done' };
}

function alertOf(
  run: InsightsRun,
  kind: AlertFacts['kind'],
  severity: AlertFacts['severity'],
  summary: string,
): AlertFacts {
  return { tenantId: run.tenantId, kind, severity, summary, detail: { adAccountId: run.adAccountId, day: run.day } };
}

function later(reason: string, afterMs: number): Outcome {
  return { kind: 'retry', reason, afterMs: Math.max(1_000, afterMs), burnsAttempt: false };
}
