/** Reading a payload of somebody else's making: nothing is trusted to be there or to be of its type. */

export type Payload = Readonly<Record<string, unknown>>;

export function isPayload(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at `a.b.c`; of a list on the way, its first element. Undefined when there is none, and for null and ''. */
export function at(payload: unknown, path: string): unknown {
  let value = payload;
  for (const key of path.split('.')) {
    const inside: unknown = Array.isArray(value) ? value[0] : value;
    if (!isPayload(inside) || !Object.hasOwn(inside, key)) return undefined;
    value = inside[key];
  }
  return value === null || value === '' ? undefined : value;
}

/** The first of several places that has a value. */
export function firstOf(payload: unknown, paths: readonly string[]): unknown {
  for (const path of paths) {
    const value = at(payload, path);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Only the keys that have a value. */
export function present(entries: Payload): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}

const ISO_INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})$/;

/**
 * An ISO 8601 instant with its offset, as whole Unix seconds; everything else as it came, for the judge to read or
 * refuse. A date without an offset is not guessed at.
 */
export function unixSeconds(value: unknown): unknown {
  if (typeof value !== 'string' || !ISO_INSTANT.test(value.trim())) return value;
  const ms = Date.parse(value.trim());
  return Number.isNaN(ms) ? value : Math.floor(ms / 1_000);
}

/** The day of an instant; birthdays come as one from languages that have no date without a time. */
export function dayOf(value: unknown): unknown {
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(value) ? value.slice(0, 10) : value;
}

/** Keys of `user_data` that belong to one person, and so must be nowhere else in the event. */
const ONE_PERSONS = ['em', 'ph', 'fn', 'ln', 'db', 'external_id'] as const;

/**
 * Without the entries that repeat an identifier: what was mapped into `user_data` is hashed there and must not lie beside
 * it in plain (managed-components/facebook-pixel issue 17).
 */
export function withoutIdentifiers(customData: Payload, userData: Payload): Record<string, unknown> {
  const identifiers = new Set<string>();
  for (const key of ONE_PERSONS) {
    for (const value of [userData[key]].flat()) {
      if (typeof value === 'string' || typeof value === 'number') identifiers.add(comparable(value));
    }
  }
  return Object.fromEntries(
    Object.entries(customData).filter(
      ([, value]) => !((typeof value === 'string' || typeof value === 'number') && identifiers.has(comparable(value))),
    ),
  );
}

function comparable(value: string | number): string {
  return String(value).trim().toLowerCase();
}
