import { secretName } from '../domain/naming.ts';
import type { SecretStore } from '../gcp/secret-store.ts';

/**
 * The key that signs links, from Secret Manager.
 *
 * @throws Error when there is none, or one so short that it could be guessed offline from one link
 */
export async function linkSigningKey(secrets: Pick<SecretStore, 'latest'>): Promise<string> {
  const version = await secrets.latest(secretName.connectStateKey);
  if (version === undefined || version.value.length < 32) {
    throw new Error(`Secret ${secretName.connectStateKey} needs a version of at least 32 random characters`);
  }
  return version.value;
}
