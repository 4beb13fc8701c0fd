/** `POST /collect` and `GET /kobi.js` over HTTP, without a browser: who is let in, and which cookies an answer sets. */
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { defaultRelaySettings } from '../../shared/contracts/relay-documents.ts';
import { dataset, startBrowserRelay } from './browser-relay.ts';
import type { BrowserRelay } from './browser-relay.ts';

let relay: BrowserRelay;
beforeAll(async () => {
  relay = await startBrowserRelay('relay-of-hits', () => now);
});
afterEach(() => {
  relay.queued.length = 0;
  relay.configure({ ...defaultRelaySettings, origins: [shop] });
});
afterAll(() => relay.close());

const shop = 'https://shop.acme.example';
const agent = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15';
const now = new Date('2026-11-23T12:34:56.789Z');
const loadedAt = now.getTime() - 5_000;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function call(method: string, path: string, headers: Record<string, string>, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ port: relay.port, host: '127.0.0.1', method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const event = (id: string): Record<string, unknown> => ({
  event_name: 'ViewContent',
  event_id: id,
  event_source_url: `${shop}/p`,
  age_ms: 0,
  custom_data: { content_ids: ['sku-1'] },
});
const hit = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  key: relay.keys.browser,
  dataset,
  consent: 'granted',
  load: { at: loadedAt, draw: 1_234_567 },
  data: [event('e-1')],
  ...more,
});
const collect = (body: unknown, headers: Record<string, string> = {}): Promise<Answer> => {
  const usual = {
    origin: shop,
    host: 'events.shop.acme.example',
    'content-type': 'text/plain;charset=UTF-8',
    'user-agent': agent,
    'x-forwarded-for': '85.105.12.7',
  };
  return call('POST', '/collect', { ...usual, ...headers }, typeof body === 'string' ? body : JSON.stringify(body));
};

beforeAll(() => relay.configure({ origins: [shop] }));

describe('a hit', () => {
  test.each(['text/plain;charset=UTF-8', 'application/json'])('sent as %s is taken, with 204', async (type) => {
    const answer = await collect(hit(), { 'content-type': type });
    expect([answer.status, answer.body, answer.headers['content-length']]).toEqual([204, '', undefined]);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': shop,
      'access-control-allow-credentials': 'true',
      vary: 'Origin',
    });
    expect(relay.events()).toMatchObject([{ event_name: 'ViewContent', event_id: 'e-1', action_source: 'website' }]);
  });

  test('has address and user agent of the request, whatever the page says', async () => {
    const user_data = { client_ip_address: '9.9.9.9', client_user_agent: 'curl', em: 'a@posta.example' };
    await collect(hit({ user_data }), { 'x-forwarded-for': '1.1.1.1, 85.105.12.7' });
    const sent = relay.events()[0]?.user_data;
    expect(sent).toMatchObject({ client_ip_address: '85.105.12.7', client_user_agent: agent });
    expect(sent?.['em']).toMatch(/^[0-9a-f]{64}$/);
  });

  test('tells how long ago an event was, so that a wrong clock in the browser does no harm', async () => {
    await collect(hit({ data: [{ ...event('e-1'), age_ms: 3_600_000 }] }));
    expect(relay.events()[0]?.event_time).toBe(Date.parse('2026-11-23T11:34:56Z') / 1_000);
  });

  test('may not say that it is of another source or time', async () => {
    await collect(hit({ data: [{ ...event('e-1'), action_source: 'physical_store', event_time: 1 }] }));
    expect(relay.events()).toMatchObject([{ action_source: 'website', event_time: Math.floor(now.getTime() / 1_000) }]);
  });

  test('that is malformed JSON is refused in the shape of Meta', async () => {
    const answer = await collect('{"key":', { 'content-type': 'application/json' });
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('"code":100')]);
  });

  test('with a bad event is answered with what is wrong, and its siblings are taken', async () => {
    const answer = await collect(hit({ data: [{ event_name: '' }, 7, event('e-2')] }));
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ events_received: 1, refused: [{ index: 0 }, { index: 1 }] });
    expect((await collect(hit({ data: [7] }))).status).toBe(400);
  });

  test('of a visitor who refused is not sent and sets no cookie', async () => {
    const answer = await collect(hit({ consent: 'denied', fbclid: 'Click' }));
    expect([relay.queued, answer.headers['set-cookie']]).toEqual([[], undefined]);
  });
});

describe('not let in, with nothing queued and no cookie:', () => {
  test.each([
    ['no Origin', { origin: '' }, 403],
    ['the origin of a sandbox', { origin: 'null' }, 403],
    ['another origin', { origin: 'https://evil.example' }, 403],
    ['a subdomain of a listed origin', { origin: 'https://www.shop.acme.example' }, 403],
    ['an origin that begins like a listed one', { origin: `${shop}.evil.example` }, 403],
    ['another scheme', { origin: 'http://shop.acme.example' }, 403],
    ['another port', { origin: `${shop}:8443` }, 403],
    ['an address that is no origin', { origin: `${shop}/path` }, 403],
  ])('%s', async (_what, headers, status) => {
    const answer = await collect(hit(), headers);
    expect(answer.status).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect([relay.queued, answer.headers['set-cookie']]).toEqual([[], undefined]);
  });

  test.each([
    ['an unknown key', () => hit({ key: `${relay.keys.browser.slice(0, -1)}_` }), 401],
    ['a key of a server', () => hit({ key: relay.keys.server }), 403],
    ['a key of a CRM', () => hit({ key: relay.keys.crm }), 403],
    ['an unknown dataset', () => hit({ dataset: '112' }), 404],
    ['no events', () => hit({ data: [] }), 400],
    ['more than 1,000 events', () => hit({ data: Array.from({ length: 1_001 }, () => event('e')) }), 400],
    ['a consent that is no word of ours', () => hit({ consent: 'maybe' }), 400],
    ['something that is no JSON', () => 'key=1', 400],
    ['a hit of megabytes', () => hit({ user_data: { em: 'a'.repeat(300_000) } }), 413],
  ])('%s', async (_what, body, status) => {
    const answer = await collect(body());
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toHaveProperty('error.code');
    expect([relay.queued, answer.headers['set-cookie']]).toEqual([[], undefined]);
  });

  test('any origin while none is listed', async () => {
    relay.configure({ origins: [] });
    expect((await collect(hit())).status).toBe(403);
  });
});

test('whatever JSON a hit is made of, it is answered with 2xx or 4xx and sets no cookie of its making', async () => {
  const value = fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' });
  const fields = fc.record(
    {
      consent: fc.oneof(fc.constant('granted'), value),
      load: fc.oneof(value, fc.record({ at: value, draw: value })),
      user_data: fc.dictionary(fc.constantFrom('em', '__proto__', 'constructor', 'fbp', 'zz'), value),
      data: fc.array(fc.oneof(value, fc.record({ event_name: value, age_ms: value, custom_data: value })), {
        maxLength: 3,
      }),
      fbclid: value,
      fbp: value,
      fbc: value,
    },
    { requiredKeys: [] },
  );
  const property = fc.asyncProperty(fields, async (given) => {
    const { status, headers } = await collect(hit(given));
    expect(status).toBeLessThan(500);
    for (const cookie of headers['set-cookie'] ?? []) expect(cookie).toMatch(/^_fb[pc]=fb\.1\.\d{13}\.[^;]+; Path=/);
  });
  await fc.assert(property, { seed: 20_261_123, numRuns: 400 });
});

test('an origin may be listed with capitals, its default port or a slash', async () => {
  for (const origins of [['HTTPS://Shop.Acme.Example'], [`${shop}:443`], [`${shop}/`], ['nonsense', shop]]) {
    relay.configure({ origins });
    expect((await collect(hit())).status, origins.join(' ')).toBe(204);
  }
});

describe('a preflight', () => {
  const preflight = (path: string, origin: string): Promise<Answer> =>
    call('OPTIONS', path, { origin, 'access-control-request-method': 'POST' });

  test('is answered with credentials, to the very origin', async () => {
    expect(await preflight(`/collect?dataset=${dataset}`, shop)).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': shop,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': expect.stringContaining('content-type') as string,
      },
    });
    expect((await preflight('/collect', shop)).status).toBe(204);
  });

  test('of a foreign origin is refused where it names the dataset, and its POST always', async () => {
    const refused = await preflight(`/collect?dataset=${dataset}`, 'https://evil.example');
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    expect((await preflight('/collect', 'null')).status).toBe(403);
  });
});

describe('the visitor’s cookies', () => {
  const attributes = 'Path=/; Max-Age=7776000; SameSite=Lax; Domain=acme.example; Secure';
  const minted = `fb.1.${loadedAt}.1234567`;

  test('20 first hits at the same time make one _fbp and one _fbc, in every event and every answer', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `e-${index}`);
    const answers = await Promise.all(ids.map((id) => collect(hit({ fbclid: 'Click-1', data: [event(id)] }))));
    expect(new Set(answers.map(({ headers }) => headers['set-cookie']?.join('|')))).toEqual(
      new Set([`_fbp=${minted}; ${attributes}|_fbc=fb.1.${loadedAt}.Click-1; ${attributes}`]),
    );
    expect(relay.events()).toHaveLength(20);
    for (const { user_data } of relay.events())
      expect(user_data).toMatchObject({ fbp: minted, fbc: `fb.1.${loadedAt}.Click-1` });
  });

  test('that are there are sent on byte for byte and not set again', async () => {
    const fbp = 'fb.1.1596403881668.1116446470';
    const fbc = 'fb.1.1596403881668.IwAR2F4-dbP0l7.AQYBAQEA';
    const answer = await collect(hit({ fbclid: 'IwAR2F4-dbP0l7' }), { cookie: `x=1; _fbp=${fbp}; _fbc=${fbc}` });
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(relay.events()[0]?.user_data).toMatchObject({ fbp, fbc });
  });

  test('that the page’s script has just written are made to last', async () => {
    const answer = await collect(hit({ fbp: minted }), { cookie: `_fbp=${minted}` });
    expect(answer.headers['set-cookie']).toEqual([`_fbp=${minted}; ${attributes}`]);
  });

  test('of another click give way, malformed ones too', async () => {
    const cookie = '_fbp=garbage; _fbc=fb.1.1596403881668.Old';
    const answer = await collect(hit({ fbclid: 'New' }), { cookie });
    expect(answer.headers['set-cookie']?.map((value) => value.split(';')[0])).toEqual([
      `_fbp=${minted}`,
      `_fbc=fb.1.${loadedAt}.New`,
    ]);
  });

  test('of a later click, in another tab, stay', async () => {
    const answer = await collect(hit({ fbclid: 'Old' }), { cookie: `_fbp=${minted}x; _fbc=fb.1.${loadedAt + 1}.New` });
    expect(answer.headers['set-cookie']?.join()).not.toContain('_fbc');
    expect(relay.events()[0]?.user_data['fbc']).toBe(`fb.1.${loadedAt + 1}.New`);
  });

  test('are not set, nor ids made, without a yes', async () => {
    const answer = await collect(hit({ consent: undefined }));
    expect([answer.status, answer.headers['set-cookie']]).toEqual([204, undefined]);
    expect(relay.events()[0]?.user_data).not.toHaveProperty('fbp');
  });

  test('are not set where page and relay share no domain; the page’s own are sent on', async () => {
    const fbp = 'fb.1.1596403881668.1116446470';
    const answer = await collect(hit({ fbp }), { host: 'relay.example' });
    expect([answer.status, answer.headers['set-cookie']]).toEqual([204, undefined]);
    expect(relay.events()[0]?.user_data['fbp']).toBe(fbp);
  });

  test('carry the index of the registrable domain, also under two labels', async () => {
    relay.configure({ origins: ['http://magaza.ornek.com.tr'] });
    const answer = await collect(hit(), { origin: 'http://magaza.ornek.com.tr', host: 'olay.ornek.com.tr:8080' });
    expect(answer.headers['set-cookie']).toEqual([
      `_fbp=fb.2.${loadedAt}.1234567; Path=/; Max-Age=7776000; SameSite=Lax; Domain=ornek.com.tr`,
    ]);
  });

  test('never carry what the page could have slipped in', async () => {
    const answer = await collect(
      hit({ fbclid: 'a; Domain=evil.example', load: { at: 1, draw: -1 }, fbp: 'x\r\nset-cookie: y=1' }),
    );
    expect([answer.status, answer.headers['set-cookie']]).toEqual([204, undefined]);
  });

  test('of a browser whose clock is wrong: hits that come together agree on a click time that is right', async () => {
    const load = { at: now.getTime() + 86_400_000 * 400, draw: 5 };
    await Promise.all([1, 2, 3].map(() => collect(hit({ fbclid: 'Click', load }))));
    const onTheHour = `fb.1.${Date.parse('2026-11-23T12:00:00Z')}.Click`;
    expect(relay.events().map(({ user_data }) => user_data['fbc'])).toEqual([onTheHour, onTheHour, onTheHour]);
  });
});

describe('GET /kobi.js', () => {
  test('is cached for an hour and afterwards asked for by its ETag', async () => {
    const first = await call('GET', '/kobi.js', {});
    expect(first).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'text/javascript; charset=utf-8',
        'cache-control': 'public, max-age=3600',
        etag: expect.stringMatching(/^"[0-9a-f]{32}"$/) as string,
      },
    });
    const again = await call('GET', '/kobi.js', { 'if-none-match': `"x", W/${first.headers.etag}` });
    expect(again).toMatchObject({ status: 304, body: '', headers: { etag: first.headers.etag } });
    expect((await call('GET', '/kobi.js?v=2', { 'if-none-match': '"x"' })).status).toBe(200);
  });

  test('is the same script for all, and answers only to GET', async () => {
    expect((await call('GET', '/kobi.js', { cookie: 'a=b' })).headers['set-cookie']).toBeUndefined();
    expect((await call('POST', '/kobi.js', {})).status).toBe(405);
  });
});
