/**
 * The fields of a product as `items_batch` takes them (Marketing API, "Catalog Batch API", `PRODUCT_ITEM`), and the names
 * under which feeds bring them: Google Merchant and Meta spell most of them alike.
 */
import { priceRule, readPrice } from './price.ts';

/** What one field's text may be. `read` gives what is sent, or undefined when the text is not valid. */
export interface FieldRule {
  readonly read: (written: string) => string | undefined;
  /** What is valid, for people. */
  readonly expected: string;
  /** Several values: elements written more than once, or a list separated by commas. */
  readonly isList?: true;
  /** Sent as a JSON number. */
  readonly isNumber?: true;
}

export const maxIdChars = 100;

const text = (maxChars: number): FieldRule => ({
  read: (written) => (written.length <= maxChars ? written : undefined),
  expected: `at most ${maxChars} characters`,
});

function oneOf(values: readonly string[], alsoWritten: Readonly<Record<string, string>> = {}): FieldRule {
  const known = new Map(values.map((value) => [value, value]));
  for (const [written, value] of Object.entries(alsoWritten)) known.set(written, value);
  return { read: (written) => known.get(written.toLowerCase()), expected: `one of ${values.join(', ')}` };
}

const url: FieldRule = { read: readUrl, expected: 'an absolute http(s) address of at most 2048 characters' };

function readUrl(written: string): string | undefined {
  if (written.length > 2_048 || !/^https?:\/\/[^/\s]+\.[^/\s]/i.test(written) || !URL.canParse(written))
    return undefined;
  return written;
}

const unsignedInt: FieldRule = {
  read: (written) => (/^\d{1,10}$/.test(written) && Number(written) < 2 ** 32 ? String(Number(written)) : undefined),
  expected: 'a whole number from 0 to 4294967295',
  isNumber: true,
};

const price: FieldRule = {
  read: (written) => {
    const read = readPrice(written);
    return read === undefined || read.hundredths === 0 ? undefined : read.text;
  },
  expected: `${priceRule}, above 0`,
};

const INSTANT = String.raw`\d{4}-\d{2}-\d{2}(?:T\d{2}:?\d{2}(?::?\d{2})?(?:Z|[+-]\d{2}:?\d{2})?)?`;
const WINDOW = new RegExp(`^(${INSTANT})\\s*/\\s*(${INSTANT})$`);
const POINT = new RegExp(`^${INSTANT}$`);

const saleWindow: FieldRule = {
  read: (written) => {
    const [, start, end] = WINDOW.exec(written) ?? [];
    if (start === undefined || end === undefined) return undefined;
    // Compared as text only where both are written to the same precision and zone; Meta judges the rest.
    return start.length === end.length && start.slice(16) === end.slice(16) && start >= end
      ? undefined
      : `${start}/${end}`;
  },
  expected: 'start/end, both ISO 8601, the start before the end',
};

const availability = oneOf(
  ['in stock', 'out of stock', 'available for order', 'preorder', 'discontinued', 'pending', 'mark_as_sold'],
  {
    in_stock: 'in stock',
    instock: 'in stock',
    out_of_stock: 'out of stock',
    outofstock: 'out of stock',
    available_for_order: 'available for order',
    backorder: 'available for order',
    'pre-order': 'preorder',
    pre_order: 'preorder',
  },
);

/** In the order they are sent in. */
export const itemFields = {
  id: text(maxIdChars),
  title: text(200),
  description: text(5_000),
  availability,
  condition: oneOf(['new', 'refurbished', 'used', 'used_like_new', 'used_good', 'used_fair', 'cpo', 'open_box_new']),
  price,
  link: url,
  image_link: url,
  brand: text(100),
  additional_image_link: { ...url, isList: true },
  sale_price: price,
  sale_price_effective_date: saleWindow,
  item_group_id: text(100),
  google_product_category: text(250),
  fb_product_category: text(250),
  product_type: text(750),
  gtin: {
    read: (written) => (/^\d{8}$|^\d{12,14}$/.test(written) ? written : undefined),
    expected: '8, 12, 13 or 14 digits',
  },
  mpn: text(100),
  color: text(200),
  size: text(200),
  material: text(200),
  pattern: text(100),
  gender: oneOf(['female', 'male', 'unisex']),
  age_group: oneOf(['adult', 'all ages', 'infant', 'kids', 'newborn', 'teen', 'toddler']),
  custom_label_0: text(100),
  custom_label_1: text(100),
  custom_label_2: text(100),
  custom_label_3: text(100),
  custom_label_4: text(100),
  custom_number_0: unsignedInt,
  custom_number_1: unsignedInt,
  custom_number_2: unsignedInt,
  custom_number_3: unsignedInt,
  custom_number_4: unsignedInt,
  internal_label: { ...text(110), isList: true },
  quantity_to_sell_on_facebook: unsignedInt,
  rich_text_description: text(9_999),
  mobile_link: url,
  expiration_date: { read: (written) => (POINT.test(written) ? written : undefined), expected: 'an ISO 8601 date' },
} as const satisfies Record<string, FieldRule>;

export type ItemField = keyof typeof itemFields;

export const itemFieldNames = Object.keys(itemFields) as readonly ItemField[];

/** What Meta wants of every item. `condition` is `new` where a feed leaves it out, as Google has it. */
export const requiredFields = ['id', 'title', 'description', 'availability', 'price', 'link', 'image_link'] as const;

/** One of these must say which product it is. */
export const identifierFields = ['brand', 'gtin', 'mpn'] as const;

export const maxAdditionalImages = 20;

const aliases: Readonly<Record<string, ItemField>> = {
  name: 'title',
  retailer_id: 'id',
  url: 'link',
  image_url: 'image_link',
  additional_image_urls: 'additional_image_link',
  product_category: 'google_product_category',
  inventory: 'quantity_to_sell_on_facebook',
  retailer_product_group_id: 'item_group_id',
};

/** The field a column or element stands for; undefined for one that is not sent to Meta. */
export function fieldOf(column: string): ItemField | undefined {
  const name = column
    .trim()
    .toLowerCase()
    .replace(/^g:/, '')
    .replaceAll(/[\s-]+/g, '_');
  if (Object.hasOwn(itemFields, name)) return name as ItemField;
  return Object.hasOwn(aliases, name) ? aliases[name] : undefined;
}
