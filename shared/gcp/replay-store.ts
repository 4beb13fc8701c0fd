import type { DocumentReference, Firestore, Transaction } from '@google-cloud/firestore';
import type { OutboxMessage } from '../contracts/documents.ts';
import { paths } from '../contracts/documents.ts';
import { letterReplaysSchema, replaySchema } from '../contracts/replay-documents.ts';
import type { LetterReplays, Replay } from '../contracts/replay-documents.ts';
import type { Envelope } from '../contracts/topics.ts';
import { judgeReplay } from '../domain/replayability.ts';
import type { ReplayVerdict } from '../domain/replayability.ts';
import { openAuditStream } from './audit-trail.ts';
import type { LetterHead } from './dead-letter-store.ts';
import { deadLetterRetentionMs } from './dead-letter-store.ts';
import { readDocument } from './firestore.ts';
import type { Outbox } from './outbox.ts';

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

/** Replays of dead letters as operators see them: begun, looked at, cancelled. What works on one is the replay work's. */
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

  /** What a replay would do with each of these letters now. Writes nothing. */
  async judge(letters: readonly LetterHead[], includeReplayed: boolean): Promise<ReplayVerdict[]> {
    const earlier = await readLetterReplays(letters, this.#db, this.#db);
    const now = this.#now();
    return letters.map((letter) =>
      judgeReplay(letter, earlier.get(letter.deadLetterId)?.replays.at(-1), now, includeReplayed),
    );
  }

  /** When a letter was replayed; undefined when it never was. */
  async replaysOf(deadLetterId: string): Promise<LetterReplays | undefined> {
    return readDocument(await this.#db.doc(paths.letterReplays(deadLetterId)).get(), letterReplaysSchema);
  }

  async #get(transaction: Transaction, replayId: string): Promise<Replay | undefined> {
    return readDocument(await transaction.get(this.#doc(replayId)), replaySchema);
  }

  #doc(replayId: string): DocumentReference {
    return this.#db.doc(paths.replay(replayId));
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

/** When each of these letters was replayed, by id; absent where it never was. */
export async function readLetterReplays(
  letters: readonly Pick<LetterHead, 'deadLetterId'>[],
  db: Firestore,
  reader: Pick<Transaction | Firestore, 'getAll'>,
): Promise<Map<string, LetterReplays>> {
  if (letters.length === 0) return new Map();
  const rows = await reader.getAll(...letters.map(({ deadLetterId }) => db.doc(paths.letterReplays(deadLetterId))));
  return new Map(
    rows.flatMap((row) => {
      const known = readDocument(row, letterReplaysSchema);
      return known === undefined ? [] : [[known.deadLetterId, known] as const];
    }),
  );
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

/** For the audit: a filter whole, ids by their number and the first few. */
function described(selection: Replay['selection']): Record<string, unknown> {
  if (selection.kind === 'filter') return { filter: selection.filter };
  return { ids: selection.ids.slice(0, 10), letters: selection.ids.length };
}
