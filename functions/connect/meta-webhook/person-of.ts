import { readSignedRequest } from '../../../shared/meta/signed-request.ts';
import { formBody } from '../../../shared/runtime/http-function.ts';
import type { HttpCall } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';

/** Whom a signed call of Meta's is about. @throws HttpProblem 401 for whatever Meta did not sign */
export function personOf(
  call: Pick<HttpCall, 'rawBody'>,
  appSecret: string,
): { readonly metaUserId: string; readonly signedRequest: string } {
  const signedRequest = formBody(call).get('signed_request') ?? '';
  const request = readSignedRequest(signedRequest, appSecret);
  if (request === undefined) {
    throw new HttpProblem(401, 'not-signed', 'signed_request is not signed with the app secret.', {
      field: 'signed_request',
      expected: ['a form field as Meta sends it, HMAC-SHA256'],
    });
  }
  return { metaUserId: request.userId, signedRequest };
}
