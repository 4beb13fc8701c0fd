import type { Firestore } from '@google-cloud/firestore';
import { collections, paths } from '../contracts/documents.ts';
import { relayCountersSchema } from '../contracts/relay-documents.ts';
import type { SeenContentId } from '../domain/catalog/content-id-form.ts';
import { readDocument } from './firestore.ts';
import { hourOf } from './relay-counters.ts';

const lookBackMs = 48 * 3_600_000;
/** Each process keeps a few an hour, so this many hours and processes are enough. */
const maxDocuments = 50;

/**
 * A sample of the content ids the relay passed on in the last two days, distinct; undefined when there are none. Costs at
 * most fifty reads.
 */
export async function readContentIdsSeen(
  db: Firestore,
  tenantId: string,
  now: Date,
): Promise<SeenContentId[] | undefined> {
  const page = await db
    .collection(`${paths.tenant(tenantId)}/${collections.relayCounters}`)
    .where('hour', '>=', hourOf(now.getTime() - lookBackMs))
    .orderBy('hour', 'desc')
    .limit(maxDocuments)
    .get();
  const seen = page.docs.flatMap((row) => readDocument(row, relayCountersSchema)?.contentIds ?? []);
  const distinct = new Map(seen.map((one) => [`${one.type ?? ''} ${one.id}`, one]));
  return distinct.size === 0 ? undefined : [...distinct.values()];
}
