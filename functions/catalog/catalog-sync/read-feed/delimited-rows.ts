/** Feeds as CSV or TSV: a header of field names, then a row per item. */
import { fieldOf } from '../../../../shared/domain/catalog/item-fields.ts';
import type { ItemField } from '../../../../shared/domain/catalog/item-fields.ts';
import { csvRows } from '../../../../shared/domain/csv/csv-rows.ts';
import type { CsvPart } from '../../../../shared/domain/csv/csv-rows.ts';
import type { FeedRow } from './feed-row.ts';

const delimiters = [',', ';', '\t', '|'];
const bom = Buffer.from([0xef, 0xbb, 0xbf]);

/** @param delimiter undefined: the one the header uses most */
export async function* delimitedRows(
  chunks: AsyncIterable<Uint8Array>,
  delimiter: string | undefined,
): AsyncGenerator<readonly FeedRow[]> {
  let rest: Buffer = Buffer.alloc(0);
  let isSkipping = false;
  let columns: readonly (ItemField | undefined)[] | undefined;
  let chosen = delimiter;
  let row = 0;

  const read = (isLast: boolean): FeedRow[] => {
    const rows: FeedRow[] = [];
    if (columns === undefined) {
      if (rest.subarray(0, 3).equals(bom)) rest = rest.subarray(3);
      const end = rest.indexOf(0x0a);
      if (end === -1 && !isLast) return rows;
      chosen ??= delimiterOf(rest.toString('utf8', 0, end === -1 ? rest.length : end));
    }
    const part: CsvPart = { consumed: 0, isSkipping: false };
    for (const { fields, fault } of csvRows(rest, { delimiter: chosen ?? ',', isLast, isSkipping }, part)) {
      row += 1;
      if (fields !== undefined && fields.every((field) => field.trim() === '')) continue;
      if (columns === undefined) columns = fields === undefined ? [] : fields.map(fieldOf);
      else if (fields === undefined) rows.push({ row, item: undefined, fault: fault ?? 'unreadable' });
      else rows.push({ row, item: itemOf(columns, fields) });
    }
    ({ isSkipping } = part);
    rest = rest.subarray(part.consumed);
    return rows;
  };

  for await (const chunk of chunks) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    yield read(false);
  }
  yield read(true);
}

function delimiterOf(header: string): string {
  const counts = delimiters.map((each) => header.split(each).length);
  return delimiters[counts.indexOf(Math.max(...counts))] ?? ',';
}

function itemOf(columns: readonly (ItemField | undefined)[], fields: readonly string[]): Map<ItemField, string> {
  const item = new Map<ItemField, string>();
  for (const [index, field] of columns.entries()) {
    const value = fields[index];
    // Of two columns for one field the first that says something counts.
    if (field !== undefined && value !== undefined && value !== '' && !item.has(field)) item.set(field, value);
  }
  return item;
}
