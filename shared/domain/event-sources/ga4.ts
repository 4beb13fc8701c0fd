/** Google's event model (server-side Tag Manager's common event data, GA4's Measurement Protocol) → Meta's server events. */
import { contentsOf, lineValue, listAt } from './contents.ts';
import type { ContentKeys } from './contents.ts';
import type { MappedBody, MappedEvent, MappingWarning } from './mapped-events.ts';
import { at, dayOf, firstOf, isPayload, present, unixSeconds, withoutIdentifiers } from './payload.ts';
import type { Payload } from './payload.ts';

/** How a recommended event of GA4 is called at Meta. Any other name stays what it is: a custom event. */
export const GA4_EVENTS: Readonly<Record<string, string>> = {
  purchase: 'Purchase',
  add_to_cart: 'AddToCart',
  view_item: 'ViewContent',
  begin_checkout: 'InitiateCheckout',
  add_payment_info: 'AddPaymentInfo',
  add_to_wishlist: 'AddToWishlist',
  search: 'Search',
  view_search_results: 'Search',
  generate_lead: 'Lead',
  sign_up: 'CompleteRegistration',
  page_view: 'PageView',
};

/** Where each key of `user_data` is looked for. `x-fb-*` are the parameters Meta's own tag for Tag Manager reads. */
const GA4_USER_DATA: Readonly<Record<string, readonly string[]>> = {
  em: ['x-fb-ud-em', 'user_data.email_address', 'user_data.email', 'user_data.sha256_email_address'],
  ph: ['x-fb-ud-ph', 'user_data.phone_number', 'user_data.phone'],
  fn: ['x-fb-ud-fn', 'user_data.address.first_name', 'user_data.address.sha256_first_name'],
  ln: ['x-fb-ud-ln', 'user_data.address.last_name', 'user_data.address.sha256_last_name'],
  ge: ['x-fb-ud-ge', 'user_data.gender'],
  db: ['x-fb-ud-db', 'user_data.date_of_birth'],
  ct: ['x-fb-ud-ct', 'user_data.address.city'],
  st: ['x-fb-ud-st', 'user_data.address.region'],
  zp: ['x-fb-ud-zp', 'user_data.address.postal_code'],
  country: ['x-fb-ud-country', 'user_data.address.country'],
  external_id: ['x-fb-ud-external_id', 'user_id', 'client_id'],
  client_ip_address: ['ip_override'],
  client_user_agent: ['user_agent'],
  fbp: ['x-fb-ck-fbp', 'fbp'],
  fbc: ['x-fb-ck-fbc', 'fbc'],
  subscription_id: ['x-fb-ud-subscription_id'],
  fb_login_id: ['x-fb-ud-fb_login_id'],
  lead_id: ['x-fb-ud-lead_id', 'lead_id'],
};

const GA4_EVENT_KEYS: Readonly<Record<string, readonly string[]>> = {
  event_id: ['x-fb-event_id', 'event_id'],
  event_source_url: ['page_location'],
  referrer_url: ['page_referrer'],
  opt_out: ['opt_out'],
  data_processing_options: ['data_processing_options'],
  data_processing_options_country: ['data_processing_options_country'],
  data_processing_options_state: ['data_processing_options_state'],
};

/** `custom_data`. Google's model is full of parameters about the hit itself, so what is not named here is not sent. */
const GA4_CUSTOM_DATA: Readonly<Record<string, readonly string[]>> = {
  value: ['value'],
  currency: ['currency'],
  order_id: ['x-fb-cd-order_id', 'transaction_id'],
  search_string: ['x-fb-cd-search_string', 'search_term'],
  content_category: ['x-fb-cd-content_category'],
  content_name: ['x-fb-cd-content_name'],
  content_type: ['x-fb-cd-content_type'],
  num_items: ['x-fb-cd-num_items'],
  predicted_ltv: ['x-fb-cd-predicted_ltv'],
  status: ['x-fb-cd-status'],
  delivery_category: ['x-fb-cd-delivery_category'],
  coupon: ['coupon'],
  shipping: ['shipping'],
  tax: ['tax'],
  payment_type: ['payment_type'],
  shipping_tier: ['shipping_tier'],
  method: ['method'],
};

const ITEM: ContentKeys = {
  id: ['item_id', 'id'],
  quantity: ['quantity'],
  item_price: ['price'],
  title: ['item_name'],
  brand: ['item_brand'],
  category: ['item_category'],
};

/** Google hashes phone numbers with their `+`, Meta without: the two can never match (stape-io/facebook-tag issue 62). */
const PHONE_HASHED_WITH_PLUS: MappingWarning = { key: 'user_data.sha256_phone_number', code: 'hashed_with_plus' };

/**
 * Whether a body says by itself that it is Google's: a Measurement Protocol request, or an event with a name and either
 * the client's id or its page, which Meta's format calls otherwise.
 */
export function isGa4Body(body: Payload): boolean {
  const hasClient = typeof body['client_id'] === 'string' || typeof body['app_instance_id'] === 'string';
  if (Array.isArray(body['events'])) return hasClient && isPayload(body['events'][0]) && 'name' in body['events'][0];
  return typeof body['event_name'] === 'string' && (hasClient || typeof body['page_location'] === 'string');
}

/**
 * Maps one event of the common event model, or the `events` of a Measurement Protocol request. An event without
 * `timestamp_micros` (or `event_time`) happened now.
 */
export function mapGa4(body: Payload, nowSeconds: number): MappedBody {
  if (!Array.isArray(body['events'])) return { events: [mapEvent(body, 0, nowSeconds)], ignored: [] };
  const { events: given, ...shared } = body;
  const list: readonly unknown[] = Array.isArray(given) ? given : [];
  const events = list.map((event, index): MappedEvent => {
    if (!isPayload(event)) return { index, event, warnings: [] };
    const { params, name, ...own } = event;
    return mapEvent({ ...shared, ...own, ...(isPayload(params) ? params : {}), event_name: name }, index, nowSeconds);
  });
  return { events, ignored: [] };
}

function mapEvent(given: Payload, index: number, nowSeconds: number): MappedEvent {
  const userData = mapped(given, GA4_USER_DATA);
  if ('db' in userData) userData['db'] = dayOf(userData['db']);
  const name = given['event_name'];
  const event = present({
    event_name: typeof name === 'string' && Object.hasOwn(GA4_EVENTS, name) ? GA4_EVENTS[name] : name,
    event_time: eventTime(given) ?? nowSeconds,
    action_source: actionSource(given),
    ...mapped(given, GA4_EVENT_KEYS),
    consent: consentOf(given),
    user_data: userData,
    custom_data: withoutIdentifiers(customDataOf(given), userData),
  });
  const hasLostPhone = userData['ph'] === undefined && at(given, 'user_data.sha256_phone_number') !== undefined;
  return { index, event, warnings: hasLostPhone ? [PHONE_HASHED_WITH_PLUS] : [] };
}

function mapped(given: Payload, table: Readonly<Record<string, readonly string[]>>): Record<string, unknown> {
  return present(Object.fromEntries(Object.entries(table).map(([key, paths]) => [key, firstOf(given, paths)])));
}

/**
 * The event's `consent`, our field that never goes to Meta: as the Measurement Protocol and Tag Manager carry it, or the
 * first digit of `x-ga-gcs` (`G100`), which is `ad_storage`.
 */
function consentOf(given: Payload): unknown {
  const said = firstOf(given, ['consent', 'consent_state']);
  if (said !== undefined) return said;
  const state = given['x-ga-gcs'];
  const adStorage = typeof state === 'string' ? /^G1([01])[01]$/.exec(state)?.[1] : undefined;
  return adStorage === undefined ? undefined : { ad_storage: adStorage };
}

function eventTime(given: Payload): unknown {
  const micros = at(given, 'timestamp_micros');
  if (micros === undefined) return unixSeconds(firstOf(given, ['event_time', 'timestamp']));
  const number = typeof micros === 'string' && /^\d{16}$/.test(micros) ? Number(micros) : micros;
  return typeof number === 'number' ? Math.floor(number / 1_000_000) : number;
}

function actionSource(given: Payload): unknown {
  const said = firstOf(given, ['x-fb-action_source', 'action_source']);
  if (said !== undefined) return said;
  if (at(given, 'page_location') !== undefined) return 'website';
  return at(given, 'app_instance_id') === undefined ? 'other' : 'app';
}

function customDataOf(given: Payload): Record<string, unknown> {
  const items = listAt(given, 'items');
  const contents = listAt(given, 'x-fb-cd-contents');
  const contentIds = listAt(given, 'x-fb-cd-content_ids');
  const [only] = items;
  // What an order is worth is never guessed from a line of it.
  const isLine = items.length === 1 && given['event_name'] !== 'purchase';
  const worth = isLine ? lineValue(at(only, 'price'), at(only, 'quantity')) : undefined;
  return {
    ...contentsOf(items, ITEM),
    ...(contents.length > 0 && { contents }),
    ...(contentIds.length > 0 && { content_ids: contentIds }),
    ...present({ value: worth }),
    ...mapped(given, GA4_CUSTOM_DATA),
  };
}
