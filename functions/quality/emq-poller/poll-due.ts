import type { Tenant } from '../../../shared/contracts/documents.ts';
import type { MatchQuality } from '../../../shared/contracts/quality-documents.ts';
import type { MatchQualityStore } from '../../../shared/gcp/match-quality-store.ts';
import type { JobReport, JobRun } from '../../../shared/runtime/scheduled-function.ts';
import { pollTenant } from './poll-tenant.ts';
import type { PollServices } from './poll-tenant.ts';

export interface PollDueDependencies extends PollServices {
  readonly store: PollServices['store'] & Pick<MatchQualityStore, 'due' | 'begin'>;
  readonly tenants: () => AsyncIterable<Tenant>;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** Two tenants a second: a call each, far below what Meta allows an app in an hour. */
const betweenTenantsMs = 500;
const pageSize = 50;
const hourMs = 60 * 60_000;

/**
 * Polls every tenant whose time has come, one after the other, until nobody is due or the run's time is over: who was not
 * reached is first in line in the next run. One tenant's trouble does not keep the others from being polled. Once an
 * hour, and whenever a person asks, tenants that have gone live since are taken in.
 */
export async function pollDue(
  run: Pick<JobRun, 'slot' | 'lastSlot' | 'signal'>,
  dependencies: PollDueDependencies,
): Promise<JobReport> {
  const { log, now, sleep, store } = dependencies;
  const counts = { begun: 0, read: 0, trouble: 0, gone: 0, failed: 0 };
  if (hourOf(run.slot) !== hourOf(run.lastSlot) || isAskedAgain(run)) counts.begun = await takeIn(dependencies);
  const started = now();
  const done = new Set<string>();
  while (!run.signal.aborted) {
    const due = (await store.due(started, pageSize)).filter(({ tenantId }) => !done.has(tenantId));
    if (due.length === 0) break;
    for (const picture of due) {
      if (run.signal.aborted) break;
      done.add(picture.tenantId);
      try {
        counts[await pollTenant(picture, dependencies)] += 1;
      } catch (error) {
        counts.failed += 1;
        log.error(
          { err: error, tenantId: picture.tenantId },
          'a tenant could not be polled, it is tried again in an hour',
        );
        // Otherwise those that fail for good would be first in line for ever, and a page of them would keep all others out.
        await store.write({ ...picture, nextPollAt: new Date(now().getTime() + hourMs).toISOString() });
      }
      await sleep(betweenTenantsMs);
    }
  }
  return counts;
}

/** A person runs a finished slot once more, and expects to see who is live now. */
function isAskedAgain({ slot, lastSlot }: Pick<JobRun, 'slot' | 'lastSlot'>): boolean {
  return lastSlot !== undefined && slot.getTime() <= lastSlot.getTime();
}

function hourOf(slot: Date | undefined): number | undefined {
  return slot === undefined ? undefined : Math.floor(slot.getTime() / hourMs);
}

/** Begins the history of live tenants that have none. */
async function takeIn({ tenants, store, now }: PollDueDependencies): Promise<number> {
  let begun = 0;
  for await (const { tenantId, status, assets } of tenants()) {
    if (status !== 'live' || !assets || (await store.read(tenantId)) !== undefined) continue;
    const picture: MatchQuality = {
      tenantId,
      datasetId: assets.datasetId,
      nextPollAt: now().toISOString(),
      lastPolledAt: null,
      lastReadingAt: null,
      trouble: null,
      events: {},
    };
    await store.begin(picture);
    begun += 1;
  }
  return begun;
}
