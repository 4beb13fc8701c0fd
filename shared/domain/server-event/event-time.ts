import { described, type Refusal } from './server-event.ts';

const DAY_SECONDS = 86_400;

/** Oldest events Meta takes; one older event rejects the whole request ("Using the API", Event Time). */
const MAX_AGE_SECONDS = 7 * DAY_SECONDS;
/** For `physical_store`, whose sales are often uploaded late. */
const MAX_AGE_PHYSICAL_STORE_SECONDS = 62 * DAY_SECONDS;
/** Clocks differ; anything further ahead is refused by Meta. */
const MAX_FUTURE_SECONDS = 60;

/** Ten digits last until the year 2286; thirteen or more are milliseconds, microseconds or nanoseconds. */
const LARGEST_SECONDS = 9_999_999_999;
const UNIX_SECONDS = /^\d{1,20}(?:\.\d{1,9})?$/;

/** Oldest age in seconds for that `action_source`. */
export function maxAgeSeconds(actionSource: string): number {
  return actionSource === 'physical_store' ? MAX_AGE_PHYSICAL_STORE_SECONDS : MAX_AGE_SECONDS;
}

/** Whether Meta would refuse the event for its age now: the check to repeat before sending. */
export function isExpired(event: { event_time: number; action_source: string }, nowSeconds: number): boolean {
  return nowSeconds - event.event_time > maxAgeSeconds(event.action_source);
}

/**
 * `event_time` as whole Unix seconds, or why not. A number or its decimal text; fractions are cut. Milliseconds are
 * refused rather than guessed: a sender that is wrong about the unit is wrong about every event.
 */
export function readEventTime(value: unknown, actionSource: string, nowSeconds: number): number | Refusal {
  const seconds = asSeconds(value);
  if (seconds === undefined) {
    const expected = 'Unix time in seconds, e.g. 1760000000, not a date';
    return { field: 'event_time', code: 'not_unix_seconds', got: described(value), expected };
  }
  if (seconds > LARGEST_SECONDS) {
    return {
      field: 'event_time',
      code: 'not_seconds',
      got: 'looks like milliseconds',
      expected: 'Unix time in seconds',
    };
  }
  const age = nowSeconds - seconds;
  const limit = maxAgeSeconds(actionSource);
  if (age > limit) {
    const expected = `at most ${limit / DAY_SECONDS} days old`;
    return { field: 'event_time', code: 'too_old', got: `${(age / DAY_SECONDS).toFixed(1)} days old`, expected };
  }
  if (-age > MAX_FUTURE_SECONDS) {
    const expected = `at most ${MAX_FUTURE_SECONDS} seconds in the future`;
    return { field: 'event_time', code: 'in_the_future', got: `${-age} seconds in the future`, expected };
  }
  return seconds;
}

function asSeconds(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? Math.floor(value) : undefined;
  return typeof value === 'string' && UNIX_SECONDS.test(value.trim()) ? Math.floor(Number(value)) : undefined;
}
