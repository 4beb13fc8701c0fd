/** What is known about a scheduled job that runs once per slot: its newest finished slot and who is at it just now. */
import * as v from 'valibot';

const instant = v.string();

export const scheduledJobSchema = v.object({
  job: v.string(),
  /** The newest slot that was finished; null before the first. */
  lastSlot: v.nullable(instant),
  /** The oldest slot that is not finished: what `missed-slots` looks for once {@link catchUpAt} has passed. */
  nextSlot: instant,
  /** When somebody must see to the next slot if it is still not finished by then. */
  catchUpAt: instant,
  /** `job:slot` of the run that is going on or ended last. */
  runId: v.nullable(v.string()),
  /** How often that run was begun. */
  attempt: v.number(),
  /** Rises with every begin; a run that was overtaken changes nothing here any more. */
  fence: v.number(),
  lease: v.nullable(v.object({ owner: v.string(), until: instant })),
  finishedAt: v.nullable(instant),
  /** Counts of the run that ended last; null when it failed. */
  report: v.nullable(v.record(v.string(), v.number())),
  /** Why the last run failed, in words that hold no secret; null when it did not. */
  error: v.nullable(v.string()),
});
export type ScheduledJob = v.InferOutput<typeof scheduledJobSchema>;
