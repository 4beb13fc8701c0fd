/** Reports as Firestore knows them: where an account's daily run stands. The numbers themselves are in the warehouse. */
import * as v from 'valibot';
import { insightsLevels } from '../domain/insights/reports.ts';
import { operators } from '../domain/provisioning-path.ts';
import { waitSchema } from './documents.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const reportJobSchema = v.object({
  number: count,
  level: v.picklist(insightsLevels),
  breakdowns: v.pipe(v.array(v.string()), v.readonly()),
  since: v.string(),
  until: v.string(),
  state: v.picklist(['pending', 'running', 'ready', 'staged', 'split', 'given-up']),
  runId: v.nullable(v.string()),
  startedAt: v.nullable(v.string()),
  percent: v.number(),
  movedAt: v.nullable(v.string()),
  polls: count,
  failures: count,
  why: v.nullable(v.string()),
  rows: count,
  // Earlier versions read a run in one go: they knew neither of these.
  stages: v.optional(v.pipe(v.array(v.string()), v.readonly()), []),
  after: v.optional(v.nullable(v.string()), null),
});

/** The reports of one ad account for one of its days. A new day replaces the document. */
export const insightsRunSchema = v.object({
  tenantId: v.string(),
  /** `act_…` */
  adAccountId: v.string(),
  /** The day it is at the account when the run is opened; with the account it names the run. */
  day: v.string(),
  isCollaborative: v.boolean(),
  /** Whose token reads the account. */
  operator: v.picklist(operators),
  /** IANA zone and currency the account reports in; the tenant's own until Meta has said. */
  timeZone: v.string(),
  currency: v.string(),
  state: v.picklist(['running', 'done', 'incomplete', 'waiting', 'failed']),
  /** Null until the account's zone is known. */
  jobs: v.nullable(v.pipe(v.array(reportJobSchema), v.readonly())),
  /** Attempts in a row that ended in trouble. */
  troubles: count,
  fence: count,
  lease: v.nullable(v.object({ owner: v.string(), until: v.string() })),
  wait: v.nullable(waitSchema),
  /** Why it did not end well: fit to show, never a token or personal datum. */
  reason: v.nullable(v.string()),
  openedAt: v.string(),
  /** When a delivery last took it up; null: never yet, or by an earlier version. */
  takenUpAt: v.optional(v.nullable(v.string()), null),
  finishedAt: v.nullable(v.string()),
  /** Newest day whose reports were all stored; reports are read up to it. Null: never yet. */
  completeDay: v.nullable(v.string()),
});
export type InsightsRun = v.InferOutput<typeof insightsRunSchema>;

/** An account that advertises a shared part of a retailer's catalog, beside the tenant's own. */
export const collaborativeAccountSchema = v.object({ adAccountId: v.string(), retailer: v.string() });
export type CollaborativeAccount = v.InferOutput<typeof collaborativeAccountSchema>;

/** A tenant's GA4 property. */
export const ga4StateSchema = v.object({
  propertyId: v.pipe(v.string(), v.regex(/^\d{6,12}$/)),
  /** The day up to which GA4 was read; null: never yet. */
  day: v.nullable(v.string()),
  wait: v.nullable(waitSchema),
  /** Tokens of the property that were left after the last report. */
  tokensLeft: v.nullable(v.number()),
});
export type Ga4State = v.InferOutput<typeof ga4StateSchema>;

const numberOrNull = v.nullable(v.number());

/** One week of one tenant, Meta against GA4. */
export const reconciliationSchema = v.object({
  tenantId: v.string(),
  week: v.string(),
  comparedAt: v.string(),
  band: v.picklist(['green', 'amber', 'red', 'too-few']),
  /** What later weeks are measured by. */
  figures: v.object({
    week: v.string(),
    ratio: numberOrNull,
    sessionShare: numberOrNull,
    orderShare: v.optional(numberOrNull, null),
    causeShares: v.record(v.string(), v.number()),
  }),
  /** The whole result (`shared/domain/reconciliation/reconcile.ts`), for those who show it. */
  result: v.record(v.string(), v.unknown()),
  /** Ads whose links lack tags or lost a macro. */
  tagProblems: v.array(v.object({ adId: v.string(), name: v.string(), problems: v.array(v.string()) })),
});
export type ReconciliationRecord = v.InferOutput<typeof reconciliationSchema>;
