/** Dead letters as delivery and Pub/Sub leave them. */
import { eventsMessage } from '../../functions/relay/events-message.ts';
import type { Envelope } from '../../shared/contracts/topics.ts';
import type { DeadLetterInput } from '../../shared/gcp/dead-letter-store.ts';
import { startMs } from './replay-world.ts';

export const at = new Date(startMs).toISOString();
export const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

/** A dead letter of one event, or of something else. */
export function letter(
  name: string,
  more: Partial<DeadLetterInput> & { event?: Record<string, unknown> } = {},
): DeadLetterInput {
  const { event, tenantId = 'acme', ...rest } = more;
  const events = [
    { event_id: name, event_name: 'Purchase', event_time: startMs / 1_000, action_source: 'website', ...event },
  ];
  const { eventId, json } = eventsMessage(
    { tenantId: tenantId ?? '', datasetId: '111', testEventCode: undefined, at, traceparent },
    events,
  );
  const fields = { topic: 'capi-events', tenantId, eventId, identity: eventId, reason: '100/2804003', problems: ['x'] };
  return { ...fields, payload: json, ...rest };
}

export const step: Envelope<'create-pixel'> = {
  eventId: 'acme:run-1:create-pixel:0',
  type: 'create-pixel',
  version: 1,
  tenantId: 'acme',
  runId: 'run-1',
  at,
  traceparent,
  data: { cause: 'needs-met' },
};

export function stepLetter(): DeadLetterInput {
  const { type: topic, tenantId, eventId } = step;
  const payload = JSON.stringify(step);
  return { topic, tenantId, eventId, identity: eventId, reason: 'undeliverable', problems: [], payload };
}

/** What Pub/Sub gave up on and nobody could read. */
export const malformedLetter: DeadLetterInput = {
  topic: 'dead-letters',
  tenantId: null,
  eventId: null,
  identity: 'z',
  reason: 'malformed-message',
  problems: [],
  payload: null,
};
