import { GraphError } from '../meta/errors.ts';
import { Failed, OutcomeError, RetryLater, Waiting } from './outcomes.ts';
import type { Wait } from './outcomes.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** How long a lost answer may take to become visible in Meta's lists before a write is sent again. */
export const unknownOutcomeGraceMs = 30_000;

/** Whose token a failed step was using, which decides who must act when it is dead or may not. */
export type ActingCredential = 'user' | 'parent' | 'child' | 'none';

/**
 * The outcome an error stands for: our own say it themselves, Meta's are mapped by class. Undefined for anything else.
 *
 * @param retries how many attempts have already failed in a row; repeated trouble waits longer, to at most an hour.
 */
export function outcomeOf(
  error: unknown,
  acting: ActingCredential,
  retries: number,
  now: Date,
): OutcomeError['outcome'] | undefined {
  if (error instanceof OutcomeError) return error.outcome;
  return error instanceof GraphError ? fromGraphError(error, acting, retries, now).outcome : undefined;
}

/**
 * Makes a call with another token than the step's own: when Meta refuses that token, its owner is who must act.
 *
 * @throws Waiting on the token's owner; any other error as it was
 */
export async function actingAs<Result>(acting: ActingCredential, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    const isAboutToken = error instanceof GraphError && (error.class === 'token-dead' || error.class === 'permission');
    throw isAboutToken ? fromGraphError(error, acting, 0, new Date(0)) : error;
  }
}

function fromGraphError(error: GraphError, acting: ActingCredential, retries: number, now: Date): OutcomeError {
  const { advice, message, reason } = error;
  switch (error.class) {
    case 'transient':
      return new RetryLater(message, { afterMs: backOffMs(retries) });
    case 'unknown-outcome':
      return new RetryLater(message, { afterMs: unknownOutcomeGraceMs });
    case 'throttled':
    case 'rescheduled': {
      const untilMs = (error.retryAtMs ?? now.getTime() + 5 * minuteMs) - now.getTime();
      return new RetryLater(message, { afterMs: Math.max(1_000, untilMs), burnsAttempt: false });
    }
    case 'token-dead':
      return acting === 'user'
        ? waitOn(
            'client',
            'reconnect',
            'Connect Meta & Instagram again: Meta no longer accepts the consent given earlier.',
            24,
          )
        : waitOn(
            'kobi',
            `${acting}-token`,
            `Meta no longer accepts the ${acting} system user's token: mint a new one. ${message}`,
            1,
          );
    case 'permission':
      return acting === 'user'
        ? waitOn(
            'client',
            reason,
            advice ?? 'Connect Meta & Instagram again and leave every permission switched on.',
            1,
          )
        : waitOn('kobi', reason, `${advice ?? 'A permission is missing.'} ${message}`, 1);
    case 'policy-block':
      return waitOn('meta', reason, `${advice ?? 'Meta has blocked this.'} ${message}`, 6);
    case 'quota':
      return waitOn('kobi', reason, `${advice ?? 'A fixed limit of Meta is used up.'} ${message}`, 6);
    case 'config-bug':
    case 'not-found':
      return new Failed(message, { cause: error });
  }
}

function waitOn(on: Wait['on'], awaited: string, what: string, pollEveryHours: number): Waiting {
  return new Waiting({ on, for: awaited, what, pollEveryMs: pollEveryHours * hourMs });
}

/** How long to stay away after `retries` failed attempts in a row: 5 s, doubling, at most an hour. */
export function backOffMs(retries: number): number {
  return Math.min(hourMs, 5_000 * 2 ** Math.min(10, retries));
}
