import type { DeadLetter } from '../../../shared/contracts/documents.ts';
import type { Replay } from '../../../shared/contracts/replay-documents.ts';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import { replayedEventId } from '../../../shared/domain/replayability.ts';
import { isExpired } from '../../../shared/domain/server-event/event-time.ts';
import { isEventsMessage, messageOf } from '../../../shared/gcp/dead-letter-store.ts';
import type { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import { sliceMessage } from '../../../shared/gcp/replay-store.ts';
import type { LeasedReplay, ReplayWork } from '../../../shared/gcp/replay-work.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import type { Outcome } from '../../../shared/runtime/outcomes.ts';
import { walkAhead } from '../letter-walk.ts';

export interface SliceDependencies {
  readonly replays: Pick<ReplayWork, 'lease' | 'take' | 'endSlice'>;
  readonly deadLetters: Pick<DeadLetterStore, 'page' | 'readMany'>;
  /** Resolves once Pub/Sub has the message. */
  readonly publish: (topic: string, json: string) => Promise<void>;
  /** Brings a message back to this function at a known time; the same message for the same time once. */
  readonly bringBack: (envelope: Envelope, at: Date) => Promise<void>;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** One request works this long, well within the function's timeout and the lease. */
const sliceMs = 20_000;
/** Letters taken at once; after a crash so many may be published twice. */
const largestBatch = 25;
/** Letters read at once and held in memory, each with up to 0.7 MB of content. */
const lettersAhead = 200;

/**
 * Works on a replay for a while: takes letters, publishes each to the topic it came from, and hands on to the next slice
 * by Cloud Tasks until no letter is left or the replay is cancelled.
 *
 * Never more letters than `ratePerSecond` times the seconds passed, and one batch (a quarter of a second's, at most 25).
 * A worker that dies leaves its place and the letters in its hand in the replay's document: the redelivered message goes
 * on there, and what it publishes a second time has the same `eventId` and the same `event_id`s.
 */
export async function replaySlice(
  { data }: Envelope<'capi-replay'>,
  dependencies: SliceDependencies,
  log: Logger,
): Promise<Outcome> {
  const { bringBack, replays } = dependencies;
  const lease = await replays.lease(data.replayId, data.slice);
  switch (lease.kind) {
    case 'nothing-to-do':
      return { kind: 'done' };
    case 'busy':
      return { kind: 'retry', reason: 'another worker has this replay', burnsAttempt: true };
    case 'moved-on':
      // The worker may have died between handing on and scheduling.
      await bringBack(sliceMessage(lease.replay), lease.at);
      return { kind: 'done' };
    case 'leased':
      break;
  }
  const next = await replays.endSlice(lease.leased, await workOn(lease.leased, dependencies));
  if (next === undefined) log.info({ replayId: data.replayId, slice: data.slice }, 'replay ended');
  else await bringBack(next, new Date(next.at));
  return { kind: 'done' };
}

async function workOn(
  leased: LeasedReplay,
  dependencies: SliceDependencies,
): Promise<{ readonly isFinished: boolean; readonly at: Date }> {
  const { deadLetters, now, replays, sleep } = dependencies;
  const { replay } = leased;
  const { ratePerSecond, selection } = replay;
  const batch = Math.min(largestBatch, Math.max(1, Math.floor(ratePerSecond / 4)));
  const endMs = now().getTime() + sliceMs;
  let mayTakeAtMs = Date.parse(replay.sliceAt);
  const walk = walkAhead(
    {
      page: (filter, after, limit) => deadLetters.page(filter, 'oldest-first', after, limit),
      byIds: (ids) => deadLetters.readMany(ids),
    },
    selection,
    replay.cursor,
    { ahead: lettersAhead, batch },
  );

  if (replay.inHand.length > 0) {
    await publishAll(await deadLetters.readMany(replay.inHand), replay, dependencies);
    mayTakeAtMs = now().getTime() + (replay.inHand.length / ratePerSecond) * 1_000;
  }
  for (;;) {
    const waitMs = mayTakeAtMs - now().getTime();
    if (Math.max(waitMs, 0) + now().getTime() > endMs) return { isFinished: false, at: new Date(mayTakeAtMs) };
    if (waitMs > 0) await sleep(waitMs);

    const stretch = await walk.next();
    const startMs = Math.max(mayTakeAtMs, now().getTime());
    const taken = await replays.take(leased, stretch.letters.map(withReadableContent), stretch);
    if (taken.kind === 'stopped') return { isFinished: false, at: now() };
    const chosen = new Set(taken.letterIds);
    const letters = stretch.letters.filter(({ deadLetterId }) => chosen.has(deadLetterId));
    await publishAll(letters, replay, dependencies);
    if (stretch.isLast) return { isFinished: true, at: now() };
    mayTakeAtMs = startMs + (letters.length / ratePerSecond) * 1_000;
  }
}

/** Content that is no message of its topic any more makes a letter one that cannot be replayed. */
function withReadableContent(letter: DeadLetter): DeadLetter {
  return messageOf(letter) === undefined ? { ...letter, replayableUntil: null } : letter;
}

/** Rejects when one of them is not certain to be published; all of them are still in hand then. */
async function publishAll(
  letters: readonly DeadLetter[],
  replay: Replay,
  { now, publish }: SliceDependencies,
): Promise<void> {
  const at = now();
  await Promise.all(
    letters.map(async (letter) => {
      const message = messageOf(letter);
      if (message !== undefined) await publish(letter.topic, JSON.stringify(replayed(message, letter, replay, at)));
    }),
  );
}

/**
 * The message with an id of its own, from which a copy that dies again is known to be the same letter. Events keep their
 * `event_id`; those that grew too old for Meta stay behind. `at` and the attempts begin anew: back-off, latency and the last
 * attempt are counted from them.
 */
function replayed(message: Envelope, letter: DeadLetter, { replayId, traceparent }: Replay, at: Date): Envelope {
  const head = {
    eventId: replayedEventId(replayId, letter.deadLetterId),
    at: at.toISOString(),
    traceparent,
  };
  if (!isEventsMessage(message)) return { ...message, ...head };
  const { attempt: _spent, events, ...data } = message.data;
  const fresh = events.filter((event) => !isTooOld(event, at));
  return { ...message, ...head, data: { ...data, events: fresh.length === 0 ? events : fresh } };
}

function isTooOld({ event_time: time, action_source: source }: Readonly<Record<string, unknown>>, at: Date): boolean {
  return (
    typeof time === 'number' && isExpired({ event_time: time, action_source: String(source) }, at.getTime() / 1_000)
  );
}
