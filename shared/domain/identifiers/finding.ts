/**
 * What the relay tells a sender about a key it could not use. Never holds the value itself: warnings travel in
 * answers and logs, values are personal data.
 */
export type Warning = {
  /** The path of the key, e.g. `ph` or `custom_data.note`; `(unprintable)` when the name itself could be personal data. */
  readonly key: string;
  /** Stable, for counters. */
  readonly code: string;
  /** For a person: what is wrong and what is expected. */
  readonly message: string;
};

/** Why one value gives no identifier. Constants, so that a bad value costs no allocation. */
export type Problem = { readonly code: string; readonly message: string };

/** One value after its rule: one spelling, several spellings to hash side by side, or the reason it is not usable. */
export type Normalised = string | readonly string[] | Problem;

/** Declares a problem of a rule. */
export function problem(code: string, message: string): Problem {
  return Object.freeze({ code, message });
}

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/;

/** A key name that is safe to repeat to the sender: identifier-like, so no e-mail address and no phone number used as a key. */
export function printableKey(key: string): string {
  return PLAIN_KEY.test(key) ? key : '(unprintable)';
}
