import { type EventFault, invalidEvent, isObject, type Json } from './event-fault.ts';

const deliveryCategories = new Set(['in_store', 'curbside', 'home_delivery']);
const currencies = new Set(Intl.supportedValuesOf('currency'));

const isAmount = (value: unknown): boolean =>
  (typeof value === 'number' && Number.isFinite(value)) || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value));

/** The first rule `custom_data` breaks ("Custom data parameters"), or nothing. Keys of one's own are allowed. */
export function checkCustomData(event: Json): EventFault | undefined {
  const custom = event['custom_data'];
  const isPurchase = event['event_name'] === 'Purchase';
  if (custom !== undefined && !isObject(custom)) return invalidEvent('custom_data must be an object.');
  if (isPurchase && !isAmount(custom?.['value'])) {
    return invalidEvent('A Purchase event needs custom_data.value.', 'Missing Value for Purchase Event', 2804009);
  }
  if (isPurchase && custom?.['currency'] === undefined) {
    return invalidEvent('A Purchase event needs custom_data.currency.', 'Missing Currency for Purchase Event');
  }
  return custom === undefined ? undefined : (checkMoney(custom) ?? checkContents(custom));
}

function checkMoney(custom: Json): EventFault | undefined {
  const { currency } = custom;
  if (currency !== undefined && !(typeof currency === 'string' && currencies.has(currency.toUpperCase()))) {
    return invalidEvent('custom_data.currency must be an ISO 4217 code.', 'Invalid Currency');
  }
  for (const key of ['value', 'predicted_ltv', 'net_revenue']) {
    if (custom[key] !== undefined && !isAmount(custom[key]))
      return invalidEvent(`custom_data.${key} must be a number.`);
  }
  return undefined;
}

function checkContents(custom: Json): EventFault | undefined {
  const { contents, content_ids: ids, num_items: count } = custom;
  if (
    ids !== undefined &&
    !(Array.isArray(ids) && ids.every((id) => typeof id === 'string' || typeof id === 'number'))
  ) {
    return invalidEvent('custom_data.content_ids must be a list of ids.');
  }
  if (count !== undefined && !(isAmount(count) && Number.isInteger(Number(count)))) {
    return invalidEvent('custom_data.num_items must be a whole number.');
  }
  if (contents === undefined) return undefined;
  if (!Array.isArray(contents)) return invalidEvent('custom_data.contents must be a list.');
  for (const content of contents as unknown[]) {
    if (!isObject(content)) return invalidEvent('custom_data.contents must hold objects.');
    const { quantity, item_price: price, delivery_category: category } = content;
    if (quantity !== undefined && !isAmount(quantity)) return invalidEvent('contents.quantity must be a number.');
    if (price !== undefined && !isAmount(price)) return invalidEvent('contents.item_price must be a number.');
    if (category !== undefined && !(typeof category === 'string' && deliveryCategories.has(category))) {
      return invalidEvent(`contents.delivery_category must be one of ${[...deliveryCategories].join(', ')}.`);
    }
  }
  return undefined;
}
