/** Segment Spec (Track, Page and Screen; Ecommerce v2; Common fields) → Meta's server events. */
import { contentsOf, lineValue, listAt } from './contents.ts';
import type { ContentKeys } from './contents.ts';
import type { IgnoredCall, MappedBody, MappedEvent } from './mapped-events.ts';
import { at, dayOf, firstOf, isPayload, present, unixSeconds, withoutIdentifiers } from './payload.ts';
import type { Payload } from './payload.ts';
import { appFields } from './segment-app.ts';

/** How an event of the Segment Spec is called at Meta. Any other name stays what it is: a custom event. */
export const SEGMENT_EVENTS: Readonly<Record<string, string>> = {
  'order completed': 'Purchase',
  'product added': 'AddToCart',
  'product viewed': 'ViewContent',
  'checkout started': 'InitiateCheckout',
  'payment info entered': 'AddPaymentInfo',
  'products searched': 'Search',
  'product added to wishlist': 'AddToWishlist',
  'signed up': 'CompleteRegistration',
  'lead generated': 'Lead',
  'subscription started': 'Subscribe',
  'trial started': 'StartTrial',
};

/** Where each key of `user_data` is looked for, in this order. A property named here is never in `custom_data`. */
const SEGMENT_USER_DATA: Readonly<Record<string, readonly string[]>> = {
  em: ['properties.email', 'context.traits.email', 'traits.email'],
  ph: ['properties.phone', 'context.traits.phone', 'traits.phone'],
  fn: [
    'properties.firstName',
    'properties.first_name',
    'context.traits.firstName',
    'context.traits.first_name',
    'traits.firstName',
    'traits.first_name',
  ],
  ln: [
    'properties.lastName',
    'properties.last_name',
    'context.traits.lastName',
    'context.traits.last_name',
    'traits.lastName',
    'traits.last_name',
  ],
  ge: ['properties.gender', 'context.traits.gender', 'traits.gender'],
  db: ['properties.birthday', 'context.traits.birthday', 'traits.birthday'],
  ct: ['properties.address.city', 'context.traits.address.city', 'context.traits.city', 'traits.address.city'],
  st: ['properties.address.state', 'context.traits.address.state', 'context.traits.state', 'traits.address.state'],
  zp: [
    'properties.address.postalCode',
    'properties.address.postal_code',
    'context.traits.address.postalCode',
    'context.traits.address.postal_code',
    'traits.address.postalCode',
  ],
  country: [
    'properties.address.country',
    'context.traits.address.country',
    'context.traits.country',
    'traits.address.country',
  ],
  external_id: ['userId', 'properties.userId', 'properties.user_id', 'anonymousId'],
  client_ip_address: ['context.ip'],
  client_user_agent: ['context.userAgent'],
  fbp: ['properties.fbp', 'context.fbp', 'context.traits.fbp'],
  fbc: ['properties.fbc', 'context.fbc', 'context.traits.fbc'],
  madid: ['context.device.advertisingId'],
  lead_id: ['properties.lead_id', 'context.traits.lead_id'],
  subscription_id: ['properties.subscription_id'],
  fb_login_id: ['properties.fb_login_id'],
  ctwa_clid: ['properties.ctwa_clid'],
};

/** Server event parameters, likewise. */
const SEGMENT_EVENT_KEYS: Readonly<Record<string, readonly string[]>> = {
  event_id: ['properties.event_id', 'properties.eventId', 'messageId'],
  event_source_url: ['properties.url', 'context.page.url'],
  referrer_url: ['properties.referrer', 'context.page.referrer'],
  opt_out: ['properties.opt_out'],
  data_processing_options: ['properties.data_processing_options', 'context.data_processing_options'],
  data_processing_options_country: [
    'properties.data_processing_options_country',
    'context.data_processing_options_country',
  ],
  data_processing_options_state: ['properties.data_processing_options_state', 'context.data_processing_options_state'],
};

/** `custom_data` under another name. Every further property keeps its own. */
const SEGMENT_CUSTOM_DATA: Readonly<Record<string, readonly string[]>> = {
  order_id: ['properties.order_id', 'properties.orderId'],
  search_string: ['properties.search_string', 'properties.query'],
  content_category: ['properties.content_category', 'properties.category'],
  content_name: ['properties.content_name', 'name'],
};

/** What an order, and what anything else, is worth. Revenue is without shipping and tax (Segment Spec, Order Completed). */
const VALUE_OF_ORDER = ['properties.revenue', 'properties.total', 'properties.value'];
const VALUE = ['properties.value', 'properties.revenue', 'properties.total'];

const PRODUCT: ContentKeys = {
  id: ['product_id', 'productId', 'sku', 'id'],
  quantity: ['quantity'],
  item_price: ['price'],
  title: ['name'],
  brand: ['brand'],
  category: ['category'],
};

/** Properties that have gone elsewhere, or are of no use at Meta. */
const TAKEN_PROPERTIES: ReadonlySet<string> = new Set([
  ...[SEGMENT_USER_DATA, SEGMENT_EVENT_KEYS, SEGMENT_CUSTOM_DATA]
    .flatMap((table) => Object.values(table).flat())
    .concat(VALUE)
    .filter((path) => path.startsWith('properties.'))
    .map((path) => path.split('.')[1] ?? ''),
  ...Object.values(PRODUCT).flat(),
  ...'action_source consent username anonymousId anonymous_id products path search title image_url hash'.split(' '),
]);

const CONVERSIONS = new Set<unknown>(['track', 'page', 'screen']);
/** What Segment sends beside them to every destination. */
const OTHER_CALLS = ['identify', 'group', 'alias'] as const;

/** Whether a body says by itself that it is Segment's: a call with its type and its person, or a batch of such calls. */
export function isSegmentBody(body: Payload): boolean {
  const calls = Array.isArray(body['batch']) ? body['batch'] : [body];
  const first: unknown = calls[0];
  if (!isPayload(first)) return false;
  if (!CONVERSIONS.has(first['type']) && !OTHER_CALLS.some((other) => other === first['type'])) return false;
  return typeof first['userId'] === 'string' || typeof first['anonymousId'] === 'string';
}

/**
 * Maps one call, or a `batch` of calls. A call without a type is a Track where it has an `event`, a Page otherwise.
 *
 * `timestamp` is when it happened and is believed: it is not corrected by `sentAt` for a sender whose clock is wrong
 * (Segment has done so already where the call comes from Segment). Without one the event happened now.
 */
export function mapSegment(body: Payload, nowSeconds: number): MappedBody {
  const calls: readonly unknown[] = Array.isArray(body['batch']) ? body['batch'] : [body];
  const events: MappedEvent[] = [];
  const ignored: IgnoredCall[] = [];
  calls.forEach((call, index) => {
    if (!isPayload(call)) {
      events.push({ index, event: call, warnings: [] });
      return;
    }
    const type = call['type'] ?? (call['event'] === undefined ? 'page' : 'track');
    const other = OTHER_CALLS.find((name) => name === type);
    if (type === 'track' || type === 'page' || type === 'screen') {
      events.push({ index, event: mapCall(call, type, nowSeconds), warnings: [] });
    } else if (other === undefined) {
      events.push({ index, event: undefined, warnings: [] });
    } else {
      ignored.push({ index, reason: `${other} is no conversion: put its traits into context.traits of the track` });
    }
  });
  return { events, ignored };
}

function mapCall(call: Payload, type: 'track' | 'page' | 'screen', nowSeconds: number): Payload {
  const userData = userDataOf(call);
  const source = actionSource(call, type);
  return present({
    event_name: type === 'track' ? eventName(call['event']) : type === 'page' ? 'PageView' : 'ScreenView',
    event_time: unixSeconds(firstOf(call, ['timestamp', 'originalTimestamp', 'sentAt']) ?? nowSeconds),
    action_source: source,
    ...mapped(call, SEGMENT_EVENT_KEYS),
    consent: consentOf(call),
    user_data: userData,
    custom_data: withoutIdentifiers(customDataOf(call), userData),
    ...(source === 'app' && appFields(call)),
  });
}

/** Segment's consent categories have names the client gives them; those about advertising are told by the word in them. */
const ADVERTISING = /advert|marketing|targeting|reklam|pazarlama/i;

/** The event's `consent`, our field that never goes to Meta: one refused category of advertising is a refusal. */
function consentOf(call: Payload): unknown {
  const said = firstOf(call, ['properties.consent']);
  if (said !== undefined) return said;
  const categories = at(call, 'context.consent.categoryPreferences');
  if (!isPayload(categories)) return undefined;
  const given = Object.entries(categories).filter(([name]) => ADVERTISING.test(name));
  if (given.length === 0) return undefined;
  return given.find(([, value]) => value !== true)?.[1] ?? true;
}

function eventName(event: unknown): unknown {
  if (typeof event !== 'string') return event;
  const key = event.trim().toLowerCase();
  return Object.hasOwn(SEGMENT_EVENTS, key) ? SEGMENT_EVENTS[key] : event;
}

function mapped(call: Payload, table: Readonly<Record<string, readonly string[]>>): Record<string, unknown> {
  return present(Object.fromEntries(Object.entries(table).map(([key, paths]) => [key, firstOf(call, paths)])));
}

function userDataOf(call: Payload): Record<string, unknown> {
  const userData = mapped(call, SEGMENT_USER_DATA);
  if ('db' in userData) userData['db'] = dayOf(userData['db']);
  const name = firstOf(call, ['context.traits.name', 'traits.name']);
  if (typeof name === 'string' && userData['fn'] === undefined && userData['ln'] === undefined) {
    const words = name.trim().split(/\s+/);
    // Three words may be two first names or two last names; a wrong guess is a hash that matches nobody.
    if (words.length === 2) [userData['fn'], userData['ln']] = words;
  }
  return userData;
}

function customDataOf(call: Payload): Record<string, unknown> {
  const properties = isPayload(call['properties']) ? call['properties'] : {};
  const rest = Object.fromEntries(Object.entries(properties).filter(([key]) => !TAKEN_PROPERTIES.has(key)));
  const products = listAt(call, 'properties.products');
  const own = contentsOf([properties], PRODUCT);
  const isOrder = eventName(call['event']) === 'Purchase';
  // What an order is worth is never guessed from a line of it.
  const value = isOrder
    ? firstOf(call, VALUE_OF_ORDER)
    : (firstOf(call, VALUE) ?? lineValue(properties['price'], properties['quantity']));
  return {
    ...(products.length > 0 ? contentsOf(products, PRODUCT) : own),
    ...rest,
    // Of a product it is the product's name; of a sign-up it would be a person's.
    ...('contents' in own && present({ content_name: at(properties, 'name') })),
    ...mapped(call, SEGMENT_CUSTOM_DATA),
    ...present({ value }),
  };
}

function actionSource(call: Payload, type: string): unknown {
  const said = firstOf(call, ['properties.action_source', 'context.action_source']);
  if (said !== undefined) return said;
  if (type === 'screen' || isPayload(at(call, 'context.app'))) return 'app';
  return firstOf(call, SEGMENT_EVENT_KEYS['event_source_url'] ?? []) === undefined ? 'other' : 'website';
}
