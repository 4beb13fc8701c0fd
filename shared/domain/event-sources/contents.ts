import { at, firstOf, isPayload, present } from './payload.ts';

/** Where a source keeps what Meta's `contents` hold, per key, in the order they are looked for. */
export interface ContentKeys {
  readonly id: readonly string[];
  readonly quantity: readonly string[];
  readonly item_price: readonly string[];
  readonly title: readonly string[];
  readonly brand: readonly string[];
  readonly category: readonly string[];
}

const MAX_ITEMS = 1_000;

/** `contents`, `content_ids`, `num_items` and `content_type` of a list of products; nothing when none of them has an id. */
export function contentsOf(products: readonly unknown[], keys: ContentKeys): Record<string, unknown> {
  const contents: Record<string, unknown>[] = [];
  for (const product of products.slice(0, MAX_ITEMS)) {
    const id = isPayload(product) ? firstOf(product, keys.id) : undefined;
    if (typeof id !== 'string' && typeof id !== 'number') continue;
    const quantity = wholeNumber(firstOf(product, keys.quantity)) ?? 1;
    contents.push(
      present({
        id: String(id),
        quantity,
        item_price: amount(firstOf(product, keys.item_price)),
        title: firstOf(product, keys.title),
        brand: firstOf(product, keys.brand),
        category: firstOf(product, keys.category),
      }),
    );
  }
  if (contents.length === 0) return {};
  return {
    contents,
    content_ids: contents.map(({ id }) => id),
    content_type: 'product',
    num_items: contents.reduce((sum, { quantity }) => sum + Number(quantity), 0),
  };
}

/** What one product event is worth: price times quantity, exact. Undefined where the price is no plain decimal number. */
export function lineValue(price: unknown, quantity: unknown): number | undefined {
  const number = amount(price);
  const [, whole, fraction = ''] = (typeof number === 'number' && DECIMAL.exec(String(number))) || [];
  if (whole === undefined) return undefined;
  const units = BigInt(whole + fraction.padEnd(SCALE, '0')) * BigInt(wholeNumber(quantity) ?? 1);
  const digits = units.toString().padStart(SCALE + 1, '0');
  return Number(`${digits.slice(0, -SCALE)}.${digits.slice(-SCALE)}`);
}

const SCALE = 6;
const DECIMAL = /^(\d{1,12})(?:\.(\d{1,6}))?$/;

/** Prices come as numbers and as texts. */
function amount(value: unknown): unknown {
  return typeof value === 'string' && DECIMAL.test(value.trim()) ? Number(value) : value;
}

function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value.trim()) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

/** A list, also where a client sent it as JSON text. */
export function listAt(payload: unknown, path: string): readonly unknown[] {
  const value = at(payload, path);
  if (Array.isArray(value)) return value;
  if (typeof value !== 'string' || !value.startsWith('[')) return [];
  try {
    const parsed: unknown = JSON.parse(value);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}
