import type { Firestore } from '@google-cloud/firestore';
import { paths, tenantSchema } from '../contracts/documents.ts';
import type { Tenant } from '../contracts/documents.ts';
import { readDocument } from './firestore.ts';

/** Reads one tenant by its id. */
export function createTenantReader(db: Firestore): (tenantId: string) => Promise<Tenant | undefined> {
  return async (tenantId) => readDocument(await db.doc(paths.tenant(tenantId)).get(), tenantSchema);
}
