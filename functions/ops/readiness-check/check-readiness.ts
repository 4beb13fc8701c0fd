import type { Readiness } from '../../../shared/contracts/documents.ts';
import type { PathSetting } from '../../../shared/domain/provisioning-path.ts';
import { gates, waitedForAs } from '../../../shared/domain/readiness.ts';
import type { ReadinessFindings } from '../../../shared/domain/readiness.ts';
import type { Outbox } from '../../../shared/gcp/outbox.ts';
import type { PathChange } from '../../../shared/gcp/path-change.ts';
import type { ReadinessStore } from '../../../shared/gcp/readiness-store.ts';
import type { RunControl } from '../../../shared/gcp/run-control.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import { OutcomeError } from '../../../shared/runtime/outcomes.ts';
import type { JobReport } from '../../../shared/runtime/scheduled-function.ts';
import { traceparentOf } from '../../../shared/runtime/trace.ts';

export interface CheckReadinessDependencies {
  readonly readiness: Pick<ReadinessStore, 'read' | 'record'>;
  readonly askMeta: () => Promise<ReadinessFindings>;
  readonly steps: Pick<RunControl, 'waitingFor' | 'wake'>;
  readonly pathChange: Pick<PathChange, 'fallbackTenants' | 'toTwoTier'>;
  /** `PROVISIONING_PATH` */
  readonly pathSetting: PathSetting;
  readonly outbox: Pick<Outbox, 'deliver'>;
  readonly log: Logger;
  readonly now: () => Date;
}

const minuteMs = 60_000;
const askEveryMs = 60 * minuteMs;
/** From when an item turned ready, what waits for it is woken; who parks later has seen it, and looks again hourly. */
const wakeForMs = 10 * minuteMs;
const actor = 'readiness-check';

/**
 * Every minute: what has become ready wakes the runs that wait for it, and PRE-10 takes tenants off the parent business.
 * Every hour Meta is asked what it can tell. Harmless to run twice at once.
 */
export async function checkReadiness(dependencies: CheckReadinessDependencies): Promise<JobReport> {
  const { now, readiness: store } = dependencies;
  const known = await store.read();
  const isDue = known.checkedAt === undefined || now().getTime() - Date.parse(known.checkedAt) >= askEveryMs;
  const readiness = isDue ? await askedAgain(dependencies, known) : known;
  const moved = readiness.pre10 && dependencies.pathSetting !== 'fallback' ? await offTheParent(dependencies) : 0;
  return { asked: isDue ? 1 : 0, moved, woken: await wakeReady(dependencies, readiness) };
}

async function askedAgain(dependencies: CheckReadinessDependencies, known: Readiness): Promise<Readiness> {
  try {
    return await dependencies.readiness.record(await dependencies.askMeta());
  } catch (error) {
    if (!(error instanceof OutcomeError)) throw error;
    dependencies.log.warn({ err: error }, 'Meta could not be asked');
    return known;
  }
}

async function offTheParent({ pathChange, outbox, log }: CheckReadinessDependencies): Promise<number> {
  const traceparent = traceparentOf(undefined);
  let moved = 0;
  for (const tenantId of await pathChange.fallbackTenants()) {
    const { kind, messages } = await pathChange.toTwoTier(tenantId, actor, traceparent);
    await outbox.deliver(messages);
    if (kind !== 'migrating' && kind !== 'restarted') continue;
    log.info({ tenantId, kind }, 'tenant leaves the fallback path');
    moved += 1;
  }
  return moved;
}

async function wakeReady({ steps, outbox, now }: CheckReadinessDependencies, readiness: Readiness): Promise<number> {
  const traceparent = traceparentOf(undefined);
  let woken = 0;
  for (const gate of gates) {
    const since = readiness.items?.[gate]?.since;
    const isFresh = since === undefined || now().getTime() - Date.parse(since) < wakeForMs;
    if (!readiness[gate] || !isFresh) continue;
    for (const ref of await steps.waitingFor(waitedForAs[gate])) {
      const messages = await steps.wake(ref, 'redrive', actor, traceparent);
      await outbox.deliver(messages);
      woken += messages.length;
    }
  }
  return woken;
}
