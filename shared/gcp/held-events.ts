import { hash } from 'node:crypto';
import type { Firestore } from '@google-cloud/firestore';
import { collections, paths } from '../contracts/documents.ts';
import { heldEventsSchema } from '../contracts/relay-documents.ts';
import type { HeldEventsRecord } from '../contracts/relay-documents.ts';
import { readDocument } from './firestore.ts';

/** Meta takes events of the last seven days; older ones need no decision any more. */
export const heldEventsRetentionMs = 7 * 24 * 60 * 60 * 1_000;

/** Where events came from, and when. */
export interface HeldHead {
  readonly tenantId: string;
  readonly datasetId: string;
  readonly testEventCode: string | undefined;
  readonly at: string;
}

export interface HeldEvent {
  readonly event: object;
  readonly personKeys: readonly string[];
}

export interface HeldEvents {
  /** Keeps events until their person decides. Resolves once that is durable. The same events again change nothing. */
  hold(head: HeldHead, held: readonly HeldEvent[]): Promise<void>;
  /**
   * Hands everything held for a person to `settle`, then lets go of it. What `settle` rejects stays held. A process that
   * dies in between hands the same events over again with the next decision, so `settle` must bear repeating.
   */
  decide(
    datasetId: string,
    personKeys: readonly string[],
    settle: (record: HeldEventsRecord) => Promise<void>,
  ): Promise<void>;
}

/** A document may have 1 MiB, and its events are most of it; one event has at most 200 kB. */
const maxEventsBytes = 700_000;
const maxWritesPerCommit = 400;
const pageSize = 100;

/** Events on hold, in Firestore. One document per person and request; Firestore's TTL removes what nobody decided about. */
export function createHeldEvents(db: Firestore, now: () => Date): HeldEvents {
  return {
    async hold(head, held) {
      const expireAt = new Date(now().getTime() + heldEventsRetentionMs);
      const records = documentsOf(head, held, expireAt);
      for (let start = 0; start < records.length; start += maxWritesPerCommit) {
        const batch = db.batch();
        for (const record of records.slice(start, start + maxWritesPerCommit))
          batch.set(db.doc(paths.heldEvents(record.heldId)), record);
        await batch.commit();
      }
    },
    async decide(datasetId, personKeys, settle) {
      if (personKeys.length === 0) return;
      const query = db
        .collection(collections.heldEvents)
        .where('personKeys', 'array-contains-any', personKeys)
        .limit(pageSize);
      for (;;) {
        const page = await query.get();
        for (const snapshot of page.docs) {
          const record = readDocument(snapshot, heldEventsSchema);
          // The keys are made with the dataset's id, so no other's can be among them; and yet.
          if (record?.datasetId !== datasetId) continue;
          // Firestore removes what has expired within a day of that.
          if (record.expireAt > now()) await settle(record);
          await snapshot.ref.delete();
        }
        if (page.size < pageSize) return;
      }
    },
  };
}

function documentsOf(head: HeldHead, held: readonly HeldEvent[], expireAt: Date): HeldEventsRecord[] {
  const persons = new Map<string, { personKeys: readonly string[]; parts: string[][]; bytes: number }>();
  for (const { event, personKeys } of held) {
    const name = personKeys.join(' ');
    let person = persons.get(name);
    if (person === undefined) persons.set(name, (person = { personKeys, parts: [], bytes: Infinity }));
    const json = JSON.stringify(event);
    const bytes = Buffer.byteLength(json) + 1;
    if (person.bytes + bytes > maxEventsBytes) {
      person.parts.push([]);
      person.bytes = 0;
    }
    person.parts.at(-1)?.push(json);
    person.bytes += bytes;
  }
  const { tenantId, datasetId, testEventCode = null, at } = head;
  return [...persons.values()].flatMap(({ personKeys, parts }) =>
    parts.map((part) => {
      const eventsJson = `[${part.join(',')}]`;
      const heldId = hash('sha256', `${datasetId}\n${testEventCode ?? ''}\n${eventsJson}`, 'hex').slice(0, 40);
      return {
        heldId,
        tenantId,
        datasetId,
        testEventCode,
        personKeys: [...personKeys],
        eventsJson,
        heldAt: at,
        expireAt,
      };
    }),
  );
}
