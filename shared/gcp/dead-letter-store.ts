import { createHash } from 'node:crypto';
import { FieldValue } from '@google-cloud/firestore';
import type { Firestore } from '@google-cloud/firestore';
import { paths } from '../contracts/documents.ts';

/** How long a dead letter can be looked at and replayed. */
export const deadLetterRetentionMs = 30 * 24 * 60 * 60 * 1000;

export interface DeadLetterInput {
  readonly topic: string;
  readonly tenantId: string | null;
  /** Our own id of the message where it could be read; the same id makes the same dead letter. */
  readonly eventId: string | null;
  /** Identifies the message when it has no id of ours: any stable text, only its hash is kept. */
  readonly identity: string;
  readonly reason: string;
  readonly problems: readonly string[];
  /** Only a payload that passed its schema (so is known to be free of raw personal data) may be kept. */
  readonly payload: unknown;
}

export class DeadLetterStore {
  readonly #db: Firestore;
  readonly #now: () => Date;

  constructor(db: Firestore, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  /** Records the message once; further copies of it only raise `count` and `lastAt`. Returns the dead letter's id. */
  async record(input: DeadLetterInput): Promise<string> {
    const at = this.#now();
    const deadLetterId = createHash('sha256')
      .update(`${input.topic}\n${input.eventId ?? input.identity}`)
      .digest('hex')
      .slice(0, 32);
    const reference = this.#db.doc(paths.deadLetter(deadLetterId));
    await this.#db.runTransaction(async (transaction) => {
      const known = await transaction.get(reference);
      if (known.exists) {
        transaction.update(reference, { count: FieldValue.increment(1), lastAt: at.toISOString() });
        return;
      }
      transaction.create(reference, {
        deadLetterId,
        topic: input.topic,
        tenantId: input.tenantId,
        eventId: input.eventId,
        reason: input.reason,
        problems: input.problems,
        payload: input.payload ?? null,
        firstAt: at.toISOString(),
        lastAt: at.toISOString(),
        count: 1,
        expireAt: new Date(at.getTime() + deadLetterRetentionMs),
      });
    });
    return deadLetterId;
  }
}
