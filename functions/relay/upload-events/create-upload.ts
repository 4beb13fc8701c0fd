import { hash } from 'node:crypto';
import { csvDelimiters } from '../../../shared/contracts/upload-documents.ts';
import type { CsvDelimiter, Upload } from '../../../shared/contracts/upload-documents.ts';
import type { HttpAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpCall } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import type { Admitted } from '../capi-relay/admit.ts';
import { columnsOf, columnNames, defaultsOf } from './columns.ts';
import { letIn } from './let-in.ts';
import type { UploadServices } from './services.ts';
import { takeChunk } from './take-chunk.ts';
import { uploadAnswer } from './upload-answer.ts';

/** How long what became of an upload can be looked up. */
const retentionMs = 30 * 24 * 60 * 60 * 1_000;

type HeaderOptions = Pick<Upload, 'fileName' | 'delimiter' | 'columns' | 'defaults'>;

/** `POST /{dataset}/uploads`: opens an upload for chunks, or takes a whole file sent as `text/csv`. */
export function createUpload(services: UploadServices): (call: HttpCall) => Promise<HttpAnswer> {
  return async (call) => {
    const datasetId = call.param('dataset');
    const admitted = await letIn(call, /^\d{1,20}$/.test(datasetId) ? datasetId : undefined, services);
    if (call.header('content-type')?.startsWith('text/csv') !== true) {
      const options = optionsOf(jsonBody(call));
      const uploadId = services.randomBytes(16).toString('hex');
      return uploadAnswer(201, await services.uploads.create(newUpload(uploadId, options, admitted, services)));
    }
    const total = call.rawBody.length;
    if (total === 0) throw new HttpProblem(400, 'empty-file', 'The file is empty.');
    const options = optionsOfQuery(call.query);
    // The same file is the same upload, so sending it twice makes no event twice.
    const identity = `${datasetId}\n${JSON.stringify(options)}\n${hash('sha256', call.rawBody, 'hex')}`;
    const opened = newUpload(hash('sha256', identity, 'hex').slice(0, 32), options, admitted, services);
    const upload = await services.uploads.create(opened);
    return takeChunk(call, services, admitted, upload, { from: 0, to: total, total });
  };
}

function newUpload(
  uploadId: string,
  options: HeaderOptions,
  { dataset, key }: Admitted,
  services: UploadServices,
): Upload {
  const now = services.relay.now();
  const at = now.toISOString();
  return {
    uploadId,
    tenantId: dataset.tenantId,
    datasetId: dataset.datasetId,
    relayKeyId: key.relayKeyId,
    ...options,
    state: 'open',
    totalBytes: null,
    nextOffset: 0,
    isSkipping: false,
    rows: 0,
    queued: 0,
    held: 0,
    dropped: 0,
    refused: 0,
    refusedBy: {},
    warnings: {},
    listed: 0,
    lease: null,
    createdAt: at,
    updatedAt: at,
    expireAt: new Date(now.getTime() + retentionMs),
  };
}

const optionNames = ['fileName', 'delimiter', 'columns', 'defaults'];

/** @throws HttpProblem 400 */
function optionsOf(body: unknown): HeaderOptions {
  if (!isRecord(body))
    throw new HttpProblem(400, 'malformed-json', 'The body is no JSON object.', { expected: optionNames });
  const unknown = Object.keys(body).find((name) => !optionNames.includes(name));
  if (unknown !== undefined)
    throw new HttpProblem(400, 'unknown-field', 'There is no such option.', { expected: optionNames });
  const { fileName, delimiter, columns, defaults: given = {} } = body;
  if (!isRecord(given))
    throw new HttpProblem(400, 'invalid-defaults', 'An object of column → value.', { field: 'defaults' });
  const defaults = defaultsOf(given);
  return {
    fileName: fileNameOf(fileName),
    delimiter: delimiterOption(delimiter),
    columns: columnsOption(columns, defaults),
    defaults,
  };
}

/** Of a whole file: `delimiter`, `file_name`, and columns with their default. @throws HttpProblem 400 */
function optionsOfQuery(query: URLSearchParams): HeaderOptions {
  const given = Object.fromEntries([...query].filter(([name]) => columnNames.includes(name)));
  const delimiter = query.get('delimiter') ?? undefined;
  const fileName = fileNameOf(query.get('file_name') ?? undefined);
  return { fileName, delimiter: delimiterOption(delimiter), columns: null, defaults: defaultsOf(given) };
}

function fileNameOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  // It is shown to people and kept; a name with an address in it would be personal data.
  if (typeof value === 'string' && /^[\p{L}\p{N} ._()-]{1,100}$/u.test(value)) return value;
  throw new HttpProblem(400, 'invalid-file-name', 'A name of at most 100 letters, digits, spaces and ._()-', {
    field: 'fileName',
  });
}

function delimiterOption(value: unknown): CsvDelimiter | null {
  if (value === undefined || value === null) return null;
  const known = csvDelimiters.find((delimiter) => delimiter === value);
  if (known !== undefined) return known;
  throw new HttpProblem(400, 'invalid-delimiter', 'No delimiter of CSV.', {
    field: 'delimiter',
    expected: csvDelimiters,
  });
}

/** A file without a header row says its columns here. */
function columnsOption(value: unknown, defaults: Readonly<Record<string, string>>): string[] | null {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string')) {
    return columnsOf(value, defaults);
  }
  throw new HttpProblem(400, 'invalid-columns', 'A list of column names.', { field: 'columns', expected: columnNames });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
