/**
 * The script of `GET /kobi.js`, as a function of the page it runs in. It tells the relay what happens on a page and sees
 * to it that the Meta Pixel, where the page has one, tells Meta the same under the same `event_id`.
 *
 * It never throws into the page, sends nothing before or against consent, writes no cookie without consent, and puts no
 * personal datum into a URL. Every visitor loads it, so it is written short and for ES2017 as it stands: no spread of
 * objects and few optional chains, which a compiler would blow up.
 */
import type { Kobi, Page, Pixel } from './page.ts';

type Fields = Record<string, unknown>;
type Call = ArrayLike<unknown>;

interface Options {
  readonly key: string;
  readonly dataset: string | number;
  readonly consent?: string;
  readonly pageView?: boolean;
  readonly spa?: boolean;
  readonly endpoint?: string;
  readonly testEventCode?: string;
}

/** One event on its way (none when the relay has it), the call to the pixel that goes with it, the only pixel it is for. */
type Waiting = readonly [
  atMs: number,
  event: Fields | false,
  toPixel: readonly unknown[] | 0 | undefined,
  onlyPixel: unknown,
];

/** A page that never asks for consent must not grow. */
const maxWaiting = 100;

export function installKobi(w: Page): void {
  const kobi: Kobi = (w.kobi =
    w.kobi ||
    function (...args) {
      call(args);
    });
  if (kobi.v) return;
  kobi.v = 1;
  const { document, location, navigator } = w;
  const loadedAt = Date.now();
  const draw = Math.floor(Math.random() * 2147483647);
  const click = clickIn(kobi.u || location.href);
  /** What each receiver has had: name and id of an event. */
  const toldRelay: Fields = {};
  const toldPixel: Fields = {};
  const advancedMatching: Fields = {};
  const user: Fields = {};
  const script = document.currentScript;
  let endpoint = script && script.src ? script.src.replace(/kobi\.js.*/, 'collect') : '';
  let options: Options | undefined;
  let consent: unknown;
  let waiting: Waiting[] = [];
  let forPixel: (readonly unknown[])[] = [];
  let isPixelReady = !!w.fbq;
  let isStarting = true;
  let owesPageView = false;
  let viewedPath: string | undefined;
  let viewId = '';

  const guarded = (work: () => void): void => {
    try {
      work();
    } catch {
      // Nothing of ours is the page's concern.
    }
  };

  const cookie = (name: string): string | undefined =>
    (new RegExp(`(?:^|; )${name}=([^;]*)`).exec(document.cookie) || [])[1];

  /** Writes a cookie on the widest domain the browser allows. The index in its value is that domain's labels, less one. */
  const store = (name: string, value: unknown): string | undefined => {
    const labels = location.hostname.split('.');
    const before = cookie(name);
    for (let count = labels.length > 1 ? 2 : 1; count <= labels.length; count++) {
      const id = `fb.${count - 1}.${loadedAt}.${value as string}`;
      const domain = count > 1 ? `;domain=${labels.slice(-count).join('.')}` : '';
      const secure = location.protocol === 'https:' ? ';secure' : '';
      document.cookie = `${name}=${id};path=/;max-age=7776000;samesite=lax${domain}${secure}`;
      // What is there now is ours, or that of a tab which was faster.
      const now = cookie(name);
      if (now !== before) return now;
    }
    return undefined;
  };

  const isNew = (told: Fields, name: unknown, id: unknown): boolean => {
    const event = `${name as string} ${id as string}`;
    return !told[event] && !!(told[event] = 1);
  };

  const given = (settings: unknown): unknown => settings && (settings as Fields)['eventID'];

  /** The id of an event: the page's own, that of the page view, or a new one. */
  const idOf = (name: unknown, own: unknown): string => {
    const id = own ? `${own as string | number}` : '';
    if (name !== 'PageView') return id || newId();
    if (id) viewId = id;
    else if (viewedPath !== location.pathname) viewId = newId();
    viewedPath = location.pathname;
    return viewId;
  };

  const record = (name: unknown, params: unknown, id: unknown, toPixel?: Waiting[2], onlyPixel?: unknown): void => {
    const isFirst = isNew(toldRelay, name, id);
    if (!isFirst && !toPixel) return;
    const event = isFirst && {
      event_name: name,
      event_id: id,
      event_source_url: location.href,
      referrer_url: document.referrer,
      // A copy: what waits is sent as it was.
      custom_data: params && (JSON.parse(JSON.stringify(params)) as unknown),
    };
    if (waiting.push([Date.now(), event, toPixel, onlyPixel]) > maxWaiting) waiting.shift();
  };

  const flush = (): void => {
    if (isStarting) return;
    if (owesPageView) {
      owesPageView = false;
      record('PageView', 0, idOf('PageView', 0));
    }
    if (consent === 'denied') waiting = [];
    if (!options || consent === 'pending' || !waiting[0]) return;
    const dataset = `${options.dataset}`;
    const events = waiting;
    waiting = [];
    // The visitor's ids are made once and before anything is sent: all events, tabs and the pixel have the same.
    let fbp = cookie('_fbp');
    let fbc = cookie('_fbc');
    if (consent === 'granted') {
      fbp = fbp || store('_fbp', draw);
      const [, atMs, known = ''] = /^fb\.\d+\.(\d+)\.(.+)$/.exec(fbc || '') || [];
      // A later click, in another tab, stays.
      if (click && !((atMs as unknown as number) > loadedAt) && `${known}.`.indexOf(`${click}.`))
        fbc = store('_fbc', click);
    }
    const data = events
      .filter(([, event, , onlyPixel]) => event && (!onlyPixel || `${onlyPixel as string | number}` === dataset))
      .map(([atMs, event]) => Object.assign(event, { age_ms: Date.now() - atMs }));
    if (data[0]) {
      send(
        JSON.stringify({
          key: options.key,
          dataset,
          consent,
          test_event_code: options.testEventCode,
          load: { at: loadedAt, draw },
          fbclid: click,
          fbp,
          fbc,
          user_data: Object.assign({}, advancedMatching[dataset], user),
          data,
        }),
      );
    }
    for (const [, , toPixel] of events) if (toPixel) forPixel.push(toPixel);
    flushPixel();
  };

  const send = (body: string): void => {
    let isQueued: unknown;
    // Text needs no preflight. A full queue says false, some blockers throw.
    guarded(() => {
      isQueued = navigator.sendBeacon && navigator.sendBeacon(endpoint, body);
    });
    if (isQueued) return;
    w.fetch(endpoint, { method: 'POST', body, credentials: 'include', keepalive: body.length < 6e4 }).catch(() => 0);
  };

  const flushPixel = (): void => {
    const pixel = kobi.r;
    if (!pixel || !isPixelReady) return;
    if (options && options.spa) pixel.disablePushState = true;
    const calls = forPixel;
    forPixel = [];
    for (const args of calls) if (isNew(toldPixel, args[1], given(args[3]))) pixel(...args);
  };

  /** Sees a call to the pixel: an event gets an id if it has none and goes to the relay as well. */
  const bridge = (made: Call): readonly unknown[] => {
    const args = Array.from(made);
    guarded(() => {
      const [method, target] = args as string[];
      if (method === 'init') {
        advancedMatching[target as string] = args[2];
        isPixelReady = true;
        // After the pixel has seen it too.
        void Promise.resolve().then(() => guarded(flushPixel));
      }
      const parts = /^track(Single)?(Custom)?$/.exec(method as string);
      if (!parts) return;
      const at = parts[1] ? 2 : 1;
      const name = args[at];
      const params = args[at + 1];
      const eventID = idOf(name, given(args[at + 2]));
      args[at + 1] = params || {};
      args[at + 2] = Object.assign({}, args[at + 2], { eventID });
      isNew(toldPixel, name, eventID);
      record(name, params, eventID, 0, parts[1] && target);
      flush();
    });
    // The pixel gets its call whatever becomes of ours.
    return args;
  };

  const view = (): void => {
    if (viewedPath !== location.pathname) call(['track', 'PageView']);
  };

  const followHistory = (): void => {
    for (const change of ['pushState', 'replaceState'] as const) {
      const original = w.history[change];
      w.history[change] = function (...state) {
        const result = original.apply(this, state);
        view();
        return result;
      };
    }
    w.addEventListener('popstate', view);
  };

  const run = ([method, first, second, third]: readonly unknown[]): void => {
    if (method === 'init' && !options) {
      options = first as Options;
      endpoint = options.endpoint || endpoint;
      consent = options.consent || consent;
      owesPageView = options.pageView !== false;
      if (options.spa) followHistory();
    }
    if (method === 'consent') consent = first;
    if (method === 'identify') Object.assign(user, first);
    if (method === 'track' || method === 'trackCustom') {
      const eventID = idOf(first, given(third));
      record(first, second, eventID, [method, first, second || {}, { eventID }]);
    }
  };

  const call = (args: Call): void =>
    guarded(() => {
      const list = Array.from(args);
      if (list[0] === 'fbq') bridge(list.slice(1));
      else run(list);
      flush();
    });

  guarded(() => {
    const early = Array.from((kobi.q || []) as ArrayLike<Call>);
    kobi.q = { push: call };
    kobi.b = bridge;
    early.forEach(call);
    if (!kobi.p) standBeforePixel(w, kobi);
  });
  isStarting = false;
  guarded(flush);
}

/** As the snippet does it. A Proxy, since fbevents.js reads and sets properties of the function it finds. */
function standBeforePixel(w: Page, kobi: Kobi): void {
  const bridge = kobi.b as (made: Call) => readonly unknown[];
  const wrapped = (pixel: Pixel | undefined): Pixel | undefined => {
    kobi.r = pixel;
    if (typeof pixel !== 'function') return pixel;
    const { queue } = pixel;
    if (queue && !pixel.callMethod) queue.forEach((made, at) => (queue[at] = bridge(made)));
    return new Proxy(pixel, { apply: (target, self, made: Call) => target.apply(self, bridge(made) as unknown[]) });
  };
  let shown = (kobi.p = wrapped)(w.fbq);
  Object.defineProperty(w, 'fbq', {
    configurable: true,
    get: () => shown,
    set(pixel: Pixel | undefined) {
      if (pixel !== shown) shown = wrapped(pixel);
    },
  });
}

/** The click id of the address, as the pixel reads it; the relay reads it the same way. */
function clickIn(url: string): string | undefined {
  let click = (/^[^?#]*\?(?:[^#]*?&)??fbclid=([^&#]*)/.exec(url) || [])[1] || '';
  try {
    click = decodeURIComponent(click);
  } catch {
    // A lone % is meant as it stands.
  }
  return /^[\w.~%+=-]{1,500}$/.test(click) ? click : undefined;
}

function newId(): string {
  return [Date.now(), Math.random(), Math.random()].map((part) => part.toString(36).slice(2)).join('');
}
