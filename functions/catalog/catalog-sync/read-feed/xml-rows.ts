/** Feeds as XML: RSS 2.0 (`<item>`) or Atom (`<entry>`) with Google's `g:` elements. */
import sax from 'sax';
import { fieldOf } from '../../../../shared/domain/catalog/item-fields.ts';
import type { ItemField } from '../../../../shared/domain/catalog/item-fields.ts';
import { FeedMalformed, maxRowChars } from './feed-row.ts';
import type { FeedRow } from './feed-row.ts';

const itemElements = new Set(['item', 'entry']);

/** Entities other than XML's own are not expanded, and no DTD is read. */
export async function* xmlRows(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly FeedRow[]> {
  let rows: FeedRow[] = [];
  let row = 0;
  let item: Map<ItemField, string | string[]> | undefined;
  let chars = 0;
  /** Elements open inside the item. */
  let depth = 0;
  let field: ItemField | undefined;
  let text = '';
  let hasRoot = false;

  const parser = sax.parser(true, { trim: false, normalize: false });
  parser.onopentag = (tag) => {
    hasRoot = true;
    const name = tag.name.slice(tag.name.indexOf(':') + 1);
    if (item === undefined) {
      if (!itemElements.has(name)) return;
      item = new Map();
      row += 1;
      chars = 0;
      depth = 0;
      return;
    }
    depth += 1;
    if (depth > 1) return;
    // `title` and `link` may come with or without the prefix; both name the same field.
    field = fieldOf(name);
    const { href } = tag.attributes as Record<string, string | undefined>;
    text = field === 'link' && href !== undefined ? href : '';
  };
  const addText = (more: string): void => {
    if (item === undefined || field === undefined || depth !== 1) return;
    chars += more.length;
    if (chars <= maxRowChars) text += more;
  };
  parser.onclosetag = () => {
    if (item === undefined) return;
    if (depth === 0) {
      rows.push(chars > maxRowChars ? { row, item: undefined, fault: 'row_too_long' } : { row, item });
      item = undefined;
      return;
    }
    depth -= 1;
    if (depth > 0 || field === undefined) return;
    const value = text.trim();
    if (value !== '') add(item, field, value);
    field = undefined;
  };
  const fail = (error: Error): void => {
    throw new FeedMalformed(`line ${parser.line + 1}: ${error.message.split('\n', 1)[0] ?? 'not XML'}`);
  };
  Object.assign(parser, { ontext: addText, oncdata: addText, onerror: fail });

  let decoder: InstanceType<typeof TextDecoder> | undefined;
  for await (const chunk of chunks) {
    decoder ??= decoderFor(chunk);
    parser.write(decoder.decode(chunk, { stream: true }));
    yield rows;
    rows = [];
  }
  if (decoder !== undefined) parser.write(decoder.decode());
  parser.close();
  if (item !== undefined || !hasRoot) throw new FeedMalformed('the file ends before its end');
  yield rows;
}

function add(item: Map<ItemField, string | string[]>, field: ItemField, value: string): void {
  const before = item.get(field);
  if (before === undefined) item.set(field, value);
  else if (typeof before === 'string') item.set(field, [before, value]);
  else before.push(value);
}

/** By the encoding the declaration names; UTF-8 without one, or with one nobody knows. */
function decoderFor(start: Uint8Array): InstanceType<typeof TextDecoder> {
  const head = Buffer.from(start.subarray(0, 200)).toString('latin1');
  const name = /^(?:\u00ef\u00bb\u00bf)?\s*<\?xml[^>]*encoding\s*=\s*["']([\w.-]+)["']/i.exec(head)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(name);
  } catch {
    throw new FeedMalformed(`the encoding ${name} is not known`);
  }
}
