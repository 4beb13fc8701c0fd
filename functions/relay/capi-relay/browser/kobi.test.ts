/** The script in a made-up page: what a browser cannot be asked for easily. The rest is in real Chromium, in test/flows. */
import { expect, test } from 'vitest';
import { fbclidOf } from '../../../../shared/domain/click-ids/fbc.ts';
import { installKobi } from './kobi.ts';
import type { Page, Pixel } from './page.ts';

interface Hit {
  readonly data: readonly { event_name: string; event_id: string; age_ms: number }[];
  readonly [field: string]: unknown;
}

/** A page at this address whose beacons are kept. `cookieDomains` are those that the browser lets it write to. */
function pageAt(href: string, cookieDomains: readonly string[] = []): { page: Page; hits: Hit[]; written: string[] } {
  const { hostname, pathname, protocol } = new URL(href);
  const hits: Hit[] = [];
  const written: string[] = [];
  const jar = new Map<string, string>();
  const page: Page = {
    document: {
      get cookie() {
        return [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      },
      set cookie(text) {
        const [pair = '', ...attributes] = text.split(';');
        const domain = attributes.find((attribute) => attribute.startsWith('domain='))?.slice('domain='.length);
        if (!cookieDomains.includes(domain ?? hostname)) return;
        written.push(text);
        jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
      },
      referrer: '',
      currentScript: { src: 'https://events.shop.example/relay/kobi.js?v=1' },
    },
    location: { href, hostname, pathname, protocol },
    navigator: {
      sendBeacon(url, body) {
        hits.push({ url, ...(JSON.parse(body) as Hit) });
        return true;
      },
    },
    history: { pushState: () => undefined, replaceState: () => undefined },
    fetch: () => Promise.reject(new Error('offline')),
    addEventListener: () => undefined,
  };
  installKobi(page);
  return { page, hits, written };
}

const init = { key: 'k', dataset: 111, consent: 'granted', pageView: false };

test('the cookie is written on the widest domain that takes it, secure on a secure page, with that domain’s index', () => {
  const { page, hits, written } = pageAt('https://magaza.ornek.com.tr/', ['ornek.com.tr', 'magaza.ornek.com.tr']);
  page.kobi?.('init', init);
  page.kobi?.('track', 'Lead');
  page.kobi?.('track', 'Lead');
  expect(written).toEqual([
    expect.stringMatching(
      /^_fbp=fb\.2\.\d{13}\.\d{1,10};path=\/;max-age=7776000;samesite=lax;domain=ornek\.com\.tr;secure$/,
    ),
  ]);
  const [fbp] = written[0]?.slice('_fbp='.length).split(';') ?? [];
  expect(hits.map((hit) => hit['fbp'])).toEqual([fbp, fbp]);
});

test('an id that another tab has just written is taken, and no second cookie made beside it', () => {
  const { page, hits, written } = pageAt('https://shop.acme.example/', ['acme.example', 'shop.acme.example']);
  const theirs = 'fb.1.1795466603806.180947324';
  let jar = '';
  Object.defineProperty(page.document, 'cookie', {
    get: () => jar,
    set: (text: string) => {
      written.push(text);
      jar = `_fbp=${theirs}`;
    },
  });
  page.kobi?.('init', init);
  page.kobi?.('track', 'Lead');
  expect([hits[0]?.['fbp'], written.length]).toEqual([theirs, 1]);
});

test('the click of the address replaces an earlier one, never a later one of another tab', () => {
  const { page, hits, written } = pageAt('https://shop.example/?fbclid=Mine', ['shop.example']);
  page.document.cookie = `_fbc=fb.1.${Date.now() - 9_000}.Earlier;domain=shop.example`;
  page.kobi?.('init', init);
  page.kobi?.('track', 'Lead');
  page.document.cookie = `_fbc=fb.1.${Date.now() + 9_000}.Later;domain=shop.example`;
  page.kobi?.('track', 'Lead');
  expect(hits.map((hit) => String(hit['fbc']).split('.')[3])).toEqual(['Mine', 'Later']);
  expect(written.filter((text) => text.startsWith('_fbc')).length).toBe(3);
});

test('a page that says nothing of consent sends, without a word of it and without a cookie', () => {
  const { page, hits, written } = pageAt('https://shop.example/?fbclid=Click', ['shop.example']);
  page.kobi?.('init', { key: 'k', dataset: '111' });
  expect(hits).toMatchObject([{ data: [{ event_name: 'PageView' }] }]);
  expect([hits[0]?.['consent'], hits[0]?.['fbp'], written]).toEqual([undefined, undefined, []]);
});

test('what it sends goes beside the script, or where it is told', () => {
  const beside = pageAt('https://shop.example/');
  beside.page.kobi?.('init', init);
  beside.page.kobi?.('track', 'Lead');
  const told = pageAt('https://shop.example/');
  told.page.kobi?.('init', { ...init, endpoint: 'https://other.example/c' });
  told.page.kobi?.('track', 'Lead');
  expect([beside.hits[0]?.['url'], told.hits[0]?.['url']]).toEqual([
    'https://events.shop.example/relay/collect',
    'https://other.example/c',
  ]);
});

test.each([
  ['https://shop.example/?a=1&fbclid=Ab.C-d_9&b=2#x', 'Ab.C-d_9'],
  ['https://shop.example/?fbclid=Ab%2DcD', 'Ab-cD'],
  ['https://shop.example/?fbclid=%', '%'],
  ['https://shop.example/?fbclid=First&fbclid=Second', 'First'],
  ['https://shop.example/?xfbclid=a', undefined],
  ['https://shop.example/#?fbclid=a', undefined],
  ['https://shop.example/?a#fbclid=a', undefined],
  ['https://shop.example/?fbclid=a%20b', undefined],
  ['https://shop.example/?fbclid=a;b', undefined],
])('the click id of %s is %s, as the relay reads it', (href, click) => {
  const { page, hits } = pageAt(href);
  page.kobi?.('init', init);
  page.kobi?.('track', 'Lead');
  expect([hits[0]?.['fbclid'], fbclidOf(href)]).toEqual([click, click]);
});

test('a page that never asks for consent keeps the last 100 events and no more', () => {
  const { page, hits } = pageAt('https://shop.example/');
  page.kobi?.('init', { ...init, consent: 'pending' });
  for (let index = 0; index < 150; index++) page.kobi?.('track', 'Lead', {}, { eventID: index + 1 });
  expect(hits).toEqual([]);
  page.kobi?.('consent', 'granted');
  expect(hits.map(({ data }) => data.length)).toEqual([100]);
  expect(hits[0]?.data.at(-1)?.event_id).toBe('150');
});

test('after a no, nothing is sent until a yes, and what happened between is forgotten', () => {
  const { page, hits } = pageAt('https://shop.example/');
  page.kobi?.('init', init);
  page.kobi?.('consent', 'denied');
  page.kobi?.('track', 'Lead');
  page.kobi?.('consent', 'granted');
  page.kobi?.('track', 'Contact');
  expect(hits.flatMap(({ data }) => data.map(({ event_name }) => event_name))).toEqual(['Contact']);
});

test('events for another pixel of the page stay with that pixel; what the page told this one of the visitor is used', () => {
  const { page, hits } = pageAt('https://shop.example/');
  page.kobi?.('init', init);
  const pixelCalls: unknown[][] = [];
  page.fbq = (...args) => void pixelCalls.push([...args]);
  page.fbq('init', '222', { em: 'other@posta.example' });
  page.fbq('init', '111', { em: 'ayse@posta.example' });
  page.fbq('trackSingle', '222', 'Lead');
  page.fbq('trackSingleCustom', 111, 'Rated', { stars: 5 });
  expect(hits).toMatchObject([{ user_data: { em: 'ayse@posta.example' }, data: [{ event_name: 'Rated' }] }]);
  expect(pixelCalls.map(([method, target]) => [method, target])).toEqual([
    ['init', '222'],
    ['init', '111'],
    ['trackSingle', '222'],
    ['trackSingleCustom', 111],
  ]);
});

test('the page sees its own pixel: properties, result and errors', () => {
  const { page } = pageAt('https://shop.example/');
  const pixel = Object.assign(
    (method: unknown) => {
      if (method === 'broken') throw new Error('of the pixel');
      return 'result';
    },
    { version: '2.0' },
  ) as Pixel & { version: string };
  page.fbq = pixel;
  Object.assign(page.fbq, { callMethod: 1 });
  expect(pixel.callMethod).toBe(1);
  expect((page.fbq as typeof pixel).version).toBe('2.0');
  expect(page.fbq('track', 'Lead')).toBe('result');
  expect(() => page.fbq?.('broken')).toThrow('of the pixel');
});
