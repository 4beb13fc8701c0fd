import { collectionGroups, paths, stepSchema } from '../contracts/documents.ts';
import type { OutboxMessage } from '../contracts/documents.ts';
import type { Envelope } from '../contracts/topics.ts';
import { nextReminderAt, remindedParty } from '../domain/wait-reminders.ts';
import { readDocument } from './firestore.ts';
import { RunDocuments } from './run-documents.ts';
import type { RunDocumentsOptions, StepRef } from './run-documents.ts';

/** What became of a resume link whose signature was good. */
export type Resumption =
  /** The link is used up; the step looks again now, or at its own next time where Meta asked for patience. */
  | { readonly kind: 'resumed'; readonly messages: OutboxMessage[] }
  /** Somebody is looking at this very moment; the link still works. */
  | { readonly kind: 'looking' }
  /** This link, or another one of the same number, was used before. */
  | { readonly kind: 'used' }
  /** The step no longer waits: it went on, was skipped, or the wait ended in a failure. */
  | { readonly kind: 'over'; readonly done: boolean };

/** What happens to steps that are parked: reminders while nobody acts, and the link by which somebody says that he did. */
export class WaitControl {
  readonly #run: RunDocuments;

  constructor(options: RunDocumentsOptions) {
    this.#run = new RunDocuments(options);
  }

  /** Waits whose next reminder is due, the longest overdue first. */
  async dueReminders(limit: number): Promise<StepRef[]> {
    const due = await this.#run.db
      .collectionGroup(collectionGroups.steps)
      .where('wait.remindAt', '<=', this.#run.now().toISOString())
      .orderBy('wait.remindAt')
      .limit(limit)
      .get();
    return due.docs.flatMap((row) => {
      const record = readDocument(row, stepSchema);
      return record === undefined ? [] : [{ tenantId: record.tenantId, runId: record.runId, step: record.step }];
    });
  }

  /**
   * Reminds whoever must act, once per due time however many callers there are. Returns the messages to deliver: none when
   * the step no longer waits, or looks again at this moment (then the next call reminds, if it still waits).
   */
  async remind(ref: StepRef, actor: string, traceparent: string): Promise<OutboxMessage[]> {
    const now = this.#run.now();
    const at = now.toISOString();
    return this.#run.db.runTransaction(async (transaction) => {
      const record = readDocument(await transaction.get(this.#run.doc(ref)), stepSchema);
      const wait = record?.wait;
      if (record === undefined || !wait || wait.remindAt === null || wait.remindAt > at) return [];
      // What came after the wait sends no reminders; a step that only looks again may be back in a moment.
      const isOver = !['waiting', 'queued', 'running', 'retrying'].includes(record.state);
      if (isOver) transaction.update(this.#run.doc(ref), { 'wait.remindAt': null });
      if (record.state !== 'waiting') return [];
      const number = wait.remindersSent + 1;
      const to = remindedParty(wait.on);
      const audit = await this.#run.auditStream(transaction, ref);
      transaction.update(this.#run.doc(ref), {
        'wait.remindersSent': number,
        'wait.remindAt': nextReminderAt(wait, now),
      });
      audit.append({ at, actor, action: 'reminded', subject: ref.step, detail: { to, for: wait.for, number } });
      const envelope: Envelope<'wait-reminder'> = {
        eventId: `${ref.tenantId}:${ref.runId}:${ref.step}:${wait.since}:reminder-${number}`,
        type: 'wait-reminder',
        version: 1,
        tenantId: ref.tenantId,
        runId: ref.runId,
        at,
        traceparent,
        data: {
          step: ref.step,
          to,
          on: wait.on,
          for: wait.for,
          what: wait.what,
          since: wait.since,
          expiresAt: wait.expiresAt,
          number,
        },
      };
      return [this.#run.outbox.add(transaction, envelope, paths.step(ref.tenantId, ref.runId, ref.step))];
    });
  }

  /**
   * Uses a resume link up and has exactly its step look again. The caller has verified that the link was signed for this
   * step; here is decided whether it still counts.
   */
  async resume(ref: StepRef, linkNumber: number, traceparent: string): Promise<Resumption> {
    const at = this.#run.now().toISOString();
    return this.#run.db.runTransaction(async (transaction): Promise<Resumption> => {
      const { record, isCancelled } = await this.#run.stepAndRun(transaction, ref);
      if (record === undefined || isCancelled) return { kind: 'over', done: false };
      const { state, wait } = record;
      if (wait && wait.linkNumber > linkNumber) return { kind: 'used' };
      const isParked = wait !== null && ['waiting', 'queued', 'running', 'retrying'].includes(state);
      if (!isParked) return { kind: 'over', done: state === 'done' || state === 'skipped' };
      // A worker's own end would overwrite what is changed here.
      if (state === 'running' && record.lease !== null && record.lease.until > at) return { kind: 'looking' };
      const audit = await this.#run.auditStream(transaction, ref);
      const usedUp = { 'wait.linkNumber': linkNumber + 1 };
      audit.append({
        at,
        actor: 'resume-link',
        action: 'resumed',
        subject: ref.step,
        detail: { for: wait.for, linkNumber },
      });
      // Whoever is queued looks in a moment anyway; a postponed one was told by Meta when to come back.
      if (state === 'queued' || state === 'retrying') {
        transaction.update(this.#run.doc(ref), usedUp);
        return { kind: 'resumed', messages: [] };
      }
      const fence = record.fence + 1;
      transaction.update(this.#run.doc(ref), {
        ...usedUp,
        state: 'queued',
        lease: null,
        fence,
        wakeAt: this.#run.leaseFromNow(),
      });
      return { kind: 'resumed', messages: [this.#run.start(transaction, ref, 'resumed', fence, traceparent)] };
    });
  }
}
