import { hash } from 'node:crypto';
import type { CloudEvent } from '@google-cloud/functions-framework';
import { deadLetterTopic, parseEnvelope, topicSchemas } from '../../../shared/contracts/topics.ts';
import type { Envelope, TopicName } from '../../../shared/contracts/topics.ts';
import { isEventsMessage } from '../../../shared/gcp/dead-letter-store.ts';
import type { DeadLetterInput, DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import type { RelayCounters } from '../../../shared/gcp/relay-counters.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import { isRecord, messageAttributes, messageText, parseJson } from '../../../shared/runtime/pubsub-message.ts';
import { cutToFit } from '../events-message.ts';
import type { HashedEvent } from '../events-message.ts';

export interface RecordDependencies {
  readonly deadLetters: Pick<DeadLetterStore, 'record'>;
  readonly counters: Pick<RelayCounters, 'count' | 'flushIfDue'>;
  readonly log: Logger;
}

/** A letter to be recorded, and the events in it. */
interface Letter {
  readonly input: DeadLetterInput;
  readonly events: readonly HashedEvent[];
}

/**
 * Records what Pub/Sub gave up on, of any topic. A message that still passes its topic's schema is kept whole, ready to be
 * published again; of any other only its id, tenant and what was expected are kept, because it may hold anything. The
 * same message twice is one record with count 2.
 *
 * The returned function has one parameter: functions-framework never answers for a handler with two.
 */
export function recordDeadLetters(
  dependencies: () => RecordDependencies,
): (event: CloudEvent<unknown>) => Promise<void> {
  return async (event) => {
    const { counters, deadLetters, log } = dependencies();
    // A push that functions-framework does not recognise is handed over as it came.
    const push: unknown = event.data ?? event;
    const letters = deadLettersOf(messageText(push), JSON.stringify(push), messageAttributes(push));
    try {
      for (const { input, events } of letters) {
        await deadLetters.record(input);
        for (const event of events) count(counters, input, event);
      }
    } catch (error) {
      log.error({ err: error }, 'dead letter could not be recorded, it is delivered again');
      // The thrown text becomes the response body, so the cause stays in the log.
      throw new Error('not recorded', { cause: error });
    }
    const { topic, tenantId, eventId, reason, problems } = letters[0]?.input ?? unreadable;
    log.error({ topic, tenantId, eventId, reason, problems, records: letters.length }, 'dead letter recorded');
    await counters.flushIfDue();
  };
}

/** One record, or several for events that fill more than one document. */
function deadLettersOf(
  text: string | undefined,
  push: string,
  attributes: Readonly<Record<string, unknown>>,
): Letter[] {
  const message = parseJson(text);
  const head = isRecord(message) ? message : {};
  const topic = topicOf(head['type']);
  const parsed = topic === undefined ? undefined : parseEnvelope(topic, message);
  const source = sourceOf(attributes);
  if (parsed?.ok === true) {
    return partsOf(parsed.envelope).map((part) => ({
      input: {
        topic: part.type,
        tenantId: part.tenantId,
        eventId: part.eventId,
        identity: part.eventId,
        reason: 'undeliverable',
        problems: source,
        payload: JSON.stringify(part),
      },
      events: isEventsMessage(part) ? part.data.events : [],
    }));
  }
  const input = {
    ...unreadable,
    topic: topic ?? deadLetterTopic,
    tenantId: idOf(head['tenantId']),
    eventId: idOf(head['eventId']),
    identity: hash('sha256', text ?? push, 'hex'),
    problems: [...source, ...(parsed?.problems ?? ['type: expected the name of a topic'])],
  };
  return [{ input, events: [] }];
}

function count(
  counters: Pick<RelayCounters, 'count'>,
  { tenantId, reason }: DeadLetterInput,
  event: HashedEvent,
): void {
  const name = event['event_name'];
  if (tenantId !== null) counters.count(tenantId, typeof name === 'string' ? name : '', `dead:${reason}`);
}

const unreadable: DeadLetterInput = {
  topic: deadLetterTopic,
  tenantId: null,
  eventId: null,
  identity: '',
  reason: 'malformed-message',
  problems: [],
  payload: null,
};

function partsOf(envelope: Envelope): Envelope[] {
  return isEventsMessage(envelope) ? cutToFit(envelope, envelope.data.events) : [envelope];
}

function topicOf(type: unknown): TopicName | undefined {
  return typeof type === 'string' && isTopic(type) ? type : undefined;
}

function isTopic(type: string): type is TopicName {
  return Object.hasOwn(topicSchemas, type);
}

/** Only what looks like an id of ours: nothing else of an unreadable message is repeated. */
function idOf(value: unknown): string | null {
  return typeof value === 'string' && /^[\w.:-]{1,200}$/.test(value) ? value : null;
}

/** Which subscription gave up and after how many deliveries, where Pub/Sub says so. */
function sourceOf(attributes: Readonly<Record<string, unknown>>): string[] {
  const subscription = idOf(attributes['CloudPubSubDeadLetterSourceSubscription']);
  const count = idOf(attributes['CloudPubSubDeadLetterSourceDeliveryCount']);
  return subscription === null ? [] : [`${subscription} gave up after ${count ?? 'all its'} deliveries`];
}
