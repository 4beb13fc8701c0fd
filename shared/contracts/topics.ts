/**
 * Every Pub/Sub topic and the schema of its messages: the only place a topic name is written. A message is an envelope
 * around `data`; consumers validate it before anything else and dedupe on `eventId`, never on Pub/Sub's message id
 * (a dead-lettered or replayed copy has a new one).
 */
import * as v from 'valibot';
import { alertKinds, alertSeverities } from './alert-documents.ts';
import { feedFacts } from './catalog-documents.ts';
import { stepNames, waitParties } from '../domain/provisioning-steps.ts';
import type { StepName } from '../domain/provisioning-steps.ts';

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const isoInstant = v.pipe(v.string(), v.isoTimestamp());

/**
 * Why a step is being run. `resumed` is a wake-up of a parked step, `redrive` a person's retry, `reopened` a change that
 * concerns it.
 */
export const startCauses = ['needs-met', 'resumed', 'redrive', 'reopened'] as const;
export type StartCause = (typeof startCauses)[number];

const stepStart = v.object({ cause: v.picklist(startCauses) });

/** Server events in Meta's wire format, already normalised and hashed by the relay: raw personal data never gets here. */
const capiEvents = v.object({
  datasetId: id,
  testEventCode: v.optional(v.string()),
  /** Tries that ended in an error nobody knows; absent before the first. */
  attempt: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  /** One of its events may be what makes calls fail: it travels in a call of its own. */
  isApart: v.optional(v.literal(true)),
  events: v.pipe(v.array(v.record(v.string(), v.unknown())), v.minLength(1), v.maxLength(1000)),
});

const stepSchemas = Object.fromEntries(stepNames.map((step) => [step, stepStart])) as Record<
  StepName,
  typeof stepStart
>;

/** Topic name → schema of `data`. A step's topic has the step's own name. */
export const topicSchemas = {
  ...stepSchemas,
  'tenant-connected': v.object({ connection: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
  'tenant-live': v.object({ adAccountId: id, datasetId: id }),
  /**
   * Somebody who must act is to be told so again. Holds no link: whoever sends the reminder asks `GET /tenants/{id}` for a
   * fresh `resumeUrl`, so that what lets a person act lies in no queue.
   */
  'wait-reminder': v.object({
    step: v.picklist(stepNames),
    /** Whom to remind: who must act, or Kobi where Meta must. */
    to: v.picklist(['client', 'kobi']),
    on: v.picklist(waitParties),
    for: id,
    what: v.string(),
    since: isoInstant,
    expiresAt: v.nullable(isoInstant),
    /** 1 for the first reminder of this wait. */
    number: v.pipe(v.number(), v.integer(), v.minValue(1)),
  }),
  'capi-events': capiEvents,
  /** The end of a cancelled run, and of a tenant (`teardowns/{teardownId}`). */
  'undo-run': v.object({ teardownId: id }),
  'offboard-tenant': v.object({ teardownId: id }),
  /** The next stretch of a replay of dead letters. */
  'capi-replay': v.object({ replayId: id, slice: v.pipe(v.number(), v.integer(), v.minValue(0)) }),
  /**
   * The feed service has a new version of a tenant's product feed; or a sync goes on that was held (`released`) or waited
   * for somebody (`resumed`).
   */
  'feed-updated': v.object({
    ...feedFacts.entries,
    cause: v.optional(v.picklist(['updated', 'released', 'resumed']), 'updated'),
  }),
  /** The reports of one ad account for one of its days. */
  'insights-account': v.object({ adAccountId: id, day: v.pipe(v.string(), v.isoDate()) }),
  /** Trouble of a tenant has begun (or has come back), or is over: once each per occurrence. */
  'alert-changed': v.object({
    /** `escalated`: still open after so long that it is told once more, as a page. */
    state: v.picklist(['raised', 'escalated', 'resolved']),
    kind: v.picklist(alertKinds),
    severity: v.picklist(alertSeverities),
    summary: v.pipe(v.string(), v.minLength(1), v.maxLength(1000)),
    occurrence: v.pipe(v.number(), v.integer(), v.minValue(1)),
    since: isoInstant,
  }),
} as const;

export type TopicName = keyof typeof topicSchemas;
export type TopicData<Topic extends TopicName> = v.InferOutput<(typeof topicSchemas)[Topic]>;

/** Where Pub/Sub puts what a subscription could not deliver within its attempts; messages keep their own envelope. */
export const deadLetterTopic = 'dead-letters';

/** Where Secret Manager tells what happens to secrets: in attributes of its own format, not in an envelope. */
export const secretNotificationTopic = 'secret-notifications';

/** Every topic that exists, in the order they are created. */
export const topicNames: readonly string[] = [...Object.keys(topicSchemas), deadLetterTopic, secretNotificationTopic];

/** What travels on a topic. `traceparent` is W3C trace context; `at` the instant the fact became true. */
export interface Envelope<Topic extends TopicName = TopicName> {
  readonly eventId: string;
  readonly type: Topic;
  readonly version: 1;
  readonly tenantId: string;
  readonly runId?: string;
  readonly at: string;
  readonly traceparent: string;
  /** How often the message was brought back at a later time; absent: never. */
  readonly hop?: number;
  readonly data: TopicData<Topic>;
}

const envelopeHead = v.object({
  eventId: id,
  type: v.string(),
  version: v.literal(1),
  tenantId: id,
  runId: v.optional(id),
  at: isoInstant,
  hop: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  traceparent: v.pipe(v.string(), v.regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)),
});

export type ParsedEnvelope<Topic extends TopicName> =
  { readonly ok: true; readonly envelope: Envelope<Topic> } | { readonly ok: false; readonly problems: string[] };

/**
 * Validates a decoded message against its topic's schema. Problems name the field and what was expected, never the
 * value that came (it may be personal data).
 */
export function parseEnvelope<Topic extends TopicName>(topic: Topic, message: unknown): ParsedEnvelope<Topic> {
  const schema = v.object({ ...envelopeHead.entries, type: v.literal(topic), data: topicSchemas[topic] });
  const result = v.safeParse(schema, message);
  if (result.success) return { ok: true, envelope: result.output as Envelope<Topic> };
  return {
    ok: false,
    problems: result.issues.map(
      (issue) => `${v.getDotPath(issue) ?? 'message'}: expected ${issue.expected ?? 'a valid value'}`,
    ),
  };
}
