/** Good requests to every door of the relay, with canaries in the places where personal data belongs. */
import { defaultRelaySettings } from '../../shared/contracts/relay-documents.ts';
import type { Dataset, RelayKey, RelayKeyPurpose, RelaySettings } from '../../shared/contracts/relay-documents.ts';
import { ga4Examples, segmentExamples } from '../../shared/domain/event-sources/examples.ts';
import { makeRelayKey } from '../../shared/domain/relay-key.ts';

export interface FuzzRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

export const start = new Date('2026-11-23T12:00:00Z');
const nowSeconds = start.getTime() / 1_000;
const created = { createdAt: start.toISOString(), createdBy: 'fuzz', events: null, notAfter: null, revokedAt: null };

/** Wherever it stands, an intact address never leaves. */
export const canaryEmail = 'canary.person77@mail.example';
/** These stand where they are hashed or dropped, so they never leave as long as nothing moves them elsewhere. */
export const canaryTexts = ['5557654321', 'Canaryfirst', 'Canarylast'] as const;

const issued = (['server', 'browser', 'crm'] as const).map((purpose, index) => issue(index + 1, 'acme', purpose));
const [serverKey, browserKey] = issued.map(({ key }) => key);
export const keys: ReadonlyMap<string, RelayKey> = new Map(
  [...issued, issue(9, 'other', 'server')].map(({ kept }) => [kept.relayKeyId, kept]),
);
export const secretKeys = issued.filter(({ kept }) => kept.purpose !== 'browser').map(({ key }) => key);

function issue(number: number, tenantId: string, purpose: RelayKeyPurpose): { key: string; kept: RelayKey } {
  const { key, relayKeyId, sha256 } = makeRelayKey(Buffer.alloc(8, number), Buffer.alloc(32, number));
  return { key, kept: { relayKeyId, sha256, tenantId, purpose, ...created } };
}

const origin = 'https://shop.example';
const settings: RelaySettings = { ...defaultRelaySettings, origins: [origin] };
const strict: RelaySettings = {
  ...settings,
  consent: { absent: 'hold', denied: 'limited-data-use' },
  bots: 'drop',
  contentIdPattern: 'sku-\\d+',
  extraUserDataKeys: ['new_meta_id'],
  requestsPerSecond: 20,
};

/** The second holds events without consent and limits the rate. */
export const datasets: ReadonlyMap<string, Dataset> = new Map(
  [dataset('111', 'acme', settings), dataset('112', 'acme', strict), dataset('222', 'other', settings)].map((kept) => [
    kept.datasetId,
    kept,
  ]),
);

function dataset(datasetId: string, tenantId: string, given: RelaySettings): Dataset {
  const { createdAt } = created;
  return { datasetId, tenantId, country: 'TR', vertical: 'ecommerce', createdAt, settings: given };
}

const person = {
  em: canaryEmail,
  ph: '+90 555 765 43 21',
  fn: 'Canaryfirst',
  ln: 'Canarylast',
  db: '1990-05-17',
  ge: 'f',
  ct: 'İstanbul',
  country: 'TR',
  external_id: 'c-17',
  client_ip_address: '85.105.12.7',
  client_user_agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/129.0.0.0 Safari/537.36',
  fbp: 'fb.1.1700000000000.1098115397',
};

const purchase = {
  event_name: 'Purchase',
  event_time: nowSeconds - 60,
  event_id: 'order-17',
  action_source: 'website',
  event_source_url: `https://shop.example/thanks?fbclid=IwAR123&email=${encodeURIComponent(canaryEmail)}&phone=905557654321`,
  referrer_url: 'https://www.google.com/',
  user_data: person,
  custom_data: {
    value: 129.9,
    currency: 'TRY',
    content_ids: ['sku-1'],
    contents: [{ id: 'sku-1', quantity: 1, item_price: 129.9 }],
    note: canaryEmail,
    phone: '905557654321',
  },
  consent: { ad_user_data: 'granted' },
  data_processing_options: ['LDU'],
  data_processing_options_country: 0,
  data_processing_options_state: 0,
  opt_out: false,
};
const lead = {
  event_name: 'Lead',
  event_time: nowSeconds - 3_600,
  action_source: 'system_generated',
  user_data: { ...person, lead_id: 123_456_789_012_345, new_meta_id: 'x1' },
  custom_data: { event_source: 'crm', lead_event_source: 'Kobi CRM' },
};
const sale = {
  ...lead,
  event_name: 'Purchase',
  action_source: 'physical_store',
  custom_data: { value: '12.50', currency: 'try', order_id: 17 },
};

const json = { 'content-type': 'application/json' };
const bearer = { ...json, authorization: `Bearer ${serverKey}` };

function post(url: string, headers: Record<string, string>, body: unknown): FuzzRequest {
  return { method: 'POST', url, headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) };
}

const boundary = 'fuzzfuzzfuzz';
const part = (name: string, value: string): string =>
  `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

export const corpus: readonly FuzzRequest[] = [
  post('/111/events', json, { data: [purchase, lead, sale], access_token: serverKey, test_event_code: 'TEST1' }),
  post(`/v25.0/111/events?access_token=${serverKey}`, json, { data: [purchase] }),
  post('/111/events', bearer, { data: [lead] }),
  post('/112/events', bearer, { data: [{ ...purchase, consent: undefined }, { ...lead, consent: 'denied' }, sale] }),
  post('/capi/111/events', json, { data: [purchase], accessKey: serverKey }),
  post(
    '/111/events',
    { 'content-type': 'application/x-www-form-urlencoded' },
    new URLSearchParams({ data: JSON.stringify([purchase, lead]), access_token: serverKey ?? '' }).toString(),
  ),
  post(
    '/111/events',
    { 'content-type': `multipart/form-data; boundary=${boundary}` },
    `${part('data', JSON.stringify([purchase]))}${part('access_token', serverKey ?? '')}--${boundary}--\r\n`,
  ),
  post('/111/events', { 'content-type': 'text/plain' }, { data: [lead], access_token: serverKey }),
  ...segmentExamples.map(({ body }) => post('/111/segment', bearer, body)),
  ...ga4Examples.map(({ body }) => post('/111/ga4', bearer, body)),
  post('/112/consent', bearer, { decision: 'granted', user_data: { em: canaryEmail, external_id: 'c-17' } }),
  post('/112/consent', bearer, { decision: 'denied', user_data: { ph: '0555 765 43 21' } }),
  post(
    '/collect',
    { 'content-type': 'text/plain;charset=UTF-8', origin, host: 'r.shop.example', cookie: '_fbp=fb.1.1700000000000.5' },
    {
      key: browserKey,
      dataset: '111',
      consent: 'granted',
      load: { at: start.getTime() - 1_000, draw: 1_098_115_397 },
      fbclid: 'IwAR123',
      user_data: { em: canaryEmail },
      data: [
        { event_name: 'PageView', event_id: 'pv-1', event_source_url: purchase.event_source_url, age_ms: 20 },
        {
          event_name: 'Purchase',
          event_id: 'p-1',
          event_source_url: 'https://shop.example/',
          custom_data: purchase.custom_data,
        },
      ],
    },
  ),
  { method: 'OPTIONS', url: '/collect?dataset=111', headers: { origin }, body: undefined },
  { method: 'GET', url: '/kobi.js', headers: {}, body: undefined },
];
