import type { Firestore, Transaction } from '@google-cloud/firestore';
import { paths, runSchema, stepSchema, tenantSchema } from '../contracts/documents.ts';
import type { OutboxMessage, Run, StepRecord, Tenant } from '../contracts/documents.ts';
import { teardownIdOf, teardownSchema } from '../contracts/teardown-documents.ts';
import type { Teardown } from '../contracts/teardown-documents.ts';
import type { Envelope } from '../contracts/topics.ts';
import { stepNames } from '../domain/provisioning-steps.ts';
import type { TeardownKind } from '../domain/teardown.ts';
import { openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';
import { RunDocuments, isLeased, isSettled } from './run-documents.ts';
import type { RunDocumentsOptions } from './run-documents.ts';

/** Who wants an end, and why: kept in the audit trail. */
export interface EndingWish {
  readonly reason: string;
  readonly actor: string;
  readonly traceparent: string;
}

/** What became of a wish to cancel. `live`: there is nothing left to cancel; a live tenant is offboarded instead. */
export type Cancelled =
  | { readonly kind: 'cancelled'; readonly runId: string; readonly messages: OutboxMessage[] }
  | { readonly kind: 'already'; readonly runId: string; readonly messages: OutboxMessage[] }
  | { readonly kind: 'no-run' | 'live' };

/** `already`: it was asked for before; the message pokes what may have fallen asleep. */
export interface Offboarded {
  readonly kind: 'begun' | 'already';
  readonly teardown: Teardown;
  readonly messages: OutboxMessage[];
}

const topics = { undo: 'undo-run', offboarding: 'offboard-tenant' } as const;

/**
 * The decisions that end a run or a tenant. Each is one transaction with its audit entry, its teardown and the message
 * that starts it: from its commit on no step is started, no write is marked and no call of a step is let through. A step
 * that somebody works on just now records the answer it is waiting for and ends.
 */
export class TenantEnding {
  readonly #db: Firestore;
  readonly #now: () => Date;
  readonly #run: RunDocuments;

  constructor(options: RunDocumentsOptions) {
    this.#db = options.db;
    this.#now = options.now;
    this.#run = new RunDocuments(options);
  }

  /** Ends the tenant's run for good. Asked again, it changes nothing and starts the undo once more. */
  async cancel(tenantId: string, wish: EndingWish): Promise<Cancelled> {
    const at = this.#now().toISOString();
    return this.#db.runTransaction(async (transaction): Promise<Cancelled> => {
      const tenantRef = this.#db.doc(paths.tenant(tenantId));
      const tenant = readDocument(await transaction.get(tenantRef), tenantSchema);
      const open = tenant && (await this.#openRun(transaction, tenant));
      if (open === undefined) return { kind: 'no-run' };
      const { run } = open;
      const teardown = newTeardown('undo', tenantId, run.runId, wish, at);
      if (run.state === 'cancelled') {
        const messages = [this.#start(transaction, teardown, wish.traceparent, `:again:${at}`)];
        return { kind: 'already', runId: run.runId, messages };
      }
      if (run.state === 'done' || tenant?.status === 'live') return { kind: 'live' };
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'tenant');
      this.#cancelRun(transaction, open, wish, at);
      transaction.update(tenantRef, { status: 'cancelled' });
      transaction.create(this.#db.doc(paths.teardown(teardown.teardownId)), teardown);
      const messages = [this.#start(transaction, teardown, wish.traceparent)];
      const { actor, reason } = wish;
      audit.append({ at, actor, action: 'run-cancelled', subject: run.runId, detail: { reason } });
      return { kind: 'cancelled', runId: run.runId, messages };
    });
  }

  /** Ends the tenant. Undefined when there is none and never was. */
  async offboard(tenantId: string, wish: EndingWish): Promise<Offboarded | undefined> {
    const at = this.#now().toISOString();
    return this.#db.runTransaction(async (transaction): Promise<Offboarded | undefined> => {
      const tenantRef = this.#db.doc(paths.tenant(tenantId));
      const teardownRef = this.#db.doc(paths.teardown(teardownIdOf('offboarding', tenantId, null)));
      const [tenantSnapshot, teardownSnapshot] = await transaction.getAll(tenantRef, teardownRef);
      const known = teardownSnapshot && readDocument(teardownSnapshot, teardownSchema);
      if (known !== undefined) {
        const isOver = known.state === 'done';
        const messages = isOver ? [] : [this.#start(transaction, known, wish.traceparent, `:again:${at}`)];
        return { kind: 'already', teardown: known, messages };
      }
      const tenant = tenantSnapshot && readDocument(tenantSnapshot, tenantSchema);
      if (tenant === undefined) return undefined;
      const open = await this.#openRun(transaction, tenant);
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'tenant');
      if (open?.run.state === 'running') this.#cancelRun(transaction, open, wish, at);
      transaction.update(tenantRef, { status: 'offboarding' });
      const teardown = newTeardown('offboarding', tenantId, tenant.currentRunId, wish, at);
      transaction.create(teardownRef, teardown);
      const messages = [this.#start(transaction, teardown, wish.traceparent)];
      const { actor, reason } = wish;
      audit.append({ at, actor, action: 'offboarding-begun', subject: tenantId, detail: { reason } });
      return { kind: 'begun', teardown, messages };
    });
  }

  async #openRun(transaction: Transaction, tenant: Tenant): Promise<OpenRun | undefined> {
    const { tenantId, currentRunId: runId } = tenant;
    if (runId === null) return undefined;
    const [runSnapshot, ...stepSnapshots] = await transaction.getAll(
      this.#db.doc(paths.run(tenantId, runId)),
      ...stepNames.map((step) => this.#run.doc({ tenantId, runId, step })),
    );
    const run = runSnapshot && readDocument(runSnapshot, runSchema);
    if (run === undefined) return undefined;
    return { run, steps: stepSnapshots.flatMap((snapshot) => readDocument(snapshot, stepSchema) ?? []) };
  }

  #cancelRun(transaction: Transaction, { run, steps }: OpenRun, { actor, reason }: EndingWish, at: string): void {
    const cancelled: Run = { ...run, state: 'cancelled', finishedAt: at, cancellation: { at, by: actor, reason } };
    transaction.set(this.#db.doc(paths.run(run.tenantId, run.runId)), cancelled);
    for (const record of steps) {
      if (isSettled(record.state) || isLeased(record, at)) continue;
      transaction.set(this.#run.doc(record), this.#run.cancelledStep(record));
    }
  }

  #start(transaction: Transaction, teardown: Teardown, traceparent: string, again = ''): OutboxMessage {
    const { kind, teardownId, tenantId } = teardown;
    const envelope: Envelope<'undo-run' | 'offboard-tenant'> = {
      eventId: `${tenantId}:${kind}:${teardownId}${again}`,
      type: topics[kind],
      version: 1,
      tenantId,
      at: this.#now().toISOString(),
      traceparent,
      data: { teardownId },
    };
    return this.#run.outbox.add(transaction, envelope, paths.teardown(teardownId));
  }
}

interface OpenRun {
  readonly run: Run;
  readonly steps: readonly StepRecord[];
}

function newTeardown(
  kind: TeardownKind,
  tenantId: string,
  runId: string | null,
  { actor, reason }: EndingWish,
  at: string,
): Teardown {
  return {
    teardownId: teardownIdOf(kind, tenantId, runId),
    tenantId,
    kind,
    runId,
    state: 'running',
    reason,
    requestedBy: actor,
    requestedAt: at,
    finishedAt: null,
    fence: 0,
    lease: null,
    objects: null,
    actions: {},
    left: [],
  };
}
