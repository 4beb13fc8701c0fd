import { described, isObject, type Refusal } from '../server-event/server-event.ts';

/** What an event says about the person's consent to advertising. */
export type ConsentSignal = 'granted' | 'denied' | 'absent';

/** The field of an event that carries it: ours, taken off before Meta. */
export const consentField = 'consent';

/**
 * The purposes that sending an event to Meta needs, in the words of Google's consent mode and a plain one. Others of
 * that vocabulary (`analytics_storage`, …) say nothing about advertising and are not looked at.
 */
const PURPOSES = ['ad_user_data', 'ad_storage', 'ad_personalization', 'marketing'] as const;

const EXPECTED =
  "'granted' or 'denied', or an object of ad_user_data, ad_storage, ad_personalization and marketing with these values";

/**
 * The signal in an event's `consent`: `granted`, `denied` or a boolean, for all purposes at once or per purpose. One
 * denied purpose is a denial. A signal that cannot be read is refused rather than guessed: sent in spite of it, the event
 * would be used more than the person allowed.
 */
export function consentOf(event: Readonly<Record<string, unknown>>): ConsentSignal | Refusal {
  const given = event[consentField];
  if (given === undefined || given === null || given === '') return 'absent';
  if (!isObject(given)) return signalOf(given) ?? unreadable(consentField, given);
  let signal: ConsentSignal = 'absent';
  for (const purpose of PURPOSES) {
    const value = Object.hasOwn(given, purpose) ? given[purpose] : undefined;
    if (value === undefined || value === null || value === '') continue;
    const said = signalOf(value);
    if (said === undefined) return unreadable(`${consentField}.${purpose}`, value);
    if (signal !== 'denied') signal = said;
  }
  return signal;
}

function signalOf(value: unknown): 'granted' | 'denied' | undefined {
  const word = typeof value === 'string' ? value.toLowerCase() : value;
  if (word === 'granted' || word === true || word === 1 || word === 'true' || word === '1') return 'granted';
  if (word === 'denied' || word === false || word === 0 || word === 'false' || word === '0') return 'denied';
  return undefined;
}

function unreadable(field: string, value: unknown): Refusal {
  return { field, code: 'unreadable_consent', got: described(value), expected: EXPECTED };
}
