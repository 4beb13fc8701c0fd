/** What Meta told about the objects of a tenant's ad account, and requests of persons that their data be deleted. */
import * as v from 'valibot';

/** The newest that was told in one webhook field. */
const reportSchema = v.object({
  at: v.string(),
  code: v.nullable(v.string()),
  summary: v.nullable(v.string()),
  message: v.nullable(v.string()),
  status: v.nullable(v.string()),
  /** Of a field this version does not know: what came, as JSON text. */
  aside: v.nullable(v.string()),
});
export type IssueReport = v.InferOutput<typeof reportSchema>;

/** `tenants/{id}/issues/{issueId}`: one object of the ad account. */
export const issueSchema = v.object({
  issueId: v.string(),
  adAccountId: v.string(),
  objectId: v.string(),
  level: v.nullable(v.string()),
  reports: v.record(v.string(), reportSchema),
  isOpen: v.boolean(),
  since: v.string(),
  updatedAt: v.string(),
  expireAt: v.date(),
});
export type Issue = v.InferOutput<typeof issueSchema>;

/** `deletionRequests/{code}`: says nothing about whom, once it is carried out. */
export const deletionRequestSchema = v.object({
  confirmationCode: v.string(),
  state: v.picklist(['received', 'done']),
  requestedAt: v.string(),
  finishedAt: v.nullable(v.string()),
  /** Whom it is about, until it is carried out: should that be cut off, it is taken up again by this. */
  metaUserId: v.optional(v.nullable(v.string()), null),
});
export type DeletionRequest = v.InferOutput<typeof deletionRequestSchema>;
