import type { RowProblem, Upload } from '../../../shared/contracts/upload-documents.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpAnswer } from '../../../shared/runtime/http-answer.ts';

/** Where an upload stands, as its sender sees it. */
export function uploadAnswer(status: number, upload: Upload): HttpAnswer {
  return jsonAnswer(status, uploadView(upload));
}

/** A chunk that does not begin where the upload goes on: the sender is told where that is. */
export function outOfPlace(upload: Upload, message: string): HttpAnswer {
  const { nextOffset, totalBytes, uploadId } = upload;
  return jsonAnswer(409, { error: { code: 'out-of-place', message }, uploadId, nextOffset, totalBytes });
}

function uploadView(upload: Upload): Record<string, unknown> {
  const { uploadId, datasetId, fileName, columns, state, totalBytes, nextOffset, expireAt } = upload;
  const { rows, queued, held, dropped, refused, refusedBy, warnings, listed } = upload;
  return {
    uploadId,
    datasetId,
    fileName,
    columns,
    state,
    totalBytes,
    nextOffset,
    rows,
    queued,
    held,
    dropped,
    refused,
    refusedBy,
    warnings,
    problems: { listed, path: `/uploads/${uploadId}/problems` },
    expiresAt: expireAt.toISOString(),
  };
}

/** Problems as CSV. What they hold is ours alone, so nothing in it can be a formula or a person's. */
export function problemsAnswer(problems: readonly RowProblem[], next: string | undefined): HttpAnswer {
  const lines = problems.map(({ row, field, code, expected }) =>
    [String(row), field, code, expected].map(cell).join(','),
  );
  return {
    status: 200,
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'cache-control': 'no-store',
      ...(next !== undefined && { link: `<${next}>; rel="next"` }),
    },
    body: `${['row,field,code,expected', ...lines].join('\r\n')}\r\n`,
  };
}

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
