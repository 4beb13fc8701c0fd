import type { Firestore } from '@google-cloud/firestore';
import { paths } from '../../shared/contracts/documents.ts';
import type { Tenant } from '../../shared/contracts/documents.ts';

/** A tenant that has accepted the terms and connected, as `tenant-api` and `connect-meta` leave it. */
export async function seedConnectedTenant(
  db: Firestore,
  tenant: Pick<Tenant, 'slug' | 'domains'> & Partial<Tenant>,
  connection: { metaUserId: string; pageId: string | null; userTokenVersion?: string },
  at: Date,
): Promise<void> {
  const document: Tenant = {
    tenantId: tenant.slug,
    name: 'Acme Shop',
    planId: 'starter',
    vertical: 'ecommerce',
    skus: ['ecommerce', 'crm'],
    domainVerification: 'auto',
    country: 'TR',
    currency: 'TRY',
    timezone: 'Europe/Istanbul',
    status: 'terms-accepted',
    createdAt: at.toISOString(),
    createdBy: 'faults',
    terms: { tos: true, dataSharing: true, acceptedBy: 'owner', acceptedAt: at.toISOString() },
    connection: {
      number: 1,
      userTokenVersion: '1',
      connectedAt: at.toISOString(),
      ...connection,
    },
    currentRunId: null,
    ...tenant,
  };
  await db.doc(paths.tenant(document.tenantId)).set(document);
  await db.doc(paths.readiness()).set({ pre2: true, pre8: true, pre10: true });
}
