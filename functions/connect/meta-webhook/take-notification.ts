import { isSignedByMeta, readNotification } from '../../../shared/meta/webhooks.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import type { WebhookServices } from './services.ts';

/**
 * `POST /ads`: what Meta tells about ad accounts, up to 1,000 changes in one call, again for 36 hours where the answer
 * was not 200. Answers 200 once what it says is durable; what this version does not know is kept aside or counted, so
 * that nothing of Meta's ever comes again because of us. (meta "Webhooks"; Marketing API, "Ads Webhooks".)
 */
export function takeNotification({
  appSecret,
  issues,
}: Pick<WebhookServices, 'appSecret' | 'issues'>): HttpRoute['handle'] {
  return async (call) => {
    const { log, rawBody } = call;
    if (!isSignedByMeta(await appSecret(), rawBody, call.header('x-hub-signature-256'))) {
      throw new HttpProblem(401, 'not-signed', 'X-Hub-Signature-256 does not sign this body with the app secret.');
    }
    const notification = readNotification(rawBody.toString('utf8'));
    if (notification === undefined) throw new HttpProblem(400, 'malformed-json', 'The body is not JSON.');
    const counts = await issues.record(notification.changes);
    log.info({ ...counts, ignored: notification.ignored }, 'webhook recorded');
    return jsonAnswer(200, counts);
  };
}
