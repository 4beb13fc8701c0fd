import { secretName } from '../../../shared/domain/naming.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { personOf } from './person-of.ts';
import type { WebhookServices } from './services.ts';

/**
 * `POST /deauthorize signed_request=…`: a person took the app off their account. Every tenant they connected waits for
 * its client to connect again, and the dead token is destroyed. May come any number of times. (meta "Deauthorize".)
 */
export function deauthorize({
  appSecret,
  persons,
  secrets,
}: Pick<WebhookServices, 'appSecret' | 'persons' | 'secrets'>): HttpRoute['handle'] {
  return async (call) => {
    const { metaUserId } = personOf(call, await appSecret());
    const tenantIds = await persons.tenantsOf(metaUserId);
    for (const tenantId of tenantIds) {
      await persons.markDeauthorized(tenantId, metaUserId);
      await secrets.destroyAll(secretName.userToken(tenantId));
    }
    call.log.warn({ tenantIds }, 'deauthorized by the client');
    return jsonAnswer(200, { success: true });
  };
}
