/**
 * What has reached Meta, so that it does not a second time: by Pub/Sub's redelivery, a client's retry, a replay, or two
 * instances at once.
 *
 * One document stands for one **call's** events, not for one event: it holds the keys of up to 1,000 events in an indexed
 * array, and `array-contains-any` (30 values a query) finds every other document that names one of them. 1,000 events in
 * full calls so cost 34 reads and 2 writes where a document an event would cost 1,000 and 2,000; single-event calls cost
 * the same either way. Exact, unlike a filter; no document is written by two calls, so nothing contends, unlike buckets
 * by hash. The price: a write carries 1,000 index entries (Firestore's limit is 40,000) and takes longer, off the sender's
 * path.
 *
 * Two instances with the same event: each **writes its claim first and looks for others after**. Queries are strongly
 * consistent, so of two at least one sees the other, and the one Firestore created first wins. No transaction, no lock.
 */
import { hash, randomUUID } from 'node:crypto';
import type { DocumentReference, Firestore, Timestamp } from '@google-cloud/firestore';
import { paths } from '../contracts/documents.ts';
import { deliveryLedgerSchema } from '../contracts/relay-documents.ts';
import type { DeliveryLedgerEntry } from '../contracts/relay-documents.ts';
import { readDocument } from './firestore.ts';

const hourMs = 60 * 60_000;

/** How long Meta merges copies of an event, and so how long a delivered one is remembered. */
export const dedupeWindowMs = 48 * hourMs;
/** An event that may have reached Meta is not sent again after this; an hour is left for the delivery itself. */
export const uncertainHorizonMs = dedupeWindowMs - hourMs;
/** What was never confirmed is remembered for as long as its event can be sent: 62 days for `physical_store`. */
const unconfirmedRetentionMs = 63 * 24 * hourMs;
/** How long a claimer has for its calls. What a dead one held is taken over after this. */
export const claimLeaseMs = 60_000;
/** Firestore's limit of values in `array-contains-any`. */
const keysPerQuery = 30;

/** How an event stands when it is claimed. */
export type Standing =
  | { readonly kind: 'send' }
  /** It may have reached Meta: its answer was lost, or the process that sent it died. */
  | { readonly kind: 'repeat'; readonly firstSentAtMs: number }
  | { readonly kind: 'delivered' }
  /** Another instance is sending it just now, until then at the latest. */
  | { readonly kind: 'busy'; readonly untilMs: number };

export interface DeliveryClaim {
  readonly standingOf: (key: string) => Standing;
  /** Nothing may be under way to Meta after this: from then on another may send the same. */
  readonly leaseUntilMs: number;
  /** Meta took these while the rest of the claim is still on its way: should we die now, only the rest is uncertain. */
  confirm(keys: readonly string[]): Promise<void>;
  /** Ends the claim. Keys in neither list were not sent, and are free. */
  settle(taken: readonly string[], uncertain: readonly string[]): Promise<void>;
}

export interface DeliveryLedger {
  /** Claims distinct keys (1 to 1,000). Rejects when Firestore cannot say how they stand: then nothing may be sent. */
  claim(keys: readonly string[]): Promise<DeliveryClaim>;
}

export interface DeliveryLedgerOptions {
  readonly now: () => Date;
  readonly leaseMs?: number;
  /** Told of each operation Firestore bills. */
  readonly onOperations?: (kind: 'read' | 'write' | 'delete', count: number) => void;
}

/** What makes two events the same one: dataset, `event_name` and `event_id`. An event without an id is its own content. */
export function eventKey(datasetId: string, event: Readonly<Record<string, unknown>>): string {
  const { event_name: name, event_id: id } = event;
  const identity = typeof id === 'string' && id !== '' ? ['id', id] : ['content', JSON.stringify(event)];
  // 96 bits: among the billion events of two days, a chance of 1 in 10^11 that any two are mistaken for each other.
  return hash('sha256', JSON.stringify([datasetId, name, ...identity]), 'base64url').slice(0, 16);
}

export function createDeliveryLedger(db: Firestore, options: DeliveryLedgerOptions): DeliveryLedger {
  const { now, leaseMs = claimLeaseMs, onOperations = () => undefined } = options;

  const othersNaming = async (keys: readonly string[], own: DocumentReference): Promise<LedgerDocument[]> => {
    const collection = own.parent;
    const chunks: string[][] = [];
    for (let from = 0; from < keys.length; from += keysPerQuery) chunks.push(keys.slice(from, from + keysPerQuery));
    const others = new Map<string, DocumentReference>();
    await Promise.all(
      chunks.map(async (chunk) => {
        const found = await collection.where('keys', 'array-contains-any', chunk).select('state').get();
        onOperations('read', Math.max(1, found.size));
        for (const { ref } of found.docs) if (ref.id !== own.id) others.set(ref.id, ref);
      }),
    );
    if (others.size === 0) return [];
    const snapshots = await db.getAll(...others.values());
    onOperations('read', snapshots.length);
    return snapshots.flatMap((snapshot) => {
      const entry = readDocument(snapshot, deliveryLedgerSchema);
      if (entry === undefined || snapshot.createTime === undefined) return [];
      return [{ id: snapshot.id, createTime: snapshot.createTime, entry, unconfirmed: unconfirmedOf(entry) }];
    });
  };

  return {
    async claim(keys) {
      const at = now();
      const reference = db.doc(paths.deliveryLedger(randomUUID()));
      const leaseUntilMs = at.getTime() + leaseMs;
      const entry: DeliveryLedgerEntry = {
        state: 'sending',
        keys: [...keys],
        unconfirmed: null,
        at: at.toISOString(),
        leaseUntil: new Date(leaseUntilMs).toISOString(),
        expireAt: new Date(at.getTime() + unconfirmedRetentionMs),
      };
      const { writeTime } = await reference.create(entry);
      onOperations('write', 1);
      const others = await othersNaming(keys, reference);
      const own = { id: reference.id, createTime: writeTime };
      const atMs = now().getTime();
      const standings = new Map(keys.map((key) => [key, standing(key, own, others, atMs)]));
      const mine = keys.filter((key) => isSendable(standings.get(key)));
      const remove = async (): Promise<void> => {
        await reference.delete();
        onOperations('delete', 1);
      };
      const update = async (fields: Partial<DeliveryLedgerEntry>): Promise<void> => {
        await reference.update(fields);
        onOperations('write', 1);
      };
      // What we shall not send must not look, should we die, as if we had.
      if (mine.length === 0) await remove();
      else if (mine.length < keys.length) await update({ keys: mine });

      const confirmed = new Set<string>();
      return {
        leaseUntilMs,
        standingOf: (key) => standings.get(key) ?? { kind: 'send' },
        async confirm(taken) {
          for (const key of taken) confirmed.add(key);
          await update({ unconfirmed: mine.filter((key) => !confirmed.has(key)) });
        },
        async settle(taken, uncertain) {
          if (mine.length === 0) return;
          if (taken.length + uncertain.length === 0) return remove();
          const keptMs = uncertain.length > 0 ? unconfirmedRetentionMs : dedupeWindowMs;
          await update({
            state: 'settled',
            keys: [...taken, ...uncertain],
            unconfirmed: [...uncertain],
            expireAt: new Date(now().getTime() + keptMs),
          });
        },
      };
    },
  };
}

interface ClaimAge {
  readonly id: string;
  readonly createTime: Timestamp;
}

interface LedgerDocument extends ClaimAge {
  readonly entry: DeliveryLedgerEntry;
  /** Keys that may or may not have reached Meta; the others of the document did. */
  readonly unconfirmed: ReadonlySet<string>;
}

function unconfirmedOf({ keys, unconfirmed }: DeliveryLedgerEntry): ReadonlySet<string> {
  return new Set(unconfirmed ?? keys);
}

function standing(key: string, own: ClaimAge, others: readonly LedgerDocument[], nowMs: number): Standing {
  let busyUntilMs: number | undefined;
  let firstSentAtMs: number | undefined;
  for (const other of others) {
    const { entry } = other;
    // Firestore deletes what has expired within a day or so; until then it is as good as gone.
    if (entry.expireAt.getTime() <= nowMs || !entry.keys.includes(key)) continue;
    if (!other.unconfirmed.has(key)) return { kind: 'delivered' };
    const leaseUntilMs = Date.parse(entry.leaseUntil);
    if (entry.state === 'sending' && leaseUntilMs > nowMs) {
      if (isEarlier(other, own)) busyUntilMs = Math.max(busyUntilMs ?? 0, leaseUntilMs);
    } else {
      firstSentAtMs = Math.min(firstSentAtMs ?? Infinity, Date.parse(entry.at));
    }
  }
  if (busyUntilMs !== undefined) return { kind: 'busy', untilMs: busyUntilMs };
  return firstSentAtMs === undefined ? { kind: 'send' } : { kind: 'repeat', firstSentAtMs };
}

function isSendable(standing: Standing | undefined): boolean {
  return standing?.kind === 'send' || standing?.kind === 'repeat';
}

function isEarlier(a: ClaimAge, b: ClaimAge): boolean {
  const seconds = a.createTime.seconds - b.createTime.seconds;
  const difference = seconds === 0 ? a.createTime.nanoseconds - b.createTime.nanoseconds : seconds;
  return difference === 0 ? a.id < b.id : difference < 0;
}
