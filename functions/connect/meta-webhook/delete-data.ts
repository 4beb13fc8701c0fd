import { secretName } from '../../../shared/domain/naming.ts';
import { confirmationCodeOf } from '../../../shared/meta/signed-request.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { markup, page } from '../connect-meta/markup.ts';
import { personOf } from './person-of.ts';
import type { WebhookServices } from './services.ts';

/**
 * `POST /data-deletion signed_request=…`: a person asks Meta that their data be deleted. What Kobi keeps of them (Meta's
 * id of them, their token) is gone before the answer, which names the page where they can look it up; what is cut off on
 * the way, `token-check` finishes. The same request gives the same code. (meta "Data Deletion Callback".)
 */
export function deleteData({ appSecret, baseUrl, persons, secrets }: WebhookServices): HttpRoute['handle'] {
  return async (call) => {
    const secret = await appSecret();
    const { metaUserId, signedRequest } = personOf(call, secret);
    const confirmationCode = confirmationCodeOf(signedRequest, secret);
    await persons.openRequest(confirmationCode, metaUserId);
    const tenantIds = await persons.carryOut({ confirmationCode, metaUserId }, (tenantId) =>
      secrets.destroyAll(secretName.userToken(tenantId)),
    );
    call.log.warn({ tenantIds }, 'personal data deleted');
    return jsonAnswer(200, {
      url: `${baseUrl}/data-deletion/${confirmationCode}`,
      confirmation_code: confirmationCode,
    });
  };
}

/** `GET /data-deletion/{code}`: how far a deletion is. It says nothing about whom, and the code is not to be guessed. */
export function showDeletion({ persons }: Pick<WebhookServices, 'persons'>): HttpRoute['handle'] {
  return async (call) => {
    const code = call.param('code');
    const request = /^[0-9a-f]{32}$/.test(code) ? await persons.readRequest(code) : undefined;
    if (request === undefined) {
      return page(404, 'Unknown code', markup`<p>There is no deletion with this confirmation code.</p>`);
    }
    const { finishedAt, requestedAt } = request;
    const when = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
    return finishedAt === null
      ? page(200, 'Under way', markup`<p>Your request of ${when(requestedAt)} is being carried out.</p>`)
      : page(
          200,
          'Deleted',
          markup`<p>Your request of ${when(requestedAt)} was carried out on ${when(finishedAt)}.</p>
<p>Kobi no longer holds your Facebook id nor a token of yours.</p>`,
        );
  };
}
