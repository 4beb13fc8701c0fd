import { GraphError } from '../../../shared/meta/errors.ts';
import { OutcomeError } from '../../../shared/runtime/outcomes.ts';

/** What became of one event that was to be sent to Meta. */
export type Fate =
  | { readonly kind: 'accepted' }
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
  /** Somebody must act before it can succeed; what to do. */
  readonly advice: string | undefined;
}

export const accepted: Fate = { kind: 'accepted' };

/** How long events rest when only a person, or Meta's staff, can change the answer. */
export const holdMs = 60 * 60_000;

/**
 * What a failed call means for the events it carried. No error loses an event: what is neither the event's own fault nor
 * sure to be undone rests and comes back.
 */
export function fateOf(error: unknown, now: Date): Exclude<Fate, { kind: 'accepted' }> {
  if (error instanceof OutcomeError) return fateOfOutcome(error);
  if (!(error instanceof GraphError)) return later('unexpected error while sending', { uncertain: true });
  const { message } = error;
  const uncertain = error.outcome === 'unknown';
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
    case 'not-found':
      return later(message, { afterMs: holdMs, uncertain, advice: error.advice ?? 'Look at what Meta says.' });
    case 'config-bug':
      if (uncertain) return later(message, { uncertain });
      if (isAboutAnEvent(error)) return quarantined(error);
      return later(message, { afterMs: holdMs, advice: error.advice ?? 'Our request is wrong: correct it.' });
  }
}

/** "Invalid parameter" and the subcodes of the Conversions API: with 1,000 events in a call, one of them is the cause. */
function isAboutAnEvent({ code, subcode }: GraphError): boolean {
  return code === 100 || isConversionsCode(code) || isConversionsCode(subcode);
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

function later(reason: string, more: Partial<Omit<Later, 'kind' | 'reason'>> = {}): Later {
  const { afterMs, uncertain = false, advice } = more;
  return { kind: 'later', reason, afterMs, uncertain, advice };
}
