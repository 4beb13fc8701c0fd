/** CSV (RFC 4180) as rows with their place in the file, so that a file can be read in pieces and a bad row costs only itself. */
import { isUtf8 } from 'node:buffer';

/** No row of events comes near it; the longest a broken quote can reach. */
export const maxRowBytes = 64 * 1_024;

export type RowFault = 'row_too_long' | 'quote_not_closed' | 'malformed_quotes' | 'not_utf8';

export interface CsvRow {
  /** Undefined when the row could not be read. Empty for an empty line. */
  readonly fields: readonly string[] | undefined;
  readonly fault?: RowFault;
}

export interface CsvPart {
  /** Bytes passed: up to the start of the first row that is not complete. */
  consumed: number;
  /** Whether the part ended within a row that is too long to be one. */
  isSkipping: boolean;
}

export interface CsvOptions {
  readonly delimiter: string;
  /** Whether the file ends here: the last row then needs no line end. */
  readonly isLast: boolean;
  /** Whether the part begins within a row that was too long. */
  readonly isSkipping: boolean;
}

const QUOTE = 0x22;
const NEW_LINE = 0x0a;
const RETURN = 0x0d;

/**
 * Hands on every complete row, and keeps `part` up to date with how far it came.
 *
 * Lines end with LF or CRLF; a quoted field may hold both, delimiters, and quotes written twice. A row that cannot be read
 * ends at its first line end, so a quote that is never closed costs one row and not the rest of the file. Where rows begin
 * does not depend on how the file was cut.
 */
export function* csvRows(bytes: Buffer, options: CsvOptions, part: CsvPart): Generator<CsvRow> {
  const { delimiter, isLast } = options;
  const { length } = bytes;
  let start = 0;
  part.consumed = 0;
  part.isSkipping = false;
  if (options.isSkipping) {
    const end = bytes.indexOf(NEW_LINE);
    part.isSkipping = end === -1 && !isLast;
    part.consumed = start = end === -1 ? length : end + 1;
  }
  let quote = bytes.indexOf(QUOTE, start);
  while (start < length) {
    if (quote !== -1 && quote < start) quote = bytes.indexOf(QUOTE, start);
    const lineEnd = bytes.indexOf(NEW_LINE, start);
    const end = lineEnd === -1 ? length : lineEnd;
    const isWhole = lineEnd !== -1 || isLast;
    let row: CsvRow;
    let next = lineEnd === -1 ? length : lineEnd + 1;
    if (end - start > maxRowBytes) {
      row = { fields: undefined, fault: 'row_too_long' };
      part.isSkipping = !isWhole;
    } else if (quote === -1 || quote >= end) {
      if (!isWhole) return;
      const contentEnd = withoutReturn(bytes, start, end);
      row = isUtf8(bytes.subarray(start, contentEnd))
        ? { fields: splitLine(bytes.toString('utf8', start, contentEnd), delimiter) }
        : { fields: undefined, fault: 'not_utf8' };
    } else {
      const quoted = readQuoted(bytes, start, delimiter, isLast);
      if (quoted === undefined) return;
      ({ row } = quoted);
      if (quoted.next !== undefined) ({ next } = quoted);
      // What cannot be read ends at its first line end, which must be there.
      else if (!isWhole && length - start <= maxRowBytes) return;
      else part.isSkipping = !isWhole;
    }
    part.consumed = start = next;
    yield row;
  }
}

function splitLine(line: string, delimiter: string): readonly string[] {
  return line === '' ? [] : line.split(delimiter);
}

function withoutReturn(bytes: Buffer, start: number, end: number): number {
  return end > start && bytes[end - 1] === RETURN ? end - 1 : end;
}

/**
 * A row with quotes in it, and where the next begins unless its end was not to be found. Undefined when it may go on
 * beyond the bytes there are.
 */
function readQuoted(
  bytes: Buffer,
  start: number,
  delimiter: string,
  isLast: boolean,
): { readonly row: CsvRow; readonly next?: number } | undefined {
  const { length } = bytes;
  const delimiterByte = delimiter.charCodeAt(0);
  const bad = (fault: RowFault) => ({ row: { fields: undefined, fault } });
  const mayGoOn = !isLast && length - start <= maxRowBytes;
  const ranges: [from: number, to: number, isQuoted: boolean][] = [];
  let at = start;
  for (;;) {
    let end: number;
    if (bytes[at] === QUOTE) {
      const close = closingQuote(bytes, at + 1);
      if (close === -1)
        return mayGoOn ? undefined : bad(length - start > maxRowBytes ? 'row_too_long' : 'quote_not_closed');
      // Whether a quote at the very end is doubled, the next bytes say.
      if (close === length - 1 && mayGoOn) return undefined;
      ranges.push([at + 1, close, true]);
      end = close + 1;
      if (bytes[end] === RETURN && bytes[end + 1] === NEW_LINE) end += 1;
      else if (bytes[end] === RETURN && end + 1 === length && mayGoOn) return undefined;
    } else {
      end = at;
      while (end < length && bytes[end] !== delimiterByte && bytes[end] !== NEW_LINE) end += 1;
      ranges.push([at, bytes[end] === delimiterByte ? end : withoutReturn(bytes, at, end), false]);
    }
    if (end - start > maxRowBytes) return bad('row_too_long');
    const byte = bytes[end];
    if (byte === delimiterByte) {
      at = end + 1;
      continue;
    }
    if (byte !== NEW_LINE && end < length) return bad('malformed_quotes');
    if (end === length && !isLast) return mayGoOn ? undefined : bad('row_too_long');
    const next = Math.min(end + 1, length);
    if (!isUtf8(bytes.subarray(start, end))) return { ...bad('not_utf8'), next };
    const fields = ranges.map(([from, to, isQuoted]) => {
      const text = bytes.toString('utf8', from, to);
      return isQuoted ? text.replaceAll('""', '"') : text;
    });
    return { row: { fields }, next };
  }
}

/** The quote that closes a field: the first that is not written twice. */
function closingQuote(bytes: Buffer, from: number): number {
  let quote = bytes.indexOf(QUOTE, from);
  while (quote !== -1 && bytes[quote + 1] === QUOTE) quote = bytes.indexOf(QUOTE, quote + 2);
  return quote;
}
