/** Shapes that answers of many Graph edges share. */
import * as v from 'valibot';

/** An object id: a string of digits, but some edges send a number. */
export const graphId = v.pipe(
  v.union([v.string(), v.number()]),
  v.transform(String),
  v.regex(/^[\w-]+$/, 'not an object id'),
);

/** Most creates. */
export const created = v.object({ id: graphId });

/** Updates, links and removals answer `{"success":true}`; a few answer with the object, or bare `true`. */
export const succeeded = v.union([v.object({ success: v.literal(true) }), v.object({ id: graphId }), v.literal(true)]);

/** An object named by id and, usually, name. */
export const named = v.object({ id: graphId, name: v.optional(v.string()) });

/** A person or system user with access to an asset (`assigned_users`). */
export const assignedUser = v.object({
  id: graphId,
  name: v.optional(v.string()),
  tasks: v.optional(v.array(v.string())),
});
export type AssignedUser = v.InferOutput<typeof assignedUser>;
