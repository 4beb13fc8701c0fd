import type { Tenant } from '../../../shared/contracts/documents.ts';
import { nextOwnTimeAfter } from '../../../shared/domain/own-time.ts';
import type { DriftStore } from '../../../shared/gcp/drift-store.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import type { JobReport, JobRun } from '../../../shared/runtime/scheduled-function.ts';
import { checkEveryMs, checkTenant, retryAfterMs } from './check-tenant.ts';
import type { CheckServices } from './services.ts';

export interface CheckDueDependencies extends CheckServices {
  readonly store: CheckServices['store'] & Pick<DriftStore, 'due' | 'begin'>;
  readonly tenants: () => AsyncIterable<Pick<Tenant, 'tenantId' | 'status'>>;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly log: Logger;
}

/** A tenant a second: seven calls or fewer and one for each open issue, far below what Meta allows an app in an hour. */
const betweenTenantsMs = 1_000;
const pageSize = 50;
const hourMs = 60 * 60_000;

/**
 * Looks at every tenant whose time of the day has come, one after the other, until nobody is due or the run's time is over:
 * who was not reached is first in line in the next run. One tenant's trouble does not keep the others from being looked at.
 * Once an hour, tenants that have gone live since are taken in.
 */
export async function checkDue(
  run: Pick<JobRun, 'slot' | 'lastSlot' | 'signal'>,
  dependencies: CheckDueDependencies,
): Promise<JobReport> {
  const { log, now, sleep, store } = dependencies;
  const counts = { begun: 0, same: 0, differs: 0, unknown: 0, moving: 0, gone: 0, failed: 0 };
  if (hourOf(run.slot) !== hourOf(run.lastSlot)) counts.begun = await takeIn(dependencies);
  const started = now();
  while (!run.signal.aborted) {
    // Every tenant looked at moves out of the query, also the one whose look failed.
    const due = await store.due(started, pageSize);
    if (due.length === 0) break;
    for (const { tenantId } of due) {
      if (run.signal.aborted) break;
      try {
        counts[await checkTenant(tenantId, dependencies)] += 1;
      } catch (error) {
        counts.failed += 1;
        log.error({ err: error, tenantId }, 'a tenant could not be compared with Meta, tried again in an hour');
        await store.postpone(tenantId, new Date(now().getTime() + retryAfterMs));
      }
      await sleep(betweenTenantsMs);
    }
  }
  return counts;
}

function hourOf(slot: Date | undefined): number | undefined {
  return slot === undefined ? undefined : Math.floor(slot.getTime() / hourMs);
}

/** Takes live tenants in, each to be looked at at its own time of the day, when Meta's lists surely show what was made. */
async function takeIn({ now, store, tenants }: CheckDueDependencies): Promise<number> {
  let begun = 0;
  for await (const { status, tenantId } of tenants()) {
    if (status !== 'live' || (await store.read(tenantId)) !== undefined) continue;
    const settled = new Date(now().getTime() + hourMs);
    if (await store.begin(tenantId, nextOwnTimeAfter(tenantId, checkEveryMs, settled))) begun += 1;
  }
  return begun;
}
