import { GraphError } from '../../../shared/meta/errors.ts';
import { OutcomeError } from '../../../shared/runtime/outcomes.ts';

/** What became of one event that was to be sent to Meta. */
export type Fate =
  | { readonly kind: 'accepted' }
  /** It reached Meta before, or goes there beside this copy: nothing to do. */
  | { readonly kind: 'duplicate' }
  /** The tenant was offboarded while it was on its way: nobody may send it, keep it or count it. */
  | { readonly kind: 'let-go' }
  /** Meta will never take it: to the dead letters, with the reason. */
  | { readonly kind: 'quarantined'; readonly reason: string; readonly problems: readonly string[] }
  | Later;

/** Not decided. */
export interface Later {
  readonly kind: 'later';
  readonly reason: string;
  /** When it is worth trying again; absent: back off. */
  readonly afterMs: number | undefined;
  /** It may have reached Meta: sending it again, with the same `event_id`, may repeat it. */
  readonly uncertain: boolean;
  /** Somebody must act before it can succeed, so nothing of the tenant is sent until then; what to do. */
  readonly advice: string | undefined;
  /** The trouble is one dataset's: the tenant's others go on. */
  readonly isOfDataset: boolean;
  /** Nobody knows this error: it is tried {@link maxUnknownAttempts} times. Waits and throttles do not count. */
  readonly burnsAttempt: boolean;
  /** Meta answers for this dataset all the same: one call's bad luck, no outage to be patient with. */
  readonly isMetaUp: boolean;
  /** Meta answers at least for other datasets. */
  readonly isMetaUpForOthers: boolean;
}

/** What a call that failed can mean. */
export type FailedFate = Extract<Fate, { kind: 'quarantined' | 'later' }>;

export const accepted: Fate = { kind: 'accepted' };
export const duplicate: Fate = { kind: 'duplicate' };
export const letGo: Fate = { kind: 'let-go' };

/** How long events rest when only a person, or Meta's staff, can change the answer. */
export const holdMs = 60 * 60_000;

/** After this many answers nobody knows, the event Meta answers so is a dead letter. */
export const maxUnknownAttempts = 5;

/**
 * What a failed call means for the events it carried. No error loses an event: what is neither the event's own fault nor
 * sure to be undone rests and comes back.
 *
 * @param isLastAttempt an error nobody knows has come back often enough to be the event's own
 */
export function fateOf(error: unknown, now: Date, isLastAttempt = false): FailedFate {
  if (error instanceof OutcomeError) return fateOfOutcome(error);
  if (!(error instanceof GraphError)) return later('unexpected error while sending', { uncertain: true });
  const { message } = error;
  const uncertain = error.outcome === 'unknown';
  // Meta's own WordPress plugin does not take this one for a dead token.
  if (error.code === 190 && error.subcode === 452) return later(message, { uncertain });
  // What may have been taken cannot be halved to find a culprit: that would send it again. It backs off like a 5xx.
  if (error.reason === 'unlisted-error' && !uncertain && !error.isTransient) {
    return isLastAttempt ? quarantined(error) : later(message, { burnsAttempt: true });
  }
  switch (error.class) {
    case 'transient':
    case 'unknown-outcome':
      return later(message, { uncertain });
    case 'throttled':
    case 'rescheduled': {
      const waitMs = error.retryAtMs === undefined ? 5 * 60_000 : error.retryAtMs - now.getTime();
      return later(message, { afterMs: Math.max(1_000, waitMs), uncertain });
    }
    case 'token-dead':
    case 'permission':
    case 'policy-block':
    case 'quota':
    case 'not-found': {
      const advice = error.advice ?? 'Look at what Meta says.';
      return later(message, { afterMs: holdMs, uncertain, advice, isOfDataset: error.class === 'not-found' });
    }
    case 'config-bug':
      if (uncertain) return later(message, { uncertain });
      if (isAboutAnEvent(error)) return quarantined(error);
      return later(message, { afterMs: holdMs, advice: error.advice ?? 'Our request is wrong: correct it.' });
  }
}

/**
 * "Invalid parameter", "too many parameters" and the subcodes of the Conversions API: with 1,000 events in a call, one of
 * them is the cause, or their number.
 */
function isAboutAnEvent({ code, subcode }: GraphError): boolean {
  return code === 100 || code === 105 || isConversionsCode(code) || isConversionsCode(subcode);
}

function isConversionsCode(code: number | undefined): boolean {
  return code !== undefined && code >= 2_804_000 && code <= 2_804_999;
}

function quarantined(error: GraphError): Fate & { kind: 'quarantined' } {
  const problems = [error.message, error.userTitle, error.userMessage].filter((text) => text !== undefined);
  return { kind: 'quarantined', reason: error.reason, problems };
}

function fateOfOutcome({ outcome }: OutcomeError): Later {
  switch (outcome.kind) {
    case 'retry':
      return later(outcome.reason, outcome.afterMs === undefined ? {} : { afterMs: outcome.afterMs });
    case 'waiting':
      return later(`waiting on ${outcome.wait.on} for ${outcome.wait.for}`, {
        afterMs: holdMs,
        advice: outcome.wait.what,
      });
    case 'failed':
      return later(outcome.reason, { afterMs: holdMs, advice: outcome.reason });
  }
}

export function later(reason: string, more: Partial<Omit<Later, 'kind' | 'reason'>> = {}): Later {
  const { afterMs, uncertain = false, advice, isOfDataset = false, burnsAttempt = false } = more;
  const { isMetaUp = false, isMetaUpForOthers = false } = more;
  return { kind: 'later', reason, afterMs, uncertain, advice, isOfDataset, burnsAttempt, isMetaUp, isMetaUpForOthers };
}

/** A 5xx or a lost answer, of which the next call may see nothing. */
export function isBadLuck({ afterMs, advice, burnsAttempt }: Later): boolean {
  return afterMs === undefined && advice === undefined && !burnsAttempt;
}
