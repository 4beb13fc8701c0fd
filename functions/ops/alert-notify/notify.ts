import * as v from 'valibot';
import { secretName } from '../../../shared/domain/naming.ts';
import type { SecretStore } from '../../../shared/gcp/secret-store.ts';
import { Failed, RetryLater } from '../../../shared/runtime/outcomes.ts';
import { PublicFetchError } from '../../../shared/runtime/public-fetch.ts';
import type { PublicFetch } from '../../../shared/runtime/public-fetch.ts';
import type { MessageHandler } from '../../../shared/runtime/pubsub-function.ts';
import { parseJson } from '../../../shared/runtime/pubsub-message.ts';
import { signatureHeaders, webhookBody, webhookSchema } from './webhook.ts';
import type { Webhook } from './webhook.ts';

export interface NotifyServices {
  readonly secrets: Pick<SecretStore, 'latest'>;
  readonly publicFetch: Pick<PublicFetch, 'post'>;
  readonly now: () => Date;
}

const retryAfterMs = 60_000;
/** An alert this old has been seen elsewhere, or is over. */
const oldestMs = 24 * 60 * 60_000;

/**
 * Posts what became of an alert to Kobi's webhook, signed. Without the secret `alert-webhook` there is nothing to do:
 * the topic and the documents hold every alert. A receiver that does not answer is asked again for a day, one that
 * refuses is not.
 */
export function notify({ secrets, publicFetch, now }: NotifyServices): MessageHandler<'alert-changed'> {
  return async (envelope, log) => {
    const webhook = await readWebhook(secrets);
    if (webhook === undefined) return { kind: 'done' };
    const body = webhookBody(webhook, envelope);
    const host = new URL(webhook.url).host;
    const status = await post(webhook, envelope.eventId, body);
    if (status >= 200 && status < 300) {
      log.info({ host, kind: envelope.data.kind, state: envelope.data.state }, 'alert posted');
      return { kind: 'done' };
    }
    const isTemporary = status >= 500 || status === 408 || status === 429;
    const isTooOld = now().getTime() - Date.parse(envelope.at) > oldestMs;
    if (isTemporary && !isTooOld) {
      throw new RetryLater(`${host} answered ${status}`, { afterMs: retryAfterMs });
    }
    throw new Failed(`${host} answered ${status}: check ${secretName.alertWebhook}`);
  };

  async function post(webhook: Webhook, messageId: string, body: string): Promise<number> {
    try {
      return await publicFetch.post(webhook.url, body, signatureHeaders(webhook, messageId, body, now()));
    } catch (error) {
      if (!(error instanceof PublicFetchError)) throw error;
      if (error.kind === 'refused')
        throw new Failed(`${error.message} Check ${secretName.alertWebhook}.`, { cause: error });
      throw new RetryLater(error.message, { afterMs: retryAfterMs });
    }
  }
}

/** @throws Failed when the secret is not what it must be; the text never holds the secret */
async function readWebhook(secrets: Pick<SecretStore, 'latest'>): Promise<Webhook | undefined> {
  const version = await secrets.latest(secretName.alertWebhook);
  if (version === undefined) return undefined;
  const result = v.safeParse(webhookSchema, parseJson(version.value));
  if (result.success) return result.output;
  const problems = result.issues.map(
    (issue) => `${v.getDotPath(issue) ?? 'the whole'}: expected ${issue.expected ?? 'a valid value'}`,
  );
  throw new Failed(`The secret ${secretName.alertWebhook} is not usable: ${problems.join('; ')}`);
}
