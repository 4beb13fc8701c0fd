import { createHash } from 'node:crypto';
import type { Firestore, Transaction } from '@google-cloud/firestore';
import {
  collectionGroups,
  fallbackSlotsSchema,
  paths,
  readinessSchema,
  runSchema,
  stepSchema,
  tenantSchema,
} from '../contracts/documents.ts';
import type { EffectRecord, OutboxMessage, Run, StepRecord } from '../contracts/documents.ts';
import { choosePath, maxFallbackTenants } from '../domain/provisioning-path.ts';
import type { PathSetting, ProvisioningPath } from '../domain/provisioning-path.ts';
import { stepDefinition, stepNames } from '../domain/provisioning-steps.ts';
import type { StepName } from '../domain/provisioning-steps.ts';
import { canonicalJson } from '../domain/canonical.ts';
import { readDocument } from './firestore.ts';
import { RunDocuments, isLeased, isSettled } from './run-documents.ts';
import type { RunDocumentsOptions, StepRef } from './run-documents.ts';

/**
 * Steering of runs from outside: opening one, waking what sleeps, and a person's decisions. It never touches a step that
 * somebody works on, and every change is one transaction with its audit entry and messages.
 */
export class RunControl {
  readonly #db: Firestore;
  readonly #now: () => Date;
  readonly #run: RunDocuments;

  constructor(options: RunDocumentsOptions) {
    this.#db = options.db;
    this.#now = options.now;
    this.#run = new RunDocuments(options);
  }

  /**
   * Opens a run with one document per step and queues the steps that need nothing. Opening the same run again changes
   * nothing. Returns the messages to deliver.
   *
   * The path is decided in the same transaction as a slot on the parent business is taken for it: of any number of
   * tenants that start at once, at most {@link maxFallbackTenants} ever take the fallback path.
   */
  async openRun(tenantId: string, runId: string, setting: PathSetting, traceparent: string): Promise<OutboxMessage[]> {
    const at = this.#now().toISOString();
    return this.#db.runTransaction(async (transaction) => {
      const tenantRef = this.#db.doc(paths.tenant(tenantId));
      const runRef = this.#db.doc(paths.run(tenantId, runId));
      const [tenantSnapshot, runSnapshot] = await transaction.getAll(tenantRef, runRef);
      const tenant = tenantSnapshot && readDocument(tenantSnapshot, tenantSchema);
      if (tenant === undefined || runSnapshot?.exists) return [];
      const path = await this.#takePath(transaction, tenantId, setting, at);
      const run: Run = {
        runId,
        tenantId,
        path,
        state: 'running',
        sagaVersion: 1,
        startedAt: at,
        finishedAt: null,
        connection: tenant.connection?.number ?? 1,
        cancellation: null,
      };
      const messages = this.#run.createRun(transaction, tenant, run, traceparent);
      transaction.update(tenantRef, { status: 'provisioning', currentRunId: runId });
      return messages;
    });
  }

  /** Reads before it writes, so it comes before the transaction's first write. */
  async #takePath(
    transaction: Transaction,
    tenantId: string,
    setting: PathSetting,
    at: string,
  ): Promise<ProvisioningPath> {
    if (setting === 'two-tier') return setting;
    const readiness = readDocument(await transaction.get(this.#db.doc(paths.readiness())), readinessSchema);
    const slotsRef = this.#db.doc(paths.fallbackSlots());
    const { slots } = readDocument(await transaction.get(slotsRef), fallbackSlotsSchema) ?? { slots: [] };
    const isIn = slots.some((slot) => slot.tenantId === tenantId);
    const path = choosePath({
      setting,
      pre10: readiness?.pre10 ?? false,
      hasSlot: isIn || slots.length < maxFallbackTenants,
    });
    if (path === 'fallback' && !isIn) transaction.set(slotsRef, { slots: [...slots, { tenantId, takenAt: at }] });
    return path;
  }

  /**
   * Queues a parked, postponed, abandoned or failed step again, once: a second caller finds it queued. `actor` is who
   * asked for it. Returns the messages to deliver, none when the step was not in a state to be woken.
   */
  async wake(
    ref: StepRef,
    cause: 'resumed' | 'redrive',
    actor: string,
    traceparent: string,
    reason: string | null = null,
  ): Promise<OutboxMessage[]> {
    const now = this.#now().toISOString();
    return this.#db.runTransaction(async (transaction) => {
      const { record, isCancelled } = await this.#run.stepAndRun(transaction, ref);
      if (record === undefined) return [];
      const due = record.wakeAt !== null && record.wakeAt <= now;
      const leased = isLeased(record, now);
      const asleep = ['waiting', 'retrying', 'running', 'queued'].includes(record.state);
      const wakeable =
        cause === 'redrive' ? (asleep || record.state === 'failed') && !leased : asleep && due && !leased;
      if (!wakeable) return [];
      if (isCancelled) {
        // Its worker died after the run was cancelled.
        transaction.set(this.#run.doc(ref), this.#run.cancelledStep(record));
        return [];
      }
      const audit = cause === 'redrive' ? await this.#run.auditStream(transaction, ref) : undefined;
      // The next look, should this message get lost, is one lease away.
      const wakeAt = this.#run.leaseFromNow();
      transaction.update(this.#run.doc(ref), {
        state: 'queued',
        lease: null,
        wakeAt,
        fence: record.fence + 1,
        ...(cause === 'redrive' ? { retries: 0 } : {}),
        // Without this the step would find that it has waited in vain, and fail again without a look.
        ...(cause === 'redrive' && hasExpired(record, now) ? { wait: null } : {}),
      });
      const detail = decided({ reason }, record.state, 'queued');
      audit?.append({ at: now, actor, action: 'redrive', subject: ref.step, detail });
      return [this.#run.start(transaction, ref, cause, record.fence + 1, traceparent)];
    });
  }

  /**
   * Tells a step the id of an object that exists already, and queues it: what it would have created is then neither looked
   * for nor created. Undefined when the step is done, skipped or being worked on.
   */
  async adopt(
    ref: StepRef,
    id: string,
    reason: string,
    actor: string,
    traceparent: string,
  ): Promise<OutboxMessage[] | undefined> {
    const { adopts } = stepDefinition(ref.step);
    if (adopts === undefined) throw new RangeError(`${ref.step} creates nothing that could be adopted`);
    const at = this.#now().toISOString();
    return this.#intervene(ref, actor, 'adopted', { id, reason }, (transaction, record) => {
      const fingerprint = `adopted by ${actor}`;
      const effect: EffectRecord = {
        state: 'done',
        fingerprint,
        markedAt: at,
        how: 'adopted',
        result: { [adopts.field]: id },
      };
      const effects = { ...record.effects, [adopts.effect]: effect };
      // A step that has not started keeps waiting for what it needs; it finds the id when it does.
      const starts = record.state !== 'pending';
      const fence = record.fence + 1;
      const queued = { state: 'queued', lease: null, retries: 0, wakeAt: this.#run.leaseFromNow() } as const;
      transaction.set(this.#run.doc(ref), {
        ...record,
        effects,
        fence,
        ...(starts ? queued : {}),
      } satisfies StepRecord);
      return starts ? [this.#run.start(transaction, ref, 'redrive', fence, traceparent)] : [];
    });
  }

  /**
   * Ends a step undone, by a person's decision, and starts what was waiting for it. Undefined when the step is done,
   * skipped or being worked on. The caller makes sure that nobody reads the step's products.
   */
  async skip(ref: StepRef, reason: string, actor: string, traceparent: string): Promise<OutboxMessage[] | undefined> {
    const at = this.#now().toISOString();
    return this.#intervene(ref, actor, 'skipped', { reason }, (transaction, record, states) => {
      const skipped = { state: 'skipped', lease: null, wait: null, wakeAt: null, finishedAt: at } as const;
      const text = `skipped by ${actor}: ${reason}`;
      transaction.set(this.#run.doc(ref), {
        ...record,
        ...skipped,
        reason: text,
        fence: record.fence + 1,
      } satisfies StepRecord);
      states.set(ref.step, 'skipped');
      return this.#run.startReady(transaction, ref, states, traceparent);
    });
  }

  /** A person's change to a step nobody works on just now, with its audit entry, in one transaction. */
  async #intervene(
    ref: StepRef,
    actor: string,
    action: string,
    detail: Record<string, string>,
    change: (
      transaction: Transaction,
      record: StepRecord,
      states: Map<StepName, StepRecord['state']>,
    ) => OutboxMessage[],
  ): Promise<OutboxMessage[] | undefined> {
    const at = this.#now().toISOString();
    return this.#db.runTransaction(async (transaction) => {
      const { record, isCancelled } = await this.#run.stepAndRun(transaction, ref);
      const isOver = record === undefined || isCancelled || isSettled(record.state);
      if (isOver || isLeased(record, at)) return undefined;
      const states = await this.#run.statesAround(transaction, ref);
      const audit = await this.#run.auditStream(transaction, ref);
      const messages = change(transaction, record, states);
      const after = action === 'skipped' ? 'skipped' : record.state === 'pending' ? 'pending' : 'queued';
      audit.append({ at, actor, action, subject: ref.step, detail: decided(detail, record.state, after) });
      return messages;
    });
  }

  async readRun(tenantId: string, runId: string): Promise<Run | undefined> {
    return readDocument(await this.#db.doc(paths.run(tenantId, runId)).get(), runSchema);
  }

  /** Every step of a run, in onboarding order. */
  async readSteps(tenantId: string, runId: string): Promise<StepRecord[]> {
    const snapshots = await this.#db.getAll(...stepNames.map((step) => this.#run.doc({ tenantId, runId, step })));
    return snapshots.flatMap((snapshot) => readDocument(snapshot, stepSchema) ?? []);
  }

  /** Publishes what a crash after `openRun` left in the outbox. */
  async deliverLeftByRun(tenantId: string, runId: string): Promise<number> {
    return this.#run.outbox.deliverLeftBy(paths.run(tenantId, runId));
  }

  /** Parked steps that wait for this, over all tenants. */
  async waitingFor(awaited: string): Promise<StepRef[]> {
    const rows = await this.#db.collectionGroup(collectionGroups.steps).where('wait.for', '==', awaited).get();
    return rows.docs.flatMap((row) => {
      const record = readDocument(row, stepSchema);
      if (record?.state !== 'waiting') return [];
      return [{ tenantId: record.tenantId, runId: record.runId, step: record.step }];
    });
  }

  /** Steps whose time has come: parked, postponed or abandoned, the longest overdue first. */
  async dueSteps(limit: number): Promise<StepRef[]> {
    const due = await this.#db
      .collectionGroup(collectionGroups.steps)
      .where('wakeAt', '<=', this.#now().toISOString())
      .orderBy('wakeAt')
      .limit(limit)
      .get();
    return due.docs.flatMap((row) => {
      const record = readDocument(row, stepSchema);
      return record === undefined ? [] : [{ tenantId: record.tenantId, runId: record.runId, step: record.step }];
    });
  }
}

/** A person's decision as the audit trail keeps it: what was asked, its fingerprint, and the state before and after. */
function decided(
  asked: Readonly<Record<string, string | null>>,
  before: StepRecord['state'],
  after: StepRecord['state'],
): Record<string, unknown> {
  return { ...asked, before, after, fingerprint: createHash('sha256').update(canonicalJson(asked)).digest('hex') };
}

function hasExpired({ wait }: StepRecord, now: string): boolean {
  return wait !== null && wait.expiresAt !== null && wait.expiresAt <= now;
}
