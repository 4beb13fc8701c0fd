import { isExpired } from '../../../shared/domain/server-event/event-time.ts';
import type { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import type { AccessToken } from '../../../shared/meta/access-token.ts';
import { maxEventsPerCall, sendEvents } from '../../../shared/meta/conversions.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import type { GraphClient } from '../../../shared/meta/graph-client.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import { OutcomeError } from '../../../shared/runtime/outcomes.ts';
import type { MessageHandler } from '../../../shared/runtime/pubsub-function.ts';
import type { TenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';
import { cutToFit, withEvents } from '../events-message.ts';
import type { EventsEnvelope, HashedEvent } from '../events-message.ts';
import { fateOf } from './fate.ts';
import type { Fate, Later } from './fate.ts';
import { createGatherer } from './gatherer.ts';
import { sendBatch } from './send-batch.ts';

export interface DeliverDependencies {
  readonly graph: Pick<GraphClient, 'as'>;
  readonly credentials: Pick<TenantCredentials, 'child'>;
  readonly deadLetters: Pick<DeadLetterStore, 'record'>;
  /** Brings a message back at a known time. Resolves when that is certain. */
  readonly bringBack: (envelope: EventsEnvelope, at: Date) => Promise<void>;
  /** How Dataset Quality tells our events from others': `[partner]_[major]_[minor]`. */
  readonly partnerAgent: string;
  readonly log: Logger;
  readonly now: () => Date;
  readonly schedule: (run: () => void, delayMs: number) => void;
  /** How long events wait for company. Added to every delivery, saves a Graph call for each that comes in it. */
  readonly gatherMs?: number;
}

/** Events of one destination can share a call. */
interface Destination {
  readonly tenantId: string;
  readonly datasetId: string;
  readonly testEventCode: string | undefined;
}

const oldestBackOffMs = 60 * 60_000;
const firstBackOffMs = 10_000;

/**
 * Delivers `capi-events` messages to Meta. One of these per instance: it gathers the events of concurrent messages.
 *
 * A message is acknowledged only when every event of it was accepted by Meta, or lies in the dead letters with Meta's
 * reason, or comes back in a message of its own at a known time. An event that Meta accepted is not sent again because a
 * sibling was not.
 */
export function createDelivery(dependencies: DeliverDependencies): MessageHandler<'capi-events'> {
  const { bringBack, deadLetters, now, schedule, gatherMs = 20 } = dependencies;
  const gatherer = createGatherer<Destination, HashedEvent, Fate>({
    textOf: ({ tenantId, datasetId, testEventCode }) => JSON.stringify([tenantId, datasetId, testEventCode]),
    maxItems: maxEventsPerCall,
    delayMs: gatherMs,
    schedule,
    flush: (destination, events) => sendTo(destination, events, dependencies),
  });

  const quarantine = async (
    envelope: EventsEnvelope,
    event: HashedEvent,
    cause: { readonly reason: string; readonly problems: readonly string[] },
  ): Promise<void> => {
    const alone = withEvents(envelope, [event]);
    await deadLetters.record({
      topic: 'capi-events',
      tenantId: envelope.tenantId,
      eventId: alone.eventId,
      identity: alone.eventId,
      reason: cause.reason,
      problems: cause.problems,
      // As text: Firestore takes no list in a list, and would index every field of every event.
      payload: JSON.stringify(alone),
    });
  };

  return async (envelope, log) => {
    const { datasetId, testEventCode, events } = envelope.data;
    const nowSeconds = now().getTime() / 1_000;
    const expired = events.filter((event) => isTooOld(event, nowSeconds));
    const fresh = expired.length === 0 ? events : events.filter((event) => !isTooOld(event, nowSeconds));

    const fates = await gatherer.add({ tenantId: envelope.tenantId, datasetId, testEventCode }, fresh);

    const bad = fresh.flatMap((event, index) => {
      const fate = fates[index];
      return fate?.kind === 'quarantined' ? [{ event, fate }] : [];
    });
    const left = fresh.filter((_event, index) => fates[index]?.kind === 'later');
    for (const event of expired) await quarantine(envelope, event, { reason: 'expired', problems: tooOld });
    for (const { event, fate } of bad) await quarantine(envelope, event, fate);
    if (left.length > 0) {
      const waitMs = longestWaitMs(fates, now().getTime() - Date.parse(envelope.at));
      const at = new Date(now().getTime() + waitMs);
      for (const part of cutToFit(envelope, left)) await bringBack(part, at);
    }
    log.info(
      {
        datasetId,
        events: events.length,
        accepted: fresh.length - bad.length - left.length,
        quarantined: bad.length,
        expired: expired.length,
        later: left.length,
        uncertain: fates.filter((fate) => fate.kind === 'later' && fate.uncertain).length,
      },
      'message settled',
    );
    return { kind: 'done' };
  };
}

/** One gathered batch, with the tenant's own token. A secret store that does not answer rejects: nothing was sent then. */
async function sendTo(
  destination: Destination,
  events: readonly HashedEvent[],
  { credentials, graph, log: parentLog, now, partnerAgent }: DeliverDependencies,
): Promise<readonly Fate[]> {
  const { tenantId, datasetId, testEventCode } = destination;
  const log = parentLog.child({ tenantId, datasetId });
  let token: AccessToken<'child'>;
  try {
    token = await credentials.child(tenantId);
  } catch (error) {
    if (!(error instanceof OutcomeError)) throw error;
    const fate = fateOf(error, now());
    report(fate, events.length, log);
    return events.map(() => fate);
  }
  const asChild = graph.as(token);
  return sendBatch(events, {
    send: async (stretch) => {
      const startedMs = now().getTime();
      const call = (): object => ({ events: stretch.length, ms: now().getTime() - startedMs });
      try {
        const receipt = await sendEvents(asChild, {
          datasetId,
          events: stretch,
          partnerAgent,
          ...(testEventCode === undefined ? {} : { testEventCode }),
        });
        const { eventsReceived, fbtraceId, messages } = receipt;
        log.info({ ...call(), eventsReceived, warnings: messages.length, fbtrace_id: fbtraceId }, 'events sent');
        return receipt;
      } catch (error) {
        const known = error instanceof GraphError ? error : undefined;
        log.warn({ ...call(), err: error, reason: known?.reason, fbtrace_id: known?.fbtraceId }, 'events not taken');
        const fate = fateOf(error, now());
        if (fate.kind === 'later') report(fate, stretch.length, log);
        throw error;
      }
    },
    fateOf: (error) => fateOf(error, now()),
  });
}

/** Says once per call what its events wait for; loudly where a person must act or Meta may have taken them. */
function report(fate: Exclude<Fate, { kind: 'accepted' }>, events: number, log: Logger): void {
  if (fate.kind !== 'later') return;
  const { advice, reason, uncertain } = fate;
  if (advice !== undefined) log.error({ events, reason, advice }, 'events are held until somebody acts');
  else if (uncertain) log.warn({ uncertain: events, reason }, 'events may have reached Meta, and may be repeated');
}

const tooOld = ['older than Meta takes (7 days, 62 for physical_store)'];

function isTooOld(event: HashedEvent, nowSeconds: number): boolean {
  const { event_time: time, action_source: source } = event;
  return typeof time === 'number' && isExpired({ event_time: time, action_source: String(source) }, nowSeconds);
}

/** What the events ask for; those that ask for nothing back off by half the time since they came, so waits grow by half. */
function longestWaitMs(fates: readonly Fate[], ageMs: number): number {
  const backOffMs = Math.min(oldestBackOffMs, Math.max(firstBackOffMs, ageMs / 2));
  const waits = fates.filter((fate): fate is Later => fate.kind === 'later').map((fate) => fate.afterMs ?? backOffMs);
  return Math.round(waits.reduce((longest, wait) => Math.max(longest, wait), 0));
}
