import { hash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { fixedNow, startForTest, type GraphCaller, type GraphReply } from './graph-caller.ts';
import type { Simulator } from './server.ts';

let simulator: Simulator;
let graph: GraphCaller;
let token: string;
let systemUserId: string;
let pixel: string;

const nowS = fixedNow.getTime() / 1000;
const day = 86_400;
const em = hash('sha256', 'someone@example.com');

beforeAll(async () => {
  ({ simulator, graph } = await startForTest());
});
beforeEach(async () => {
  simulator.reset();
  const child = await graph.newChild(await graph.logIn());
  ({ token, systemUserId } = child);
  pixel = await graph.newPixel(child, await graph.newAdAccount(child));
});
afterAll(() => simulator.close());

type Event = Record<string, unknown>;
const lead = (changes: Event = {}): Event => ({
  event_name: 'Lead',
  event_time: nowS - 60,
  event_id: 'lead-1',
  action_source: 'website',
  event_source_url: 'https://shop.acme.example/thanks',
  user_data: { em, client_user_agent: 'Mozilla/5.0', client_ip_address: '2001:db8::1' },
  ...changes,
});
const withUser = (userData: Event): Event => lead({ action_source: 'other', user_data: userData });
const purchase = (custom: Event): Event => lead({ event_name: 'Purchase', custom_data: custom });

const send = (data: unknown, params: Event = {}): Promise<GraphReply> =>
  graph.post(`/${pixel}/events`, token, { data, ...params });

test('accepted events are counted, kept with their test code, and answered in Meta’s shape', async () => {
  const { body } = await send([lead(), lead({ event_id: 'lead-2' })], { test_event_code: 'TEST1' });
  expect(body).toEqual({ events_received: 2, messages: [], fbtrace_id: expect.stringMatching(/^A/) as string });
  const kept = await graph.control('GET', `/events?dataset=${pixel}`);
  expect(kept).toMatchObject({
    accepted: 2,
    unique: 2,
    duplicates: 0,
    byName: { Lead: 2 },
    events: [{ event_id: 'lead-1', test_event_code: 'TEST1', isDuplicate: false }, { event_id: 'lead-2' }],
  });
});

test('a copy of an event is accepted again and counted as a duplicate', async () => {
  await send([lead()]);
  await send([lead()]);
  expect(await graph.control('GET', `/events?dataset=${pixel}&limit=0`)).toMatchObject({
    accepted: 2,
    unique: 1,
    duplicates: 1,
  });
});

test('one bad event refuses the whole call and keeps nothing', async () => {
  const good = Array.from({ length: 20 }, (_, index) => lead({ event_id: `good-${String(index)}` }));
  const error = await graph.refused(send([...good, lead({ event_time: nowS - 8 * day })]));
  expect(error).toMatchObject({ status: 400, code: 100, error_subcode: 2804003, is_transient: false });
  expect(await graph.control('GET', `/events?dataset=${pixel}`)).toMatchObject({ accepted: 0, rejectedCalls: 1 });
});

test('a thousand events are taken, one more is refused', async () => {
  const many = Array.from({ length: 1_000 }, (_, index) => lead({ event_id: `e-${String(index)}` }));
  expect((await send(many)).body).toMatchObject({ events_received: 1_000 });
  expect((await graph.refused(send([...many, lead()]))).code).toBe(100);
  expect((await graph.refused(send([]))).code).toBe(100);
});

test.each<[string, Event, number | undefined]>([
  ['older than seven days', lead({ event_time: nowS - 7 * day - 1 }), 2804003],
  ['a store visit older than 62 days', lead({ action_source: 'physical_store', event_time: nowS - 63 * day }), 2804003],
  ['in the future', lead({ event_time: nowS + 120 }), undefined],
  ['in milliseconds', lead({ event_time: fixedNow.getTime() }), undefined],
  ['a time as text', lead({ event_time: String(nowS) }), undefined],
  ['without a name', lead({ event_name: '' }), undefined],
  ['from an unknown source', lead({ action_source: 'web' }), undefined],
  ['without a source', lead({ action_source: undefined }), undefined],
  ['of a website without its address', lead({ event_source_url: undefined }), undefined],
  ['of a website with a broken address', lead({ event_source_url: 'shop.acme.example' }), undefined],
  ['of a website without a user agent', lead({ user_data: { em } }), undefined],
  ['without user data', lead({ user_data: undefined }), 2804050],
  ['with empty user data', withUser({}), 2804050],
  ['with place and user agent only', withUser({ ct: em, country: em, client_user_agent: 'x' }), 2804050],
  ['with birthday and user agent only', withUser({ db: em, client_user_agent: 'x' }), 2804050],
  ['with first name and gender only', withUser({ fn: em, ge: em }), 2804050],
  ['with last name and gender only', withUser({ ln: em, ge: em }), 2804050],
  ['with a raw e-mail', withUser({ em: 'someone@example.com' }), undefined],
  ['with an uppercase hash', withUser({ em: em.toUpperCase() }), undefined],
  ['with a raw value inside a list', withUser({ ph: [em, '905551112233'] }), undefined],
  ['with an MD5 hash', withUser({ em: hash('md5', 'a@b.example') }), undefined],
  ['with a hashed IP address', withUser({ em, client_ip_address: em }), undefined],
  ['with a bad IP address', withUser({ em, client_ip_address: '300.1.1.1' }), undefined],
  ['with a hashed click id', withUser({ em, fbc: em }), undefined],
  ['with a click id in seconds', withUser({ em, fbc: 'fb.1.1700000000.AbC' }), undefined],
  ['with a malformed browser id', withUser({ em, fbp: 'fb.1.1700000000000' }), undefined],
  ['with a short lead id', withUser({ lead_id: '123' }), 2804036],
  ['with an unknown user key', withUser({ em, email: em }), undefined],
  ['with an unknown key', lead({ eventid: '1' }), undefined],
  ['a purchase without value', purchase({ currency: 'TRY' }), 2804009],
  ['a purchase without currency', purchase({ value: 10 }), undefined],
  ['a purchase in an unknown currency', purchase({ value: 10, currency: 'TL' }), undefined],
  ['a purchase with a wordy value', purchase({ value: 'ten', currency: 'TRY' }), 2804009],
  ['with contents that are no list', lead({ custom_data: { contents: '{}' } }), undefined],
  ['with LDU but no country', lead({ data_processing_options: ['LDU'] }), undefined],
  ['with an unknown processing option', lead({ data_processing_options: ['GDPR'] }), undefined],
  [
    'a WhatsApp lead without its sender',
    lead({ event_name: 'LeadSubmitted', action_source: 'business_messaging', messaging_channel: 'whatsapp' }),
    2804116,
  ],
])('an event %s is refused', async (_case, event, subcode) => {
  const error = await graph.refused(send([event]));
  expect([error.code, error.error_subcode]).toEqual([100, subcode]);
  expect(error.error_user_msg).not.toContain('data[0]');
});

test.each<[string, Event]>([
  ['exactly seven days old', lead({ event_time: nowS - 7 * day })],
  ['of a store, 61 days old', lead({ action_source: 'physical_store', event_time: nowS - 61 * day })],
  ['with lists of hashes', withUser({ em: [em, em], external_id: ['A-1'] })],
  ['with a raw external id', withUser({ external_id: 'customer 7' })],
  ['with click ids', withUser({ fbc: 'fb.1.1700000000000.IwAR0.b-_c', fbp: 'fb.2.1700000000000.123456.Bg' })],
  ['a purchase', purchase({ value: '10.50', currency: 'try', contents: [{ id: 'a', quantity: 1, item_price: 10.5 }] })],
  ['with limited data use', lead({ data_processing_options: ['LDU'], ...place(1, 1000) })],
  [
    'of a CRM',
    lead({ action_source: 'system_generated', custom_data: { event_source: 'crm', lead_event_source: 'X' } }),
  ],
])('an event %s is accepted', async (_case, event) => {
  expect((await send([event])).body).toMatchObject({ events_received: 1 });
});

function place(country: number, state: number): Event {
  return { data_processing_options_country: country, data_processing_options_state: state };
}

test('a system user without a task on the pixel cannot send', async () => {
  await graph.done(graph.post(`/${pixel}/assigned_users`, token, { user: systemUserId, tasks: ['ANALYZE'] }));
  expect(await graph.refused(send([lead()]))).toMatchObject({ code: 100, error_subcode: 33 });
});

test('a JSON body with events as objects is taken like the form', async () => {
  const proof = simulator.context.switches;
  proof.require_appsecret_proof = false;
  const response = await fetch(`${graph.url}/v25.0/${pixel}/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ data: [lead()], partner_agent: 'kobi_1_0' }),
  });
  expect(await response.json()).toMatchObject({ events_received: 1 });
});

test('payloads are kept up to the bound while counts stay complete', async () => {
  await graph.control('POST', '/switches', { retained_events_per_dataset: 3 });
  await send(Array.from({ length: 5 }, (_, index) => lead({ event_id: String(index) })));
  expect(await graph.control('GET', `/events?dataset=${pixel}`)).toMatchObject({ accepted: 5, retained: 3 });
});
