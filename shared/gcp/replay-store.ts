import type { DocumentReference, Firestore, Transaction } from '@google-cloud/firestore';
import type { DeadLetter, OutboxMessage } from '../contracts/documents.ts';
import { paths } from '../contracts/documents.ts';
import { letterReplaysSchema, replaySchema } from '../contracts/replay-documents.ts';
import type { LetterReplays, Replay } from '../contracts/replay-documents.ts';
import type { Envelope } from '../contracts/topics.ts';
import { judgeReplay } from '../domain/replayability.ts';
import type { ReplayOutcome, ReplayVerdict } from '../domain/replayability.ts';
import { openAuditStream } from './audit-trail.ts';
import type { LetterHead } from './dead-letter-store.ts';
import { deadLetterRetentionMs } from './dead-letter-store.ts';
import { readDocument } from './firestore.ts';
import type { Outbox } from './outbox.ts';

/** A worker that stopped renewing it for this long is taken for dead. */
export const replayLeaseMs = 45_000;
const listedReplays = 20;
const auditsAtOnce = 10;

/** What an operator asks for, and what the dry run found. */
export type NewReplay = Pick<
  Replay,
  | 'replayId'
  | 'selection'
  | 'includeReplayed'
  | 'ratePerSecond'
  | 'actor'
  | 'reason'
  | 'tenantIds'
  | 'planned'
  | 'traceparent'
>;

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
 * Replays of dead letters and, beside each letter, when it was replayed. A letter is taken in a transaction before it is
 * sent, so two replays at the same time never both send it.
 */
export class ReplayStore {
  readonly #db: Firestore;
  readonly #outbox: Pick<Outbox, 'add'>;
  readonly #now: () => Date;

  constructor(options: { db: Firestore; outbox: Pick<Outbox, 'add'>; now: () => Date }) {
    this.#db = options.db;
    this.#outbox = options.outbox;
    this.#now = options.now;
  }

  /** Writes it to the audit of every tenant it touches, then the replay together with the message that starts it. */
  async create(plan: NewReplay): Promise<OutboxMessage> {
    const now = this.#now();
    const { replayId, planned, ratePerSecond, selection } = plan;
    const detail = { reason: plan.reason, planned, ratePerSecond, selection: described(selection) };
    await this.#audit(plan.tenantIds, {
      actor: plan.actor,
      action: 'dead-letters-replayed',
      subject: replayId,
      detail,
    });
    const replay: Replay = {
      ...plan,
      tenantIds: [...plan.tenantIds],
      state: 'running',
      createdAt: now.toISOString(),
      finishedAt: null,
      outcomes: {},
      replayedBefore: 0,
      cursor: null,
      inHand: [],
      slice: 0,
      sliceAt: now.toISOString(),
      fence: 0,
      leaseUntil: null,
      expireAt: new Date(now.getTime() + deadLetterRetentionMs),
    };
    return this.#db.runTransaction(async (transaction) => {
      const reference = this.#doc(replayId);
      transaction.create(reference, replay);
      return this.#outbox.add(transaction, sliceMessage(replay), reference.path);
    });
  }

  async read(replayId: string): Promise<Replay | undefined> {
    return readDocument(await this.#doc(replayId).get(), replaySchema);
  }

  /**
   * Ends a running replay: no further letter is taken. Those taken just before (`inHand`) are still sent. Returns the
   * replay as it was before; undefined when there is none.
   */
  async cancel(replayId: string, actor: string, reason: string): Promise<Replay | undefined> {
    const before = await this.#db.runTransaction(async (transaction) => {
      const replay = await this.#get(transaction, replayId);
      if (replay?.state === 'running') {
        const finishedAt = this.#now().toISOString();
        transaction.update(this.#doc(replayId), { state: 'cancelled', finishedAt });
      }
      return replay;
    });
    if (before?.state === 'running') {
      await this.#audit(before.tenantIds, {
        actor,
        action: 'replay-cancelled',
        subject: replayId,
        detail: { reason, outcomes: before.outcomes },
      });
    }
    return before;
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
      const earlier = await this.#earlierReplays(letters, transaction);
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

  /** What a replay would do with each of these letters now. Writes nothing. */
  async judge(letters: readonly LetterHead[], includeReplayed: boolean): Promise<ReplayVerdict[]> {
    const earlier = await this.#earlierReplays(letters, this.#db);
    const now = this.#now();
    return letters.map((letter) =>
      judgeReplay(letter, earlier.get(letter.deadLetterId)?.replays.at(-1), now, includeReplayed),
    );
  }

  /** When a letter was replayed; undefined when it never was. */
  async replaysOf(deadLetterId: string): Promise<LetterReplays | undefined> {
    return readDocument(await this.#db.doc(paths.letterReplays(deadLetterId)).get(), letterReplaysSchema);
  }

  async #earlierReplays(
    letters: readonly Pick<DeadLetter, 'deadLetterId'>[],
    reader: Pick<Transaction | Firestore, 'getAll'>,
  ): Promise<Map<string, LetterReplays>> {
    if (letters.length === 0) return new Map();
    const references = letters.map(({ deadLetterId }) => this.#db.doc(paths.letterReplays(deadLetterId)));
    const rows = await reader.getAll(...references);
    return new Map(
      rows.flatMap((row) => {
        const known = readDocument(row, letterReplaysSchema);
        return known === undefined ? [] : [[known.deadLetterId, known] as const];
      }),
    );
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

  async #audit(
    tenantIds: readonly string[],
    facts: { actor: string; action: string; subject: string; detail: Record<string, unknown> },
  ): Promise<void> {
    const at = this.#now().toISOString();
    for (let start = 0; start < tenantIds.length; start += auditsAtOnce) {
      const some = tenantIds.slice(start, start + auditsAtOnce);
      await Promise.all(
        some.map((tenantId) =>
          this.#db.runTransaction(async (transaction) => {
            const stream = await openAuditStream(transaction, this.#db, tenantId, 'relay');
            stream.append({ at, ...facts });
          }),
        ),
      );
    }
  }
}

/** The message that has the replay's current slice done. Made of the slice's own facts, so twice the same is the same. */
export function sliceMessage(replay: Replay): Envelope<'capi-replay'> {
  const { replayId, slice, tenantIds } = replay;
  const [only] = tenantIds;
  return {
    eventId: `${replayId}:${slice}`,
    type: 'capi-replay',
    version: 1,
    tenantId: only !== undefined && tenantIds.length === 1 ? only : 'several-tenants',
    at: replay.sliceAt,
    traceparent: replay.traceparent,
    data: { replayId, slice },
  };
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

/** For the audit: a filter whole, ids by their number and the first few. */
function described(selection: Replay['selection']): Record<string, unknown> {
  if (selection.kind === 'filter') return { filter: selection.filter };
  return { ids: selection.ids.slice(0, 10), letters: selection.ids.length };
}
