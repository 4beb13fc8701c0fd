import type { Warning } from '../../../shared/domain/identifiers/finding.ts';
import { judgeServerEvent } from '../../../shared/domain/server-event/judge.ts';
import type { JudgeContext } from '../../../shared/domain/server-event/judge.ts';
import type { HashedServerEvent, Refusal } from '../../../shared/domain/server-event/server-event.ts';
import { maxEventBytes } from '../events-message.ts';

/** One event that was not taken: the first reason, and the others under `also`. */
export interface RefusedEvent extends Refusal {
  /** Position in `data`, from 0. */
  readonly index: number;
  readonly event_id?: string;
  readonly also?: readonly Refusal[];
}

/** One key of an event that was not sent, or not as it came. The event itself was taken unless it is also refused. */
export interface KeyWarning {
  readonly index: number;
  readonly key: string;
  readonly code: string;
}

export interface Verdicts {
  /** Hashed, in Meta's wire format, in the order they came. */
  readonly events: readonly HashedServerEvent[];
  readonly refused: readonly RefusedEvent[];
  readonly warnings: readonly KeyWarning[];
  /** For people: one sentence per refused event, one per kind of warning. */
  readonly messages: readonly string[];
}

/** Warnings listed one by one; a sender that is wrong everywhere learns nothing more from the ones after. */
const maxListedWarnings = 1_000;

/** Judges each event by itself: a bad one never takes its siblings with it. */
export function judgeAll(given: readonly unknown[], context: JudgeContext, mayBeLarge: boolean): Verdicts {
  const events: HashedServerEvent[] = [];
  const refused: RefusedEvent[] = [];
  const warnings: KeyWarning[] = [];
  const warned = new Map<string, { readonly warning: Warning; count: number }>();
  for (let index = 0; index < given.length; index += 1) {
    const verdict = judgeServerEvent(given[index], context);
    if (verdict.verdict === 'refused') refused.push(refusedEvent(index, verdict.eventId, verdict.reasons));
    else if (mayBeLarge && sizeOf(verdict.event) > maxEventBytes)
      refused.push(refusedEvent(index, undefined, [tooLarge]));
    else events.push(verdict.event);
    for (const warning of verdict.warnings) {
      if (warnings.length < maxListedWarnings) warnings.push({ index, key: warning.key, code: warning.code });
      const kind = `${warning.key} ${warning.code}`;
      const known = warned.get(kind);
      if (known === undefined) warned.set(kind, { warning, count: 1 });
      else known.count += 1;
    }
  }
  const messages = refused.map(({ index, field, expected, got }) => {
    return `data[${index}] was refused: ${field}: expected ${expected}, got ${got}`;
  });
  for (const { warning, count } of warned.values()) {
    messages.push(`${warning.key}: ${warning.message} (in ${count} ${count === 1 ? 'event' : 'events'})`);
  }
  return { events, refused, warnings, messages };
}

const tooLarge: Refusal = {
  field: 'event',
  code: 'too_large',
  got: 'more',
  expected: `at most ${maxEventBytes} bytes of JSON`,
};

function refusedEvent(index: number, eventId: string | undefined, [first, ...also]: readonly Refusal[]): RefusedEvent {
  const reason = first ?? unexplained;
  return {
    index,
    ...(eventId === undefined ? {} : { event_id: eventId }),
    ...reason,
    ...(also.length === 0 ? {} : { also }),
  };
}

const unexplained: Refusal = { field: 'event', code: 'refused', got: 'something else', expected: 'a valid event' };

function sizeOf(event: HashedServerEvent): number {
  return Buffer.byteLength(JSON.stringify(event));
}
