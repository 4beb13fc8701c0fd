import type { Upload } from '../../../shared/contracts/upload-documents.ts';
import type { HttpAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpCall } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import type { Admitted } from '../capi-relay/admit.ts';
import { takeEvents } from '../capi-relay/take-events.ts';
import { inOurTerms, letInTo } from './let-in.ts';
import { readChunk } from './read-chunk.ts';
import type { ChunkRead } from './read-chunk.ts';
import type { UploadServices } from './services.ts';
import { outOfPlace, uploadAnswer } from './upload-answer.ts';

/** Bytes `from` to `to` (exclusive) of a file of `total`, which may not be known yet. */
interface Range {
  readonly from: number;
  readonly to: number;
  readonly total: number | undefined;
}

/** `PUT /uploads/{upload}` with `Content-Range: bytes a-b/total`. */
export function putChunk(services: UploadServices): (call: HttpCall) => Promise<HttpAnswer> {
  return async (call) => {
    const { admitted, upload } = await letInTo(call, services);
    const range = rangeOf(call);
    return takeChunk(call, services, admitted, upload, range);
  };
}

/**
 * Reads a chunk into the queue and answers where the upload stands. What was read before is passed over: a chunk that is
 * sent again is answered from the record, and a chunk that overlaps it is read from where the record ends.
 *
 * When this fails before the record is moved on, the same rows are read again with the chunk's next try, with the same
 * event ids; delivery sends each to Meta once.
 */
export async function takeChunk(
  call: HttpCall,
  services: UploadServices,
  admitted: Admitted,
  known: Upload,
  range: Range,
): Promise<HttpAnswer> {
  const early = answerFromRecord(known, range);
  if (early !== undefined) return early;
  const { uploads } = services;
  const { uploadId } = known;
  const token = services.randomBytes(16).toString('hex');
  const claim = await uploads.claim(uploadId, token);
  if (claim === undefined)
    throw new HttpProblem(404, 'unknown-upload', 'There is no upload of this id, or it has expired.');
  if ('busyUntil' in claim) throw busy();
  const { upload } = claim;
  let isMovedOn = false;
  try {
    const answer = answerFromRecord(upload, range);
    if (answer !== undefined) return answer;
    const { problems, upload: after } = await read(call, services, admitted, upload, range);
    isMovedOn = await uploads.commit(after, token, problems);
    if (!isMovedOn) throw busy();
    call.log.info(
      { uploadId, tenantId: upload.tenantId, nextOffset: after.nextOffset, state: after.state },
      'chunk read',
    );
    return uploadAnswer(200, after);
  } finally {
    if (!isMovedOn) await uploads.release(uploadId, token);
  }
}

async function read(
  call: HttpCall,
  { relay }: UploadServices,
  admitted: Admitted,
  upload: Upload,
  { from, to, total }: Range,
): Promise<ChunkRead> {
  const receivedAt = relay.now();
  const request = { headers: {}, remoteAddress: undefined };
  const shared = { admitted, request, receivedAt, traceparent: call.traceparent, source: 'upload' } as const;
  // A row has at most 64 kB, so no event of one needs to be measured.
  const taking = { ...shared, testEventCode: undefined, bodyBytes: 0 };
  return inOurTerms(async () =>
    readChunk(
      total === undefined ? upload : { ...upload, totalBytes: total },
      call.rawBody.subarray(upload.nextOffset - from),
      to === total,
      (given) => takeEvents({ ...taking, given }, relay),
    ),
  );
}

function answerFromRecord(upload: Upload, { from, to, total }: Range): HttpAnswer | undefined {
  if (upload.totalBytes !== null && total !== undefined && total !== upload.totalBytes) {
    return outOfPlace(upload, `The file had ${upload.totalBytes} bytes before, and has ${total} now: upload it anew.`);
  }
  if (upload.state === 'done' || to <= upload.nextOffset) return uploadAnswer(200, upload);
  if (from > upload.nextOffset) return outOfPlace(upload, `Go on with byte ${upload.nextOffset}.`);
  return undefined;
}

function busy(): HttpProblem {
  return new HttpProblem(
    409,
    'chunk-being-read',
    'A chunk of this upload is being read. Ask where it stands, then go on.',
    {
      headers: { 'retry-after': '2' },
    },
  );
}

/** @throws HttpProblem 400 */
function rangeOf(call: HttpCall): Range {
  const [, first, last, whole] =
    /^bytes (\d{1,13})-(\d{1,13})\/(\d{1,13}|\*)$/.exec(call.header('content-range') ?? '') ?? [];
  const from = Number(first);
  const to = Number(last) + 1;
  const total = whole === '*' ? undefined : Number(whole);
  const isRange = first !== undefined && to > from && (total === undefined || to <= total);
  if (isRange && to - from === call.rawBody.length) return { from, to, total };
  throw new HttpProblem(400, 'invalid-range', 'Content-Range does not say which bytes of the file these are.', {
    field: 'Content-Range',
    expected: [`bytes FIRST-LAST/TOTAL, both ends included; the body has ${call.rawBody.length} bytes`],
  });
}
