import { createHash, timingSafeEqual } from 'node:crypto';
import { secretName } from '../../../shared/domain/naming.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import type { WebhookServices } from './services.ts';

/**
 * `GET /ads?hub.mode=subscribe&hub.verify_token=…&hub.challenge=…`: Meta asks once, when the app's subscription is made,
 * whether this address is ours. Answers the bare challenge to whoever knows the verify token. (meta "Webhooks".)
 */
export function verifySubscription({ secrets }: Pick<WebhookServices, 'secrets'>): HttpRoute['handle'] {
  return async ({ query, log }) => {
    const challenge = query.get('hub.challenge') ?? '';
    const expected = (await secrets.latest(secretName.webhookVerifyToken))?.value.trim() ?? '';
    const isOurs = expected !== '' && sameText(query.get('hub.verify_token') ?? '', expected);
    if (query.get('hub.mode') !== 'subscribe' || !isOurs) {
      throw new HttpProblem(403, 'not-verified', 'hub.mode or hub.verify_token is not what was agreed with Meta.');
    }
    // It is sent back as it came: only what cannot be markup may be.
    if (!/^[\w-]{1,200}$/.test(challenge)) {
      throw new HttpProblem(400, 'invalid-request', 'hub.challenge is not one of Meta’s.', { field: 'hub.challenge' });
    }
    log.info('webhook address verified');
    return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: challenge };
  };
}

function sameText(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
