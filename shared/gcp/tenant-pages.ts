import type { Firestore } from '@google-cloud/firestore';
import { collections, tenantSchema } from '../contracts/documents.ts';
import type { Tenant } from '../contracts/documents.ts';
import { readDocument } from './firestore.ts';

/** Every tenant in the order of the ids, read a page at a time while the caller goes on. */
export async function* tenantsInPages(db: Firestore, pageSize = 100): AsyncGenerator<Tenant> {
  const all = db.collection(collections.tenants).orderBy('tenantId').limit(pageSize);
  for (let page = await all.get(); !page.empty;) {
    for (const row of page.docs) {
      const tenant = readDocument(row, tenantSchema);
      if (tenant !== undefined) yield tenant;
    }
    if (page.size < pageSize) return;
    page = await all.startAfter(page.docs.at(-1)?.get('tenantId')).get();
  }
}
