import type { Firestore, Query } from '@google-cloud/firestore';
import { collectionGroups, collections } from '../contracts/documents.ts';
import type { Gauges } from '../contracts/metrics.ts';

/**
 * Reads all gauges. Counting is done by Firestore, at one read for each thousand index entries, and the oldest of a kind is
 * one document: so a reading costs some ten reads, however many tenants there are.
 */
export function createGaugeReader(db: Firestore, now: () => Date): () => Promise<Gauges> {
  const steps = db.collectionGroup(collectionGroups.steps);
  const tokens = db.collection(collections.tokens);
  const waitingOn = (party: 'client' | 'meta' | 'kobi'): Promise<number> => count(steps.where('wait.on', '==', party));
  const ageOf = async (query: Query, field: string): Promise<number> => {
    const [oldest] = (await query.orderBy(field).limit(1).get()).docs;
    const at: unknown = oldest?.get(field);
    if (typeof at !== 'string') return 0;
    return Math.max(0, Math.round((now().getTime() - Date.parse(at)) / 1_000));
  };
  return async () => {
    const [
      oldestRunSeconds,
      stepsWaitingOnClient,
      stepsWaitingOnMeta,
      stepsWaitingOnKobi,
      oldestOutboxSeconds,
      deadLetters,
      heldEvents,
      openAlerts,
      deadTokens,
      oldestTokenCheckSeconds,
    ] = await Promise.all([
      ageOf(db.collectionGroup(collectionGroups.runs).where('state', '==', 'running'), 'startedAt'),
      waitingOn('client'),
      waitingOn('meta'),
      waitingOn('kobi'),
      ageOf(db.collection(collections.outbox), 'createdAt'),
      count(db.collection(collections.deadLetters)),
      count(db.collection(collections.heldEvents)),
      // In the order of an index that is there; counting alone would need another.
      count(db.collectionGroup(collectionGroups.alerts).where('resolvedAt', '==', null).orderBy('since')),
      count(tokens.where('verdict.state', '==', 'dead')),
      ageOf(tokens, 'verdict.lastVerifiedAt'),
    ]);
    return {
      oldestRunSeconds,
      stepsWaitingOnClient,
      stepsWaitingOnMeta,
      stepsWaitingOnKobi,
      oldestOutboxSeconds,
      deadLetters,
      heldEvents,
      openAlerts,
      deadTokens,
      oldestTokenCheckSeconds,
    };
  };
}

async function count(query: Query): Promise<number> {
  return (await query.count().get()).data().count;
}
