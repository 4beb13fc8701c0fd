import { parse } from 'csv-parse/sync';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvRows, maxRowBytes } from './csv-rows.ts';
import type { CsvPart, CsvRow } from './csv-rows.ts';

function whole(text: string | Buffer, delimiter = ','): CsvRow[] {
  const part: CsvPart = { consumed: 0, isSkipping: false };
  return [...csvRows(Buffer.from(text), { delimiter, isLast: true, isSkipping: false }, part)];
}

/** The same bytes as a sender sends them: in chunks, going on where the answer says. */
function inChunks(bytes: Buffer, chunkBytes: number): CsvRow[] {
  const rows: CsvRow[] = [];
  const part: CsvPart = { consumed: 0, isSkipping: false };
  let offset = 0;
  let size = chunkBytes;
  while (offset < bytes.length) {
    const isLast = offset + size >= bytes.length;
    const { isSkipping } = part;
    rows.push(...csvRows(bytes.subarray(offset, offset + size), { delimiter: ',', isLast, isSkipping }, part));
    offset += part.consumed;
    size = part.consumed === 0 ? size * 2 : chunkBytes;
  }
  return rows;
}

const field = fc.string({ unit: fc.constantFrom('a', 'ş', '"', ',', '\n', '\r\n', ' ', '1'), maxLength: 6 });
const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 12 });
const written = (rows: string[][], lineEnd: string): string =>
  rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join(lineEnd) + lineEnd;

test('every well-formed table is read as csv-parse reads it, however the file is cut', () => {
  fc.assert(
    fc.property(table, fc.constantFrom('\n', '\r\n'), fc.integer({ min: 1, max: 40 }), (rows, lineEnd, chunkBytes) => {
      const text = written(rows, lineEnd);
      const expected = parse(text, { record_delimiter: [lineEnd], relax_column_count: true });
      expect(whole(text).map((row) => row.fields)).toEqual(expected);
      expect(inChunks(Buffer.from(text), chunkBytes)).toEqual(whole(text));
    }),
    { numRuns: 300, seed: 7 },
  );
});

test('any bytes at all are read to the end, the same however they are cut', () => {
  const bytes = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'ş'), maxLength: 60 });
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 30 }), (text, chunkBytes) => {
      expect(inChunks(Buffer.from(text), chunkBytes)).toEqual(whole(text));
    }),
    { numRuns: 1_000, seed: 7 },
  );
});

describe('a row that cannot be read costs itself only', () => {
  test.each([
    ['a quote that is never closed', 'a,"b\nc,d\ne,f\n', 'quote_not_closed'],
    ['text after a closing quote', 'a,"b"x\nc,d\ne,f\n', 'malformed_quotes'],
    ['a row too long', `a,${'b'.repeat(maxRowBytes)}\nc,d\ne,f\n`, 'row_too_long'],
    ['a quoted field too long', `a,"${'b'.repeat(maxRowBytes)}"\nc,d\ne,f\n`, 'row_too_long'],
  ])('%s', (_title, text, fault) => {
    expect(whole(text)).toEqual([{ fields: undefined, fault }, { fields: ['c', 'd'] }, { fields: ['e', 'f'] }]);
    expect(inChunks(Buffer.from(text), 10_000)).toEqual(whole(text));
  });

  test('bytes that are no UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('a,'), Buffer.from([0xfd]), Buffer.from('\n"c",d\n')]);
    expect(whole(bytes)).toEqual([{ fields: undefined, fault: 'not_utf8' }, { fields: ['c', 'd'] }]);
  });
});

test('a field without an end passes in chunks, is never held in memory, and is one bad row', () => {
  const part: CsvPart = { consumed: 0, isSkipping: false };
  const chunk = Buffer.alloc(1_000_000, 'x');
  const read = (bytes: Buffer, isSkipping: boolean) => [
    ...csvRows(bytes, { delimiter: ',', isLast: false, isSkipping }, part),
  ];
  expect(read(chunk, false)).toEqual([{ fields: undefined, fault: 'row_too_long' }]);
  expect(part).toEqual({ consumed: 1_000_000, isSkipping: true });
  for (let count = 0; count < 5; count += 1) expect(read(chunk, true)).toEqual([]);
  expect(read(Buffer.from('xx\na,b\n'), true)).toEqual([{ fields: ['a', 'b'] }]);
  expect(part).toEqual({ consumed: 7, isSkipping: false });
});

test.each([
  ['semicolons', 'a;b,c\n', ';', [['a', 'b,c']]],
  ['a quote inside an unquoted field is a character', '12" disc,x\n', ',', [['12" disc', 'x']]],
  ['an empty line', 'a,b\n\r\n\nc,d', ',', [['a', 'b'], [], [], ['c', 'd']]],
  ['no line end at the end of the file', '"a",b', ',', [['a', 'b']]],
])('%s', (_title, text, delimiter, rows) => {
  expect(whole(text, delimiter).map((row) => row.fields)).toEqual(rows);
});
