import type { HashedUserData } from '../identifiers/hash-user-data.ts';
import type { Refusal } from './server-event.ts';

/** Customer information that is too broad to match a person by ("Best Practices", invalid combinations since v13.0). */
const TOO_BROAD: readonly ReadonlySet<string>[] = [
  new Set(['ct', 'country', 'st', 'zp', 'ge', 'client_user_agent']),
  new Set(['db', 'client_user_agent']),
  new Set(['fn', 'ge']),
  new Set(['ln', 'ge']),
];

const BROAD_KEYS: ReadonlySet<string> = new Set(TOO_BROAD.flatMap((combination) => [...combination]));

/**
 * Refuses `user_data` that after normalising holds nothing, or only (part of) a combination that Meta rejects.
 * `extraKeys` are a tenant's own and match nobody.
 */
export function refusalOfMatchKeys(
  userData: HashedUserData,
  extraKeys: ReadonlySet<string> | undefined,
): Refusal | undefined {
  // Almost every event has a key that is in none of them.
  for (const key in userData) if (!BROAD_KEYS.has(key) && extraKeys?.has(key) !== true) return undefined;
  const keys = Object.keys(userData).filter((key) => extraKeys?.has(key) !== true);
  const expected = 'at least one identifier that finds a person, e.g. em, ph, external_id, fbp or client_ip_address';
  if (keys.length === 0) return { field: 'user_data', code: 'no_identifier', got: 'no usable key', expected };
  if (!TOO_BROAD.some((combination) => keys.every((key) => combination.has(key)))) return undefined;
  return { field: 'user_data', code: 'too_broad', got: `only ${keys.join(', ')}`, expected };
}
