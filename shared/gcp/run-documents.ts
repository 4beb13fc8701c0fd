import type { DocumentReference, Firestore, Transaction } from '@google-cloud/firestore';
import { paths, runSchema, stepSchema } from '../contracts/documents.ts';
import type { OutboxMessage, Run, StepRecord, Tenant } from '../contracts/documents.ts';
import type { Envelope, StartCause } from '../contracts/topics.ts';
import { applies, dependantsOf, stepDefinition, stepNames } from '../domain/provisioning-steps.ts';
import type { StepName } from '../domain/provisioning-steps.ts';
import { isMet } from '../domain/step-states.ts';
import { openAuditStream } from './audit-trail.ts';
import type { AuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';
import type { Outbox } from './outbox.ts';

/** One step of one run of one tenant. */
export interface StepRef {
  readonly tenantId: string;
  readonly runId: string;
  readonly step: StepName;
}

export interface RunDocumentsOptions {
  readonly db: Firestore;
  readonly outbox: Outbox;
  readonly now: () => Date;
  readonly leaseMs: number;
}

/**
 * What the worker's side ({@link StepStore}) and the steering side ({@link RunControl}) of a run do alike inside their
 * transactions: find documents, start what has become ready, and write the audit trail.
 */
export class RunDocuments {
  readonly db: Firestore;
  readonly outbox: Outbox;
  readonly now: () => Date;
  readonly #leaseMs: number;

  constructor(options: RunDocumentsOptions) {
    this.db = options.db;
    this.outbox = options.outbox;
    this.now = options.now;
    this.#leaseMs = options.leaseMs;
  }

  doc(ref: StepRef): DocumentReference {
    return this.db.doc(paths.step(ref.tenantId, ref.runId, ref.step));
  }

  /** A step, and whether its run was cancelled: read together, so that no write can slip in between. */
  async stepAndRun(
    transaction: Transaction,
    ref: StepRef,
  ): Promise<{ readonly record: StepRecord | undefined; readonly isCancelled: boolean }> {
    const [step, run] = await transaction.getAll(this.doc(ref), this.db.doc(paths.run(ref.tenantId, ref.runId)));
    return {
      record: step && readDocument(step, stepSchema),
      isCancelled: run !== undefined && readDocument(run, runSchema)?.state === 'cancelled',
    };
  }

  /** The step as a cancelled run leaves it: its effects stay, as what there is to undo. */
  cancelledStep(record: StepRecord): StepRecord {
    return {
      ...record,
      state: 'cancelled',
      fence: record.fence + 1,
      lease: null,
      wait: null,
      wakeAt: null,
      finishedAt: this.now().toISOString(),
    };
  }

  /**
   * Creates a run with one document per step and queues the steps that need nothing of this run. Returns the messages that start them.
   */
  createRun(transaction: Transaction, tenant: Tenant, run: Run, traceparent: string): OutboxMessage[] {
    const { tenantId, runId, path, migrates, startedAt } = run;
    const runRef = this.db.doc(paths.run(tenantId, runId));
    transaction.create(runRef, run);
    const audience = { ...tenant, path, isMigration: migrates !== undefined };
    const isPart = (step: StepName): boolean => applies(step, audience);
    const messages: OutboxMessage[] = [];
    for (const step of stepNames) {
      const ref = { tenantId, runId, step };
      const skipped = !isPart(step);
      const ready = !skipped && !stepDefinition(step).needs.some(isPart);
      const state = skipped ? 'skipped' : ready ? 'queued' : 'pending';
      transaction.create(this.doc(ref), newStep(ref, state, startedAt, ready ? this.leaseFromNow() : null));
      if (ready) messages.push(this.start(transaction, ref, 'needs-met', 0, traceparent, runRef.path));
    }
    return messages;
  }

  /** The states of this step's dependants and of everything these need. */
  async statesAround(transaction: Transaction, ref: StepRef): Promise<Map<StepName, StepRecord['state']>> {
    const dependants = dependantsOf(ref.step);
    const around = new Set(dependants.flatMap((step) => [step, ...stepDefinition(step).needs]));
    around.delete(ref.step);
    if (around.size === 0) return new Map();
    const snapshots = await transaction.getAll(...[...around].map((step) => this.doc({ ...ref, step })));
    return new Map(
      snapshots.flatMap((snapshot) => {
        const record = readDocument(snapshot, stepSchema);
        return record === undefined ? [] : [[record.step, record.state] as const];
      }),
    );
  }

  /** Queues every step that was waiting for this one only. */
  startReady(
    transaction: Transaction,
    ref: StepRef,
    states: ReadonlyMap<StepName, StepRecord['state']>,
    traceparent: string,
  ): OutboxMessage[] {
    const ready = dependantsOf(ref.step).filter(
      (step) => states.get(step) === 'pending' && stepDefinition(step).needs.every((need) => isMet(states.get(need))),
    );
    return ready.map((step) => {
      const next = { ...ref, step };
      // Should the message get lost for good, resume-waits starts the step one lease later.
      transaction.update(this.doc(next), { state: 'queued', wakeAt: this.leaseFromNow() });
      return this.start(transaction, next, 'needs-met', 0, traceparent, this.doc(ref).path);
    });
  }

  /** A start message for a step, in the outbox. `source` is the document whose change causes it. */
  start(
    transaction: Transaction,
    ref: StepRef,
    cause: StartCause,
    fence: number,
    traceparent: string,
    source = this.doc(ref).path,
  ): OutboxMessage {
    const envelope: Envelope<StepName> = {
      eventId: `${ref.tenantId}:${ref.runId}:${ref.step}:${fence}`,
      type: ref.step,
      version: 1,
      tenantId: ref.tenantId,
      runId: ref.runId,
      at: this.now().toISOString(),
      traceparent,
      data: { cause },
    };
    return this.outbox.add(transaction, envelope, source);
  }

  /** When a lease taken now ends. */
  leaseFromNow(): string {
    return new Date(this.now().getTime() + this.#leaseMs).toISOString();
  }

  /** The step's own stream of the tenant's audit trail. Reads, so before the transaction's first write. */
  auditStream(transaction: Transaction, ref: StepRef): Promise<AuditStream> {
    return openAuditStream(transaction, this.db, ref.tenantId, `${ref.runId}.${ref.step}`);
  }
}

function newStep(ref: StepRef, state: StepRecord['state'], at: string, wakeAt: string | null): StepRecord {
  return {
    step: ref.step,
    tenantId: ref.tenantId,
    runId: ref.runId,
    state,
    attempt: 0,
    retries: 0,
    fence: 0,
    lease: null,
    effects: {},
    products: null,
    wait: null,
    reason: null,
    wakeAt,
    startedAt: null,
    finishedAt: state === 'skipped' ? at : null,
    reopened: null,
  };
}

/** Nothing becomes of such a step any more. */
export function isSettled(state: StepRecord['state']): boolean {
  return state === 'done' || state === 'skipped' || state === 'cancelled';
}

/** Whether somebody works on the step at this instant. */
export function isLeased(record: StepRecord, at: string): boolean {
  return record.state === 'running' && record.lease !== null && record.lease.until > at;
}
