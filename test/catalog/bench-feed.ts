/** A feed of a million items on disk. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { FeedFormat } from '../../shared/contracts/catalog-documents.ts';
import { itemFieldNames } from '../../shared/domain/catalog/item-fields.ts';
import type { ItemField } from '../../shared/domain/catalog/item-fields.ts';

const words =
  'soft warm woven cotton towel linen blue large handmade Denizli şık yumuşak pamuklu ürün modern classic'.split(' ');

/** Item `n` in a version of the catalog: a different version has a different price. */
export function benchItem(n: number, version: number): ReadonlyMap<ItemField, string> {
  const word = (offset: number): string => words[(n * 7 + offset * 3) % words.length] ?? '';
  const cents = 1_000 + ((n * 37) % 90_000) + version;
  return new Map<ItemField, string>([
    ['id', `SKU-${String(n).padStart(7, '0')}`],
    ['title', `${word(1)} ${word(2)} ${word(3)} ${n}`],
    ['description', Array.from({ length: 24 }, (_, index) => word(index)).join(' ')],
    ['availability', n % 9 === 0 ? 'out of stock' : 'in stock'],
    ['condition', 'new'],
    ['price', `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')} TRY`],
    ['link', `https://shop.example.com/products/${n}?utm_source=feed`],
    ['image_link', `https://cdn.example.com/images/${n % 5_000}/${n}.jpg`],
    ['brand', `Brand ${n % 500}`],
    ['item_group_id', `GRP-${Math.floor(n / 4)}`],
    ['google_product_category', '2271'],
    ['product_type', `Home > ${word(4)} > ${word(5)}`],
    ['color', word(6)],
    ['custom_label_0', `season-${n % 8}`],
  ]);
}

const columns = itemFieldNames.filter((name) => benchItem(1, 0).has(name));

/** Writes the items in the order given. Resolves with the file's SHA-256. */
export async function writeFeed(
  path: string,
  format: FeedFormat,
  items: Iterable<ReadonlyMap<ItemField, string>>,
): Promise<string> {
  const digest = createHash('sha256');
  const file = createWriteStream(path);
  let text = format === 'xml' ? '<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0"><channel>' : '';
  if (format === 'csv') text = `${columns.join(',')}\n`;
  const flush = async (): Promise<void> => {
    digest.update(text);
    if (!file.write(text)) await once(file, 'drain');
    text = '';
  };
  for (const item of items) {
    text += rowOf(item, format);
    if (text.length > 1_000_000) await flush();
  }
  if (format === 'xml') text += '</channel></rss>';
  await flush();
  file.end();
  await once(file, 'close');
  return digest.digest('hex');
}

function rowOf(item: ReadonlyMap<ItemField, string>, format: FeedFormat): string {
  if (format === 'jsonl') return `${JSON.stringify(Object.fromEntries(item))}\n`;
  if (format === 'xml') {
    let row = '<item>';
    for (const [name, value] of item)
      row += `<g:${name}>${value.replaceAll('&', '&amp;').replaceAll('>', '&gt;')}</g:${name}>`;
    return `${row}</item>\n`;
  }
  return `${columns.map((column) => item.get(column) ?? '').join(',')}\n`;
}
