import type { Firestore } from '@google-cloud/firestore';
import { paths, runSchema, stepSchema, tenantSchema } from '../contracts/documents.ts';
import type { StepRecord, TenantAssets } from '../contracts/documents.ts';
import { childBusinessNames, metaObjectName } from '../domain/naming.ts';
import type { StepName, StepProducts } from '../domain/provisioning-steps.ts';
import { readDocument } from './firestore.ts';

/** What is recorded of a live tenant at Meta. Null: nothing is, so there is nothing to hold Meta against. */
export interface TenantRecords {
  readonly tenantId: string;
  readonly assets: TenantAssets;
  /** A run is just now moving the tenant to another path. */
  readonly isMoving: boolean;
  /** Null on the fallback path. The name it was made under, or those it was offered under where that is not recorded; null when a person adopted it by its id. */
  readonly childBusiness: { readonly childBusinessId: string; readonly names: readonly string[] | null } | null;
  /** Null when a person adopted the account by its id: then its name is its own. */
  readonly adAccountName: string | null;
  readonly spendCapMinor: number | null;
  readonly pageId: string | null;
  /** The Page had no Instagram account when it was linked: ads appear under its own name. */
  readonly isPageBacked: boolean;
  /** The parent's line of credit was shared with the child business. */
  readonly hasCreditShare: boolean;
  /** The account's webhooks were subscribed to. */
  readonly hasWebhooks: boolean;
}

/** The records of the run that made what a live tenant is operated with; undefined for a tenant that is not live. */
export async function readTenantRecords(db: Firestore, tenantId: string): Promise<TenantRecords | undefined> {
  const tenant = readDocument(await db.doc(paths.tenant(tenantId)).get(), tenantSchema);
  if (tenant?.status !== 'live' || !tenant.assets) return undefined;
  const { assets, currentRunId, name, slug } = tenant;
  const { runId } = assets;
  const [rows, current] = await Promise.all([
    db.collection(paths.steps(tenantId, runId)).get(),
    currentRunId === null || currentRunId === runId ? undefined : db.doc(paths.run(tenantId, currentRunId)).get(),
  ]);
  const steps = rows.docs.flatMap((row) => readDocument(row, stepSchema) ?? []);
  const account = steps.find(({ step }) => step === 'create-ad-account');
  const business = steps.find(({ step }) => step === 'create-child-business');
  const childBusinessId = productsOf(steps, 'create-child-business')?.childBusinessId;
  const link = productsOf(steps, 'link-page-and-instagram');
  const madeAs = business?.effects['child-business']?.result?.['name'];
  const offered = typeof madeAs === 'string' ? [madeAs] : childBusinessNames(slug, name);
  return {
    tenantId,
    assets,
    isMoving: current !== undefined && readDocument(current, runSchema)?.state === 'running',
    childBusiness:
      childBusinessId === undefined
        ? null
        : { childBusinessId, names: isAdopted(business, 'child-business') ? null : offered },
    adAccountName: isAdopted(account, 'ad-account') ? null : metaObjectName(slug),
    spendCapMinor: productsOf(steps, 'create-ad-account')?.spendCapMinor ?? null,
    pageId: link !== undefined ? (productsOf(steps, 'record-consent')?.pageId ?? null) : null,
    isPageBacked: link?.instagramIdentity === 'page-backed',
    hasCreditShare: productsOf(steps, 'share-credit-line') !== undefined,
    hasWebhooks: account?.effects['webhook-subscription']?.state === 'done',
  };
}

function isAdopted(record: StepRecord | undefined, effect: string): boolean {
  return record?.effects[effect]?.how === 'adopted';
}

function productsOf<Step extends StepName>(steps: readonly StepRecord[], step: Step): StepProducts[Step] | undefined {
  const record = steps.find((candidate) => candidate.step === step && candidate.state === 'done');
  // A step that is done has the products its definition names.
  return record === undefined || record.products === null ? undefined : (record.products as StepProducts[Step]);
}
