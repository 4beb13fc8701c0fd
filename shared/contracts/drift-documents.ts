/** `drift/{tenant}`: where Meta has something else than we recorded. Reported, never overwritten. */
import * as v from 'valibot';
import { driftItemNames } from '../domain/drift.ts';

const item = v.picklist(driftItemNames);
const differenceSchema = v.object({ expected: v.string(), found: v.string(), since: v.string() });

const acceptanceSchema = v.object({
  recorded: v.string(),
  found: v.string(),
  by: v.string(),
  at: v.string(),
  reason: v.string(),
});

export const driftSchema = v.object({
  tenantId: v.string(),
  nextCheckAt: v.string(),
  /** When Meta was last asked; null: never yet. */
  checkedAt: v.nullable(v.string()),
  differences: v.record(item, v.optional(differenceSchema)),
  /** What a person decided to be right, by item. */
  accepted: v.optional(v.record(item, v.optional(acceptanceSchema)), {}),
  /** What Meta did not say when it was last asked. */
  unknown: v.array(item),
});
export type Drift = v.InferOutput<typeof driftSchema>;
