/** Whether a dead letter may be sent again. The dry run and the replay ask the same question, so they agree. */
import { maxAgeSeconds } from './server-event/event-time.ts';

/** What must be known of a letter. Instants are ISO 8601 in UTC, which sort as text. */
export interface ReplayableLetter {
  readonly lastAt: string;
  readonly replayableUntil: string | null;
}

/** The letter's last replay, should there have been one. */
export interface EarlierReplay {
  readonly replayId: string;
  readonly at: string;
}

export type ReplayVerdict =
  | { readonly outcome: 'replayed'; readonly wasReplayedBefore: boolean }
  | {
      /**
       * - `not-replayable`: the message was malformed, so its content was not kept
       * - `too-old`: Meta takes none of its events any more (7 days, 62 for `physical_store`)
       * - `in-progress`: it was sent again moments ago and its fate is open
       * - `already-replayed`: it was sent again and did not die again
       */
      readonly outcome: 'not-replayable' | 'too-old' | 'in-progress' | 'already-replayed';
    };

export type ReplayOutcome = ReplayVerdict['outcome'] | 'not-found';

/** How long a replayed letter may still be on its way, for the purpose of not sending it twice. */
const settlingMs = 15 * 60_000;

export function judgeReplay(
  letter: ReplayableLetter,
  earlier: EarlierReplay | undefined,
  now: Date,
  includeReplayed: boolean,
): ReplayVerdict {
  if (letter.replayableUntil === null) return { outcome: 'not-replayable' };
  if (letter.replayableUntil < now.toISOString()) return { outcome: 'too-old' };
  if (earlier === undefined) return { outcome: 'replayed', wasReplayedBefore: false };
  const diedAgain = letter.lastAt > earlier.at;
  if (!diedAgain) {
    if (now.getTime() - Date.parse(earlier.at) < settlingMs) return { outcome: 'in-progress' };
    if (!includeReplayed) return { outcome: 'already-replayed' };
  }
  return { outcome: 'replayed', wasReplayedBefore: true };
}

/** The instant from which on Meta takes none of these events; undefined when none has a readable time. */
export function youngEnoughUntil(events: readonly Readonly<Record<string, unknown>>[]): Date | undefined {
  const seconds = events.flatMap(({ event_time: time, action_source: source }) =>
    typeof time === 'number' && Number.isFinite(time) ? [time + maxAgeSeconds(String(source))] : [],
  );
  if (seconds.length === 0) return undefined;
  return new Date(seconds.reduce((latest, second) => Math.max(latest, second), 0) * 1_000);
}

/** The id of a replayed message: from it a copy that dies again is known to be the same letter. */
export function replayedEventId(replayId: string, deadLetterId: string): string {
  return `replay:${replayId}:${deadLetterId}`;
}

/** The letter that a message with this id is a replay of; undefined when it is none. */
export function replayedLetterId(eventId: string | null): string | undefined {
  return /^replay:[\w-]+:([0-9a-f]{32})$/.exec(eventId ?? '')?.[1];
}
