/** Meta's rules on the data of a PRODUCT_ITEM, written down apart from the product's own so that neither excuses the other. */
import { isHttpUrl } from './parameters.ts';

const availabilities = [
  'in stock',
  'out of stock',
  'available for order',
  'discontinued',
  'preorder',
  'pending',
  'mark_as_sold',
];
const conditions = ['new', 'refurbished', 'used', 'used_like_new', 'used_good', 'used_fair', 'cpo', 'open_box_new'];
const ages = ['adult', 'all ages', 'infant', 'kids', 'newborn', 'teen', 'toddler'];

type Check = (value: unknown) => string | undefined;

const textUpTo =
  (most: number): Check =>
  (value) =>
    typeof value !== 'string' || value.trim() === ''
      ? 'must be a non-empty text'
      : Array.from(value).length > most
        ? `is longer than ${String(most)} characters`
        : undefined;
const oneOf =
  (values: readonly string[]): Check =>
  (value) =>
    values.includes(value as string) ? undefined : `must be one of ${values.join(', ')}`;
const address: Check = (value) =>
  typeof value === 'string' && isHttpUrl(value) ? undefined : 'must be an absolute http(s) URL';
const price: Check = (value) => {
  const amount = typeof value === 'string' ? /^(\d+(?:\.\d+)?) ([A-Z]{3})$/.exec(value)?.[1] : undefined;
  if (amount === undefined) return 'must be an amount and a currency, like "9.99 TRY"';
  return Number(amount) > 0 ? undefined : 'must be above 0';
};
const unsigned: Check = (value) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32
    ? undefined
    : 'must be an unsigned 32-bit integer';
const addresses: Check = (value) =>
  Array.isArray(value) && value.length <= 20 && value.every((each) => address(each) === undefined)
    ? undefined
    : 'must be a list of at most 20 URLs';

const required: Readonly<Record<string, Check>> = {
  id: textUpTo(100),
  title: textUpTo(200),
  description: textUpTo(5_000),
  availability: oneOf(availabilities),
  condition: oneOf(conditions),
  price,
  link: address,
};

const optional: Readonly<Record<string, Check>> = {
  image_link: address,
  image: (value) => (Array.isArray(value) && value.length <= 21 ? undefined : 'must be a list of at most 21 images'),
  brand: textUpTo(100),
  additional_image_link: addresses,
  sale_price: price,
  sale_price_effective_date: (value) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\d\S*\/\d{4}-\d\d-\d\d\S*$/.test(value) ? undefined : 'must be ISO/ISO',
  item_group_id: textUpTo(100),
  google_product_category: textUpTo(250),
  fb_product_category: textUpTo(250),
  product_type: textUpTo(750),
  gtin: (value) => (/^(\d{8}|\d{12,14})$/.test(String(value)) ? undefined : 'must have 8, 12, 13 or 14 digits'),
  mpn: textUpTo(100),
  color: textUpTo(200),
  size: textUpTo(200),
  material: textUpTo(200),
  pattern: textUpTo(100),
  gender: oneOf(['female', 'male', 'unisex']),
  age_group: oneOf(ages),
  internal_label: (value) => (Array.isArray(value) ? undefined : 'must be a list'),
  quantity_to_sell_on_facebook: unsigned,
  rich_text_description: textUpTo(9_999),
  video: (value) => (Array.isArray(value) ? undefined : 'must be a list'),
  shipping: (value) => (Array.isArray(value) ? undefined : 'must be a list'),
  expiration_date: textUpTo(40),
  mobile_link: address,
  applink: (value) => (typeof value === 'object' ? undefined : 'must be an object'),
  ...Object.fromEntries([0, 1, 2, 3, 4].map((n) => [`custom_label_${String(n)}`, textUpTo(100)])),
  ...Object.fromEntries([0, 1, 2, 3, 4].map((n) => [`custom_number_${String(n)}`, unsigned])),
};

export function checkItem(data: Readonly<Record<string, unknown>>): { errors: string[]; warnings: string[] } {
  const errors: string[] = [];
  const warnings: string[] = [];
  for (const [name, check] of Object.entries(required)) {
    const problem = data[name] === undefined ? 'is required' : check(data[name]);
    if (problem !== undefined) errors.push(`${name} ${problem}.`);
  }
  if (data['image_link'] === undefined && data['image'] === undefined) errors.push('image_link is required.');
  if (data['brand'] === undefined && data['gtin'] === undefined && data['mpn'] === undefined) {
    errors.push('brand, gtin or mpn is required.');
  }
  for (const [name, value] of Object.entries(data)) {
    if (Object.hasOwn(required, name)) continue;
    const check = Object.hasOwn(optional, name) ? optional[name] : undefined;
    // Meta warns of fields it does not know and takes the item.
    if (check === undefined) warnings.push(`${name} is not a known field.`);
    else {
      const problem = check(value);
      if (problem !== undefined) errors.push(`${name} ${problem}.`);
    }
  }
  const [saleCurrency, currency] = [data['sale_price'], data['price']].map((value) => String(value).split(' ')[1]);
  if (data['sale_price'] !== undefined && saleCurrency !== currency) errors.push('sale_price is in another currency.');
  return { errors, warnings };
}
