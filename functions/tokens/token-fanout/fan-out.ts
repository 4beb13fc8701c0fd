import { hash } from 'node:crypto';
import type { CloudEvent } from '@google-cloud/functions-framework';
import { secretNotificationTopic } from '../../../shared/contracts/topics.ts';
import type { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import type { RelayBreaker } from '../../../shared/gcp/relay-breaker.ts';
import type { SecretChanges } from '../../../shared/gcp/secret-changes.ts';
import type { SecretVersions } from '../../../shared/gcp/secret-store.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import { messageAttributes } from '../../../shared/runtime/pubsub-message.ts';

export interface FanOutDependencies {
  readonly changes: SecretChanges;
  readonly secrets: Pick<SecretVersions, 'enabled'>;
  readonly breaker: Pick<RelayBreaker, 'open' | 'close'>;
  readonly deadLetters: Pick<DeadLetterStore, 'record'>;
  readonly log: Logger;
}

/** What Secret Manager calls a change after which a reader must read again (page "Set up notifications on a secret"). */
const changes: ReadonlySet<unknown> = new Set([
  'SECRET_DELETE',
  'SECRET_VERSION_ADD',
  'SECRET_VERSION_ENABLE',
  'SECRET_VERSION_DISABLE',
  'SECRET_VERSION_DESTROY',
]);
const secretPattern = /^projects\/[^/]+\/secrets\/([\w-]{1,255})$/;
const versionPattern = /\/versions\/(\d+)$/;
const systemTokenPattern = /^meta-([a-z0-9-]+)-system-token$/;

/**
 * Hears Secret Manager's own notifications (attributes, not our envelope) and makes the change known to all readers. A
 * system token whose version in use is gone falls back to another enabled version; with none left the tenant waits on
 * Kobi and no event of it is sent.
 *
 * The state is read, not taken from the message: messages come late, twice and out of order. Only a destruction is
 * believed at once, because it is final. The returned function has one parameter: functions-framework never answers for a
 * handler with two.
 */
export function fanOut(dependencies: () => FanOutDependencies): (event: CloudEvent<unknown>) => Promise<void> {
  return async (event) => {
    const { deadLetters, log } = dependencies();
    // A push that functions-framework does not recognise is handed over as it came.
    const attributes = messageAttributes(event.data ?? event);
    const { eventType } = attributes;
    const [, secretId] = secretPattern.exec(String(attributes['secretId'])) ?? [];
    try {
      if (typeof eventType !== 'string' || secretId === undefined) {
        await deadLetters.record({
          topic: secretNotificationTopic,
          tenantId: null,
          eventId: null,
          identity: hash('sha256', JSON.stringify(attributes), 'hex'),
          reason: 'malformed-message',
          problems: ['attributes: expected eventType and secretId, as Secret Manager sends them'],
          payload: null,
        });
        log.error({ messageId: event.id }, 'not a notification of Secret Manager, recorded as dead letter');
        return;
      }
      if (!changes.has(eventType)) return;
      const [, version] = versionPattern.exec(String(attributes['versionId'])) ?? [];
      const gone = eventType === 'SECRET_VERSION_DESTROY' ? version : undefined;
      await tellReaders(secretId, gone, dependencies());
      log.info({ secretId, version, eventType }, 'readers told');
    } catch (error) {
      log.error({ err: error, secretId, eventType }, 'readers could not be told, the message is delivered again');
      // The thrown text becomes the response body, so the cause stays in the log.
      throw new Error('not told', { cause: error });
    }
  };
}

async function tellReaders(
  secretId: string,
  gone: string | undefined,
  { breaker, changes: known, log, secrets }: FanOutDependencies,
): Promise<void> {
  const [, tenantId] = systemTokenPattern.exec(secretId) ?? [];
  if (tenantId === undefined) return known.note(secretId);
  const enabled = (await secrets.enabled(secretId)).filter((version) => version !== gone);
  const change = await known.noteSystemToken(tenantId, enabled);
  switch (change) {
    case 'unchanged':
      return;
    case 'none-left': {
      log.error({ tenantId, secretId }, 'no usable version left: nothing is sent for this tenant');
      const advice = `Enable a version of ${secretId}, or retry the step create-system-user, which mints another.`;
      await breaker.open(tenantId, { reason: 'token-dead', advice }, 'token-fanout');
      return;
    }
    case 'fell-back':
    case 'back':
      log.warn({ tenantId, secretId, change }, 'system token changed');
      await breaker.close(tenantId, 'token-fanout');
  }
}
