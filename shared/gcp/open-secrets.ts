import type { Firestore } from '@google-cloud/firestore';
import { secretNotificationTopic } from '../contracts/topics.ts';
import { createSecretStore } from './secret-store.ts';
import type { SecretStore, SecretVersions } from './secret-store.ts';
import { createSecretsInUse } from './secrets-in-use.ts';

/** Long, because what is remembered is held against Firestore every two seconds. */
const cacheMs = 5 * 60_000;

/**
 * The secrets of a function: new ones tell `token-fanout` about their changes, and what is remembered is dropped within
 * seconds of a change, on every instance.
 */
export function openSecrets(options: {
  readonly projectId: string;
  readonly emulatorHost: string | undefined;
  readonly db: Firestore;
  readonly now: () => Date;
}): SecretStore & SecretVersions {
  const { projectId, emulatorHost, db, now } = options;
  return createSecretStore({
    projectId,
    emulatorHost,
    now,
    cacheMs,
    notificationTopic: `projects/${projectId}/topics/${secretNotificationTopic}`,
    inUse: createSecretsInUse(db),
  });
}
