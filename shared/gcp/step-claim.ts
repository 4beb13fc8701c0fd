import { paths, runSchema, stepSchema, tenantSchema } from '../contracts/documents.ts';
import type { Run, StepRecord, Tenant } from '../contracts/documents.ts';
import type { StartCause } from '../contracts/topics.ts';
import { stepDefinition } from '../domain/provisioning-steps.ts';
import type { StepProducts } from '../domain/provisioning-steps.ts';
import { readDocument } from './firestore.ts';
import type { RunDocuments, StepRef } from './run-documents.ts';

/** The right to work on a step: every later write names the fence and is refused when a newer one exists. */
export interface Claimed {
  readonly kind: 'claimed';
  readonly ref: StepRef;
  readonly fence: number;
  readonly record: StepRecord;
  readonly tenant: Tenant;
  readonly run: Run;
  /** What the needed steps produced, by step; skipped ones are absent. */
  readonly products: Partial<StepProducts>;
}

export type Claim =
  | Claimed
  /** Nothing to do: done, skipped, failed for good, parked, or not started yet. */
  | { readonly kind: 'settled'; readonly state: StepRecord['state'] }
  /** Another worker holds the lease. */
  | { readonly kind: 'busy'; readonly until: string }
  | { readonly kind: 'missing' };

/**
 * Takes the lease of a step when it is there to be taken: nobody holds it, the run is wanted, and the message is not a late
 * copy. Every lease raises the fence, so whoever held one before can write no more.
 */
export async function claimStep(runs: RunDocuments, ref: StepRef, owner: string, cause: StartCause): Promise<Claim> {
  const now = runs.now();
  const taken = await runs.db.runTransaction(async (transaction): Promise<StepRecord | Claim> => {
    const { record, isCancelled } = await runs.stepAndRun(transaction, ref);
    if (record === undefined) return { kind: 'missing' };
    if (record.state === 'running' && record.lease !== null && record.lease.until > now.toISOString()) {
      return { kind: 'busy', until: record.lease.until };
    }
    if (isCancelled) return { kind: 'settled', state: record.state };
    if (!isClaimable(record, cause, now)) return { kind: 'settled', state: record.state };
    const until = runs.leaseFromNow();
    const claimed: StepRecord = {
      ...record,
      state: 'running',
      attempt: record.attempt + 1,
      fence: record.fence + 1,
      lease: { owner, until },
      effects: effectsThatCount(record),
      reopened: null,
      reason: null,
      // A worker that dies is taken over by whoever comes first: Pub/Sub's redelivery or resume-waits.
      wakeAt: until,
      startedAt: record.startedAt ?? now.toISOString(),
    };
    transaction.set(runs.doc(ref), claimed);
    return claimed;
  });
  if ('kind' in taken) return taken;
  return { kind: 'claimed', ref, fence: taken.fence, record: taken, ...(await contextOf(runs, ref)) };
}

/** What a worker reads once, after the lease is its own. */
async function contextOf(runs: RunDocuments, ref: StepRef): Promise<Pick<Claimed, 'tenant' | 'run' | 'products'>> {
  const needs = stepDefinition(ref.step).needs;
  const [tenantSnapshot, runSnapshot, ...needSnapshots] = await runs.db.getAll(
    runs.db.doc(paths.tenant(ref.tenantId)),
    runs.db.doc(paths.run(ref.tenantId, ref.runId)),
    ...needs.map((step) => runs.doc({ ...ref, step })),
  );
  const tenant = tenantSnapshot && readDocument(tenantSnapshot, tenantSchema);
  const run = runSnapshot && readDocument(runSnapshot, runSchema);
  if (tenant === undefined || run === undefined) {
    throw new Error(`step ${ref.step} of run ${ref.runId} has no ${tenant === undefined ? 'tenant' : 'run'} document`);
  }
  const products = Object.fromEntries(
    needSnapshots.flatMap((snapshot) => {
      const record = readDocument(snapshot, stepSchema);
      return record?.products ? [[record.step, record.products]] : [];
    }),
  ) as Partial<StepProducts>;
  return { tenant, run, products };
}

/** The effects of earlier attempts that a new one relies on: a write that nobody saw the end of always counts. */
function effectsThatCount({ effects, reopened }: StepRecord): StepRecord['effects'] {
  return Object.fromEntries(
    Object.entries(effects).filter(([name, { state }]) => state === 'pending' || !reopened?.effects.includes(name)),
  );
}

/** Which states a start message may take over. A late copy of an old message must not disturb a parked step. */
function isClaimable(record: StepRecord, cause: StartCause, now: Date): boolean {
  switch (record.state) {
    case 'queued':
    case 'running':
      return true;
    case 'retrying':
      return cause === 'redrive' || record.wakeAt === null || record.wakeAt <= now.toISOString();
    case 'pending':
    case 'waiting':
    case 'failed':
    case 'done':
    case 'skipped':
    case 'cancelled':
      return false;
  }
}
