/**
 * The four ways a function's work can end, and the errors that say so. Nothing else decides whether a message is
 * acknowledged: `done`, `waiting` and `failed` ack; `retry` acks when a delay is known (a Cloud Task brings it back) and
 * nacks when not; any other thrown error nacks and ends in the dead letters after the subscription's attempts.
 */
import type { WaitParty } from '../domain/provisioning-steps.ts';

export interface Wait {
  /** Who must act. */
  readonly on: WaitParty;
  /** A stable name of what is awaited, e.g. `dns-record`. */
  readonly for: string;
  /** What to do, in words fit to show to that party. */
  readonly what: string;
  /** How often `resume-waits` looks again; long waits are polled, never nacked. */
  readonly pollEveryMs: number;
  /** After this long the wait becomes a failure for a person to look at. Absent: never. */
  readonly expiresAfterMs?: number;
}

export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs?: number; readonly burnsAttempt: boolean }
  | { readonly kind: 'waiting'; readonly wait: Wait }
  | { readonly kind: 'failed'; readonly reason: string };

/** Every error of ours must say what becomes of the work: the compiler does not let a new class forget. */
export abstract class OutcomeError extends Error {
  abstract readonly outcome: Exclude<Outcome, { kind: 'done' }>;
}

/**
 * Try again: after `afterMs` when the time is known, otherwise with the subscription's back-off. An attempt that only
 * met a throttle does not count against the limit (`burnsAttempt: false`).
 */
export class RetryLater extends OutcomeError {
  override readonly name = 'RetryLater';
  readonly outcome: Extract<Outcome, { kind: 'retry' }>;
  constructor(reason: string, options: { afterMs?: number; burnsAttempt?: boolean } = {}) {
    super(reason);
    const { afterMs, burnsAttempt = true } = options;
    this.outcome = { kind: 'retry', reason, burnsAttempt, ...(afterMs === undefined ? {} : { afterMs }) };
  }
}

/** Park until somebody acted. */
export class Waiting extends OutcomeError {
  override readonly name = 'Waiting';
  readonly outcome: Extract<Outcome, { kind: 'waiting' }>;
  constructor(wait: Wait) {
    super(`waiting on ${wait.on} for ${wait.for}`);
    this.outcome = { kind: 'waiting', wait };
  }
}

/**
 * A step found that there is nothing for it to do: it ends as skipped, with the reason, and those who need it go on. Not
 * an {@link OutcomeError}, because it is a way of being done.
 */
export class NotNeeded extends Error {
  override readonly name = 'NotNeeded';
  readonly reason: string;
  constructor(reason: string) {
    super(`not needed: ${reason}`);
    this.reason = reason;
  }
}

/** Stop: more attempts cannot help, a person must look. */
export class Failed extends OutcomeError {
  override readonly name = 'Failed';
  readonly outcome: Extract<Outcome, { kind: 'failed' }>;
  constructor(reason: string, options: { cause?: unknown } = {}) {
    super(reason, options);
    this.outcome = { kind: 'failed', reason };
  }
}
