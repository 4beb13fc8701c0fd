/** A CSV file of events on its way in. The file itself is never kept: its rows are personal data. */
import * as v from 'valibot';

export const csvDelimiters = [',', ';', '\t'] as const;
export type CsvDelimiter = (typeof csvDelimiters)[number];

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const uploadSchema = v.object({
  uploadId: v.string(),
  tenantId: v.string(),
  datasetId: v.string(),
  relayKeyId: v.string(),
  fileName: v.nullable(v.string()),
  /** Known from the start, or once the header row was read. */
  columns: v.nullable(v.array(v.string())),
  delimiter: v.nullable(v.picklist(csvDelimiters)),
  /** Column → value of a cell that is empty or not there. Never a person's. */
  defaults: v.record(v.string(), v.string()),
  state: v.picklist(['open', 'done']),
  totalBytes: v.nullable(count),
  /** Start of the first row that was not read yet: where the sender goes on. */
  nextOffset: count,
  /** In the middle of a row that is too long to be one: everything up to the next line is passed over. */
  isSkipping: v.boolean(),
  /** Rows passed, header and empty ones included: the number a spreadsheet shows beside the last of them. */
  rows: count,
  queued: count,
  held: count,
  dropped: count,
  refused: count,
  /** `field code` → how many. */
  refusedBy: v.record(v.string(), count),
  /** `key code` → how many, of keys that were not sent or not as they came. */
  warnings: v.record(v.string(), count),
  /** Problems kept one by one; the others are only counted. */
  listed: count,
  /** Who reads a chunk just now, so that the same chunk sent twice at once is not read twice. */
  lease: v.nullable(v.object({ token: v.string(), until: v.string() })),
  createdAt: v.string(),
  updatedAt: v.string(),
  expireAt: v.date(),
});
export type Upload = v.InferOutput<typeof uploadSchema>;

/** One thing wrong with one row. Never the value. */
const rowProblemSchema = v.object({ row: count, field: v.string(), code: v.string(), expected: v.string() });
export type RowProblem = v.InferOutput<typeof rowProblemSchema>;

/** Some of an upload's problems, in the order of the rows. */
export const uploadProblemsSchema = v.object({
  uploadId: v.string(),
  tenantId: v.string(),
  lastRow: count,
  problems: v.array(rowProblemSchema),
  expireAt: v.date(),
});
