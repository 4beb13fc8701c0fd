import type { Firestore } from '@google-cloud/firestore';
import { paths, runSchema, stepSchema, tenantSchema } from '../contracts/documents.ts';
import type { TenantAssets } from '../contracts/documents.ts';
import { operatorOn } from '../domain/provisioning-path.ts';
import type { StepName, StepProducts } from '../domain/provisioning-steps.ts';
import { readDocument } from './firestore.ts';

/** The catalog and pixel a tenant works with; null: not made yet. */
export interface CatalogAssets {
  readonly operator: TenantAssets['operator'];
  readonly catalogId: string | null;
  readonly datasetId: string | null;
}

/**
 * Of a live tenant, what it is operated with, also while a second run moves it to another path; before that, what its run
 * has made so far. Undefined without a tenant or a run.
 */
export async function readCatalogAssets(db: Firestore, tenantId: string): Promise<CatalogAssets | undefined> {
  const tenant = readDocument(await db.doc(paths.tenant(tenantId)).get(), tenantSchema);
  if (tenant?.assets !== undefined) return tenant.assets;
  const runId = tenant?.currentRunId ?? null;
  if (runId === null) return undefined;
  const [runRow, catalog, pixel] = await db.getAll(
    db.doc(paths.run(tenantId, runId)),
    db.doc(paths.step(tenantId, runId, 'create-catalog')),
    db.doc(paths.step(tenantId, runId, 'create-pixel')),
  );
  const run = runRow && readDocument(runRow, runSchema);
  if (run === undefined) return undefined;
  return {
    operator: operatorOn(run.path),
    catalogId: productOf(catalog, 'create-catalog')?.catalogId ?? null,
    datasetId: productOf(pixel, 'create-pixel')?.datasetId ?? null,
  };
}

function productOf<Step extends StepName>(
  row: FirebaseFirestore.DocumentSnapshot | undefined,
  _step: Step,
): StepProducts[Step] | undefined {
  const step = row && readDocument(row, stepSchema);
  // A step that is done has the products its definition names.
  return step?.state === 'done' && step.products !== null ? (step.products as StepProducts[Step]) : undefined;
}
