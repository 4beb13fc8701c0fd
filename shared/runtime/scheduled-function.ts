import { randomUUID } from 'node:crypto';
import type { HttpFunction, Request } from '@google-cloud/functions-framework';
import type { FunctionManifest } from '../contracts/function-manifest.ts';
import type { JobSlots } from '../gcp/job-slots.ts';
import type { Logger } from './logger.ts';
import { parseJson } from './pubsub-message.ts';
import { startRequestSpan } from './tracing.ts';

/** What a scheduled job reports: counts for the log line and the answer. */
export type JobReport = Readonly<Record<string, number>>;

/** One attempt at a slot of a job. */
export interface JobRun {
  /** `job:slot`, e.g. `insights-report:2026-11-25T05:15+03:00`; the same for every attempt at the slot. */
  readonly runId: string;
  readonly slot: Date;
  /** The newest slot finished before this one. What lies between was missed; this run stands for it. */
  readonly lastSlot: Date | undefined;
  /** Rises with every attempt of the job: what an overtaken run writes can be told by it. */
  readonly fence: number;
  /** Aborted shortly before the function's timeout: a job that goes on longer could meet its successor. */
  readonly signal: AbortSignal;
}

export interface ScheduledDependencies {
  readonly log: Logger;
}

/** `function.json` as imported: its types are those of any JSON, its shape is held by the topology test. */
export interface ScheduledManifest extends Pick<FunctionManifest, 'name' | 'timeoutSeconds'> {
  readonly trigger: { readonly schedule: string; readonly timeZone: string; readonly runs: string };
}

/** Ends before the platform ends the request, so that what was done is recorded. */
const stopEarlyMs = 15_000;
/** A request whose time is over is answered, but its process may live on for a moment. */
const leaseMarginMs = 30_000;

/**
 * Turns a cheap job into an HTTP function for Cloud Scheduler, run whenever it is called and without a Firestore write of
 * its own: 200 with its counts, 500 when it failed, which Scheduler shows and retries. The job must be harmless to run
 * twice at once. (`"runs": "every-tick"` in the manifest.)
 */
export function tickFunction(dependencies: () => ScheduledDependencies, job: () => Promise<JobReport>): HttpFunction {
  return async (request, response) => {
    const { log } = dependencies();
    try {
      const report = await inJobSpan(request, log, job);
      log.info(report, 'job done');
      response.status(200).json(report);
    } catch (error) {
      log.error({ err: error }, 'job failed');
      response.status(500).json({ error: 'the job failed, see the log' });
    }
  };
}

/**
 * Turns a job into an HTTP function for Cloud Scheduler that runs once per slot of the manifest's schedule
 * (`"runs": "once-per-slot"`):
 *
 * - a call for a slot that is finished answers 200 `{runId, skipped}` and runs nothing, unless its body says
 *   `{"again": true}` (a person asks);
 * - while a run holds the lease, a call answers 503 and Scheduler asks again later: no two runs of a job overlap;
 * - slots that nobody ran are caught up by one run, brought by `missed-slots`;
 * - a failed run answers 500 and leaves its slot open. Called by Cloud Tasks it answers 200: `missed-slots` comes again,
 *   each time later.
 */
export function scheduledFunction(
  manifest: ScheduledManifest,
  dependencies: () => ScheduledDependencies & { readonly slots: Pick<JobSlots, 'begin' | 'finish'> },
  job: (run: JobRun) => Promise<JobReport>,
): HttpFunction {
  const { name, timeoutSeconds, trigger } = manifest;
  return async (request, response) => {
    const { log, slots } = dependencies();
    const begun = await slots.begin({
      job: name,
      schedule: trigger,
      owner: randomUUID(),
      leaseMs: timeoutSeconds * 1000 + leaseMarginMs,
      dueAt: dueAtOf(request),
      again: isAskedAgain(request),
    });
    const { runId } = begun;
    if (begun.kind === 'done') {
      response.status(200).json({ runId, skipped: 'this slot is finished' });
      return;
    }
    if (begun.kind === 'running') {
      response.status(503).json({ runId, error: `another run holds the lease until ${begun.until}` });
      return;
    }
    const bound = log.child({ runId, attempt: begun.attempt });
    const signal = AbortSignal.timeout(Math.max(1_000, timeoutSeconds * 1000 - stopEarlyMs));
    try {
      const run = { runId, slot: begun.slot, lastSlot: begun.lastSlot, fence: begun.fence, signal };
      const report = await inJobSpan(request, bound, () => job(run));
      const wasOurs = await slots.finish(begun, trigger, { report });
      if (wasOurs) bound.info(report, 'job done');
      else bound.error(report, 'job done, but another run had taken over its lease');
      response.status(200).json({ runId, ...report });
    } catch (error) {
      bound.error({ err: error }, 'job failed');
      const reason = error instanceof Error ? error.name : 'unexpected error';
      await slots.finish(begun, trigger, { error: `${reason}; the log of ${runId} says more` });
      const isBroughtByTask = request.headers['x-cloudtasks-taskname'] !== undefined;
      response.status(isBroughtByTask ? 200 : 500).json({ runId, error: 'the job failed, see the log' });
    }
  };
}

/** A recorded job is one trace with all that it causes. */
async function inJobSpan(
  request: Pick<Request, 'headers'>,
  log: Logger,
  job: () => Promise<JobReport>,
): Promise<JobReport> {
  const span = startRequestSpan(request.headers);
  let failed = true;
  try {
    const report = await span.run(job);
    failed = false;
    return report;
  } finally {
    span.end({ name: `run ${String(log.bindings()['function'] ?? 'job')}`, failed });
  }
}

/** `X-CloudScheduler-ScheduleTime`: when the job was due, in RFC 3339 (Cloud Scheduler, "HTTP targets"). */
function dueAtOf({ headers }: Pick<Request, 'headers'>): Date | undefined {
  const dueAt = new Date(String(headers['x-cloudscheduler-scheduletime']));
  return Number.isNaN(dueAt.getTime()) ? undefined : dueAt;
}

function isAskedAgain({ rawBody }: Pick<Request, 'rawBody'>): boolean {
  const body = parseJson(rawBody?.toString('utf8'));
  return typeof body === 'object' && body !== null && 'again' in body && body.again === true;
}
