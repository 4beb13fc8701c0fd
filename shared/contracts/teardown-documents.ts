/** `teardowns/{id}`: the end of a run or of a tenant, how far it is, and what could not be undone. Ids only. */
import * as v from 'valibot';
import { teardownActionNames, teardownKinds } from '../domain/teardown.ts';
import type { TeardownKind } from '../domain/teardown.ts';
import { waitSchema } from './documents.ts';

/** One teardown of each run and one of each tenant. */
export function teardownIdOf(kind: TeardownKind, tenantId: string, runId: string | null): string {
  return kind === 'undo' ? `${tenantId}.${runId ?? ''}` : tenantId;
}

/** What remains at Meta, why, and what a person can do about it. */
const leftoverSchema = v.object({ object: v.string(), id: v.string(), why: v.string(), what: v.string() });
export type Leftover = v.InferOutput<typeof leftoverSchema>;

/** The tenant's objects at Meta, as recorded or found. */
const objectsSchema = v.object({
  childBusinessId: v.nullable(v.string()),
  creditAllocationConfigId: v.nullable(v.string()),
  adAccounts: v.array(v.object({ adAccountId: v.string(), operator: v.picklist(['child', 'fallback']) })),
  datasetIds: v.array(v.string()),
  catalogIds: v.array(v.string()),
  /** Pages that were shared with the parent business (fallback path). */
  parentPageIds: v.optional(v.array(v.string()), []),
  currency: v.string(),
});
export type TeardownObjects = v.InferOutput<typeof objectsSchema>;

/** `done`: it is so now, whoever made it so. `left`: given up, see the leftovers. */
const actionRecordSchema = v.object({
  state: v.picklist(['done', 'left', 'trouble']),
  at: v.string(),
  detail: v.string(),
  /** Failed tries in a row, and since when. */
  tries: v.number(),
  since: v.string(),
  wait: v.nullable(waitSchema),
});
export type ActionRecord = v.InferOutput<typeof actionRecordSchema>;

export const teardownSchema = v.object({
  teardownId: v.string(),
  tenantId: v.string(),
  kind: v.picklist(teardownKinds),
  runId: v.nullable(v.string()),
  state: v.picklist(['running', 'done']),
  reason: v.string(),
  requestedBy: v.string(),
  requestedAt: v.string(),
  finishedAt: v.nullable(v.string()),
  fence: v.number(),
  lease: v.nullable(v.object({ owner: v.string(), until: v.string() })),
  objects: v.nullable(objectsSchema),
  actions: v.record(v.picklist(teardownActionNames), v.optional(actionRecordSchema)),
  left: v.array(leftoverSchema),
});
export type Teardown = v.InferOutput<typeof teardownSchema>;
