import type { Firestore } from '@google-cloud/firestore';
import { paths, runSchema, stepSchema, tenantSchema } from '../contracts/documents.ts';
import type { Run } from '../contracts/documents.ts';
import type { StepName, StepProducts } from '../domain/provisioning-steps.ts';
import { readDocument } from './firestore.ts';

/** What provisioning has made for a tenant so far; null: not yet. */
export interface TenantAssets {
  readonly path: Run['path'];
  readonly catalogId: string | null;
  readonly datasetId: string | null;
}

/** The catalog and pixel of a tenant's current run; undefined without a tenant or a run. */
export async function readTenantAssets(db: Firestore, tenantId: string): Promise<TenantAssets | undefined> {
  const tenant = readDocument(await db.doc(paths.tenant(tenantId)).get(), tenantSchema);
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
    path: run.path,
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
