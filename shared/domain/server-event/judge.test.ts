import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { judgeServerEvent, type JudgeContext } from './judge.ts';
import type { HashedServerEvent } from './server-event.ts';

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');
const NOW = 1_760_000_000;
const DAY = 86_400;
const context: JudgeContext = { nowSeconds: NOW, country: 'TR', languages: ['tr'], eventIdSeed: '1234567890' };

const purchase = {
  event_name: 'Purchase',
  event_time: NOW - 10,
  event_id: 'order-17',
  action_source: 'website',
  event_source_url: 'https://www.example.com/thanks',
  user_data: { em: 'Ayse@Example.com', client_user_agent: 'Mozilla/5.0', client_ip_address: '85.105.12.7' },
  custom_data: { currency: 'try', value: 129.9, content_ids: ['sku-1'], content_type: 'product' },
};

/** A purchase with some fields changed; `undefined` takes a field away. */
const purchaseWith = (changes: Record<string, unknown>) => ({ ...purchase, ...changes });

function accepted(event: unknown, more: Partial<JudgeContext> = {}): HashedServerEvent {
  const verdict = judgeServerEvent(event, { ...context, ...more });
  if (verdict.verdict === 'refused') throw new Error(JSON.stringify(verdict.reasons));
  return verdict.event;
}
function reasonsOf(event: unknown, more: Partial<JudgeContext> = {}): string[] {
  const verdict = judgeServerEvent(event, { ...context, ...more });
  return verdict.verdict === 'refused' ? verdict.reasons.map(({ field, code }) => `${field} ${code}`) : [];
}
function warningsOf(event: unknown): string[] {
  return judgeServerEvent(event, context).warnings.map(({ key, code }) => `${key} ${code}`);
}

test('a good event comes out in the wire format of Meta, hashed, and the one given is unchanged', () => {
  const given = structuredClone(purchase);
  expect(judgeServerEvent(given, context)).toEqual({
    verdict: 'accepted',
    warnings: [],
    event: {
      ...purchase,
      user_data: { ...purchase.user_data, em: sha256('ayse@example.com') },
      custom_data: { ...purchase.custom_data, currency: 'TRY' },
    },
  });
  expect(given).toEqual(purchase);
});

describe('required fields', () => {
  test.each([
    [{ event_name: undefined }, 'event_name not_a_name'],
    [{ event_name: ' ' }, 'event_name not_a_name'],
    [{ event_name: 'Lead\n' + 'x'.repeat(100) }, 'event_name not_a_name'],
    [{ event_name: 'jane@example.com' }, 'event_name not_a_name'],
    [{ event_time: undefined }, 'event_time not_unix_seconds'],
    [{ event_time: '2026-01-01T00:00:00Z' }, 'event_time not_unix_seconds'],
    [{ event_time: Number.NaN }, 'event_time not_unix_seconds'],
    [{ event_time: (NOW - 10) * 1_000 }, 'event_time not_seconds'],
    [{ action_source: 'web' }, 'action_source unknown_action_source'],
    [{ action_source: undefined }, 'action_source unknown_action_source'],
    [{ event_source_url: undefined }, 'event_source_url required_for_website'],
    [{ event_source_url: 'not a url' }, 'event_source_url required_for_website'],
    [{ user_data: { em: 'a@x.com' } }, 'user_data.client_user_agent required_for_website'],
    [{ opt_out: 'perhaps' }, 'opt_out not_a_boolean'],
    [{ event_id: 'x'.repeat(257) }, 'event_id not_an_id'],
    [{ event_id: 'jane@example.com-17' }, 'event_id not_an_id'],
  ])('%j is refused: %s', (changes, reason) => {
    expect(reasonsOf(purchaseWith(changes))).toEqual([reason]);
  });

  test('every reason is told at once, with the id of the sender and without a value', () => {
    const verdict = judgeServerEvent(
      { event_id: 'e1', action_source: 'x@y.com', user_data: { em: 'Canary' } },
      context,
    );
    expect(verdict).toMatchObject({ verdict: 'refused', eventId: 'e1' });
    expect(JSON.stringify(verdict)).not.toMatch(/Canary|x@y/);
    expect(reasonsOf({ event_id: 'e1', action_source: 'x', user_data: {} })).toHaveLength(4);
  });

  test.each([null, undefined, 1, 'x', [], true])('%j is no event', (event) => {
    expect(reasonsOf(event)).toEqual(['event not_an_object']);
  });

  test('outside the web neither URL nor user agent is needed', () => {
    const lead = {
      event_name: 'Lead',
      event_time: NOW,
      action_source: 'system_generated',
      user_data: { lead_id: '123456789012345' },
    };
    expect(accepted(lead).user_data).toEqual({ lead_id: 123456789012345 });
  });

  test('the time may be text and have fractions; the id may be a number', () => {
    expect(accepted(purchaseWith({ event_time: `${NOW}.7`, event_id: 17 }))).toMatchObject({
      event_time: NOW,
      event_id: '17',
    });
  });
});

describe('age', () => {
  test.each([
    ['website', 7 * DAY, []],
    ['website', 7 * DAY + 1, ['event_time too_old']],
    ['physical_store', 62 * DAY, []],
    ['physical_store', 62 * DAY + 1, ['event_time too_old']],
    ['website', -60, []],
    ['website', -61, ['event_time in_the_future']],
  ])('%s, %i seconds old: %j', (action_source, age, reasons) => {
    expect(reasonsOf(purchaseWith({ action_source, event_time: NOW - age }))).toEqual(reasons);
  });
});

describe('identifiers', () => {
  const offline = { event_name: 'Lead', event_time: NOW, action_source: 'other' };

  test.each([
    [{}, 'no_identifier'],
    [{ em: 'nobody' }, 'no_identifier'],
    [{ ct: 'Paris', country: 'FR', zp: '75018', ge: 'f', st: 'x', client_user_agent: 'M' }, 'too_broad'],
    [{ db: '1990-01-02', client_user_agent: 'M' }, 'too_broad'],
    [{ fn: 'Ada', ge: 'f' }, 'too_broad'],
    [{ ln: 'Ada', ge: 'f' }, 'too_broad'],
    [{ ct: 'Paris', partner_id: 'p' }, 'too_broad'],
  ])('%j is refused: %s', (user_data, code) => {
    expect(reasonsOf({ ...offline, user_data }, { extraUserDataKeys: new Set(['partner_id']) })).toEqual([
      `user_data ${code}`,
    ]);
  });

  test.each([
    { fn: 'Ada', ln: 'L' },
    { ct: 'Paris', fn: 'Ada' },
    { db: '1990-01-02', zp: '75018' },
    { ct: 'Paris', ph: '0532 123 45 67' },
  ])('%j is enough', (user_data) => expect(reasonsOf({ ...offline, user_data })).toEqual([]));

  test('one bad key costs the key, not the event', () => {
    const event = purchaseWith({ user_data: { ...purchase.user_data, ph: 'none', db: '30/02/1990' } });
    expect(accepted(event).user_data).not.toHaveProperty('ph');
    expect(warningsOf(event)).toEqual(['ph placeholder', 'db impossible_date']);
  });
});

describe('the request of a browser', () => {
  const request = { clientIpAddress: '2a02:e0:1::7', clientUserAgent: 'Firefox' };

  test('fills what the event lacks, and its IPv6 is preferred', () => {
    expect(accepted(purchaseWith({ user_data: undefined }), { request }).user_data).toEqual({
      client_ip_address: '2a02:e0:1::7',
      client_user_agent: 'Firefox',
    });
    expect(accepted(purchase, { request }).user_data).toMatchObject({
      client_ip_address: '2a02:e0:1::7',
      client_user_agent: 'Mozilla/5.0',
    });
  });

  test('does not replace an IPv6 of the event, and without a request none is made up', () => {
    const event = purchaseWith({ user_data: { ...purchase.user_data, client_ip_address: '2a02:e0:2::1' } });
    expect(accepted(event, { request }).user_data['client_ip_address']).toBe('2a02:e0:2::1');
    expect(reasonsOf(purchaseWith({ user_data: undefined }))).toContain('user_data not_an_object');
  });
});

describe('Purchase', () => {
  test.each([
    [{ currency: 'TRY' }, 'custom_data.value required_for_purchase'],
    [{ value: 1 }, 'custom_data.currency required_for_purchase'],
    [{ value: -1, currency: 'TRY' }, 'custom_data.value not_a_value'],
    [{ value: '1e9', currency: 'TRY' }, 'custom_data.value not_a_value'],
    [{ value: '19,90', currency: 'TRY' }, 'custom_data.value not_a_value'],
    [{ value: true, currency: 'TRY' }, 'custom_data.value not_a_value'],
    [{ value: 1e300, currency: 'TRY' }, 'custom_data.value not_a_value'],
    [{ value: 1, currency: 'TL' }, 'custom_data.currency not_a_currency'],
  ])('with %j is refused: %s', (custom_data, reason) => {
    expect(reasonsOf(purchaseWith({ custom_data }))).toEqual([reason]);
  });

  test('without custom_data is refused for both', () => {
    expect(reasonsOf(purchaseWith({ custom_data: null }))).toHaveLength(2);
  });

  test('keeps the number it was given, zero too, and reads a plain decimal text', () => {
    for (const value of [0, 0.1, 129.9, 1_000_000]) {
      expect(accepted(purchaseWith({ custom_data: { value, currency: 'USD' } })).custom_data?.['value']).toBe(value);
    }
    expect(accepted(purchaseWith({ custom_data: { value: '129.90', currency: 'USD' } })).custom_data?.['value']).toBe(
      129.9,
    );
  });

  test('another event loses only the unusable value', () => {
    const event = purchaseWith({
      event_name: 'AddToCart',
      custom_data: { value: 'much', currency: 'XXXX', content_name: 'Tea' },
    });
    expect(accepted(event).custom_data).toEqual({ content_name: 'Tea' });
    expect(warningsOf(event)).toEqual(['custom_data.value not_a_value', 'custom_data.currency not_a_currency']);
  });
});

describe('what a person allowed', () => {
  test.each([
    [{ data_processing_options: [] }, { data_processing_options: [] }],
    [
      { data_processing_options: ['LDU'], data_processing_options_country: 1, data_processing_options_state: 1000 },
      { data_processing_options: ['LDU'], data_processing_options_country: 1, data_processing_options_state: 1000 },
    ],
    [
      { data_processing_options: ['LDU'] },
      { data_processing_options: ['LDU'], data_processing_options_country: 0, data_processing_options_state: 0 },
    ],
    [{ opt_out: true }, { opt_out: true }],
    [{ opt_out: 'false' }, { opt_out: false }],
  ])('%j is kept', (changes, expected) => expect(accepted(purchaseWith(changes))).toMatchObject(expected));

  test.each([
    [{ data_processing_options: ['LDU', 'LDU'] }],
    [{ data_processing_options: ['ldu'] }],
    [{ data_processing_options: {} }],
    [{ data_processing_options: ['LDU'], data_processing_options_country: 1, data_processing_options_state: 7 }],
    [{ data_processing_options: ['LDU'], data_processing_options_country: 90 }],
  ])('%j is refused rather than sent with less protection', (changes) => {
    expect(reasonsOf(purchaseWith(changes))).toHaveLength(1);
  });
});

describe('fbc', () => {
  const landing = 'https://www.example.com/?fbclid=IwAR_aB';

  test('is made from the click in the URL at the time of the event, else from the referrer', () => {
    expect(accepted(purchaseWith({ event_source_url: landing })).user_data['fbc']).toBe(`fb.1.${NOW - 10}000.IwAR_aB`);
    expect(accepted(purchaseWith({ referrer_url: landing })).user_data['fbc']).toBe(`fb.1.${NOW - 10}000.IwAR_aB`);
  });

  test('is not made of a click id that somebody put an e-mail address into', () => {
    const event = purchaseWith({ event_source_url: 'https://www.example.com/?fbclid=ada%40posta.example' });
    expect(JSON.stringify(accepted(event))).not.toContain('posta.example');
  });

  test('of the sender is kept byte for byte for the same click', () => {
    const fbc = 'fb.2.1759000000000.IwAR_aB.AQYBAQEA';
    const event = purchaseWith({ event_source_url: landing, user_data: { ...purchase.user_data, fbc } });
    expect(accepted(event).user_data['fbc']).toBe(fbc);
  });
});

describe('an event without an id', () => {
  const anonymous = purchaseWith({ event_id: undefined });

  test('always gets the same one, whatever the order of its keys', () => {
    const id = accepted(anonymous).event_id;
    expect(id).toMatch(/^kobi\.[0-9a-f]{32}$/);
    const turned = Object.fromEntries(Object.entries(anonymous).toReversed());
    expect(accepted(turned).event_id).toBe(id);
    expect(accepted(anonymous, { nowSeconds: NOW + 3_600 }).event_id).toBe(id);
  });

  test('gets another one for another dataset, time, person or basket', () => {
    const ids = [
      accepted(anonymous),
      accepted(anonymous, { eventIdSeed: '2' }),
      accepted({ ...anonymous, event_time: NOW - 11 }),
      accepted({ ...anonymous, user_data: { ...purchase.user_data, em: 'b@x.com' } }),
      accepted({ ...anonymous, custom_data: { ...purchase.custom_data, value: 130 } }),
    ].map(({ event_id }) => event_id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test('keys Meta does not know are dropped and named, at most twenty of them', () => {
  const event = purchaseWith({ eventId: 'x', 'jane@example.com': 1 });
  expect(accepted(event)).not.toHaveProperty('eventId');
  expect(warningsOf(event)).toEqual(['eventId unknown_key', '(unprintable) unknown_key']);
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`k${index}`, 1]));
  expect(warningsOf({ ...purchase, ...many })).toHaveLength(20);
});

test('the other parameters of Meta go through, checked', () => {
  const more = {
    advertiser_tracking_enabled: 1,
    messaging_channel: 'whatsapp',
    app_data: { extinfo: ['i2', '', '17.0'], application_tracking_enabled: 1 },
    original_event_data: { event_name: 'Purchase', event_time: NOW, order_id: '17' },
    attribution_data: { attribution_share: '0.3' },
  };
  expect(accepted(purchaseWith(more))).toMatchObject({ ...more, advertiser_tracking_enabled: true });
  expect(
    warningsOf(purchaseWith({ messaging_channel: 'a b', app_data: 'x', advertiser_tracking_enabled: 'x' })),
  ).toHaveLength(3);
});

test('no JSON whatever makes the judge throw', () => {
  const values = [null, true, 0, -1, 1e308, '', 'x', '\ud800', '%', [], [[]], {}, { a: { b: [] } }, 'x'.repeat(10_000)];
  for (const field of [
    ...Object.keys(purchase),
    'referrer_url',
    'opt_out',
    'data_processing_options',
    'app_data',
    'x',
  ]) {
    for (const value of values) {
      expect(['accepted', 'refused']).toContain(judgeServerEvent(purchaseWith({ [field]: value }), context).verdict);
    }
  }
});
