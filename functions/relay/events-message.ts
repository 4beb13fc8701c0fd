/** The `capi-events` message: how the relay writes it, and how delivery cuts one into smaller ones. */
import { hash } from 'node:crypto';
import type { Envelope, TopicData } from '../../shared/contracts/topics.ts';

export type EventsEnvelope = Envelope<'capi-events'>;
export type HashedEvent = TopicData<'capi-events'>['events'][number];

/** Everything of a `capi-events` envelope but its id and its events. */
export interface EventsMessageHead {
  readonly tenantId: string;
  readonly datasetId: string;
  readonly testEventCode: string | undefined;
  readonly at: string;
  readonly traceparent: string;
}

/**
 * A message's id is made of what it says: a client that sends the same events again, or a part cut off twice, gets the
 * id it had before.
 */
function eventsMessageId(datasetId: string, testEventCode: string | undefined, eventsJson: string): string {
  // The events by their hash, so that a text of megabytes is not copied.
  const events = hash('sha256', eventsJson, 'hex');
  return `events-${hash('sha256', `${datasetId}\n${testEventCode ?? ''}\n${events}`, 'hex').slice(0, 40)}`;
}

/** The envelope as text. The events, most of it, are made into text once, for the id and the message both. */
export function eventsMessage(
  head: EventsMessageHead,
  events: readonly HashedEvent[],
): { readonly eventId: string; readonly json: string } {
  const { datasetId, testEventCode, ...rest } = head;
  const eventsJson = JSON.stringify(events);
  const eventId = eventsMessageId(datasetId, testEventCode, eventsJson);
  const start = JSON.stringify({ eventId, type: 'capi-events', version: 1, ...rest });
  const data = JSON.stringify({ datasetId, testEventCode });
  return { eventId, json: `${start.slice(0, -1)},"data":${data.slice(0, -1)},"events":${eventsJson}}}` };
}

/** A message with some events of another one, for the same destination and the same instant and trace. */
export function withEvents(envelope: EventsEnvelope, events: readonly HashedEvent[]): EventsEnvelope {
  const { datasetId, testEventCode } = envelope.data;
  return {
    ...envelope,
    eventId: eventsMessageId(datasetId, testEventCode, JSON.stringify(events)),
    data: { ...envelope.data, events: [...events] },
  };
}

/**
 * Cuts events into messages that a Cloud Task (1 MiB with its base64) and a Firestore document (1 MiB) can hold. An event
 * is never cut; the relay lets none in that would not fit alone.
 */
export function cutToFit(envelope: EventsEnvelope, events: readonly HashedEvent[]): EventsEnvelope[] {
  const parts: HashedEvent[][] = [];
  let bytes = Infinity;
  for (const event of events) {
    const size = Buffer.byteLength(JSON.stringify(event)) + 1;
    if (bytes + size > maxPartBytes) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(event);
    bytes += size;
  }
  return parts.map((part) => withEvents(envelope, part));
}

/** Events of one part as JSON: four thirds of this, in base64, and its envelope stay under 1 MiB. */
const maxPartBytes = 700_000;

/** The largest single event the relay takes, as JSON. Meta names no limit; a purchase of 200 items has some 30 kB. */
export const maxEventBytes = 200_000;
