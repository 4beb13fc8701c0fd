import type { Firestore, Transaction } from '@google-cloud/firestore';
import { paths, runSchema } from '../contracts/documents.ts';
import type { EffectRecord, OutboxMessage, StepRecord, StepWait } from '../contracts/documents.ts';
import type { Envelope, StartCause } from '../contracts/topics.ts';
import type { AuditFacts } from './audit-trail.ts';
import { readDocument } from './firestore.ts';
import { RunDocuments } from './run-documents.ts';
import type { RunDocumentsOptions, StepRef } from './run-documents.ts';
import { claimStep } from './step-claim.ts';
import type { Claim, Claimed } from './step-claim.ts';

/** The step is no longer this worker's; whatever it still wanted to send or write is void. */
export class FenceLost extends Error {
  override readonly name = 'FenceLost';
}

/** A person cancelled the run: nothing more may be sent, and what was already sent has just been recorded. */
export class RunCancelled extends Error {
  override readonly name = 'RunCancelled';
}

/** A document written together with the end of a step. */
export interface DocumentWrite {
  readonly path: string;
  readonly data: Record<string, unknown>;
  readonly merge?: boolean;
}

/**
 * A worker's side of a provisioning step. Transactions here decide and record; they never call anybody. A step's document
 * is written only by the worker that holds its lease, under a fence that rises with every lease.
 */
export class StepStore {
  readonly #db: Firestore;
  readonly #now: () => Date;
  readonly #run: RunDocuments;

  constructor(options: RunDocumentsOptions) {
    this.#db = options.db;
    this.#now = options.now;
    this.#run = new RunDocuments(options);
  }

  /** Takes the lease of a step when it is there to be taken. */
  async claim(ref: StepRef, owner: string, cause: StartCause): Promise<Claim> {
    return claimStep(this.#run, ref, owner, cause);
  }

  /**
   * Asked before every call to Meta: goes through while the run is wanted and the lease lasts. Meta knows nothing of
   * fences, so a process that stood still for longer than its lease must not send what it was about to.
   *
   * @throws RunCancelled, FenceLost
   */
  async mayCall(claimed: Claimed): Promise<void> {
    const { ref, record } = claimed;
    const run = readDocument(await this.#db.doc(paths.run(ref.tenantId, ref.runId)).get(), runSchema);
    if (run?.state === 'cancelled') throw cancelled(claimed);
    const until = record.lease?.until ?? '';
    if (until <= this.#now().toISOString()) throw new FenceLost(`${ref.step}: the lease ended at ${until}`);
  }

  /**
   * Marks a write as about to be sent. Whoever finds the mark later knows that its outcome is unknown.
   *
   * @throws RunCancelled, and then there is no mark
   */
  async markEffect(
    claimed: Claimed,
    effect: string,
    fingerprint: string,
    before?: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const mark: EffectRecord = {
      state: 'pending',
      fingerprint,
      markedAt: this.#now().toISOString(),
      how: null,
      result: null,
      ...(before !== undefined && { before }),
    };
    await this.#update(claimed, (record) => ({ effects: { ...record.effects, [effect]: mark } }));
  }

  /**
   * Records the answer of a write; the effect is never sent again.
   *
   * @throws RunCancelled after recording it, when the run was cancelled while the answer was under way
   */
  async closeEffect(
    claimed: Claimed,
    effect: string,
    fingerprint: string,
    how: 'created' | 'found',
    result: Record<string, unknown>,
    audit: Omit<AuditFacts, 'at' | 'actor'>,
  ): Promise<void> {
    const at = this.#now().toISOString();
    await this.#update(
      claimed,
      (record) => ({
        effects: { ...record.effects, [effect]: { state: 'done', fingerprint, markedAt: at, how, result } },
      }),
      { ...audit, at, actor: claimed.ref.step },
      'also when cancelled',
    );
  }

  /** Takes the mark back: Meta answered that nothing was applied. @throws RunCancelled after doing so */
  async unmarkEffect(claimed: Claimed, effect: string): Promise<void> {
    await this.#update(
      claimed,
      (record) => {
        const { [effect]: _mark, ...effects } = record.effects;
        return { effects };
      },
      undefined,
      'also when cancelled',
    );
  }

  /**
   * Ends the step: its products, the documents that belong to it, the audit entry, and the start of every step whose
   * needs are now met, in one transaction. Returns the messages to deliver.
   *
   * @throws RunCancelled, and then nothing of it is written: what the step made at Meta is in its effects
   */
  async finish(
    claimed: Claimed,
    end: { products: Record<string, unknown>; writes: readonly DocumentWrite[]; announce: readonly Envelope[] },
    traceparent: string,
  ): Promise<OutboxMessage[]> {
    const { ref } = claimed;
    return this.#end(claimed, { state: 'done', products: end.products, reason: null }, traceparent, (transaction) => {
      for (const write of end.writes)
        transaction.set(this.#db.doc(write.path), write.data, { merge: write.merge ?? false });
      return end.announce.map((envelope) => this.#run.outbox.add(transaction, envelope, this.#run.doc(ref).path));
    });
  }

  /** Ends a step that found nothing to do: skipped, and whoever needs it goes on. @throws RunCancelled */
  async finishUnneeded(claimed: Claimed, reason: string, traceparent: string): Promise<OutboxMessage[]> {
    return this.#end(claimed, { state: 'skipped', products: null, reason }, traceparent, () => []);
  }

  async #end(
    claimed: Claimed,
    end: Pick<StepRecord, 'products' | 'reason'> & { readonly state: 'done' | 'skipped' },
    traceparent: string,
    alongside: (transaction: Transaction) => OutboxMessage[],
  ): Promise<OutboxMessage[]> {
    const { ref } = claimed;
    const at = this.#now().toISOString();
    return this.#db.runTransaction(async (transaction) => {
      const { record, isCancelled } = await this.#owned(transaction, claimed);
      if (isCancelled) throw cancelled(claimed);
      const states = await this.#run.statesAround(transaction, ref);
      const audit = await this.#run.auditStream(transaction, ref);
      const settled = { lease: null, wait: null, wakeAt: null, finishedAt: at } as const;
      const ended: StepRecord = { ...record, ...end, ...settled };
      audit.append({
        at,
        actor: ref.step,
        action: `step-${end.state}`,
        subject: ref.step,
        detail: end.products ?? { reason: end.reason },
      });
      const messages = alongside(transaction);
      if (record.reopened !== null) {
        // What it just did was for facts that have changed since: those who need it wait for the next attempt.
        const fence = record.fence + 1;
        transaction.set(this.#run.doc(ref), { ...ended, state: 'queued', fence, wakeAt: this.#run.leaseFromNow() });
        return [...messages, this.#run.start(transaction, ref, 'reopened', fence, traceparent)];
      }
      transaction.set(this.#run.doc(ref), ended);
      states.set(ref.step, end.state);
      return [...messages, ...this.#run.startReady(transaction, ref, states, traceparent)];
    });
  }

  /** Parks the step until `wakeAt`; waiting is not trouble, so the count of failed attempts starts again. */
  async park(claimed: Claimed, wait: StepWait, wakeAt: string): Promise<void> {
    const parked = { state: 'waiting', lease: null, wait, retries: 0, reason: null } as const;
    // What it waits for may be out of date: then it looks again at once.
    await this.#update(claimed, ({ reopened }) => ({
      ...parked,
      wakeAt: reopened === null ? wakeAt : this.#now().toISOString(),
    }));
  }

  /** Gives the lease back for another attempt, not before `wakeAt`. */
  async postpone(claimed: Claimed, reason: string, retries: number, wakeAt: Date): Promise<void> {
    const postponed = { state: 'retrying', lease: null, reason, retries, wakeAt: wakeAt.toISOString() } as const;
    await this.#update(claimed, () => postponed);
  }

  /** Stops the step for a person to look at. */
  async fail(claimed: Claimed, reason: string): Promise<void> {
    const at = this.#now().toISOString();
    const failed = { state: 'failed', lease: null, reason, wakeAt: null } as const;
    const again = { state: 'retrying', lease: null, reason, wakeAt: at } as const;
    await this.#update(claimed, ({ reopened }) => (reopened === null ? failed : again), {
      at,
      actor: claimed.ref.step,
      action: 'step-failed',
      subject: claimed.ref.step,
      detail: { reason },
    });
  }

  /** Ends a step whose run was cancelled under its hands: the lease is given back, and nothing wakes it again. */
  async endCancelled(claimed: Claimed): Promise<void> {
    await this.#db.runTransaction(async (transaction) => {
      const { record } = await this.#owned(transaction, claimed);
      transaction.set(this.#run.doc(claimed.ref), this.#run.cancelledStep(record));
    });
  }

  /** Publishes what a crash after `finish` left in the outbox. */
  async deliverLeftBy(ref: StepRef): Promise<number> {
    return this.#run.outbox.deliverLeftBy(this.#run.doc(ref).path);
  }

  async #owned(
    transaction: Transaction,
    claimed: Claimed,
  ): Promise<{ readonly record: StepRecord; readonly isCancelled: boolean }> {
    const { record, isCancelled } = await this.#run.stepAndRun(transaction, claimed.ref);
    if (record === undefined || record.fence !== claimed.fence || record.state !== 'running') {
      throw new FenceLost(`${claimed.ref.step}: fence ${claimed.fence} is no longer the newest`);
    }
    return { record, isCancelled };
  }

  /** A cancelled run takes only what is already a fact at Meta. */
  async #update(
    claimed: Claimed,
    change: (record: StepRecord) => Partial<StepRecord>,
    facts?: AuditFacts,
    when: 'while wanted' | 'also when cancelled' = 'while wanted',
  ): Promise<void> {
    const wasCancelled = await this.#db.runTransaction(async (transaction) => {
      const { record, isCancelled } = await this.#owned(transaction, claimed);
      if (isCancelled && when === 'while wanted') return true;
      const audit = facts && (await this.#run.auditStream(transaction, claimed.ref));
      transaction.set(this.#run.doc(claimed.ref), { ...record, ...change(record) });
      if (facts) audit?.append(facts);
      return isCancelled;
    });
    if (wasCancelled) throw cancelled(claimed);
  }
}

function cancelled({ ref }: Claimed): RunCancelled {
  return new RunCancelled(`run ${ref.runId} of ${ref.tenantId} was cancelled`);
}
