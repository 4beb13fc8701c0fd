import { hash } from 'node:crypto';
import type { RowProblem, Upload } from '../../../shared/contracts/upload-documents.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import type { Verdicts } from '../capi-relay/verdicts.ts';
import { columnsOf, delimiterOf, eventOfRow } from './columns.ts';
import { csvRows, maxRowBytes } from '../../../shared/domain/csv/csv-rows.ts';
import type { CsvPart, CsvRow, RowFault } from '../../../shared/domain/csv/csv-rows.ts';

/** Judges up to 1,000 events and queues the good ones as one message. */
export type TakeRows = (
  events: readonly unknown[],
) => Promise<Pick<Verdicts, 'events' | 'held' | 'dropped' | 'refused' | 'warnings'>>;

export interface ChunkRead {
  /** The upload after the chunk, to be kept. */
  readonly upload: Upload;
  readonly problems: readonly RowProblem[];
}

/** Problems of an upload that are kept one by one. */
const maxListedProblems = 10_000;
const maxEventsPerMessage = 1_000;
/** Rows of one message, so that it stays under Pub/Sub's 10 MB. */
const maxBytesPerMessage = 4_000_000;
const maxReasonsPerRow = 5;
/** Kinds of problems that are counted apart. */
const maxKinds = 200;

const faults: Readonly<Record<RowFault, string>> = {
  row_too_long: `at most ${maxRowBytes} bytes in a row, line ends in quoted cells included`,
  quote_not_closed: 'a closing quote for each cell that begins with one',
  malformed_quotes: 'a delimiter or the end of the line after a closing quote, and quotes within a cell written twice',
  not_utf8: 'UTF-8; in Excel: save as "CSV UTF-8"',
};

/**
 * Reads the complete rows of a chunk that begins at the upload's `nextOffset`, hands them on as events, and says where
 * the upload stands then. A bad row is a problem of that row only.
 *
 * @throws HttpProblem when the header cannot be one, or when the chunk holds no complete row; whatever `take` throws
 */
export async function readChunk(before: Upload, chunk: Buffer, isLast: boolean, take: TakeRows): Promise<ChunkRead> {
  const bytes = before.nextOffset === 0 ? withoutByteOrderMark(chunk) : chunk;
  const delimiter = before.delimiter ?? delimiterOf(firstLine(bytes));
  const counts = { queued: 0, held: 0, dropped: 0, refused: 0 };
  const refusedBy = new Map(Object.entries(before.refusedBy));
  const warnings = new Map(Object.entries(before.warnings));
  const problems: RowProblem[] = [];
  let { columns, rows } = before;

  let events: unknown[] = [];
  let rowsOfEvents: number[] = [];
  let pendingBytes = 0;

  const refuse = (row: number, reasons: readonly Omit<RowProblem, 'row'>[]): void => {
    counts.refused += 1;
    const [first] = reasons;
    if (first !== undefined) count(refusedBy, `${first.field} ${first.code}`);
    for (const { field, code, expected } of reasons.slice(0, maxReasonsPerRow))
      if (before.listed + problems.length < maxListedProblems) problems.push({ row, field, code, expected });
  };
  const flush = async (): Promise<void> => {
    if (events.length === 0) return;
    const verdicts = await take(events);
    counts.queued += verdicts.events.length;
    counts.held += verdicts.held.length;
    counts.dropped += verdicts.dropped.length;
    for (const { index, also = [], ...reason } of verdicts.refused)
      refuse(rowsOfEvents[index] ?? 0, [reason, ...also].map(inTermsOfFiles));
    for (const { key, code } of verdicts.warnings) count(warnings, `${key} ${code}`);
    events = [];
    rowsOfEvents = [];
    pendingBytes = 0;
  };

  const part: CsvPart = { consumed: 0, isSkipping: before.isSkipping };
  let consumedBefore = 0;
  for (const row of csvRows(bytes, { delimiter, isLast, isSkipping: before.isSkipping }, part)) {
    rows += 1;
    if (columns === null) {
      columns = columnsOf(headerCells(row), before.defaults);
    } else if (row.fields === undefined) {
      refuse(rows, [faultOf(row)]);
    } else if (row.fields.some((cell) => cell !== '')) {
      if (hasCellsOf(columns, row.fields)) {
        events.push(withEventId(eventOfRow(columns, row.fields, before.defaults), before, rows));
        rowsOfEvents.push(rows);
        pendingBytes += part.consumed - consumedBefore;
      } else {
        refuse(rows, [
          { field: 'row', code: 'wrong_number_of_cells', expected: `${columns.length} cells, as the header` },
        ]);
      }
    }
    consumedBefore = part.consumed;
    if (events.length === maxEventsPerMessage || pendingBytes >= maxBytesPerMessage) await flush();
  }
  await flush();

  const passed = part.consumed === 0 ? 0 : part.consumed + (chunk.length - bytes.length);
  if (passed === 0 && !isLast) {
    throw new HttpProblem(400, 'chunk-too-small', 'There is no complete row in this chunk; nothing was read.', {
      expected: [`chunks of at least ${maxRowBytes} bytes`],
    });
  }
  if (columns === null) throw noHeader();
  const upload: Upload = {
    ...before,
    columns,
    delimiter,
    rows,
    nextOffset: before.nextOffset + (isLast ? chunk.length : passed),
    isSkipping: part.isSkipping,
    state: isLast ? 'done' : 'open',
    queued: before.queued + counts.queued,
    held: before.held + counts.held,
    dropped: before.dropped + counts.dropped,
    refused: before.refused + counts.refused,
    refusedBy: Object.fromEntries(refusedBy),
    warnings: Object.fromEntries(warnings),
    listed: before.listed + problems.length,
  };
  return { upload, problems: problems.toSorted((left, right) => left.row - right.row) };
}

/**
 * Rows without an `event_id` get one that is the same however often the row is read: of an order its name and number, so
 * that the order in another file is the same event too, otherwise of the upload and the row.
 */
function withEventId(event: Record<string, unknown>, { datasetId, uploadId }: Upload, row: number): unknown {
  if (event['event_id'] !== undefined) return event;
  const orderId = (event['custom_data'] as Readonly<Record<string, unknown>>)['order_id'];
  const source = orderId === undefined ? ['upload', uploadId, row] : ['order', datasetId, event['event_name'], orderId];
  event['event_id'] = `kobi.${hash('sha256', JSON.stringify(source), 'hex').slice(0, 32)}`;
  return event;
}

/** A file may write times otherwise than Meta's own format does. */
function inTermsOfFiles(reason: Omit<RowProblem, 'row'>): Omit<RowProblem, 'row'> {
  if (reason.code !== 'not_unix_seconds') return reason;
  return { ...reason, expected: 'Unix time in seconds, or ISO 8601 with its offset, e.g. 2026-11-23T14:00:00+03:00' };
}

function headerCells(row: CsvRow): readonly string[] {
  if (row.fields !== undefined && row.fields.length > 0) return row.fields;
  if (row.fault === undefined) throw noHeader();
  throw new HttpProblem(400, 'unreadable-header', 'The first row cannot be read.', { expected: [faults[row.fault]] });
}

function noHeader(): HttpProblem {
  return new HttpProblem(400, 'no-header', 'The file has no header row.', {
    expected: ['column names in the first row, or under columns when the upload is created'],
  });
}

function faultOf({ fault = 'malformed_quotes' }: CsvRow): Omit<RowProblem, 'row'> {
  return { field: 'row', code: fault, expected: faults[fault] };
}

/** Spreadsheets write empty cells behind the last; a missing or further one would shift what follows. */
function hasCellsOf(columns: readonly string[], cells: readonly string[]): boolean {
  return cells.length >= columns.length && cells.slice(columns.length).every((cell) => cell === '');
}

function count(counts: Map<string, number>, kind: string): void {
  const known = counts.has(kind) || counts.size < maxKinds ? kind : 'other';
  counts.set(known, (counts.get(known) ?? 0) + 1);
}

function withoutByteOrderMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? bytes.subarray(3) : bytes;
}

function firstLine(bytes: Buffer): string {
  const end = bytes.indexOf('\n');
  return bytes.toString('utf8', 0, Math.min(end === -1 ? bytes.length : end, maxRowBytes));
}
