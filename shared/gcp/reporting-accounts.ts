import type { Firestore } from '@google-cloud/firestore';
import { paths, stepSchema } from '../contracts/documents.ts';
import type { Tenant } from '../contracts/documents.ts';
import { collaborativeAccountSchema } from '../contracts/report-documents.ts';
import { readDocument } from './firestore.ts';

/** An ad account of a tenant that is reported on. */
export interface ReportingAccount {
  /** `act_…` */
  readonly adAccountId: string;
  readonly isCollaborative: boolean;
}

/** The tenant's own ad account, as its onboarding made it, and its accounts for Collaborative Ads. */
export async function reportingAccounts(db: Firestore, tenant: Tenant): Promise<ReportingAccount[]> {
  if (tenant.currentRunId === null) return [];
  const [step, collaborative] = await Promise.all([
    db.doc(paths.step(tenant.tenantId, tenant.currentRunId, 'create-ad-account')).get(),
    db.collection(paths.collaborativeAccounts(tenant.tenantId)).get(),
  ]);
  const own = readDocument(step, stepSchema)?.products?.['adAccountId'];
  const shared = collaborative.docs.flatMap((row) => readDocument(row, collaborativeAccountSchema) ?? []);
  return [
    ...(typeof own === 'string' ? [{ adAccountId: own, isCollaborative: false }] : []),
    ...shared.map(({ adAccountId }) => ({ adAccountId, isCollaborative: true })),
  ];
}
