import { createHash } from 'node:crypto';
import { FieldPath, FieldValue } from '@google-cloud/firestore';
import type { Firestore, Query } from '@google-cloud/firestore';
import * as v from 'valibot';
import { collections, deadLetterSchema, paths } from '../contracts/documents.ts';
import type { DeadLetter } from '../contracts/documents.ts';
import type { LetterFilter, LetterPlace } from '../contracts/replay-documents.ts';
import { parseEnvelope, topicSchemas } from '../contracts/topics.ts';
import type { Envelope, TopicName } from '../contracts/topics.ts';
import { replayedLetterId, youngEnoughUntil } from '../domain/replayability.ts';
import { readDocument } from './firestore.ts';

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

/** A dead letter without its content. */
export type LetterHead = Omit<DeadLetter, 'payload'>;

/** Letters of one tenant that died of the same cause. */
export interface LetterGroup {
  readonly tenantId: string | null;
  readonly reason: string;
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly sampleIds: readonly string[];
}

/** A tenant and a reason, the last one of a page of groups. */
export type GroupPlace = Pick<LetterGroup, 'tenantId' | 'reason'>;

const letterHeadSchema = v.omit(deadLetterSchema, ['payload']);
const headFields = Object.keys(letterHeadSchema.entries);
const samplesPerGroup = 3;

/**
 * Dead letters: recorded once each, never edited but for how often and when they died last.
 *
 * The queries need composite indexes of `deadLetters`: `tenantId`, `topic` and `reason`, each with `firstAt` up and down
 * (Firestore merges them for several filters); `tenantId, reason`, alone, with `firstAt` up and with `lastAt` down. `payload`
 * needs none.
 */
export class DeadLetterStore {
  readonly #db: Firestore;
  readonly #now: () => Date;

  constructor(db: Firestore, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  /**
   * Records the message once; further copies of it, replayed ones included, only raise `count` and `lastAt`. Returns the
   * dead letter's id.
   */
  async record(input: DeadLetterInput): Promise<string> {
    const at = this.#now();
    const deadLetterId =
      replayedLetterId(input.eventId) ??
      createHash('sha256')
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
      const expireAt = new Date(at.getTime() + deadLetterRetentionMs);
      const letter: DeadLetter = {
        deadLetterId,
        topic: input.topic,
        tenantId: input.tenantId,
        eventId: input.eventId,
        reason: input.reason,
        problems: [...input.problems],
        payload: input.payload ?? null,
        firstAt: at.toISOString(),
        lastAt: at.toISOString(),
        count: 1,
        ...replayFacts(input, expireAt),
        expireAt,
      };
      transaction.create(reference, letter);
    });
    return deadLetterId;
  }

  async read(deadLetterId: string): Promise<DeadLetter | undefined> {
    return readDocument(await this.#db.doc(paths.deadLetter(deadLetterId)).get(), deadLetterSchema);
  }

  /** The letters of these ids that exist. */
  async readMany(deadLetterIds: readonly string[]): Promise<DeadLetter[]> {
    if (deadLetterIds.length === 0) return [];
    const rows = await this.#db.getAll(...deadLetterIds.map((id) => this.#db.doc(paths.deadLetter(id))));
    return rows.flatMap((row) => readDocument(row, deadLetterSchema) ?? []);
  }

  /** The same without their content. */
  async readHeads(deadLetterIds: readonly string[]): Promise<LetterHead[]> {
    if (deadLetterIds.length === 0) return [];
    const references = deadLetterIds.map((id) => this.#db.doc(paths.deadLetter(id)));
    const rows = await this.#db.getAll(...references, { fieldMask: headFields });
    return rows.flatMap((row) => readDocument(row, letterHeadSchema) ?? []);
  }

  /** Letters in the order of `firstAt` and id, after `after`; at most `limit`, with their content. */
  async page(
    filter: LetterFilter,
    order: 'oldest-first' | 'newest-first',
    after: LetterPlace | undefined,
    limit: number,
  ): Promise<DeadLetter[]> {
    const rows = await this.#ordered(filter, order, after).limit(limit).get();
    return rows.docs.flatMap((row) => readDocument(row, deadLetterSchema) ?? []);
  }

  /** The same without their content, which may be large. */
  async headPage(
    filter: LetterFilter,
    order: 'oldest-first' | 'newest-first',
    after: LetterPlace | undefined,
    limit: number,
  ): Promise<LetterHead[]> {
    const rows = await this.#ordered(filter, order, after)
      .select(...headFields)
      .limit(limit)
      .get();
    return rows.docs.flatMap((row) => readDocument(row, letterHeadSchema) ?? []);
  }

  /** How many letters match; costs one read per 1,000. */
  async count(filter: LetterFilter): Promise<number> {
    return (await this.#matching(filter).count().get()).data().count;
  }

  /**
   * Letters by tenant and cause, in that order, after `after`; at most `limit` groups. Jumps from group to group in the
   * index, so a group costs five reads and one per 1,000 of its letters, whatever its size.
   */
  async groups(tenantId: string | null, after: GroupPlace | undefined, limit: number): Promise<LetterGroup[]> {
    const all = this.#db.collection(collections.deadLetters);
    const scoped = tenantId === null ? all : all.where('tenantId', '==', tenantId);
    const ordered = scoped.orderBy('tenantId').orderBy('reason').select('tenantId', 'reason');
    const places: GroupPlace[] = [];
    let last = after;
    while (places.length < limit) {
      const rest = last === undefined ? ordered : ordered.startAfter(last.tenantId, last.reason);
      const [next] = (await rest.limit(1).get()).docs;
      if (next === undefined) break;
      last = { tenantId: next.get('tenantId') as string | null, reason: String(next.get('reason')) };
      places.push(last);
    }
    return Promise.all(places.map((place) => this.#group(place)));
  }

  async #group({ tenantId, reason }: GroupPlace): Promise<LetterGroup> {
    const same = this.#db
      .collection(collections.deadLetters)
      .where('tenantId', '==', tenantId)
      .where('reason', '==', reason);
    const [count, first, last] = await Promise.all([
      same.count().get(),
      same.orderBy('firstAt').select('firstAt').limit(samplesPerGroup).get(),
      same.orderBy('lastAt', 'desc').select('lastAt').limit(1).get(),
    ]);
    return {
      tenantId,
      reason,
      count: count.data().count,
      firstAt: String(first.docs[0]?.get('firstAt') ?? ''),
      lastAt: String(last.docs[0]?.get('lastAt') ?? ''),
      sampleIds: first.docs.map((row) => row.id),
    };
  }

  #matching({ tenantId, topic, reason, since, until }: LetterFilter): Query {
    let query: Query = this.#db.collection(collections.deadLetters);
    for (const [field, value] of Object.entries({ tenantId, topic, reason })) {
      if (value !== null) query = query.where(field, '==', value);
    }
    if (since !== null) query = query.where('firstAt', '>=', since);
    if (until !== null) query = query.where('firstAt', '<', until);
    return query;
  }

  #ordered(filter: LetterFilter, order: 'oldest-first' | 'newest-first', after: LetterPlace | undefined): Query {
    const direction = order === 'oldest-first' ? 'asc' : 'desc';
    const ordered = this.#matching(filter).orderBy('firstAt', direction).orderBy(FieldPath.documentId(), direction);
    return after === undefined ? ordered : ordered.startAfter(after.firstAt, after.deadLetterId);
  }
}

/** The message in a letter; undefined when its content was not kept or is none of that topic's any more. */
export function messageOf({
  topic,
  payload,
}: {
  readonly topic: string;
  readonly payload: unknown;
}): Envelope | undefined {
  if (payload === null || !Object.hasOwn(topicSchemas, topic)) return undefined;
  const parsed = parseEnvelope(topic as TopicName, typeof payload === 'string' ? parseJson(payload) : payload);
  return parsed.ok ? parsed.envelope : undefined;
}

export function isEventsMessage(envelope: Envelope): envelope is Envelope<'capi-events'> {
  return envelope.type === 'capi-events';
}

/** What a dry run must know of a letter without reading its content. */
function replayFacts(
  input: Pick<DeadLetterInput, 'topic' | 'payload'>,
  expireAt: Date,
): Pick<DeadLetter, 'events' | 'replayableUntil'> {
  const message = messageOf(input);
  if (message === undefined) return { events: 0, replayableUntil: null };
  if (!isEventsMessage(message)) return { events: 0, replayableUntil: expireAt.toISOString() };
  const { events } = message.data;
  return { events: events.length, replayableUntil: (youngEnoughUntil(events) ?? expireAt).toISOString() };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
