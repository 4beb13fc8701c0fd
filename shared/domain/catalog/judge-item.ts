/** One row of a feed, judged: an item to send, or why it cannot be one. */
import { identifierFields, itemFieldNames, itemFields, maxAdditionalImages, requiredFields } from './item-fields.ts';
import type { FieldRule, ItemField } from './item-fields.ts';
import { readPrice } from './price.ts';

/** A row's values by field, as text; several where an element was repeated. Absent or blank: not given. */
export type RawItem = ReadonlyMap<ItemField, string | readonly string[]>;

export interface ItemProblem {
  readonly field: string;
  readonly code: string;
  readonly expected: string;
  /** What came, cut short. A feed holds products, not people. */
  readonly got?: string;
}

export interface Item {
  readonly id: string;
  /** The `data` of its request, as JSON: fields in a fixed order, so equal content is equal text. */
  readonly json: string;
  readonly priceHundredths: number;
  readonly currency: string;
  readonly isInStock: boolean;
  readonly itemGroupId: string | undefined;
  /** Bit n: it has a value of the nth of `itemFieldNames`. */
  readonly fieldMask: number;
}

export interface Judgement {
  /** The row's id when it has a valid one, also when the row is refused. */
  readonly id: string | undefined;
  /** Undefined: refused, for the first problems listed. */
  readonly item: Item | undefined;
  /** Why it is refused, or which optional fields are left out of it. */
  readonly problems: readonly ItemProblem[];
}

const required = new Set<string>(requiredFields);
const rules: readonly (readonly [ItemField, FieldRule])[] = itemFieldNames.map((name) => [name, itemFields[name]]);
const fieldBits = new Map(itemFieldNames.map((name, index) => [name, 2 ** index]));
const inStock = new Set(['in stock', 'available for order', 'preorder']);

/**
 * Judges one row by Meta's field rules. A bad value of a required field refuses the row; a bad optional field is left
 * out and told.
 */
export function judgeItem(raw: RawItem): Judgement {
  const problems: ItemProblem[] = [];
  const values = new Map<ItemField, string | readonly string[]>();
  let isRefused = false;
  for (const [field, rule] of rules) {
    const written = raw.get(field);
    const value = written === undefined ? undefined : read(field, written, rule, problems);
    if (value !== undefined) values.set(field, value);
    else if (required.has(field)) {
      isRefused = true;
      if (isBlank(written)) problems.push({ field, code: 'missing', expected: rule.expected });
    }
  }
  if (!values.has('condition')) {
    // A condition that was given and is not known must not become "new".
    if (isBlank(raw.get('condition'))) values.set('condition', 'new');
    else isRefused = true;
  }
  if (!identifierFields.some((field) => values.has(field))) {
    isRefused = true;
    problems.push({ field: 'brand', code: 'missing', expected: 'brand, gtin or mpn' });
  }
  const id = values.get('id') as string | undefined;
  const price = typeof values.get('price') === 'string' ? readPrice(values.get('price') as string) : undefined;
  if (isRefused || id === undefined || price === undefined) return { id, item: undefined, problems };
  checkSale(values, price, problems);
  return {
    id,
    item: {
      id,
      json: jsonOf(values),
      fieldMask: maskOf(values),
      priceHundredths: price.hundredths,
      currency: price.currency,
      isInStock: inStock.has(values.get('availability') as string),
      itemGroupId: values.get('item_group_id') as string | undefined,
    },
    problems,
  };
}

function read(
  field: ItemField,
  written: string | readonly string[],
  rule: FieldRule,
  problems: ItemProblem[],
): string | readonly string[] | undefined {
  if (rule.isList === true) {
    const parts = (typeof written === 'string' ? written.split(',') : written).map((part) => part.trim());
    const good: string[] = [];
    for (const part of parts) {
      if (part === '') continue;
      const value = rule.read(part);
      if (value === undefined) problems.push(invalid(field, rule, part));
      else if (good.length < maxAdditionalImages) good.push(value);
    }
    return good.length === 0 ? undefined : good;
  }
  const one = (typeof written === 'string' ? written : (written[0] ?? '')).trim();
  if (one === '') return undefined;
  const value = rule.read(one);
  if (value === undefined) problems.push(invalid(field, rule, one));
  return value;
}

function invalid(field: string, rule: FieldRule, got: string): ItemProblem {
  return { field, code: 'invalid', expected: rule.expected, got: got.length > 80 ? `${got.slice(0, 80)}…` : got };
}

function isBlank(written: string | readonly string[] | undefined): boolean {
  return written === undefined || (typeof written === 'string' ? written : written.join('')).trim() === '';
}

/** A sale that is no sale is left out: the item itself is good. */
function checkSale(
  values: Map<ItemField, string | readonly string[]>,
  price: { readonly hundredths: number; readonly currency: string; readonly text: string },
  problems: ItemProblem[],
): void {
  const written = values.get('sale_price');
  const sale = typeof written === 'string' ? readPrice(written) : undefined;
  if (sale !== undefined && (sale.currency !== price.currency || sale.hundredths > price.hundredths)) {
    const expected = `in ${price.currency} and at most ${price.text}`;
    problems.push({ field: 'sale_price', code: 'invalid', expected, got: sale.text });
    values.delete('sale_price');
  }
  if (values.has('sale_price_effective_date') && !values.has('sale_price')) values.delete('sale_price_effective_date');
}

function jsonOf(values: ReadonlyMap<ItemField, string | readonly string[]>): string {
  let json = '{';
  for (const [field, rule] of rules) {
    const value = values.get(field);
    if (value === undefined) continue;
    if (json.length > 1) json += ',';
    json += `"${field}":${rule.isNumber === true ? String(value) : JSON.stringify(value)}`;
  }
  return `${json}}`;
}

function maskOf(values: ReadonlyMap<ItemField, unknown>): number {
  let mask = 0;
  for (const field of values.keys()) mask += fieldBits.get(field) ?? 0;
  return mask;
}

/**
 * The item's JSON for an update, with the fields it had and has no more as empty values. Meta keeps what an update leaves
 * out: without this a sale that is over stays for ever (seen in Meta's own shop extension, facebook-for-woocommerce #2261).
 */
export function jsonClearing({ json, fieldMask }: Pick<Item, 'json' | 'fieldMask'>, earlierMask: number): string {
  if (fieldMask === earlierMask) return json;
  let cleared = '';
  for (const [index, [field, rule]] of rules.entries()) {
    const hasBit = (mask: number): boolean => Math.floor(mask / 2 ** index) % 2 === 1;
    if (hasBit(earlierMask) && !hasBit(fieldMask)) cleared += `,"${field}":${rule.isList === true ? '[]' : '""'}`;
  }
  return cleared === '' ? json : `${json.slice(0, -1)}${cleared}}`;
}
