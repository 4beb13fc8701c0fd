/** What must hold after every run, whatever struck it. Each answers the violations it found. */
import type { Firestore } from '@google-cloud/firestore';
import { paths, runSchema, stepSchema, tenantSchema } from '../../shared/contracts/documents.ts';
import type { StepRecord } from '../../shared/contracts/documents.ts';
import { verifyAuditTrail } from '../../shared/gcp/audit-trail.ts';
import { readDocument } from '../../shared/gcp/firestore.ts';
import type { InProcessServices } from '../faults/in-process-services.ts';
import { canonicalState, difference, metaObjects, stateHash, worldOf } from './canonical-state.ts';
import type { World } from './canonical-state.ts';

/** A violation begins with the oracle that found it. */
export type Violation = string;

/** A run without faults: what every other must come to. */
export interface Reference {
  readonly state: string;
  readonly hash: string;
  readonly objects: Readonly<Record<string, number>>;
}

export function referenceOf(services: InProcessServices): Reference {
  return referenceTo(worldOf(services));
}

export function referenceTo(world: World): Reference {
  const state = canonicalState(world);
  return { state, hash: stateHash(state), objects: metaObjects(world.nodes) };
}

/** The oracles of a run that was meant to end as the reference did. */
export async function judge(services: InProcessServices, tenantId: string, reference: Reference): Promise<Violation[]> {
  return [...judgeState(worldOf(services), reference), ...(await judgeRest(services, tenantId))];
}

/** Whether it came to the same state, with the same number of objects of each kind at Meta. */
export function judgeState(world: World, reference: Reference): Violation[] {
  const objects = metaObjects(world.nodes);
  const violations: Violation[] = [];
  for (const kind of new Set([...Object.keys(objects), ...Object.keys(reference.objects)])) {
    const [got = 0, expected = 0] = [objects[kind], reference.objects[kind]];
    if (got !== expected) violations.push(`objects: ${got} of kind ${kind}, ${expected} expected`);
  }
  const state = canonicalState(world);
  if (stateHash(state) !== reference.hash) violations.push(`state: ${difference(reference.state, state)}`);
  return violations;
}

/** The oracles of a run that was cancelled: what was sent is recorded, and nothing goes on. */
export async function judgeCancelled(services: InProcessServices, tenantId: string): Promise<Violation[]> {
  const violations: Violation[] = [];
  const steps = await stepsOf(services.db, tenantId);
  const run = readDocument(await services.db.doc(paths.run(tenantId, 'run-1')).get(), runSchema);
  if (run?.state !== 'cancelled' && run?.state !== 'done') violations.push(`cancel: the run is ${run?.state}`);
  for (const { step, state } of run?.state === 'cancelled' ? steps : []) {
    if (!['done', 'cancelled', 'skipped'].includes(state)) violations.push(`cancel: ${step} is ${state}`);
  }
  const recorded = JSON.stringify(steps.map(({ effects, products }) => [effects, products]));
  for (const node of services.simulator.store.nodes.values()) {
    const isMade = ['credit_allocation', 'ad_account', 'pixel', 'catalog'].includes(node.kind);
    const isChild = node.kind === 'business' && node.parentId !== undefined;
    if ((isMade || isChild) && !recorded.includes(node.id)) {
      violations.push(`cancel: ${node.kind} ${node.id} is recorded nowhere`);
    }
  }
  return [...violations, ...(await judgeRest(services, tenantId))];
}

async function judgeRest({ db, firestore }: InProcessServices, tenantId: string): Promise<Violation[]> {
  return [...(await judgeTrail(db, tenantId)), ...judgeOutbox(firestore.dump())];
}

/** Whether a tenant's audit trail verifies, and nobody holds one of its steps. */
export async function judgeTrail(db: Firestore, tenantId: string): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const problem of await verifyAuditTrail(db, tenantId)) violations.push(`audit: ${problem}`);
  const tenant = readDocument(await db.doc(paths.tenant(tenantId)).get(), tenantSchema);
  const runIds = new Set(['run-1', tenant?.currentRunId ?? 'run-1']);
  const steps = await Promise.all([...runIds].map((runId) => stepsOf(db, tenantId, runId)));
  for (const { step, lease, state } of steps.flat()) {
    if (lease !== null) violations.push(`lease: ${step} (${state}) is still leased until ${lease.until}`);
  }
  return violations;
}

/** Whether everything that was to be told was told. */
export function judgeOutbox(documents: World['documents']): Violation[] {
  const left = Object.keys(documents).filter((path) => path.startsWith('outbox/'));
  return left.length > 0 ? [`outbox: ${left.join(', ')}`] : [];
}

async function stepsOf(db: Firestore, tenantId: string, runId = 'run-1'): Promise<StepRecord[]> {
  const rows = await db.collection(paths.steps(tenantId, runId)).get();
  return rows.docs.flatMap((row) => readDocument(row, stepSchema) ?? []);
}
