/** Alerts: trouble of one tenant that a person should know of, open from the first sight until it is over. */
import * as v from 'valibot';

/** What there is to be alerted of. One alert per tenant and kind is open at a time, however often it is seen. */
export const alertKinds = [
  /** A product feed is held back by a guard; the catalog keeps its last good state. */
  'catalog-feed-held',
  /** A product feed cannot be read or sent. */
  'catalog-sync-failed',
  /** The match quality of an event fell within days. */
  'match-quality-drop',
  /** The match quality of an event goes down week by week. */
  'match-quality-decay',
  /** Meta has not said anything about a dataset for longer than two polls. */
  'match-quality-stale',
  /** Events that came every day come no more. */
  'events-stopped',
  /** Meta does not let us read an ad account's reports. */
  'insights-report-waiting',
  /** Some reports of an ad account could not be made; the rest are stored. */
  'insights-report-incomplete',
  /** Meta and GA4 differ by more than they may. */
  'meta-ga4-gap',
  /** Meta has something else of a tenant than we recorded. */
  'drift',
] as const;
export type AlertKind = (typeof alertKinds)[number];

/** `page`: somebody must act soon. `notice`: worth knowing. */
export const alertSeverities = ['page', 'notice'] as const;
export type AlertSeverity = (typeof alertSeverities)[number];

/** Facts about the trouble, for people and for pages that show it: never a token or personal datum. */
export const alertDetail = v.record(v.string(), v.unknown());

export const alertSchema = v.object({
  tenantId: v.string(),
  kind: v.picklist(alertKinds),
  severity: v.picklist(alertSeverities),
  /** What is wrong and what to do, in words fit to show. */
  summary: v.string(),
  detail: alertDetail,
  /** How often this kind has been raised for this tenant: names the messages, so that each is sent once. */
  occurrence: v.pipe(v.number(), v.integer(), v.minValue(1)),
  since: v.string(),
  /** To the minute or so: an alert seen thousands of times is not written thousands of times. */
  lastSeenAt: v.string(),
  resolvedAt: v.nullable(v.string()),
  /** `auto`, or the person who resolved it. */
  resolvedBy: v.nullable(v.string()),
  /** When this occurrence was told; null while it is kept quiet. */
  toldAt: v.optional(v.nullable(v.string()), null),
  /** Back so soon after it was over that it is not told before this. */
  quietUntil: v.optional(v.nullable(v.string()), null),
  /** When it was told once more because it was still open. */
  escalatedAt: v.optional(v.nullable(v.string()), null),
  /** A person keeps this kind quiet for this tenant, until then. */
  snooze: v.optional(v.nullable(v.object({ until: v.string(), by: v.string(), reason: v.string() })), null),
});
export type Alert = v.InferOutput<typeof alertSchema>;
