import { describe, expect, test } from 'vitest';
import { parseEnvelope } from '../../shared/contracts/topics.ts';
import { cutToFit, eventsMessage, withEvents } from './events-message.ts';
import type { EventsEnvelope, EventsMessageHead } from './events-message.ts';

const head: EventsMessageHead = {
  tenantId: 'acme',
  datasetId: '111',
  testEventCode: undefined,
  at: '2026-11-23T12:00:00.000Z',
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
};
const events = [{ event_name: 'Purchase', event_id: 'p1' }, { event_name: 'Lead' }];

function envelopeOf(of: EventsMessageHead, its: readonly Record<string, unknown>[]): EventsEnvelope {
  const parsed = parseEnvelope('capi-events', JSON.parse(eventsMessage(of, its).json));
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  return parsed.envelope;
}

describe('events message', () => {
  test('is what consumers of the topic accept, with and without a test code', () => {
    expect(envelopeOf(head, events)).toMatchObject({ tenantId: 'acme', data: { datasetId: '111', events } });
    expect(envelopeOf({ ...head, testEventCode: 'TEST1' }, events).data.testEventCode).toBe('TEST1');
  });

  test('the same events for the same destination have the same id, at any time; anything else has another', () => {
    const { eventId } = eventsMessage(head, events);
    expect(eventsMessage({ ...head, at: '2026-11-23T13:00:00.000Z' }, events).eventId).toBe(eventId);
    const others = [
      eventsMessage({ ...head, datasetId: '112' }, events),
      eventsMessage({ ...head, testEventCode: 'T' }, events),
      eventsMessage(head, events.slice(1)),
    ];
    expect(others.map((other) => other.eventId)).not.toContain(eventId);
  });

  test('a part that holds all events has the id the whole had', () => {
    const envelope = envelopeOf(head, events);
    expect(withEvents(envelope, envelope.data.events).eventId).toBe(envelope.eventId);
  });

  test('cutting keeps every event, in order, in parts that fit a Cloud Task', () => {
    const large = Array.from({ length: 1_000 }, (_, index) => ({ event_id: `e${index}`, note: 'ş'.repeat(900) }));
    const parts = cutToFit(envelopeOf(head, large), large);
    expect(parts.flatMap((part) => part.data.events)).toEqual(large);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) {
      expect(Buffer.from(JSON.stringify(part)).toString('base64').length).toBeLessThan(1_000_000);
    }
    expect(new Set(parts.map((part) => part.eventId)).size).toBe(parts.length);
  });

  test('no events are no parts', () => {
    expect(cutToFit(envelopeOf(head, events), [])).toEqual([]);
  });
});
