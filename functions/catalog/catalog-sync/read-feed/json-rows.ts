/** Feeds as JSON lines: one object per line, with the names of `items_batch` or of Google. */
import { fieldOf } from '../../../../shared/domain/catalog/item-fields.ts';
import type { ItemField } from '../../../../shared/domain/catalog/item-fields.ts';
import { maxRowChars } from './feed-row.ts';
import type { FeedRow } from './feed-row.ts';

export async function* jsonRows(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly FeedRow[]> {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  let isSkipping = false;
  let row = 0;

  const read = (text: string, isLast: boolean): FeedRow[] => {
    const lines = (rest + text).split('\n');
    rest = isLast ? '' : (lines.pop() ?? '');
    const rows: FeedRow[] = [];
    for (const line of lines) {
      if (isSkipping) {
        isSkipping = false;
        continue;
      }
      row += 1;
      if (line.trim() !== '') rows.push(rowOf(row, line));
    }
    if (rest.length > maxRowChars) {
      if (!isSkipping) rows.push({ row: (row += 1), item: undefined, fault: 'row_too_long' });
      isSkipping = true;
      rest = '';
    }
    return rows;
  };

  for await (const chunk of chunks) yield read(decoder.decode(chunk, { stream: true }), false);
  yield read(decoder.decode(), true);
}

function rowOf(row: number, line: string): FeedRow {
  if (line.length > maxRowChars) return { row, item: undefined, fault: 'row_too_long' };
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { row, item: undefined, fault: 'not_json' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { row, item: undefined, fault: 'not_an_object' };
  }
  const item = new Map<ItemField, string | readonly string[]>();
  for (const [name, given] of Object.entries(value)) {
    if (name === 'image') addImages(item, given);
    const field = fieldOf(name);
    const written = field === undefined ? undefined : textOf(given);
    if (field !== undefined && written !== undefined && !item.has(field)) item.set(field, written);
  }
  return { row, item };
}

/** Texts and numbers, and lists of them; anything else is left out, as if it were not there. */
function textOf(value: unknown): string | readonly string[] | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((each: unknown) => (typeof each === 'string' || typeof each === 'number' ? [String(each)] : []));
}

/** `image` of `items_batch`: `[{url}]`, the first being the main one. */
function addImages(item: Map<ItemField, string | readonly string[]>, given: unknown): void {
  if (!Array.isArray(given)) return;
  const urls = given.flatMap((each: unknown) => {
    const url: unknown = typeof each === 'object' && each !== null && 'url' in each ? each.url : undefined;
    return typeof url === 'string' ? [url] : [];
  });
  const [first, ...others] = urls;
  if (first !== undefined && !item.has('image_link')) item.set('image_link', first);
  if (others.length > 0 && !item.has('additional_image_link')) item.set('additional_image_link', others);
}
