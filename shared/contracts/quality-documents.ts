/** Match quality: what every poll of Dataset Quality said, what it means today, and what the predictor learnt from all. */
import * as v from 'valibot';
import { qualityProblems } from '../domain/match-quality/detect.ts';
import { matchKeys } from '../domain/match-quality/key-mix.ts';

const percentage = v.pipe(v.number(), v.minValue(0), v.maxValue(100));
const mixCounts = v.record(v.string(), v.number());

/** One event name in one poll. What Meta did not say is null, never zero. */
const polledEventSchema = v.object({
  score: v.nullable(v.number()),
  /** Meta's identifier → percentage of events that carry it. */
  coverage: v.record(v.string(), percentage),
  /** Share of server events that carry `event_id`. */
  dedupePercentage: v.nullable(percentage),
  /** Meta's word: `real_time`, `hourly`, `daily` … */
  uploadFrequency: v.nullable(v.string()),
  /** Additional conversions reported, per cent. */
  acrPercentage: v.nullable(v.number()),
  /** Web events of this name delivered in the 24 hours before, from our own numbers. */
  eventsPerDay: v.nullable(v.number()),
});
export type PolledEvent = v.InferOutput<typeof polledEventSchema>;

/** `tenants/{tenant}/matchQualityDays/{yyyy-mm-dd}`: the polls of one UTC day, by the hour they were due. */
export const matchQualityDaySchema = v.object({
  tenantId: v.string(),
  date: v.string(),
  polls: v.record(v.string(), v.object({ at: v.string(), events: v.record(v.string(), polledEventSchema) })),
  expireAt: v.date(),
});
export type MatchQualityDay = v.InferOutput<typeof matchQualityDaySchema>;

const findingSchema = v.object({
  problem: v.picklist(qualityProblems),
  sinceMs: v.number(),
  before: v.number(),
  now: v.number(),
});

/** `matchQuality/{tenant}`: today's picture of a tenant, and when it is polled next. */
export const matchQualitySchema = v.object({
  tenantId: v.string(),
  datasetId: v.string(),
  nextPollAt: v.string(),
  lastPolledAt: v.nullable(v.string()),
  /** The last poll that Meta answered; older than two polls, the picture is stale. */
  lastReadingAt: v.nullable(v.string()),
  /** Why the last poll brought nothing, for a person. */
  trouble: v.nullable(v.object({ since: v.string(), reason: v.string(), what: v.string() })),
  events: v.record(
    v.string(),
    v.object({
      score: v.nullable(v.number()),
      /** What the predictor makes of the events we sent in the last 24 hours. */
      predicted: v.nullable(v.number()),
      /** Missing keys, the one worth most first; gain in points of the score. */
      missingKeys: v.array(v.object({ key: v.picklist(matchKeys), coverage: v.number(), gain: v.number() })),
      /** Mixes of keys we sent in those hours: what calibration learns from. */
      mixes: mixCounts,
      eventsPerDay: v.nullable(v.number()),
      lastEventAt: v.nullable(v.string()),
      /** `fine`, a problem, or why nothing can be said. */
      judgement: v.string(),
      finding: v.nullable(findingSchema),
    }),
  ),
});
export type MatchQuality = v.InferOutput<typeof matchQualitySchema>;

/** `platform/matchQualityModel`: the predictor's weights, fitted over all tenants. */
export const matchQualityModelSchema = v.object({
  weights: v.object(
    Object.fromEntries(matchKeys.map((key) => [key, v.number()])) as Record<
      (typeof matchKeys)[number],
      v.NumberSchema<undefined>
    >,
  ),
  fittedAt: v.string(),
  observations: v.number(),
  meanAbsoluteError: v.number(),
});
export type MatchQualityModel = v.InferOutput<typeof matchQualityModelSchema>;
