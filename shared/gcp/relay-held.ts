import type { Firestore } from '@google-cloud/firestore';
import { paths } from '../contracts/documents.ts';

/** Whether the tenant's relay breaker is open just now, without taking its hourly probe. */
export function createRelayHeldReader(db: Firestore): (tenantId: string) => Promise<boolean> {
  return async (tenantId) => (await db.doc(paths.relayBreaker(tenantId)).get()).exists;
}
