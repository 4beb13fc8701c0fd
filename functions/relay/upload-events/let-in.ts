import type { Upload } from '../../../shared/contracts/upload-documents.ts';
import type { HttpCall } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { admit } from '../capi-relay/admit.ts';
import type { Admitted } from '../capi-relay/admit.ts';
import { Refused } from '../capi-relay/meta-answer.ts';
import { sourceKeyOf } from '../capi-relay/inputs/source-key.ts';
import { limitRate } from '../capi-relay/take-events.ts';
import type { UploadServices } from './services.ts';

/** Lets a sender in to a dataset: its relay key is in use, of the same tenant, and made for servers. @throws HttpProblem */
export async function letIn(
  call: HttpCall,
  datasetId: string | undefined,
  { relay: { directory, limiter, now } }: UploadServices,
): Promise<Admitted> {
  const headers = { authorization: call.header('authorization') };
  const key = sourceKeyOf({ headers, url: `?${call.query.toString()}` }, {});
  const admitted = await inOurTerms(async () => admit(key, datasetId, directory, now()));
  if (admitted.key.purpose === 'browser') {
    throw new HttpProblem(403, 'wrong-purpose', 'Files are uploaded with a relay key of purpose server or crm.', {
      expected: ['server', 'crm'],
    });
  }
  await inOurTerms(async () => limitRate(admitted, now(), limiter));
  return admitted;
}

/**
 * Lets a sender in to an upload. Whose upload it is, is told to nobody else: another tenant's key gets the answer of an
 * upload that does not exist.
 *
 * @throws HttpProblem
 */
export async function letInTo(
  call: HttpCall,
  services: UploadServices,
): Promise<{ admitted: Admitted; upload: Upload }> {
  const uploadId = call.param('upload');
  const upload = /^[0-9a-f]{32}$/.test(uploadId) ? await services.uploads.read(uploadId) : undefined;
  try {
    const admitted = await letIn(call, upload?.datasetId, services);
    if (upload !== undefined && upload.tenantId === admitted.dataset.tenantId) return { admitted, upload };
  } catch (error) {
    if (!(error instanceof HttpProblem) || (error.code !== 'foreign-key' && error.code !== 'unknown-dataset'))
      throw error;
  }
  throw new HttpProblem(404, 'unknown-upload', 'There is no upload of this id, or it has expired.');
}

const codes: Readonly<Record<number, string>> = {
  401: 'invalid-key',
  403: 'foreign-key',
  404: 'unknown-dataset',
  413: 'too-large',
  429: 'too-many-requests',
};

/** The relay's refusals in the form of this function's. */
export async function inOurTerms<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { status, userMessage, headers } = error.error;
    throw new HttpProblem(status, codes[status] ?? 'refused', userMessage, {
      ...(headers !== undefined && { headers }),
    });
  }
}
