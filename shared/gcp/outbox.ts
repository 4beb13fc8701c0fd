import type { Firestore, Query, Transaction } from '@google-cloud/firestore';
import { collections, outboxMessageSchema, paths } from '../contracts/documents.ts';
import type { OutboxMessage } from '../contracts/documents.ts';
import type { Envelope } from '../contracts/topics.ts';
import { readDocument } from './firestore.ts';
import type { Publisher } from './publisher.ts';

/**
 * Messages that must leave. They are written in the same transaction as the state they announce, published right after
 * it, and deleted once Pub/Sub has them: a crash in between leaves a row, never a silence. A row published twice is the
 * price; consumers dedupe on `eventId`.
 */
export class Outbox {
  readonly #db: Firestore;
  readonly #publisher: Publisher;

  constructor(db: Firestore, publisher: Publisher) {
    this.#db = db;
    this.#publisher = publisher;
  }

  /** Adds the message to the caller's transaction. `source` is the document whose change it announces. */
  add(transaction: Transaction, envelope: Envelope, source: string): OutboxMessage {
    const message: OutboxMessage = {
      eventId: envelope.eventId,
      topic: envelope.type,
      source,
      json: JSON.stringify(envelope),
      createdAt: envelope.at,
    };
    transaction.set(this.#db.doc(paths.outboxMessage(message.eventId)), message);
    return message;
  }

  /** Publishes messages just committed and deletes their rows. Resolves when Pub/Sub has them all. */
  async deliver(messages: readonly OutboxMessage[]): Promise<void> {
    await Promise.all(
      messages.map(async (message) => {
        await this.#publisher.publishJson(message.topic, message.json);
        await this.#db.doc(paths.outboxMessage(message.eventId)).delete();
      }),
    );
  }

  /** Publishes what a crashed run of `source` left behind. Returns how many messages there were. */
  async deliverLeftBy(source: string): Promise<number> {
    return this.#deliverAll(this.#db.collection(collections.outbox).where('source', '==', source));
  }

  /** Publishes every row older than `before`, oldest first, up to `limit`. Returns how many there were. */
  async sweep(before: Date, limit: number): Promise<number> {
    return this.#deliverAll(
      this.#db
        .collection(collections.outbox)
        .where('createdAt', '<=', before.toISOString())
        .orderBy('createdAt')
        .limit(limit),
    );
  }

  async #deliverAll(query: Query): Promise<number> {
    const rows = (await query.get()).docs.flatMap((row) => readDocument(row, outboxMessageSchema) ?? []);
    await this.deliver(rows);
    return rows.length;
  }
}
