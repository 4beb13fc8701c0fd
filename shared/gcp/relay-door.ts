import type { Firestore } from '@google-cloud/firestore';
import { collections, paths } from '../contracts/documents.ts';
import type { RelayBreaker } from '../contracts/relay-documents.ts';
import { offboardedReason } from './relay-breaker.ts';

/** Later than any event may be delivered. */
const never = '9999-12-31T00:00:00.000Z';

/**
 * Closes the relay for a tenant: no key opens it any more (instances notice within five seconds) and its datasets are
 * unknown (within thirty). `forGood` also lets go of events that are on their way already. Done again, it changes nothing.
 */
export async function closeRelay(
  db: Firestore,
  tenantId: string,
  options: { readonly at: string; readonly forGood: boolean },
): Promise<{ readonly keys: number; readonly datasets: number }> {
  return db.runTransaction(async (transaction) => {
    const ofTenant = (collection: string) => db.collection(collection).where('tenantId', '==', tenantId);
    const keys = await transaction.get(ofTenant(collections.relayKeys));
    const datasets = await transaction.get(ofTenant(collections.datasets));
    const open = keys.docs.filter((row) => row.get('revokedAt') === null);
    for (const { ref } of open) transaction.update(ref, { revokedAt: options.at });
    for (const { ref } of datasets.docs) transaction.delete(ref);
    if (options.forGood) {
      const gone: RelayBreaker = {
        tenantId,
        reason: offboardedReason,
        advice: 'The tenant was offboarded.',
        openedAt: options.at,
        probeAt: never,
      };
      transaction.set(db.doc(paths.relayBreaker(tenantId)), gone);
    }
    return { keys: open.length, datasets: datasets.size };
  });
}
