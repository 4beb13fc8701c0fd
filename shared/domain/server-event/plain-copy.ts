import type { Json } from '../canonical.ts';
import { printableKey, problem, type Problem, type Warning } from '../identifiers/finding.ts';
import { isPersonalName, isPersonalValue, type PlainIdentity } from './personal-data.ts';

const MAX_DEPTH = 6;
/** Values in one copied object: a cart of 500 lines with ten fields each. */
const MAX_VALUES = 5_000;
const MAX_STRING_CHARS = 4_096;
const MAX_KEY_CHARS = 100;
/** A hostile event must not make an answer longer than itself. */
const MAX_WARNINGS = 20;

const PERSONAL_DATA = problem(
  'personal_data',
  'looks like personal data, which may only go hashed, in user_data; removed',
);
const TOO_DEEP = problem('too_deep', `nested deeper than ${MAX_DEPTH} levels; removed`);
const TOO_MANY = problem('too_many_values', `more than ${MAX_VALUES} values; the rest was removed`);
const TOO_LONG = problem(
  'too_long',
  `a key longer than ${MAX_KEY_CHARS} or a text longer than ${MAX_STRING_CHARS} characters, or a number JSON cannot hold; removed`,
);

/** Keys of every shop's events, which need no look at their name. */
const ORDINARY_KEYS: ReadonlySet<string> = new Set(
  (
    'currency value content_ids contents content_type content_name content_category order_id num_items predicted_ltv ' +
    'net_revenue search_string status item_number id quantity item_price title description brand category ' +
    'delivery_category event_source lead_event_source'
  ).split(' '),
);

/**
 * A copy of what the sender put in `custom_data` and its like: own keys only, bounded in depth and size, without
 * personal data. Everything left out is a warning, with the path and never the value.
 */
export function plainCopy(
  field: string,
  value: object,
  identity: PlainIdentity,
  warnings: Warning[],
): Record<string, Json> {
  const path = [field];
  const mostWarnings = warnings.length + MAX_WARNINGS;
  let values = 0;

  function copy(name: string, value: unknown): Json | undefined {
    if (++values > MAX_VALUES) return values === MAX_VALUES + 1 ? leaveOut(TOO_MANY) : undefined;
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'string' || typeof value === 'number') {
      if (typeof value === 'string' ? value.length > MAX_STRING_CHARS : !Number.isFinite(value))
        return leaveOut(TOO_LONG);
      return isPersonalValue(name, value, identity) ? leaveOut(PERSONAL_DATA) : value;
    }
    if (typeof value !== 'object') return undefined;
    if (path.length > MAX_DEPTH) return leaveOut(TOO_DEEP);
    return Array.isArray(value) ? copyList(name, value) : copyObject(value);
  }

  function copyList(name: string, list: readonly unknown[]): Json {
    const result: Json[] = [];
    path.push('[]');
    for (const item of list) {
      if (values > MAX_VALUES) break;
      const copied = copy(name, item);
      if (copied !== undefined) result.push(copied);
    }
    path.pop();
    return result;
  }

  function copyObject(object: object): Record<string, Json> {
    const result: Record<string, Json> = {};
    const members = object as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(members)) {
      if (values > MAX_VALUES) break;
      if (key === '__proto__') continue;
      path.push(key);
      const copied = isAllowed(key) ? copy(key, members[key]) : undefined;
      if (copied !== undefined) result[key] = copied;
      path.pop();
    }
    return result;
  }

  function isAllowed(key: string): boolean {
    if (ORDINARY_KEYS.has(key)) return true;
    if (key.length > MAX_KEY_CHARS) leaveOut(TOO_LONG);
    else if (isPersonalName(key) || isPersonalValue('', key, identity)) leaveOut(PERSONAL_DATA);
    else return true;
    return false;
  }

  function leaveOut({ code, message }: Problem): undefined {
    if (warnings.length >= mostWarnings) return;
    warnings.push({ key: path.map((key) => (key === '[]' ? key : printableKey(key))).join('.'), code, message });
  }

  return copyObject(value);
}
