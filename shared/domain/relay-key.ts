import { hash, timingSafeEqual } from 'node:crypto';

/**
 * Relay keys: what a client's shop or CRM shows the relay instead of a Meta token. `kobi_<id>_<secret>`: the id finds the
 * document, the secret is compared by its hash. The key is shown once (or kept in Secret Manager); only its SHA-256 is
 * stored.
 */
export interface RelayKeyParts {
  readonly relayKeyId: string;
  readonly key: string;
  readonly sha256: string;
}

const keyPattern = /^kobi_([0-9a-f]{16})_([0-9A-Za-z_-]{43})$/;

/** Makes a key from 8 random bytes for its id and 32 for its secret. */
export function makeRelayKey(idBytes: Uint8Array, secretBytes: Uint8Array): RelayKeyParts {
  const relayKeyId = Buffer.from(idBytes.subarray(0, 8)).toString('hex');
  const key = `kobi_${relayKeyId}_${Buffer.from(secretBytes.subarray(0, 32)).toString('base64url')}`;
  return { relayKeyId, key, sha256: hash('sha256', key, 'hex') };
}

/** The parts of a key as a caller sent it; undefined when it cannot be one of ours. */
export function parseRelayKey(key: string): RelayKeyParts | undefined {
  const relayKeyId = keyPattern.exec(key)?.[1];
  return relayKeyId === undefined ? undefined : { relayKeyId, key, sha256: hash('sha256', key, 'hex') };
}

/** Compares two hex SHA-256 digests without telling, by its time, where they differ. */
export function sameSha256(left: string, right: string): boolean {
  const a = Buffer.from(left, 'hex');
  const b = Buffer.from(right, 'hex');
  return a.length === 32 && b.length === 32 && timingSafeEqual(a, b);
}
