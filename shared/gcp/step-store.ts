import type { DocumentReference, Firestore, Transaction } from '@google-cloud/firestore';
import { collectionGroups, paths, runSchema, stepSchema, tenantSchema } from '../contracts/documents.ts';
import type {
  AuditEntry,
  EffectRecord,
  OutboxMessage,
  Run,
  StepRecord,
  Tenant,
  WaitRecord,
} from '../contracts/documents.ts';
import type { Envelope, StartCause } from '../contracts/topics.ts';
import { applies, dependantsOf, stepDefinition, stepNames } from '../domain/provisioning-steps.ts';
import type { StepName, StepProducts } from '../domain/provisioning-steps.ts';
import { readDocument } from './firestore.ts';
import type { Outbox } from './outbox.ts';

/** One step of one run of one tenant. */
export interface StepRef {
  readonly tenantId: string;
  readonly runId: string;
  readonly step: StepName;
}

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

/** Another worker took the step over; whatever this one still wanted to write is void. */
export class FenceLost extends Error {
  override readonly name = 'FenceLost';
}

/** A document written together with the end of a step. */
export interface DocumentWrite {
  readonly path: string;
  readonly data: Record<string, unknown>;
  readonly merge?: boolean;
}

export interface StepStoreOptions {
  readonly db: Firestore;
  readonly outbox: Outbox;
  readonly now: () => Date;
  readonly leaseMs: number;
}

/**
 * The state of provisioning steps in Firestore. Transactions here decide and record; they never call anybody. A step's
 * document is written only by the worker that holds its lease, under a fence that rises with every lease.
 */
export class StepStore {
  readonly #db: Firestore;
  readonly #outbox: Outbox;
  readonly #now: () => Date;
  readonly #leaseMs: number;

  constructor(options: StepStoreOptions) {
    this.#db = options.db;
    this.#outbox = options.outbox;
    this.#now = options.now;
    this.#leaseMs = options.leaseMs;
  }

  /**
   * Opens a run with one document per step and queues the steps that need nothing. Opening the same run again changes
   * nothing. Returns the messages to deliver.
   */
  async openRun(tenantId: string, runId: string, path: Run['path'], traceparent: string): Promise<OutboxMessage[]> {
    const at = this.#now().toISOString();
    return this.#db.runTransaction(async (transaction) => {
      const tenantRef = this.#db.doc(paths.tenant(tenantId));
      const runRef = this.#db.doc(paths.run(tenantId, runId));
      const [tenantSnapshot, runSnapshot] = await transaction.getAll(tenantRef, runRef);
      const tenant = tenantSnapshot && readDocument(tenantSnapshot, tenantSchema);
      if (tenant === undefined || runSnapshot?.exists) return [];
      const run: Run = { runId, tenantId, path, state: 'running', sagaVersion: 1, startedAt: at, finishedAt: null };
      transaction.create(runRef, run);
      transaction.update(tenantRef, { status: 'provisioning', currentRunId: runId });
      const messages: OutboxMessage[] = [];
      for (const step of stepNames) {
        const ref = { tenantId, runId, step };
        const skipped = !applies(step, tenant);
        const ready = !skipped && stepDefinition(step).needs.length === 0;
        transaction.create(this.#doc(ref), newStep(ref, skipped ? 'skipped' : ready ? 'queued' : 'pending', at));
        if (ready) messages.push(this.#start(transaction, ref, 'needs-met', 0, traceparent, runRef.path));
      }
      return messages;
    });
  }

  /** Takes the lease of a step when it is there to be taken. */
  async claim(ref: StepRef, owner: string, cause: StartCause): Promise<Claim> {
    const now = this.#now();
    const taken = await this.#db.runTransaction(async (transaction): Promise<StepRecord | Claim> => {
      const record = readDocument(await transaction.get(this.#doc(ref)), stepSchema);
      if (record === undefined) return { kind: 'missing' };
      if (record.state === 'running' && record.lease !== null && record.lease.until > now.toISOString()) {
        return { kind: 'busy', until: record.lease.until };
      }
      if (!isClaimable(record, cause, now)) return { kind: 'settled', state: record.state };
      const until = new Date(now.getTime() + this.#leaseMs).toISOString();
      const claimed: StepRecord = {
        ...record,
        state: 'running',
        attempt: record.attempt + 1,
        fence: record.fence + 1,
        lease: { owner, until },
        reason: null,
        // A worker that dies is taken over by whoever comes first: Pub/Sub's redelivery or resume-waits.
        wakeAt: until,
        startedAt: record.startedAt ?? now.toISOString(),
      };
      transaction.set(this.#doc(ref), claimed);
      return claimed;
    });
    if ('kind' in taken) return taken;
    return { kind: 'claimed', ref, fence: taken.fence, record: taken, ...(await this.#context(ref)) };
  }

  /** Marks a write as about to be sent. Whoever finds the mark later knows that its outcome is unknown. */
  async markEffect(claimed: Claimed, effect: string, fingerprint: string): Promise<void> {
    const mark: EffectRecord = {
      state: 'pending',
      fingerprint,
      markedAt: this.#now().toISOString(),
      how: null,
      result: null,
    };
    await this.#update(claimed, (record) => ({ effects: { ...record.effects, [effect]: mark } }));
  }

  /** Records the answer of a write. Returns nothing; the effect is never sent again. */
  async closeEffect(
    claimed: Claimed,
    effect: string,
    fingerprint: string,
    how: 'created' | 'found',
    result: Record<string, unknown>,
    audit: Omit<AuditEntry, 'at' | 'actor'>,
  ): Promise<void> {
    const at = this.#now().toISOString();
    await this.#update(
      claimed,
      (record) => ({
        effects: { ...record.effects, [effect]: { state: 'done', fingerprint, markedAt: at, how, result } },
      }),
      (transaction) => this.#audit(transaction, claimed.ref, { ...audit, at, actor: claimed.ref.step }),
    );
  }

  /** Takes the mark back: Meta answered that nothing was applied. */
  async unmarkEffect(claimed: Claimed, effect: string): Promise<void> {
    await this.#update(claimed, (record) => {
      const { [effect]: _mark, ...effects } = record.effects;
      return { effects };
    });
  }

  /**
   * Ends the step: its products, the documents that belong to it, the audit entry, and the start of every step whose
   * needs are now met, in one transaction. Returns the messages to deliver.
   */
  async finish(
    claimed: Claimed,
    end: { products: Record<string, unknown>; writes: readonly DocumentWrite[]; announce: readonly Envelope[] },
    traceparent: string,
  ): Promise<OutboxMessage[]> {
    const { ref } = claimed;
    const at = this.#now().toISOString();
    return this.#db.runTransaction(async (transaction) => {
      const record = await this.#owned(transaction, claimed);
      const states = await this.#statesAround(transaction, ref);
      states.set(ref.step, 'done');
      transaction.set(this.#doc(ref), {
        ...record,
        state: 'done',
        lease: null,
        products: end.products,
        wait: null,
        reason: null,
        wakeAt: null,
        finishedAt: at,
      } satisfies StepRecord);
      for (const write of end.writes)
        transaction.set(this.#db.doc(write.path), write.data, { merge: write.merge ?? false });
      this.#audit(transaction, ref, {
        at,
        actor: ref.step,
        action: 'step-done',
        subject: ref.step,
        detail: end.products,
      });
      const messages = end.announce.map((envelope) => this.#outbox.add(transaction, envelope, this.#doc(ref).path));
      for (const dependant of dependantsOf(ref.step)) {
        if (states.get(dependant) !== 'pending') continue;
        const met = stepDefinition(dependant).needs.every((need) => isMet(states.get(need)));
        if (!met) continue;
        const next = { ...ref, step: dependant };
        transaction.update(this.#doc(next), { state: 'queued' });
        messages.push(this.#start(transaction, next, 'needs-met', 0, traceparent, this.#doc(ref).path));
      }
      return messages;
    });
  }

  /** Parks the step until `wakeAt`; waiting is not trouble, so the count of failed attempts starts again. */
  async park(claimed: Claimed, wait: WaitRecord, wakeAt: Date): Promise<void> {
    const parked = {
      state: 'waiting',
      lease: null,
      wait,
      retries: 0,
      reason: null,
      wakeAt: wakeAt.toISOString(),
    } as const;
    await this.#update(claimed, () => parked);
  }

  /** Gives the lease back for another attempt, not before `wakeAt`. */
  async postpone(claimed: Claimed, reason: string, retries: number, wakeAt: Date): Promise<void> {
    const postponed = { state: 'retrying', lease: null, reason, retries, wakeAt: wakeAt.toISOString() } as const;
    await this.#update(claimed, () => postponed);
  }

  /** Stops the step for a person to look at. */
  async fail(claimed: Claimed, reason: string): Promise<void> {
    await this.#update(
      claimed,
      () => ({ state: 'failed', lease: null, reason, wakeAt: null }),
      (transaction) =>
        this.#audit(transaction, claimed.ref, {
          at: this.#now().toISOString(),
          actor: claimed.ref.step,
          action: 'step-failed',
          subject: claimed.ref.step,
          detail: { reason },
        }),
    );
  }

  /** Publishes what a crash after `finish` left in the outbox. */
  async deliverLeftBy(ref: StepRef): Promise<number> {
    return this.#outbox.deliverLeftBy(this.#doc(ref).path);
  }

  /**
   * Queues a parked, postponed, abandoned or failed step again, once: a second caller finds it queued. `actor` is who
   * asked for it. Returns the messages to deliver, none when the step was not in a state to be woken.
   */
  async wake(ref: StepRef, cause: 'resumed' | 'redrive', actor: string, traceparent: string): Promise<OutboxMessage[]> {
    const now = this.#now().toISOString();
    return this.#db.runTransaction(async (transaction) => {
      const record = readDocument(await transaction.get(this.#doc(ref)), stepSchema);
      if (record === undefined) return [];
      const due = record.wakeAt !== null && record.wakeAt <= now;
      const leased = record.state === 'running' && record.lease !== null && record.lease.until > now;
      const asleep = ['waiting', 'retrying', 'running', 'queued'].includes(record.state);
      const wakeable =
        cause === 'redrive' ? (asleep || record.state === 'failed') && !leased : asleep && due && !leased;
      if (!wakeable) return [];
      // The next look, should this message get lost, is one lease away.
      const wakeAt = new Date(this.#now().getTime() + this.#leaseMs).toISOString();
      transaction.update(this.#doc(ref), {
        state: 'queued',
        lease: null,
        wakeAt,
        fence: record.fence + 1,
        ...(cause === 'redrive' ? { retries: 0 } : {}),
      });
      if (cause === 'redrive') {
        this.#audit(transaction, ref, { at: now, actor, action: 'redrive', subject: ref.step, detail: {} });
      }
      return [this.#start(transaction, ref, cause, record.fence + 1, traceparent)];
    });
  }

  /** Every step of a run, in onboarding order. */
  async readSteps(tenantId: string, runId: string): Promise<StepRecord[]> {
    const snapshots = await this.#db.getAll(...stepNames.map((step) => this.#doc({ tenantId, runId, step })));
    return snapshots.flatMap((snapshot) => readDocument(snapshot, stepSchema) ?? []);
  }

  /** Publishes what a crash after `openRun` left in the outbox. */
  async deliverLeftByRun(tenantId: string, runId: string): Promise<number> {
    return this.#outbox.deliverLeftBy(paths.run(tenantId, runId));
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

  #doc(ref: StepRef): DocumentReference {
    return this.#db.doc(paths.step(ref.tenantId, ref.runId, ref.step));
  }

  async #context(ref: StepRef): Promise<Pick<Claimed, 'tenant' | 'run' | 'products'>> {
    const needs = stepDefinition(ref.step).needs;
    const [tenantSnapshot, runSnapshot, ...needSnapshots] = await this.#db.getAll(
      this.#db.doc(paths.tenant(ref.tenantId)),
      this.#db.doc(paths.run(ref.tenantId, ref.runId)),
      ...needs.map((step) => this.#doc({ ...ref, step })),
    );
    const tenant = tenantSnapshot && readDocument(tenantSnapshot, tenantSchema);
    const run = runSnapshot && readDocument(runSnapshot, runSchema);
    if (tenant === undefined || run === undefined) {
      throw new Error(
        `step ${ref.step} of run ${ref.runId} has no ${tenant === undefined ? 'tenant' : 'run'} document`,
      );
    }
    const products = Object.fromEntries(
      needSnapshots.flatMap((snapshot) => {
        const record = readDocument(snapshot, stepSchema);
        return record?.products ? [[record.step, record.products]] : [];
      }),
    ) as Partial<StepProducts>;
    return { tenant, run, products };
  }

  /** The states of this step's dependants and of everything these need. */
  async #statesAround(transaction: Transaction, ref: StepRef): Promise<Map<StepName, StepRecord['state']>> {
    const dependants = dependantsOf(ref.step);
    const around = new Set(dependants.flatMap((step) => [step, ...stepDefinition(step).needs]));
    around.delete(ref.step);
    if (around.size === 0) return new Map();
    const snapshots = await transaction.getAll(...[...around].map((step) => this.#doc({ ...ref, step })));
    return new Map(
      snapshots.flatMap((snapshot) => {
        const record = readDocument(snapshot, stepSchema);
        return record === undefined ? [] : [[record.step, record.state] as const];
      }),
    );
  }

  async #owned(transaction: Transaction, claimed: Claimed): Promise<StepRecord> {
    const record = readDocument(await transaction.get(this.#doc(claimed.ref)), stepSchema);
    if (record === undefined || record.fence !== claimed.fence || record.state !== 'running') {
      throw new FenceLost(`${claimed.ref.step}: fence ${claimed.fence} is no longer the newest`);
    }
    return record;
  }

  async #update(
    claimed: Claimed,
    change: (record: StepRecord) => Partial<StepRecord>,
    also?: (transaction: Transaction) => void,
  ): Promise<void> {
    await this.#db.runTransaction(async (transaction) => {
      const record = await this.#owned(transaction, claimed);
      transaction.set(this.#doc(claimed.ref), { ...record, ...change(record) });
      also?.(transaction);
    });
  }

  #audit(transaction: Transaction, ref: StepRef, entry: AuditEntry): void {
    transaction.create(this.#db.collection(paths.audit(ref.tenantId)).doc(), entry);
  }

  #start(
    transaction: Transaction,
    ref: StepRef,
    cause: StartCause,
    fence: number,
    traceparent: string,
    source = this.#doc(ref).path,
  ): OutboxMessage {
    const envelope: Envelope<StepName> = {
      eventId: `${ref.tenantId}:${ref.runId}:${ref.step}:${fence}`,
      type: ref.step,
      version: 1,
      tenantId: ref.tenantId,
      runId: ref.runId,
      at: this.#now().toISOString(),
      traceparent,
      data: { cause },
    };
    return this.#outbox.add(transaction, envelope, source);
  }
}

function newStep(ref: StepRef, state: StepRecord['state'], at: string): StepRecord {
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
    wakeAt: null,
    startedAt: null,
    finishedAt: state === 'skipped' ? at : null,
  };
}

function isMet(state: StepRecord['state'] | undefined): boolean {
  return state === 'done' || state === 'skipped';
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
      return false;
  }
}
