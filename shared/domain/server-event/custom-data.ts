import type { Json, JsonObject } from '../canonical.ts';
import { problem, type Warning } from '../identifiers/finding.ts';
import type { PlainIdentity } from './personal-data.ts';
import { plainCopy } from './plain-copy.ts';
import { described, isObject, quotedWord, type Refusal } from './server-event.ts';
import { readCurrency, readValue } from './value-and-currency.ts';

const NOT_AN_OBJECT = problem('not_an_object', 'expected an object; not sent');

const AMOUNT_READERS = [
  ['value', readValue],
  ['currency', readCurrency],
] as const;

/**
 * `custom_data` fit to send: copied without personal data, `value` a number and `currency` an ISO 4217 code. A Purchase
 * without both is refused, as Meta would; for other events an unusable one is left out.
 */
export function readCustomData(
  value: unknown,
  eventName: string | undefined,
  identity: PlainIdentity,
  warnings: Warning[],
  reasons: Refusal[],
): JsonObject | undefined {
  const isPurchase = eventName === 'Purchase';
  if (value !== undefined && value !== null && !isObject(value))
    warnings.push({ key: 'custom_data', ...NOT_AN_OBJECT });
  const customData: Record<string, Json> = isObject(value) ? plainCopy('custom_data', value, identity, warnings) : {};
  for (const [key, read] of AMOUNT_READERS) {
    const given = customData[key];
    const absent = given === undefined || given === null || given === '';
    if (absent && !isPurchase) continue;
    const result = read(given);
    if (typeof result !== 'object') {
      customData[key] = result;
      continue;
    }
    delete customData[key];
    const { code, message } = result;
    if (isPurchase) {
      const got = key === 'currency' ? quotedWord(given) : described(given);
      const reason = absent ? 'required_for_purchase' : code;
      reasons.push({ field: `custom_data.${key}`, code: reason, got, expected: message });
    } else {
      warnings.push({ key: `custom_data.${key}`, code, message: `expected ${message}; not sent` });
    }
  }
  return Object.keys(customData).length === 0 ? undefined : customData;
}
