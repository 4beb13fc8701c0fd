import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeServerEvent } from '../server-event/judge.ts';
import { lineValue } from './contents.ts';
import { exampleNowSeconds, ga4Examples, segmentExamples } from './examples.ts';
import { GA4_EVENTS, isGa4Body, mapGa4 } from './ga4.ts';
import { isPayload } from './payload.ts';
import { SEGMENT_EVENTS, isSegmentBody, mapSegment } from './segment.ts';

const mappers = { segment: mapSegment, ga4: mapGa4 } as const;
const examples = [...segmentExamples, ...ga4Examples].map((example) => [example.title, example] as const);
const metaContext = { nowSeconds: exampleNowSeconds, country: 'TR', eventIdSeed: '111' };

describe.each(examples)('%s', (_title, { body, events, ignored = [], source, warnings = [] }) => {
  const mapped = mappers[source](body, exampleNowSeconds);

  test('is mapped to exactly these events', () => {
    expect(mapped.events.map(({ event }) => event)).toEqual(events);
    expect(mapped.ignored).toEqual(ignored);
    expect(mapped.events.flatMap((event) => event.warnings)).toEqual(warnings);
  });

  test('every event it makes is one the judge takes, with an identifier nowhere in plain', () => {
    for (const { event } of mapped.events) {
      const withAgent = { ...(event as { user_data: object }) };
      withAgent.user_data = { client_user_agent: 'Mozilla/5.0', ...withAgent.user_data };
      const verdict = judgeServerEvent(withAgent, metaContext);
      expect(verdict).toMatchObject({ verdict: 'accepted' });
      expect(JSON.stringify(verdict)).not.toMatch(/ayse@|0532 123|5321234567|Yılmaz|"u-77"/i);
    }
  });
});

test.each(Object.entries(SEGMENT_EVENTS))('Segment’s "%s" is %s in any case', (name, meta) => {
  const named = (event: string): unknown => mapSegment({ type: 'track', event, userId: 'u' }, 0).events[0]?.event;
  expect(named(name)).toMatchObject({ event_name: meta });
  expect(named(name.toUpperCase())).toMatchObject({ event_name: meta });
});

test.each(Object.entries(GA4_EVENTS))('GA4’s %s is %s', (name, meta) => {
  expect(mapGa4({ event_name: name, client_id: '1' }, 0).events[0]?.event).toMatchObject({ event_name: meta });
});

test('the name of a sign-up is a person’s and goes nowhere in plain; a product’s is content', () => {
  const named = { name: 'Ayşe Yılmaz', username: 'ayse77', title: 'Dr.' };
  const signUp = mapSegment({ type: 'track', event: 'Signed Up', userId: 'u', properties: named }, 0).events[0]?.event;
  expect(JSON.stringify(signUp)).not.toMatch(/Yılmaz|ayse77|Dr\./);
  const properties = { product_id: 'p1', name: 'Fincan' };
  const viewed = mapSegment({ type: 'track', event: 'Product Viewed', userId: 'u', properties }, 0).events[0]?.event;
  expect(viewed).toMatchObject({ custom_data: { content_name: 'Fincan' } });
});

describe('which bodies are whose, by content', () => {
  test.each([
    ['a Segment call', { type: 'track', event: 'X', userId: 'u' }, 'segment'],
    ['a Segment batch', { batch: [{ type: 'page', anonymousId: 'a' }] }, 'segment'],
    ['a Segment call without a person', { type: 'track', event: 'X' }, undefined],
    ['an unknown type', { type: 'purchase', userId: 'u' }, undefined],
    ['Measurement Protocol', { client_id: '1.2', events: [{ name: 'purchase' }] }, 'ga4'],
    ['a common event', { event_name: 'purchase', page_location: 'https://a.example/' }, 'ga4'],
    ['one bare server event of Meta', { event_name: 'Purchase', event_time: 1, user_data: {} }, undefined],
    ['a list of events of nobody', { events: [{ name: 'purchase' }] }, undefined],
    ['an empty object', {}, undefined],
  ])('%s', (_title, body: Record<string, unknown>, source) => {
    expect(isSegmentBody(body) ? 'segment' : isGa4Body(body) ? 'ga4' : undefined).toBe(source);
  });
});

describe('consent is carried along, never dropped', () => {
  test.each([
    [
      'Segment, refused',
      mapSegment,
      {
        type: 'track',
        event: 'X',
        userId: 'u',
        context: { consent: { categoryPreferences: { Advertising: false, Analytics: true } } },
      },
      false,
    ],
    [
      'Segment, given',
      mapSegment,
      {
        type: 'track',
        event: 'X',
        userId: 'u',
        context: { consent: { categoryPreferences: { marketing: true, targeting: true } } },
      },
      true,
    ],
    [
      'Segment, about something else',
      mapSegment,
      { type: 'track', event: 'X', userId: 'u', context: { consent: { categoryPreferences: { Analytics: false } } } },
      undefined,
    ],
    [
      'Measurement Protocol',
      mapGa4,
      { client_id: '1', consent: { ad_user_data: 'DENIED' }, events: [{ name: 'x' }] },
      { ad_user_data: 'DENIED' },
    ],
    ['Tag Manager, x-ga-gcs', mapGa4, { event_name: 'x', client_id: '1', 'x-ga-gcs': 'G101' }, { ad_storage: '0' }],
    ['no word of it', mapGa4, { event_name: 'x', client_id: '1' }, undefined],
  ])('%s', (_title, map, body: Record<string, unknown>, consent) => {
    const [mapped] = map(body, 0).events;
    expect(mapped?.event).toHaveProperty('event_name');
    expect(isPayload(mapped?.event) && mapped.event['consent']).toEqual(consent);
  });
});

describe('bad input', () => {
  test.each([
    ['a batch of nonsense', { batch: [null, 5, 'x', [], { type: {} }, { type: 'track' }] }],
    ['properties that are no object', { type: 'track', event: 'Order Completed', properties: 'x', context: [] }],
    ['a name from Object.prototype', { type: 'track', event: 'constructor', properties: { __proto__: { a: 1 } } }],
    ['items that are no objects', { event_name: 'purchase', items: [1, null, 'x'], user_data: { address: [] } }],
    ['events that are no objects', { client_id: 'x', events: [null, 7, { params: 'x', name: 5 }] }],
  ])('%s is mapped to something the judge refuses, and nothing throws', (_title, body) => {
    for (const map of [mapSegment, mapGa4]) {
      for (const { event } of map(body, exampleNowSeconds).events) {
        expect(judgeServerEvent(event, metaContext).verdict).toBe('refused');
      }
    }
  });

  test('a date without an offset is not guessed at: the judge says what it wants', () => {
    const call = { type: 'track', event: 'X', userId: 'u', timestamp: '2026-11-23 12:00' };
    const verdict = judgeServerEvent(mapSegment(call, exampleNowSeconds).events[0]?.event, metaContext);
    expect(verdict).toMatchObject({ verdict: 'refused', reasons: [{ field: 'event_time', code: 'not_unix_seconds' }] });
  });

  test('a wrong clock is not corrected silently: sentAt changes nothing', () => {
    const call = { type: 'track', event: 'X', userId: 'u', timestamp: '2026-11-23T11:00:00Z' };
    const [early] = mapSegment(call, exampleNowSeconds).events;
    const [late] = mapSegment({ ...call, sentAt: '2026-11-23T15:00:00Z' }, exampleNowSeconds).events;
    expect(late).toEqual(early);
  });

  test('a purchase is never worth what one line of it costs', () => {
    const items = [{ item_id: 'p1', price: 5, quantity: 1 }];
    const event = mapGa4({ event_name: 'purchase', client_id: '1', items }, 0).events[0]?.event;
    expect(event).not.toHaveProperty('custom_data.value');
  });
});

test.each([
  [19.99, 3, 59.97],
  ['0.1', 3, 0.3],
  [5, undefined, 5],
  [1.005, 1_000, 1005],
  ['free', 2, undefined],
  [-3, 2, undefined],
])('%s × %s is %s', (price, quantity, value) => {
  expect(lineValue(price, quantity)).toBe(value);
});

test('whatever the payload, mapping and judging never throw, and no body has more events than its list', () => {
  const names =
    'type event batch events name params properties context traits user_data address email phone items products price ' +
    'quantity userId client_id timestamp event_name page url consent categoryPreferences x-fb-cd-contents __proto__';
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<unknown>(
        'track',
        'identify',
        'Order Completed',
        'purchase',
        '[{"id":1}]',
        '[',
        1e308,
        -1,
        '',
        null,
      ),
      fc.string({ maxLength: 8 }),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names.split(' ')), tie('any'), { maxKeys: 8 }),
    ),
  })).any;
  const body = fc.dictionary(fc.constantFrom(...names.split(' ')), value, { maxKeys: 12 });
  fc.assert(
    fc.property(body, (payload) => {
      isSegmentBody(payload);
      isGa4Body(payload);
      for (const [map, list] of [
        [mapSegment, payload['batch']],
        [mapGa4, payload['events']],
      ] as const) {
        const { events, ignored } = map(payload, exampleNowSeconds);
        expect(events.length + ignored.length).toBe(Array.isArray(list) ? list.length : 1);
        for (const { event } of events) judgeServerEvent(event, metaContext);
      }
    }),
    { numRuns: 2_000, seed: 11 },
  );
});
