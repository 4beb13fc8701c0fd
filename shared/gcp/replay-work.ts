import type { DocumentReference, Firestore, Transaction } from '@google-cloud/firestore';
import { paths } from '../contracts/documents.ts';
import { replaySchema } from '../contracts/replay-documents.ts';
import type { LetterReplays, Replay } from '../contracts/replay-documents.ts';
import type { Envelope } from '../contracts/topics.ts';
import { judgeReplay } from '../domain/replayability.ts';
import type { ReplayOutcome } from '../domain/replayability.ts';
import type { LetterHead } from './dead-letter-store.ts';
import { readDocument } from './firestore.ts';
import { readLetterReplays, sliceMessage } from './replay-store.ts';

/** A worker that stopped renewing it for this long is taken for dead. */
const replayLeaseMs = 45_000;
const listedReplays = 20;

/** The right to work on a replay; void once another worker has a higher fence. */
export interface LeasedReplay {
  readonly replay: Replay;
  readonly fence: number;
}

export type ReplayLease =
  | { readonly kind: 'leased'; readonly leased: LeasedReplay }
  /** Another worker is at it. */
  | { readonly kind: 'busy' }
  /** This slice is behind us; the next one was to begin at `at`. */
  | { readonly kind: 'moved-on'; readonly replay: Replay; readonly at: Date }
  | { readonly kind: 'nothing-to-do' };

/** Letters of one look: which were taken to be sent, and what became of the others is in the replay's outcomes. */
export type Taken =
  | { readonly kind: 'taken'; readonly letterIds: readonly string[] }
  /** The replay was cancelled, or another worker has it: nothing was taken. */
  | { readonly kind: 'stopped' };

/**
 * A worker's side of a replay. A letter is taken in a transaction before it is sent, so two replays at the same time never
 * both send it; and only the worker with the newest lease takes any.
 */
export class ReplayWork {
  readonly #db: Firestore;
  readonly #now: () => Date;

  constructor(db: Firestore, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  /** Takes the lease of the replay for this slice. A cancelled replay is leased too while letters are in hand. */
  async lease(replayId: string, slice: number): Promise<ReplayLease> {
    const now = this.#now();
    return this.#db.runTransaction(async (transaction): Promise<ReplayLease> => {
      const replay = await this.#get(transaction, replayId);
      if (replay === undefined) return { kind: 'nothing-to-do' };
      const isLeft = replay.state !== 'running' && replay.inHand.length > 0;
      if (replay.state !== 'running' && !isLeft) return { kind: 'nothing-to-do' };
      if (replay.slice === slice + 1) return { kind: 'moved-on', replay, at: new Date(replay.sliceAt) };
      if (replay.slice !== slice) return { kind: 'nothing-to-do' };
      if (replay.leaseUntil !== null && replay.leaseUntil > now.toISOString()) return { kind: 'busy' };
      const fence = replay.fence + 1;
      const leaseUntil = this.#leaseEnd();
      transaction.update(this.#doc(replayId), { fence, leaseUntil });
      return { kind: 'leased', leased: { replay: { ...replay, fence, leaseUntil }, fence } };
    });
  }

  /**
   * Judges letters, takes those that may be sent, counts what becomes of each and moves the cursor behind them: all or
   * nothing. What was in hand before counts as sent.
   */
  async take(
    { replay, fence }: LeasedReplay,
    letters: readonly LetterHead[],
    more: { readonly cursor: Replay['cursor']; readonly notFound: number },
  ): Promise<Taken> {
    const now = this.#now();
    return this.#db.runTransaction(async (transaction): Promise<Taken> => {
      const current = await this.#get(transaction, replay.replayId);
      if (current?.state !== 'running' || current.fence !== fence) return { kind: 'stopped' };
      const earlier = await readLetterReplays(letters, this.#db, transaction);
      const outcomes = { ...current.outcomes };
      const add = (outcome: ReplayOutcome, n: number): void => {
        if (n > 0) outcomes[outcome] = (outcomes[outcome] ?? 0) + n;
      };
      let { replayedBefore } = current;
      const inHand: string[] = [];
      for (const letter of letters) {
        const known = earlier.get(letter.deadLetterId);
        const verdict = judgeReplay(letter, known?.replays.at(-1), now, replay.includeReplayed);
        add(verdict.outcome, 1);
        if (verdict.outcome !== 'replayed') continue;
        if (verdict.wasReplayedBefore) replayedBefore += 1;
        inHand.push(letter.deadLetterId);
        const reference = this.#db.doc(paths.letterReplays(letter.deadLetterId));
        transaction.set(reference, withReplay(letter, known, replay, now));
      }
      add('not-found', more.notFound);
      transaction.update(this.#doc(replay.replayId), {
        outcomes,
        replayedBefore,
        inHand,
        cursor: more.cursor,
        leaseUntil: this.#leaseEnd(),
      });
      return { kind: 'taken', letterIds: inHand };
    });
  }

  /** Ends a stretch of work: everything in hand was sent. Returns the message of the next stretch, if there is one. */
  async endSlice(
    { replay, fence }: LeasedReplay,
    next: { readonly isFinished: boolean; readonly at: Date },
  ): Promise<Envelope<'capi-replay'> | undefined> {
    return this.#db.runTransaction(async (transaction) => {
      const current = await this.#get(transaction, replay.replayId);
      if (current?.fence !== fence) return undefined;
      const reference = this.#doc(replay.replayId);
      if (current.state !== 'running') {
        transaction.update(reference, { inHand: [], leaseUntil: null });
        return undefined;
      }
      if (next.isFinished) {
        const finishedAt = this.#now().toISOString();
        transaction.update(reference, { state: 'done', finishedAt, inHand: [], leaseUntil: null });
        return undefined;
      }
      const slice = current.slice + 1;
      const sliceAt = next.at.toISOString();
      transaction.update(reference, { slice, sliceAt, inHand: [], leaseUntil: null });
      return sliceMessage({ ...current, slice, sliceAt });
    });
  }

  async #get(transaction: Transaction, replayId: string): Promise<Replay | undefined> {
    return readDocument(await transaction.get(this.#doc(replayId)), replaySchema);
  }

  #doc(replayId: string): DocumentReference {
    return this.#db.doc(paths.replay(replayId));
  }

  #leaseEnd(): string {
    return new Date(this.#now().getTime() + replayLeaseMs).toISOString();
  }
}

function withReplay(letter: LetterHead, known: LetterReplays | undefined, replay: Replay, now: Date): LetterReplays {
  const { replayId, actor } = replay;
  return {
    deadLetterId: letter.deadLetterId,
    tenantId: letter.tenantId ?? '',
    count: (known?.count ?? 0) + 1,
    replays: [...(known?.replays ?? []), { replayId, at: now.toISOString(), actor }].slice(-listedReplays),
    expireAt: letter.expireAt,
  };
}
