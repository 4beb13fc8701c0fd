import { consentField, consentOf } from '../../../shared/domain/relay-policy/consent.ts';
import { treat } from '../../../shared/domain/relay-policy/policy.ts';
import type { DropReason, Policy } from '../../../shared/domain/relay-policy/policy.ts';
import type { Warning } from '../../../shared/domain/identifiers/finding.ts';
import { judgeServerEvent } from '../../../shared/domain/server-event/judge.ts';
import type { JudgeContext } from '../../../shared/domain/server-event/judge.ts';
import { isObject } from '../../../shared/domain/server-event/server-event.ts';
import type { HashedServerEvent, Refusal } from '../../../shared/domain/server-event/server-event.ts';
import { maxEventBytes } from '../events-message.ts';
import { EventTally, countedName } from './event-tally.ts';

/** One event that was not taken: the first reason, and the others under `also`. */
export interface RefusedEvent extends Refusal {
  /** Position in `data`, from 0. */
  readonly index: number;
  readonly event_id?: string;
  readonly also?: readonly Refusal[];
}

/** One event that the tenant's own policy does not send; the sender did nothing wrong. */
export interface DroppedEvent {
  readonly index: number;
  readonly event_id: string;
  readonly code: DropReason;
}

/** One event that is kept until the person decides. */
export interface HeldEvent {
  readonly event: HashedServerEvent;
  readonly personKeys: readonly string[];
}

/** One key of an event that was not sent, or not as it came. The event itself was taken unless it is also refused. */
export interface KeyWarning {
  readonly index: number;
  readonly key: string;
  readonly code: string;
}

export interface Verdicts {
  /** Hashed, in Meta's wire format, in the order they came: what is sent. */
  readonly events: readonly HashedServerEvent[];
  readonly held: readonly HeldEvent[];
  readonly dropped: readonly DroppedEvent[];
  readonly refused: readonly RefusedEvent[];
  readonly warnings: readonly KeyWarning[];
  /** For people: one sentence per refused event, one per kind of warning, one each about those held and dropped. */
  readonly messages: readonly string[];
  readonly tally: EventTally;
}

/** Warnings listed one by one; a sender that is wrong everywhere learns nothing more from the ones after. */
const maxListedWarnings = 1_000;

/** Judges each event by itself and applies the tenant's policy: a bad one never takes its siblings with it. */
export function judgeAll(
  given: readonly unknown[],
  context: JudgeContext,
  policy: Policy,
  mayBeLarge: boolean,
): Verdicts {
  const events: HashedServerEvent[] = [];
  const held: HeldEvent[] = [];
  const dropped: DroppedEvent[] = [];
  const refused: RefusedEvent[] = [];
  const warnings: KeyWarning[] = [];
  const warned = new Map<string, { readonly warning: Warning; count: number }>();
  const tally = new EventTally();

  const refuse = (index: number, name: string, eventId: string | undefined, reasons: readonly Refusal[]): void => {
    refused.push(refusedEvent(index, eventId, reasons));
    tally.add(name, `refused:${reasons[0]?.code ?? unexplained.code}`);
  };
  const warn = (index: number, name: string, warning: Warning): void => {
    if (warnings.length < maxListedWarnings) warnings.push({ index, key: warning.key, code: warning.code });
    tally.add(name, `warned:${warning.code}`);
    const kind = `${warning.key} ${warning.code}`;
    const known = warned.get(kind);
    if (known === undefined) warned.set(kind, { warning, count: 1 });
    else known.count += 1;
  };

  const ofPolicy: Warning[] = [];
  for (let index = 0; index < given.length; index += 1) {
    const verdict = judgeServerEvent(given[index], context);
    const name = countedName(verdict);
    tally.add(name, 'received');
    for (const warning of verdict.warnings) {
      // Ours: read below, and no parameter of Meta's.
      if (warning.key !== consentField || warning.code !== 'unknown_key') warn(index, name, warning);
    }
    const consent = signalOf(given[index]);
    if (verdict.verdict === 'refused') {
      const reasons = typeof consent === 'string' ? verdict.reasons : [...verdict.reasons, consent];
      refuse(index, name, verdict.eventId, reasons);
      continue;
    }
    const { event } = verdict;
    if (typeof consent !== 'string') {
      refuse(index, name, event.event_id, [consent]);
      continue;
    }
    if (mayBeLarge && sizeOf(event) > maxEventBytes) {
      refuse(index, name, event.event_id, [tooLarge]);
      continue;
    }
    const treatment = treat(event, consent, policy, ofPolicy);
    if (treatment.kind === 'send') events.push(treatment.event);
    else if (treatment.kind === 'refuse') refuse(index, name, event.event_id, [treatment.reason]);
    else if (treatment.kind === 'hold') {
      held.push(treatment);
      tally.add(name, 'held');
    } else {
      dropped.push({ index, event_id: event.event_id, code: treatment.reason });
      tally.add(name, `dropped:${treatment.reason}`);
    }
    if (ofPolicy.length > 0) for (const warning of ofPolicy.splice(0)) warn(index, name, warning);
  }

  const messages = refused.map(({ index, field, expected, got }) => {
    return `data[${index}] was refused: ${field}: expected ${expected}, got ${got}`;
  });
  for (const { warning, count } of warned.values()) {
    messages.push(`${warning.key}: ${warning.message} (in ${eventCount(count)})`);
  }
  if (held.length > 0) messages.push(`${eventCount(held.length)} held until the person decides about consent`);
  if (dropped.length > 0) messages.push(`${eventCount(dropped.length)} not sent, as the settings of the client say`);
  return { events, held, dropped, refused, warnings, messages, tally };
}

/** Every event was bad: nothing is sent, kept or left out on purpose. */
export function isNothingTaken({ events, held, dropped }: Verdicts): boolean {
  return events.length === 0 && held.length === 0 && dropped.length === 0;
}

function signalOf(event: unknown): ReturnType<typeof consentOf> {
  return isObject(event) ? consentOf(event) : 'absent';
}

function eventCount(count: number): string {
  return count === 1 ? '1 event' : `${count} events`;
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
