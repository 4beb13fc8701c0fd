/** `kobi.js` and `/collect` in real Chromium, on a shop's page, with the relay under a subdomain of the shop's. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { snippet } from '../../functions/relay/capi-relay/browser/snippet.ts';
import { launchChromium, missingBrowser, pixelBaseCode, startShop } from './browser-page.ts';
import type { Shop } from './browser-page.ts';
import { dataset, startBrowserRelay } from './browser-relay.ts';
import type { BrowserRelay } from './browser-relay.ts';

const byName = ([left]: [string, string], [right]: [string, string]): number => (left < right ? -1 : 1);

const missing = await missingBrowser();

describe.skipIf(missing !== undefined)(`kobi.js in Chromium${missing === undefined ? '' : ` (${missing})`}`, () => {
  let browser: Browser;
  let relay: BrowserRelay;
  let shop: Shop;
  let context: BrowserContext;
  let page: Page;
  let scriptUrl: string;
  let shopUrl: string;
  let pageErrors: string[];

  beforeAll(async () => {
    [browser, relay, shop] = await Promise.all([launchChromium(), startBrowserRelay('relay-of-pages'), startShop()]);
    scriptUrl = `http://events.shop.acme.example:${relay.port}/kobi.js`;
    shopUrl = `http://shop.acme.example:${shop.port}/`;
    relay.configure({ origins: [new URL(shopUrl).origin] });
  });
  afterAll(async () => {
    await Promise.all([browser.close(), relay.close(), shop.close()]);
  });

  beforeEach(async () => {
    relay.queued.length = 0;
    pageErrors = [];
    context = await browser.newContext();
    page = await context.newPage();
    page.on('pageerror', (error) => pageErrors.push(error.message));
  });
  afterEach(async () => {
    await context.close();
    if (pageErrors.length > 0) throw new Error(`thrown into the page: ${pageErrors.join('; ')}`);
  });

  const init = (more = ''): string =>
    `<script>kobi('init', {key: '${relay.keys.browser}', dataset: '${dataset}'${more}});</script>`;
  const granted = `, consent: 'granted'`;

  /** Shows a page with the snippet, waits until script and pixel have taken over. */
  async function open(head: string, path = ''): Promise<void> {
    shop.show(snippet(scriptUrl) + head);
    await page.goto(shopUrl + path);
    await page.waitForFunction('kobi.v === 1');
    if (head.includes('fbevents')) await page.waitForFunction('!!window.pixelSent');
  }
  const queued = (count: number): Promise<void> =>
    vi.waitFor(() => expect(relay.events().length).toBeGreaterThanOrEqual(count), { timeout: 15_000, interval: 10 });
  const cookies = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await context.cookies(shopUrl)).map(({ name, value }) => [name, value]));
  /** Events the stand-in pixel recorded: name and id. */
  const pixelEvents = (): Promise<[string, string][]> =>
    page.evaluate(`pixelSent.filter((a) => a[0] !== 'init').map((a) => [a[1], a[3] && a[3].eventID])`);
  const relayEvents = (): [string, string][] => relay.events().map((event) => [event.event_name, event.event_id]);

  test('pixel and relay have each event once, under the same id, whoever tracks it', async () => {
    await open(pixelBaseCode + init(granted));
    await page.evaluate(`fbq('track', 'ViewContent', {content_ids: ['sku-7'], content_type: 'product'});
      fbq('trackCustom', 'SizeChosen', {size: 'M'});
      fbq('track', 'Purchase', {value: 10, currency: 'TRY'}, {eventID: 'order-1'});
      fbq('trackSingle', '111', 'Lead');
      kobi('track', 'AddToCart', {value: 5, currency: 'TRY'});
      kobi('track', 'Purchase', {value: 10, currency: 'TRY'}, {eventID: 'order-1'});
      kobi('trackCustom', 'Rated', {stars: 5});`);
    await queued(7);
    const names = ['AddToCart', 'Lead', 'PageView', 'Purchase', 'Rated', 'SizeChosen', 'ViewContent'];
    const singles = (await page.evaluate(`pixelSent.find((a) => a[0] === 'trackSingle')`)) as unknown[];
    const pixel = (await pixelEvents()).filter(([name]) => name !== '111');
    pixel.push(['Lead', (singles[4] as { eventID: string }).eventID]);
    expect(
      relayEvents()
        .map(([name]) => name)
        .toSorted(),
    ).toEqual(names);
    expect(pixel.toSorted(byName)).toEqual(relayEvents().toSorted(byName));
    expect(relay.events().find(({ event_name }) => event_name === 'ViewContent')).toMatchObject({
      action_source: 'website',
      event_source_url: shopUrl,
      custom_data: { content_ids: ['sku-7'] },
      user_data: { client_user_agent: await page.evaluate('navigator.userAgent') },
    });
  });

  test('the page view is sent once, with and without a pixel, and on the second page again', async () => {
    await open(init(granted));
    await queued(1);
    await open(pixelBaseCode + init(granted), 'second');
    await queued(2);
    await page.evaluate(`kobi('track', 'PageView'); kobi('track', 'Lead')`);
    await queued(3);
    expect(relayEvents().map(([name]) => name)).toEqual(['PageView', 'PageView', 'Lead']);
    expect(await pixelEvents()).toEqual(relayEvents().slice(1));
  });

  test('a page view that the page asks us for is the pixel’s too', async () => {
    await open(pixelBaseCode.replace("fbq('track', 'PageView');", '') + init(granted));
    await page.evaluate(`kobi('track', 'PageView'); kobi('track', 'PageView'); kobi('track', 'Lead')`);
    await queued(2);
    expect(relayEvents().map(([name]) => name)).toEqual(['PageView', 'Lead']);
    expect(await pixelEvents()).toEqual(relayEvents());
  });

  test('with `spa` each new path is one page view, for the pixel too', async () => {
    await open(pixelBaseCode + init(`${granted}, spa: true`));
    await queued(1);
    await page.evaluate(`history.pushState({}, '', '/cart'); history.replaceState({}, '', '/cart?step=2')`);
    await queued(2);
    await page.evaluate(`kobi('track', 'Lead')`);
    await queued(3);
    expect(relayEvents().map(([name]) => name)).toEqual(['PageView', 'PageView', 'Lead']);
    expect(await pixelEvents()).toEqual(relayEvents());
    expect(relay.events()[1]?.event_source_url).toBe(`${shopUrl}cart`);
  });

  test('nothing is sent and no cookie set before consent; then everything is, as it was', async () => {
    await open(init(`, consent: 'pending'`));
    await page.evaluate(`window.cart = {value: 5, currency: 'TRY'}; kobi('track', 'AddToCart', cart); cart.value = 6`);
    expect([relay.queued, await cookies()]).toEqual([[], {}]);
    await page.evaluate(`kobi('consent', 'granted')`);
    await queued(2);
    expect(relay.queued).toHaveLength(1);
    expect(relay.events()).toMatchObject([{ event_name: 'PageView' }, { custom_data: { value: 5 } }]);
    expect(relay.events()[0]?.user_data['fbp']).toBe((await cookies())['_fbp']);
  });

  test.each([
    ['from the start', `, consent: 'denied'`, ''],
    ['later', `, consent: 'pending'`, `kobi('consent', 'denied')`],
  ])('consent denied %s: nothing is sent, no cookie set', async (_when, option, then) => {
    await open(init(option), `?fbclid=Click`);
    await page.evaluate(`kobi('track', 'Lead'); ${then}`);
    // Leaving is the last chance of anything that still waits.
    await page.goto('about:blank');
    shop.show('');
    await page.goto(shopUrl);
    expect([relay.queued, await cookies()]).toEqual([[], {}]);
  });

  test('a click id becomes the _fbc cookie and the fbc of the event, byte for byte; another click replaces it', async () => {
    const click = 'IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB_qa2.ofrHyiLjc';
    await open(init(granted), `?utm_source=fb&fbclid=${click}`);
    await queued(1);
    const fbc = (await cookies())['_fbc'];
    expect(fbc).toMatch(new RegExp(`^fb\\.1\\.\\d{13}\\.${click.replace('.', '\\.')}$`));
    expect(relay.events()[0]?.user_data['fbc']).toBe(fbc);
    await open(init(granted), `again?fbclid=${click}`);
    await queued(2);
    expect([(await cookies())['_fbc'], relay.events()[1]?.user_data['fbc']]).toEqual([fbc, fbc]);
    await open(init(granted), `again?fbclid=Other`);
    await queued(3);
    expect((await cookies())['_fbc']).toMatch(/^fb\.1\.\d{13}\.Other$/);
    expect(relay.events()[2]?.user_data['fbc']).toBe((await cookies())['_fbc']);
  });

  test('the cookies are the registrable domain’s, for 90 days, readable by the pixel, and a reload keeps them', async () => {
    await open(init(granted), '?fbclid=Click');
    await queued(1);
    const first = await context.cookies(shopUrl);
    expect(first.map(({ name }) => name).toSorted()).toEqual(['_fbc', '_fbp']);
    for (const cookie of first) {
      expect(cookie).toMatchObject({ domain: '.acme.example', path: '/', httpOnly: false, sameSite: 'Lax' });
      expect(Math.round((cookie.expires - Date.now() / 1_000) / 86_400)).toBe(90);
    }
    const { _fbp } = await cookies();
    await page.reload();
    await queued(2);
    expect((await cookies())['_fbp']).toBe(_fbp);
    expect(relay.events().map((event) => event.user_data['fbp'])).toEqual([_fbp, _fbp]);
  });

  test('where the page’s scripts may write no cookie, the server sets them', async () => {
    const blocked = `<script>Object.defineProperty(document, 'cookie', { get: () => '', set() {} })</script>`;
    await open(`${blocked}${init(granted)}<script>kobi('track', 'Lead')</script>`, '?fbclid=Click');
    await page.evaluate(`kobi('track', 'Contact')`);
    await queued(3);
    const { _fbp, _fbc } = await cookies();
    expect([_fbp, _fbc]).toEqual([expect.stringMatching(/^fb\.1\.\d{13}\.\d+$/), expect.stringMatching(/\.Click$/)]);
    for (const event of relay.events()) expect(event.user_data).toMatchObject({ fbp: _fbp, fbc: _fbc });
  });

  test('an event of the moment in which the page is left arrives', async () => {
    await open(init(`${granted}, pageView: false`));
    await page.evaluate(`addEventListener('pagehide', () => kobi('track', 'Left'))`);
    await page.goto('about:blank');
    await queued(1);
    expect(relayEvents()).toMatchObject([['Left', expect.any(String)]]);
  });

  test('where the beacon is refused, fetch takes the event, cookies and all', async () => {
    await open(`<script>navigator.sendBeacon = () => false</script>${init(granted)}`);
    await queued(1);
    expect(relay.events()[0]?.user_data['fbp']).toBe((await cookies())['_fbp']);
  });

  test('loaded twice, it sends once', async () => {
    await open(snippet(scriptUrl) + pixelBaseCode + init(granted) + init(granted));
    await page.addScriptTag({ url: scriptUrl });
    await page.evaluate(`fbq('track', 'Lead')`);
    await queued(2);
    expect(
      relayEvents()
        .map(([name]) => name)
        .toSorted(),
    ).toEqual(['Lead', 'PageView']);
    expect((await pixelEvents()).toSorted(byName)).toEqual(relayEvents().toSorted(byName));
  });

  test('the plain script without the snippet finds the pixel that is there and the one that comes later', async () => {
    const script = `<script src="${scriptUrl}"></script>`;
    for (const head of [pixelBaseCode + script + init(granted), script + init(granted) + pixelBaseCode]) {
      relay.queued.length = 0;
      shop.show(head);
      // The pixel's own script comes from the network, after ours in the page.
      await page.unrouteAll();
      await page.route('**/fbevents.js', async (route) => {
        await page.waitForFunction('window.kobi && kobi.v === 1');
        await route.continue();
      });
      await page.goto(shopUrl);
      await page.waitForFunction('!!window.pixelSent');
      await page.evaluate(`kobi('track', 'Lead')`);
      await queued(2);
      expect(relayEvents().map(([name]) => name)).toEqual(['PageView', 'Lead']);
      expect(await pixelEvents()).toEqual(relayEvents());
    }
  });

  test('a pixel tracks its page when the relay cannot be reached', async () => {
    shop.show(snippet('http://events.shop.acme.example:1/kobi.js') + pixelBaseCode + init(granted));
    await page.goto(shopUrl);
    await page.waitForFunction('!!window.pixelSent');
    expect(await pixelEvents()).toEqual([['PageView', expect.any(String)]]);
  });

  test('who the visitor is goes with the events, hashed, and into no URL', async () => {
    const urls: string[] = [];
    page.on('request', (request) => urls.push(request.url()));
    await open(init(`${granted}, pageView: false`));
    await page.evaluate(`kobi('identify', {em: 'Ayse@Posta.Example', external_id: 'c-1'}); kobi('track', 'Lead')`);
    await queued(1);
    expect(Object.keys(relay.events()[0]?.user_data ?? {})).toEqual(expect.arrayContaining(['em', 'external_id']));
    expect(relay.queued.join('')).not.toMatch(/posta/i);
    expect(urls.join(' ')).not.toMatch(/posta|c-1/i);
  });

  test('nonsense given to the script never throws into the page', async () => {
    await open(pixelBaseCode + init(granted));
    await page.evaluate(`kobi(); kobi('init'); kobi('init', null); kobi('track'); kobi('identify', null); kobi(null);
      const loop = {}; loop.loop = loop; kobi('track', 'Lead', loop); kobi('track', 'Lead', {n: 1n});
      fbq('track', 'Lead', loop, null); kobi('consent'); kobi('track', 'Contact')`);
    await vi.waitFor(() => expect(relayEvents().map(([name]) => name)).toContain('Contact'), { timeout: 15_000 });
  });

  test('a page of a foreign origin cannot read an answer, and nothing of it is taken', async () => {
    shop.show(init(granted).replace('<script>', `<script src="${scriptUrl}"></script><script>`));
    const foreign = `http://shop.other.example:${shop.port}/`;
    const answered = page.waitForResponse((response) => response.url().endsWith('/collect'));
    await page.goto(foreign);
    expect((await answered).status()).toBe(403);
    const reading = page.evaluate(
      ([url, body]) =>
        fetch(url!, { method: 'POST', body: body! }).then(
          (response) => response.status,
          () => 'blocked',
        ),
      [scriptUrl.replace('kobi.js', 'collect'), JSON.stringify({ key: relay.keys.browser, dataset, data: [{}] })],
    );
    expect(await reading).toBe('blocked');
    expect(relay.queued).toEqual([]);
  });
});
