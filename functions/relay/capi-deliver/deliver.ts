import { keyMixOf } from '../../../shared/domain/match-quality/key-mix.ts';
import { isExpired } from '../../../shared/domain/server-event/event-time.ts';
import { isObject } from '../../../shared/domain/server-event/server-event.ts';
import type { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import type { RelayCounters } from '../../../shared/gcp/relay-counters.ts';
import { maxEventsPerCall } from '../../../shared/meta/conversions.ts';
import type { MessageHandler } from '../../../shared/runtime/pubsub-function.ts';
import { currentTraceparent } from '../../../shared/runtime/trace.ts';
import { inBatchSpan } from '../../../shared/runtime/tracing.ts';
import { cutToFit, withEvents } from '../events-message.ts';
import type { EventsEnvelope, HashedEvent } from '../events-message.ts';
import { createBatchDelivery } from './deliver-batch.ts';
import type { BatchDependencies, Destination } from './deliver-batch.ts';
import { createFairQueue } from './fair-queue.ts';
import { isBadLuck, maxUnknownAttempts } from './fate.ts';
import type { Fate, Later } from './fate.ts';
import { createGatherer } from './gatherer.ts';

export interface DeliverDependencies extends Omit<BatchDependencies, 'onRepeat'> {
  readonly deadLetters: Pick<DeadLetterStore, 'record'>;
  readonly counters: Pick<RelayCounters, 'count' | 'latency' | 'flushIfDue'>;
  /** Brings a message back at a known time. Resolves when that is certain. */
  readonly bringBack: (envelope: EventsEnvelope, at: Date) => Promise<void>;
  readonly schedule: (run: () => void, delayMs: number) => void;
  /** How long events wait for company. Added to every delivery, saves a Graph call for each that comes in it. */
  readonly gatherMs?: number;
}

const oldestBackOffMs = 60 * 60_000;
const firstBackOffMs = 10_000;
/** An event this close to Meta's limit could be over it when it arrives, and would refuse its whole batch. */
const ageMarginSeconds = 60;
/** Calls under way per instance, and of those for one tenant: the rest of its events wait and travel in fuller calls. */
const callShares = { maxTotal: 32, maxPerKey: 4 };
const deadLettersAtOnce = 20;
/**
 * After so many comebacks an answer that is nobody's fault may be one event's after all. Where Meta takes nothing else of
 * the dataset, its trouble may be the dataset's too, and gets this long to end.
 */
const suspectAfterHops = 3;
const datasetTroubleEndsWithinMs = 30 * 60_000;

/**
 * Delivers `capi-events` messages to Meta. One of these per instance: it gathers the events of concurrent messages.
 *
 * A message is acknowledged only when every event of it was accepted by Meta (now or before), or lies in the dead letters
 * with Meta's reason, or comes back in a message of its own at a known time. An event that Meta accepted is not sent again
 * because a sibling was not.
 */
export function createDelivery(dependencies: DeliverDependencies): MessageHandler<'capi-events'> {
  const { bringBack, counters, deadLetters, now, schedule, gatherMs = 250 } = dependencies;
  const fairly = createFairQueue(callShares);
  const deliverBatch = createBatchDelivery({
    ...dependencies,
    onRepeat: (tenantId, events) => {
      for (const event of events) counters.count(tenantId, nameOf(event), 'uncertain');
    },
  });
  const gatherer = createGatherer<Destination, HashedEvent, Fate>({
    textOf: ({ tenantId, datasetId, testEventCode, isLastAttempt, apartAs }) =>
      JSON.stringify([tenantId, datasetId, testEventCode, isLastAttempt, apartAs]),
    maxItems: maxEventsPerCall,
    delayMs: gatherMs,
    schedule,
    inTurn: ({ tenantId }, leave) => fairly.run(tenantId, leave),
    traceOf: currentTraceparent,
    flush: (destination, events, traces) =>
      inBatchSpan('deliver batch', traces, () => deliverBatch(destination, events)),
  });

  const quarantine = async (envelope: EventsEnvelope, { event, fate }: Quarantined): Promise<void> => {
    const alone = withEvents(envelope, [event]);
    await deadLetters.record({
      topic: 'capi-events',
      tenantId: envelope.tenantId,
      eventId: alone.eventId,
      identity: alone.eventId,
      reason: fate.reason,
      problems: fate.problems,
      // As text: Firestore takes no list in a list, and would index every field of every event.
      payload: JSON.stringify(alone),
    });
    counters.count(envelope.tenantId, nameOf(event), `dead:${fate.reason}`);
  };

  const bringBackAll = async (envelope: EventsEnvelope, left: readonly Left[]): Promise<void> => {
    const nowMs = now().getTime();
    const ageMs = nowMs - Date.parse(envelope.at);
    const { data, hop = 0 } = envelope;
    const { attempt = 0, isApart = false } = data;
    const groups = new Map<string, Comeback>();
    for (const { event, fate } of left) {
      const at = new Date(nowMs + Math.round(fate.afterMs ?? backOffMs(fate, ageMs, hop)));
      const next = fate.burnsAttempt ? attempt + 1 : attempt;
      const suspect = isSuspect(fate, ageMs, hop);
      const key = `${at.getTime()} ${next} ${suspect}`;
      const again = { ...data, ...(next > 0 && { attempt: next }), ...(suspect && { isApart: true as const }) };
      // What failed in a call of its own holds the culprit in one of its halves.
      const group = groups.get(key) ?? { at, data: again, isHalved: suspect && isApart, events: [] };
      group.events.push(event);
      groups.set(key, group);
    }
    for (const { at, data: again, isHalved, events } of groups.values()) {
      const middle = isHalved ? Math.ceil(events.length / 2) : events.length;
      for (const some of [events.slice(0, middle), events.slice(middle)]) {
        for (const part of cutToFit({ ...envelope, data: again }, some)) await bringBack(part, at);
      }
    }
  };

  return async (envelope, log) => {
    const { tenantId } = envelope;
    const { datasetId, testEventCode, events, attempt = 0, isApart = false } = envelope.data;
    const limitSeconds = now().getTime() / 1_000 + ageMarginSeconds;
    const expired = events.filter((event) => isTooOld(event, limitSeconds));
    const fresh = expired.length === 0 ? events : events.filter((event) => !isTooOld(event, limitSeconds));

    const isLastAttempt = attempt >= maxUnknownAttempts;
    const apartAs = isApart ? envelope.eventId : undefined;
    const fates = await gatherer.add({ tenantId, datasetId, testEventCode, isLastAttempt, apartAs }, fresh);

    const left: Left[] = [];
    const bad: Quarantined[] = expired.map((event) => ({ event, fate: tooOld }));
    let duplicates = 0;
    let letGo = 0;
    const latencyMs = now().getTime() - Date.parse(envelope.at);
    for (const [index, event] of fresh.entries()) {
      const fate = fates[index];
      if (fate?.kind === 'later') left.push({ event, fate });
      else if (fate?.kind === 'let-go') letGo += 1;
      else if (fate?.kind === 'quarantined') bad.push({ event, fate });
      else if (fate?.kind === 'accepted') {
        counters.count(tenantId, nameOf(event), 'delivered');
        counters.latency(tenantId, nameOf(event), latencyMs);
        // Meta scores the findability of web events only.
        if (event['action_source'] === 'website')
          counters.count(tenantId, nameOf(event), `keys:${keyMixOf(userDataOf(event))}`);
      } else {
        counters.count(tenantId, nameOf(event), 'duplicate');
        duplicates += 1;
      }
    }
    for (let from = 0; from < bad.length; from += deadLettersAtOnce) {
      await Promise.all(bad.slice(from, from + deadLettersAtOnce).map((each) => quarantine(envelope, each)));
    }
    await bringBackAll(envelope, left);
    const taken = events.length - bad.length - left.length - duplicates - letGo;
    log.info(
      {
        datasetId,
        events: events.length,
        accepted: taken,
        ...(taken > 0 && { latencyMs }),
        duplicates,
        letGo,
        quarantined: bad.length - expired.length,
        expired: expired.length,
        later: left.length,
        uncertain: left.filter(({ fate }) => fate.uncertain).length,
      },
      'message settled',
    );
    await counters.flushIfDue();
    return { kind: 'done' };
  };
}

interface Left {
  readonly event: HashedEvent;
  readonly fate: Later;
}

/** Events of one message that come back together. */
interface Comeback {
  readonly at: Date;
  readonly data: EventsEnvelope['data'];
  readonly isHalved: boolean;
  readonly events: HashedEvent[];
}

interface Quarantined {
  readonly event: HashedEvent;
  readonly fate: Extract<Fate, { kind: 'quarantined' }>;
}

const tooOld: Quarantined['fate'] = {
  kind: 'quarantined',
  reason: 'expired',
  problems: ['older than Meta takes (7 days, 62 for physical_store)'],
};

function isTooOld(event: HashedEvent, nowSeconds: number): boolean {
  const { event_time: time, action_source: source } = event;
  return typeof time === 'number' && isExpired({ event_time: time, action_source: String(source) }, nowSeconds);
}

function userDataOf(event: HashedEvent): Readonly<Record<string, unknown>> {
  const { user_data: userData } = event;
  return isObject(userData) ? userData : {};
}

function nameOf(event: HashedEvent): string {
  return String(event['event_name']);
}

/** Whether an answer like a 5xx has come so often, while Meta took other events, that one of these may be its cause. */
function isSuspect(fate: Later, ageMs: number, hop: number): boolean {
  if (hop < suspectAfterHops || !isBadLuck(fate)) return false;
  return fate.isMetaUp || (fate.isMetaUpForOthers && ageMs > datasetTroubleEndsWithinMs);
}

/**
 * Half the time since the events came, so waits grow by half; while Meta takes the dataset's other events, ten seconds more
 * with every comeback, so that neither age nor an earlier hold makes them wait, and an event that never gets an answer is
 * still asked about less and less.
 */
function backOffMs({ isMetaUp }: Later, ageMs: number, hop: number): number {
  const patientMs = Math.min(oldestBackOffMs, Math.max(firstBackOffMs, ageMs / 2));
  return isMetaUp ? Math.min(patientMs, firstBackOffMs * (hop + 1)) : patientMs;
}
