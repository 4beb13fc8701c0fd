/** What is remembered about replays of dead letters: each replay, and beside each letter when it was replayed. */
import * as v from 'valibot';

/** Which letters: all fields that are given must match. `since` is inclusive, `until` exclusive, both of `firstAt`. */
export const letterFilterSchema = v.object({
  tenantId: v.nullable(v.string()),
  topic: v.nullable(v.string()),
  reason: v.nullable(v.string()),
  since: v.nullable(v.string()),
  until: v.nullable(v.string()),
});
export type LetterFilter = v.InferOutput<typeof letterFilterSchema>;

export const letterSelectionSchema = v.variant('kind', [
  v.object({ kind: v.literal('filter'), filter: letterFilterSchema }),
  v.object({ kind: v.literal('ids'), ids: v.array(v.string()) }),
]);
export type LetterSelection = v.InferOutput<typeof letterSelectionSchema>;

/** A letter's place in the order of `firstAt` and id, which never changes. */
export const letterPlaceSchema = v.object({ firstAt: v.string(), deadLetterId: v.string() });
export type LetterPlace = v.InferOutput<typeof letterPlaceSchema>;

export const replayStates = ['running', 'done', 'cancelled'] as const;

export const replaySchema = v.object({
  replayId: v.string(),
  state: v.picklist(replayStates),
  selection: letterSelectionSchema,
  /** Letters that were replayed before and did not die again are replayed all the same. */
  includeReplayed: v.boolean(),
  ratePerSecond: v.number(),
  actor: v.string(),
  reason: v.string(),
  /** Whose letters the dry run at the start found; each of them has it in the audit. */
  tenantIds: v.array(v.string()),
  /** How many letters the dry run at the start would have replayed. */
  planned: v.number(),
  traceparent: v.string(),
  createdAt: v.string(),
  finishedAt: v.nullable(v.string()),
  /** Outcome → letters. */
  outcomes: v.record(v.string(), v.number()),
  /** Of the replayed ones: how many had been replayed before. */
  replayedBefore: v.number(),
  /** Up to where letters were looked at: a place, or an index into the ids. */
  cursor: v.nullable(
    v.variant('kind', [
      v.object({ kind: v.literal('place'), place: letterPlaceSchema }),
      v.object({ kind: v.literal('index'), index: v.number() }),
    ]),
  ),
  /** Letters that are taken and perhaps not yet published; a crash leaves them here. */
  inHand: v.array(v.string()),
  /** The stretch of work that is next or under way; a message of an earlier one is void. */
  slice: v.number(),
  sliceAt: v.string(),
  fence: v.number(),
  leaseUntil: v.nullable(v.string()),
  expireAt: v.date(),
});
export type Replay = v.InferOutput<typeof replaySchema>;

/** Beside a dead letter, under its id: when it was replayed. The letter itself is never edited. */
export const letterReplaysSchema = v.object({
  deadLetterId: v.string(),
  tenantId: v.string(),
  /** Every replay of it counts; the last ones are listed, oldest first. */
  count: v.number(),
  replays: v.array(v.object({ replayId: v.string(), at: v.string(), actor: v.string() })),
  expireAt: v.date(),
});
export type LetterReplays = v.InferOutput<typeof letterReplaysSchema>;
