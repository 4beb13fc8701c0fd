/**
 * Every Firestore path and document: the only place either is written. Instants are ISO 8601 UTC strings (they sort);
 * `expireAt` is a Firestore timestamp because TTL policies need one. No document ever holds a token or raw personal data.
 */
import * as v from 'valibot';
import type { AlertKind } from './alert-documents.ts';
import { domainVerificationSettings } from '../domain/domain-verification.ts';
import { planCurrencies, planIds } from '../domain/plans.ts';
import { operators, provisioningPaths } from '../domain/provisioning-path.ts';
import { stepNames, waitParties } from '../domain/provisioning-steps.ts';
import type { StepName } from '../domain/provisioning-steps.ts';
import { readinessItemNames } from '../domain/readiness.ts';
import { skus } from '../domain/skus.ts';
import { stepStates } from '../domain/step-states.ts';
import { verticals } from '../domain/vertical-templates.ts';

/** The database of this module: a named one, so that whatever else lives in the project keeps out. Terraform makes it. */
export const databaseId = 'meta-ads';

/** Where the audit trail of what belongs to no tenant lies: no slug begins so. */
export const platformAudit = '_platform';

export const paths = {
  tenant: (tenantId: string): string => `tenants/${tenantId}`,
  run: (tenantId: string, runId: string): string => `tenants/${tenantId}/runs/${runId}`,
  steps: (tenantId: string, runId: string): string => `tenants/${tenantId}/runs/${runId}/steps`,
  step: (tenantId: string, runId: string, step: StepName): string => `tenants/${tenantId}/runs/${runId}/steps/${step}`,
  audit: (tenantId: string): string => `tenants/${tenantId}/audit`,
  auditEntry: (tenantId: string, stream: string, seq: number): string =>
    `tenants/${tenantId}/audit/${stream}.${String(seq).padStart(6, '0')}`,
  auditHeads: (tenantId: string): string => `tenants/${tenantId}/auditHeads`,
  auditHead: (tenantId: string, stream: string): string => `tenants/${tenantId}/auditHeads/${stream}`,
  dataset: (datasetId: string): string => `datasets/${datasetId}`,
  relayKey: (relayKeyId: string): string => `relayKeys/${relayKeyId}`,
  connectState: (stateHash: string): string => `connectStates/${stateHash}`,
  outboxMessage: (eventId: string): string => `outbox/${eventId}`,
  deadLetter: (deadLetterId: string): string => `deadLetters/${deadLetterId}`,
  readiness: (): string => 'platform/readiness',
  fallbackSlots: (): string => 'platform/fallbackSlots',
  deliveryLedger: (ledgerId: string): string => `deliveryLedger/${ledgerId}`,
  relayBreaker: (tenantId: string): string => `relayBreakers/${tenantId}`,
  relayCounters: (tenantId: string, hour: string, instance: string): string =>
    `tenants/${tenantId}/relayCounters/${hour}_${instance}`,
  heldEvents: (heldId: string): string => `heldEvents/${heldId}`,
  upload: (uploadId: string): string => `uploads/${uploadId}`,
  uploadProblems: (uploadId: string): string => `uploads/${uploadId}/uploadProblems`,
  replay: (replayId: string): string => `replays/${replayId}`,
  token: (tenantId: string): string => `tokens/${tenantId}`,
  secretInUse: (secretId: string): string => `secretsInUse/${secretId}`,
  matchQuality: (tenantId: string): string => `matchQuality/${tenantId}`,
  matchQualityDays: (tenantId: string): string => `tenants/${tenantId}/matchQualityDays`,
  matchQualityDay: (tenantId: string, date: string): string => `tenants/${tenantId}/matchQualityDays/${date}`,
  matchQualityModel: (): string => 'platform/matchQualityModel',
  issues: (tenantId: string): string => `tenants/${tenantId}/issues`,
  issue: (tenantId: string, issueId: string): string => `tenants/${tenantId}/issues/${issueId}`,
  drift: (tenantId: string): string => `drift/${tenantId}`,
  deletionRequest: (confirmationCode: string): string => `deletionRequests/${confirmationCode}`,
  teardown: (teardownId: string): string => `teardowns/${teardownId}`,
  letterReplays: (deadLetterId: string): string => `deadLetterReplays/${deadLetterId}`,
  catalog: (tenantId: string): string => `tenants/${tenantId}/catalog/state`,
  catalogHealth: (tenantId: string): string => `tenants/${tenantId}/catalog/health`,
  productSets: (tenantId: string): string => `tenants/${tenantId}/catalog/productSets`,
  catalogItems: (tenantId: string): string => `tenants/${tenantId}/catalogItems`,
  catalogBatches: (tenantId: string): string => `tenants/${tenantId}/catalogBatches`,
  catalogBatch: (tenantId: string, syncId: string, n: number): string =>
    `tenants/${tenantId}/catalogBatches/${syncId}-${String(n).padStart(6, '0')}`,
  catalogProblems: (tenantId: string): string => `tenants/${tenantId}/catalogProblems`,
  alerts: (tenantId: string): string => `tenants/${tenantId}/alerts`,
  alert: (tenantId: string, kind: AlertKind): string => `tenants/${tenantId}/alerts/${kind}`,
  insightsRuns: (tenantId: string): string => `tenants/${tenantId}/insightsRuns`,
  insightsRun: (tenantId: string, adAccountId: string): string => `tenants/${tenantId}/insightsRuns/${adAccountId}`,
  collaborativeAccounts: (tenantId: string): string => `tenants/${tenantId}/collaborativeAccounts`,
  collaborativeAccount: (tenantId: string, adAccountId: string): string =>
    `tenants/${tenantId}/collaborativeAccounts/${adAccountId}`,
  ga4State: (tenantId: string): string => `tenants/${tenantId}/settings/ga4`,
  reconciliations: (tenantId: string): string => `tenants/${tenantId}/reconciliations`,
  reconciliation: (tenantId: string, week: string): string => `tenants/${tenantId}/reconciliations/${week}`,
  scheduledJob: (job: string): string => `scheduledJobs/${job}`,
} as const;

/** Collection groups that are queried across tenants. */
export const collectionGroups = { steps: 'steps', alerts: 'alerts', runs: 'runs' } as const;
export const collections = {
  outbox: 'outbox',
  tenants: 'tenants',
  deadLetters: 'deadLetters',
  heldEvents: 'heldEvents',
  datasets: 'datasets',
  relayKeys: 'relayKeys',
  matchQuality: 'matchQuality',
  drift: 'drift',
  relayCounters: 'relayCounters',
  deletionRequests: 'deletionRequests',
  scheduledJobs: 'scheduledJobs',
  tokens: 'tokens',
} as const;

/** Collections whose documents Firestore deletes once `expireAt` has passed. Terraform makes the policies from this. */
export const ttlCollectionGroups = [
  'connectStates',
  'matchQualityDays',
  'deadLetters',
  'deliveryLedger',
  'heldEvents',
  'relayCounters',
  'uploads',
  'uploadProblems',
  'replays',
  'deadLetterReplays',
  'issues',
  'catalogBatches',
  'catalogProblems',
] as const;

export const tenantStatuses = [
  'created',
  'terms-accepted',
  'provisioning',
  'live',
  'cancelled',
  'offboarding',
] as const;

/** What a live tenant is operated with at Meta: what everything after onboarding works on. */
const tenantAssetsSchema = v.object({
  /** The run that made them. */
  runId: v.string(),
  operator: v.picklist(operators),
  /** The business that owns the ad account: the child, or the parent on the fallback path. */
  businessId: v.string(),
  adAccountId: v.string(),
  datasetId: v.string(),
  catalogId: v.nullable(v.string()),
});
export type TenantAssets = v.InferOutput<typeof tenantAssetsSchema>;

/** Facts of the client, its acceptance of the terms, and its connection to Meta. */
export const tenantSchema = v.object({
  tenantId: v.string(),
  slug: v.string(),
  name: v.string(),
  planId: v.picklist(planIds),
  vertical: v.picklist(verticals),
  skus: v.array(v.picklist(skus)),
  country: v.string(),
  currency: v.picklist(planCurrencies),
  timezone: v.string(),
  domains: v.array(v.string()),
  domainVerification: v.optional(v.picklist(domainVerificationSettings), 'auto'),
  status: v.picklist(tenantStatuses),
  createdAt: v.string(),
  createdBy: v.string(),
  terms: v.nullable(
    v.object({ tos: v.literal(true), dataSharing: v.literal(true), acceptedBy: v.string(), acceptedAt: v.string() }),
  ),
  /** What the client's consent gave us; the token itself is a Secret Manager version. */
  connection: v.nullable(
    v.object({
      number: v.number(),
      /** Meta's app-scoped id of the person who connected; null once that person had it deleted. */
      metaUserId: v.nullable(v.string()),
      pageId: v.nullable(v.string()),
      userTokenVersion: v.string(),
      connectedAt: v.string(),
      /** Since when the person has taken the app off their account; connecting again ends it. */
      deauthorizedAt: v.optional(v.nullable(v.string())),
    }),
  ),
  /** The newest run. While it moves a live tenant to another path, `assets` still says what is in use. */
  currentRunId: v.nullable(v.string()),
  /** Absent until the tenant is live. */
  assets: v.optional(tenantAssetsSchema),
});
export type Tenant = v.InferOutput<typeof tenantSchema>;

/** What a tenant was operated with on the parent business, as its migration needs it. */
const formerAssetsSchema = v.object({
  runId: v.string(),
  adAccountId: v.string(),
  datasetId: v.string(),
  relayKeyId: v.string(),
});
export type FormerAssets = v.InferOutput<typeof formerAssetsSchema>;

export const runSchema = v.object({
  runId: v.string(),
  tenantId: v.string(),
  path: v.picklist(provisioningPaths),
  /** Given on a run that moves a live tenant from the parent business to one of its own. */
  migrates: v.optional(formerAssetsSchema),
  /** `cancelled` is final: the client may connect again, which opens another run. */
  state: v.picklist(['running', 'done', 'cancelled']),
  /** Raised when the meaning of the documents changes; older runs are migrated, never dropped. */
  sagaVersion: v.literal(1),
  startedAt: v.string(),
  finishedAt: v.nullable(v.string()),
  /** The newest connection of the client that the run has taken in. */
  connection: v.optional(v.number(), 1),
  cancellation: v.optional(v.nullable(v.object({ at: v.string(), by: v.string(), reason: v.string() })), null),
});
export type Run = v.InferOutput<typeof runSchema>;

export { stepStates } from '../domain/step-states.ts';
export type { StepState } from '../domain/step-states.ts';

/** One write to Meta or Secret Manager inside a step: marked before it is sent, closed when its answer is known. */
const effectSchema = v.object({
  state: v.picklist(['pending', 'done']),
  /** SHA-256 of the request's desired state; never the request itself. */
  fingerprint: v.string(),
  markedAt: v.string(),
  how: v.nullable(v.picklist(['created', 'found', 'adopted'])),
  result: v.nullable(v.record(v.string(), v.unknown())),
  /** While pending: what was there before, where the step wants to know it afterwards. */
  before: v.optional(v.record(v.string(), v.unknown())),
});
export type EffectRecord = v.InferOutput<typeof effectSchema>;

/** Who must act before something can go on. */
export const waitSchema = v.object({
  on: v.picklist(waitParties),
  for: v.string(),
  what: v.string(),
  since: v.string(),
  /** When the wait becomes a failure for a person to look at; null: never. */
  expiresAt: v.nullable(v.string()),
});
export type WaitRecord = v.InferOutput<typeof waitSchema>;

/** A parked step's wait: whoever must act is reminded, and may be sent a link that wakes the step. */
export const stepWaitSchema = v.object({
  ...waitSchema.entries,
  /** When the next `wait-reminder` is due; null: none is. */
  remindAt: v.optional(v.nullable(v.string()), null),
  remindersSent: v.optional(v.number(), 0),
  /** Rises with every resume link that was used: only links of this number work, so each works once. */
  linkNumber: v.optional(v.number(), 1),
});
export type StepWait = v.InferOutput<typeof stepWaitSchema>;

export const stepSchema = v.object({
  step: v.picklist(stepNames),
  tenantId: v.string(),
  runId: v.string(),
  state: v.picklist(stepStates),
  attempt: v.number(),
  /** Attempts in a row that ended in trouble; waiting and a redrive start it again. */
  retries: v.number(),
  /** Rises with every lease; a write under an older fence is refused, so a zombie cannot undo newer work. */
  fence: v.number(),
  lease: v.nullable(v.object({ owner: v.string(), until: v.string() })),
  effects: v.record(v.string(), effectSchema),
  products: v.nullable(v.record(v.string(), v.unknown())),
  wait: v.nullable(stepWaitSchema),
  /** Why the last attempt did not finish: shown to operators, so never a token or personal datum. */
  reason: v.nullable(v.string()),
  /** `resume-waits` runs the step again once this instant has passed. */
  wakeAt: v.nullable(v.string()),
  startedAt: v.nullable(v.string()),
  finishedAt: v.nullable(v.string()),
  /** A change has come since the last attempt began: the next begins with forgetting that these effects are done. */
  reopened: v.optional(
    v.nullable(v.object({ at: v.string(), because: v.string(), effects: v.array(v.string()) })),
    null,
  ),
});
export type StepRecord = v.InferOutput<typeof stepSchema>;

/** A message that must leave: written with the state it announces, deleted after Pub/Sub took it. */
export const outboxMessageSchema = v.object({
  eventId: v.string(),
  topic: v.string(),
  /** The document whose transaction wrote it, so that a redelivery can publish what a crash left. */
  source: v.string(),
  /** The envelope as JSON text. */
  json: v.string(),
  createdAt: v.string(),
});
export type OutboxMessage = v.InferOutput<typeof outboxMessageSchema>;

/**
 * Append-only: every entry holds the hash of the one before it in its stream, so an edit shows. It signs its content
 * (actor, subject, detail) by that content's own salted hash, so the chain still holds after the content was erased; the
 * salt goes with the content, so that nobody can guess what it was.
 */
export const auditEntrySchema = v.object({
  stream: v.string(),
  seq: v.number(),
  previous: v.string(),
  hash: v.string(),
  at: v.string(),
  action: v.string(),
  contentHash: v.string(),
  /** These four are null once erased. */
  actor: v.nullable(v.string()),
  subject: v.nullable(v.string()),
  detail: v.nullable(v.record(v.string(), v.unknown())),
  salt: v.nullable(v.string()),
});
export type AuditEntry = v.InferOutput<typeof auditEntrySchema>;

/** The end of a stream of audit entries; without it, cutting off the last entry would not show. */
export const auditHeadSchema = v.object({ seq: v.number(), hash: v.string() });
export type AuditHead = v.InferOutput<typeof auditHeadSchema>;

/** An OAuth `state` that was handed out: single use, bound to one tenant and one browser. */
export const connectStateSchema = v.object({
  tenantId: v.string(),
  browserHash: v.string(),
  createdAt: v.string(),
  usedAt: v.nullable(v.string()),
  expireAt: v.date(),
});
export type ConnectState = v.InferOutput<typeof connectStateSchema>;

/** A message nobody could handle, with what was expected. `payload` is null where it could not be trusted. */
export const deadLetterSchema = v.object({
  deadLetterId: v.string(),
  topic: v.string(),
  tenantId: v.nullable(v.string()),
  eventId: v.nullable(v.string()),
  reason: v.string(),
  problems: v.array(v.string()),
  payload: v.nullable(v.unknown()),
  firstAt: v.string(),
  lastAt: v.string(),
  count: v.number(),
  /** Server events in the payload; none for messages of other topics. */
  events: v.optional(v.number(), 0),
  /** Until when a replay makes sense: at least one event is young enough for Meta. Null: never. */
  replayableUntil: v.optional(v.nullable(v.string()), null),
  expireAt: v.date(),
});
export type DeadLetter = v.InferOutput<typeof deadLetterSchema>;

/**
 * The tenants with an ad account on the parent business, in the order they came. A row stays when its tenant is migrated
 * or offboarded: an ad account cannot be deleted, and Meta goes on counting it.
 */
export const fallbackSlotsSchema = v.object({
  slots: v.array(v.object({ tenantId: v.string(), takenAt: v.string() })),
});
export type FallbackSlots = v.InferOutput<typeof fallbackSlotsSchema>;

/** What Meta and Kobi's own paperwork allow (PRE-2 extended credit, PRE-8 business verification, PRE-10 2-Tier access). */
export const readinessSchema = v.object({
  /** What runs go by. */
  pre2: v.boolean(),
  pre8: v.boolean(),
  pre10: v.boolean(),
  /** What is known of each item: who says so (`meta` or a person), since when, and in what words. */
  items: v.optional(
    v.record(
      v.picklist(readinessItemNames),
      v.object({
        state: v.picklist(['ready', 'missing']),
        by: v.string(),
        since: v.string(),
        detail: v.nullable(v.string()),
      }),
    ),
  ),
  /** When Meta was asked last. */
  checkedAt: v.optional(v.string()),
});
export type Readiness = v.InferOutput<typeof readinessSchema>;
