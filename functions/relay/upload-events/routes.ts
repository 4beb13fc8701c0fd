import type { HttpAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpCall, HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { createUpload } from './create-upload.ts';
import { letInTo } from './let-in.ts';
import type { UploadServices } from './services.ts';
import { putChunk } from './take-chunk.ts';
import { problemsAnswer, uploadAnswer } from './upload-answer.ts';

/** Everything the function answers. Who may do what is asked of the relay key, in each handler. */
export function uploadRoutes(services: UploadServices): readonly HttpRoute[] {
  const open = { callers: 'public' } as const;
  return [
    { ...open, method: 'POST', path: '/{dataset}/uploads', handle: createUpload(services) },
    { ...open, method: 'PUT', path: '/uploads/{upload}', handle: putChunk(services) },
    { ...open, method: 'GET', path: '/uploads/{upload}', handle: showUpload(services) },
    { ...open, method: 'GET', path: '/uploads/{upload}/problems', handle: listProblems(services) },
  ];
}

function showUpload(services: UploadServices): (call: HttpCall) => Promise<HttpAnswer> {
  return async (call) => uploadAnswer(200, (await letInTo(call, services)).upload);
}

/** One page as CSV, with a `Link` to the next. */
function listProblems(services: UploadServices): (call: HttpCall) => Promise<HttpAnswer> {
  return async (call) => {
    const { upload } = await letInTo(call, services);
    const asked = call.query.get('page') ?? '0';
    if (!/^\d{1,5}$/.test(asked)) {
      throw new HttpProblem(400, 'invalid-page', 'Pages are counted from 0.', { field: 'page', expected: ['0, 1, …'] });
    }
    const page = Number(asked);
    const [problems = [], following] = await Promise.all([
      services.uploads.problems(upload.uploadId, page),
      services.uploads.problems(upload.uploadId, page + 1),
    ]);
    const next = following === undefined ? undefined : `/uploads/${upload.uploadId}/problems?page=${page + 1}`;
    return problemsAnswer(problems, next);
  };
}

/** Largest chunk, and largest file in one request. */
export const maxChunkBytes = 8 * 1_024 * 1_024;
