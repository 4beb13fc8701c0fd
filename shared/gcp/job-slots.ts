import type { DocumentReference, Firestore, Transaction } from '@google-cloud/firestore';
import { collections, paths } from '../contracts/documents.ts';
import { scheduledJobSchema } from '../contracts/job-documents.ts';
import type { ScheduledJob } from '../contracts/job-documents.ts';
import { runIdOf, slotAfter, slotAtOrBefore } from '../domain/schedule.ts';
import type { Schedule } from '../domain/schedule.ts';
import { readDocument } from './firestore.ts';

/** One attempt at a slot, and the right to it until the lease ends. */
export interface HeldSlot {
  readonly kind: 'held';
  readonly job: string;
  /** `job:slot`, the same for every attempt at the slot. */
  readonly runId: string;
  readonly slot: Date;
  /** The newest slot finished before; what lies between was missed, and this run stands for it. Undefined: the first. */
  readonly lastSlot: Date | undefined;
  readonly attempt: number;
  readonly fence: number;
}

export type BegunSlot =
  | HeldSlot
  | { readonly kind: 'done'; readonly runId: string }
  | { readonly kind: 'running'; readonly runId: string; readonly until: string };

export interface BeginSlot {
  readonly job: string;
  readonly schedule: Schedule;
  /** Names this process's attempt. */
  readonly owner: string;
  /** Longer than the function may run. */
  readonly leaseMs: number;
  /** When the slot was due as the caller knows it: its clock may be ahead of ours. */
  readonly dueAt?: Date | undefined;
  /** Also when the slot is finished: a person asked for it. */
  readonly again?: boolean;
}

/** A healthy run begins within seconds of its slot; a slot that nobody has seen to by then was missed. */
const graceMs = 5 * 60_000;
/** How far ahead of ours a caller's clock is believed to be. */
const maxSkewMs = 60_000;
const firstBackOffMs = 10 * 60_000;
const longestBackOffMs = 6 * 60 * 60_000;

/**
 * `scheduledJobs/{job}`: which slot a job has finished and who is at the next. At most one run of a job holds its lease,
 * a finished slot is not begun again, and however many slots were missed, one run stands for them all.
 */
export class JobSlots {
  readonly #db: Firestore;
  readonly #now: () => Date;

  constructor(db: Firestore, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  async begin({ job, schedule, owner, leaseMs, dueAt, again = false }: BeginSlot): Promise<BegunSlot> {
    const now = this.#now();
    const aheadMs = (dueAt?.getTime() ?? 0) - now.getTime();
    const slot = slotAtOrBefore(schedule, dueAt !== undefined && aheadMs > 0 && aheadMs <= maxSkewMs ? dueAt : now);
    if (slot === undefined) throw new Error(`"${schedule.schedule}" has never been due`);
    const runId = runIdOf(job, slot, schedule.timeZone);
    return this.#db.runTransaction(async (transaction): Promise<BegunSlot> => {
      const known = await this.#get(transaction, job);
      const { lease = null } = known ?? {};
      if (lease !== null && lease.until > now.toISOString()) {
        return { kind: 'running', runId: known?.runId ?? runId, until: lease.until };
      }
      const isFinished =
        known?.lastSlot !== undefined && known.lastSlot !== null && known.lastSlot >= slot.toISOString();
      if (isFinished && !again) return { kind: 'done', runId };
      const until = new Date(now.getTime() + leaseMs).toISOString();
      const attempt = known?.runId === runId && !isFinished ? known.attempt + 1 : 1;
      const fence = (known?.fence ?? 0) + 1;
      transaction.set(this.#doc(job), {
        job,
        lastSlot: known?.lastSlot ?? null,
        nextSlot: isFinished ? known.nextSlot : slot.toISOString(),
        // Whoever dies with the lease is seen to when it ends.
        catchUpAt: until,
        runId,
        attempt,
        fence,
        lease: { owner, until },
        finishedAt: known?.finishedAt ?? null,
        report: known?.report ?? null,
        error: known?.error ?? null,
      } satisfies ScheduledJob);
      const lastSlot = known?.lastSlot ? new Date(known.lastSlot) : undefined;
      return { kind: 'held', job, runId, slot, lastSlot, attempt, fence };
    });
  }

  /** Ends a run. False when it was overtaken meanwhile: then nothing is written. */
  async finish(
    held: HeldSlot,
    schedule: Schedule,
    end: { readonly report: Readonly<Record<string, number>> } | { readonly error: string },
  ): Promise<boolean> {
    const now = this.#now();
    return this.#db.runTransaction(async (transaction) => {
      const known = await this.#get(transaction, held.job);
      if (known?.fence !== held.fence || known.lease === null) return false;
      const next = slotAfter(schedule, held.slot) ?? held.slot;
      const changes =
        'report' in end
          ? {
              lastSlot: held.slot.toISOString(),
              nextSlot: next.toISOString(),
              catchUpAt: new Date(next.getTime() + graceMs).toISOString(),
              report: end.report,
              error: null,
            }
          : {
              catchUpAt: new Date(now.getTime() + backOffMs(held.attempt)).toISOString(),
              report: null,
              error: end.error,
            };
      transaction.update(this.#doc(held.job), { ...changes, lease: null, finishedAt: now.toISOString() });
      return true;
    });
  }

  /** Jobs whose next slot nobody has finished in time: missed, failed, or begun by a process that died. */
  async overdue(limit: number): Promise<ScheduledJob[]> {
    const rows = await this.#db
      .collection(collections.scheduledJobs)
      .where('catchUpAt', '<=', this.#now().toISOString())
      .orderBy('catchUpAt')
      .limit(limit)
      .get();
    return rows.docs.flatMap((row) => readDocument(row, scheduledJobSchema) ?? []);
  }

  async read(job: string): Promise<ScheduledJob | undefined> {
    return readDocument(await this.#doc(job).get(), scheduledJobSchema);
  }

  async #get(transaction: Transaction, job: string): Promise<ScheduledJob | undefined> {
    return readDocument(await transaction.get(this.#doc(job)), scheduledJobSchema);
  }

  #doc(job: string): DocumentReference {
    return this.#db.doc(paths.scheduledJob(job));
  }
}

function backOffMs(attempt: number): number {
  return Math.min(longestBackOffMs, firstBackOffMs * 2 ** Math.min(10, attempt - 1));
}
