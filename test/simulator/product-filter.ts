/** Filters of product sets and product lists: `{"and":[{"product_type":{"i_contains":"shoes"}}]}`. */
import { invalidParameter } from './graph-error.ts';
import type { Catalog, CatalogItem } from './world.ts';

type Operator = (value: string, operand: unknown) => boolean;

const text = (operand: unknown): string => String(operand);
const list = (operand: unknown): string[] => (operand as unknown[]).map(String);
const lower = (value: string): string => value.toLowerCase();

const operators: Readonly<Record<string, Operator>> = {
  contains: (value, operand) => value.includes(text(operand)),
  not_contains: (value, operand) => !value.includes(text(operand)),
  i_contains: (value, operand) => lower(value).includes(lower(text(operand))),
  i_not_contains: (value, operand) => !lower(value).includes(lower(text(operand))),
  starts_with: (value, operand) => value.startsWith(text(operand)),
  eq: (value, operand) => value === text(operand),
  neq: (value, operand) => value !== text(operand),
  i_eq: (value, operand) => lower(value) === lower(text(operand)),
  i_neq: (value, operand) => lower(value) !== lower(text(operand)),
  lt: (value, operand) => Number(value) < Number(operand),
  lte: (value, operand) => Number(value) <= Number(operand),
  gt: (value, operand) => Number(value) > Number(operand),
  gte: (value, operand) => Number(value) >= Number(operand),
  is_any: (value, operand) => list(operand).includes(value),
  is_not_any: (value, operand) => !list(operand).includes(value),
  i_is_any: (value, operand) => list(operand).map(lower).includes(lower(value)),
};

/** Names in filters → names in the data of a batch. */
const named: Readonly<Record<string, string>> = {
  retailer_id: 'id',
  name: 'title',
  category: 'google_product_category',
  retailer_product_group_id: 'item_group_id',
};
const known = new Set(
  (
    'id retailer_id name title description availability condition price brand product_type category ' +
    'google_product_category fb_product_category color size gender age_group material pattern gtin mpn item_group_id ' +
    'retailer_product_group_id custom_label_0 custom_label_1 custom_label_2 custom_label_3 custom_label_4 ' +
    'custom_number_0 custom_number_1 custom_number_2 custom_number_3 custom_number_4 internal_label price_amount ' +
    'sale_price_amount current_price sale_price product_item_id link image_link mobile_link'
  ).split(' '),
);

/** @throws GraphError 100 for what is no filter */
export function checkFilter(filter: unknown): void {
  matches({ id: '0', data: {}, createdAtMs: 0 }, filter);
}

export function itemsMatching(catalog: Catalog, filter: unknown): CatalogItem[] {
  const items = [...catalog.items.values()];
  return filter === undefined ? items : items.filter((item) => matches(item, filter));
}

function matches(item: CatalogItem, filter: unknown): boolean {
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter)) throw bad('must be a JSON object.');
  const keys = Object.entries(filter);
  if (keys.length === 0) return true;
  const [key, value] = keys[0] as [string, unknown];
  if (keys.length > 1) throw bad('must have one key on each level; combine conditions with "and".');
  if (key === 'and' || key === 'or') {
    if (!Array.isArray(value) || value.length === 0) throw bad(`must have a list under "${key}".`);
    // Each is looked at, so that a mistake in the last one is found too.
    const answers = value.map((each) => matches(item, each));
    return key === 'and' ? answers.every(Boolean) : answers.some(Boolean);
  }
  if (key === 'not') return !matches(item, value);
  if (!known.has(key)) throw bad(`names "${key}", which is no field of a product.`);
  if (typeof value !== 'object' || value === null) throw bad(`must have an operator under "${key}".`);
  return Object.entries(value).every(([operator, operand]) => {
    const apply = Object.hasOwn(operators, operator) ? operators[operator] : undefined;
    if (apply === undefined) throw bad(`has no operator "${operator}".`);
    const wantsList = operator.endsWith('is_any') || operator === 'is_not_any';
    if (wantsList !== Array.isArray(operand))
      throw bad(`must have ${wantsList ? 'a list' : 'one value'} under "${operator}".`);
    return apply(valueOf(item, key), operand);
  });
}

function valueOf({ data, id }: CatalogItem, key: string): string {
  if (key === 'product_item_id') return id;
  if (key === 'price_amount' || key === 'sale_price_amount' || key === 'current_price') {
    const written =
      key === 'sale_price_amount'
        ? data['sale_price']
        : (key === 'current_price' && data['sale_price']) || data['price'];
    // Minor units, as everywhere else in the API.
    return String(Math.round(Number(asText(written).split(' ')[0]) * 100));
  }
  return asText(data[named[key] ?? key]);
}

const bad = (problem: string): Error => invalidParameter('filter', problem);

const asText = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number'
    ? String(value)
    : value === undefined
      ? ''
      : JSON.stringify(value);
