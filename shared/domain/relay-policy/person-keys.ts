import { hash } from 'node:crypto';
import type { HashedUserData } from '../identifiers/hash-user-data.ts';

/** What finds one person again, in the order they are looked for. Never what many share, such as an address. */
const PERSONAL = ['external_id', 'anon_id', 'em', 'ph', 'fbp', 'madid', 'lead_id', 'subscription_id'] as const;

/** A person has fewer; Firestore compares a list with at most 30 values. */
const maxPersonKeys = 30;

/**
 * The names under which events of one person are held and found again, within one dataset: digests of identifiers that
 * are hashed or opaque already. Empty when the identifiers find nobody.
 */
export function personKeys(datasetId: string, userData: HashedUserData): string[] {
  const keys: string[] = [];
  for (const name of PERSONAL) {
    const values = userData[name];
    if (values === undefined) continue;
    for (const value of Array.isArray(values) ? values : [values]) {
      if (keys.length < maxPersonKeys) keys.push(hash('sha256', `${datasetId}\n${name}\n${value}`, 'base64url'));
    }
  }
  return keys;
}
