import type { DateOrder } from './birth-date.ts';
import { countryCode } from './country.ts';
import { printableKey, problem, type Normalised, type Problem, type Warning } from './finding.ts';
import { trimmed, visible } from './letters.ts';
import { RecentHashes } from './recent-hashes.ts';
import { HASHED_RULES, LONG_NAMES, type HashedRule, type RuleContext } from './rules.ts';
import { alreadyHashed, sha256, type Sha256Hex } from './sha256.ts';
import { opaque, UNHASHED_RULES, type UnhashedRule } from './unhashed.ts';

/** What the tenant says about its customers. All of it is optional; without a country a national phone number has no meaning. */
export type IdentifierContext = {
  /** Alpha-2, any case. */
  readonly country?: string | undefined;
  /** Default: month first for tenants in the US and the Philippines, undecided in Canada, day first elsewhere. */
  readonly dateOrder?: DateOrder | undefined;
  /** ISO 639-1, lower case, for words of gender and names of countries. English is always understood. */
  readonly languages?: readonly string[] | undefined;
  /** Keys beyond Meta's list that go to Meta unhashed. A key we know keeps its own rule. */
  readonly extraKeys?: ReadonlySet<string> | undefined;
};

/** `user_data` in the form that goes to Meta: hashed keys hold SHA-256 hex (one or a list), the others ids. */
export type HashedUserData = Record<string, string | string[] | number>;

/** Values taken from a list; more than a person has, and enough for a household. */
export const MAX_VALUES_PER_KEY = 10;
const MAX_KEYS = 64;
const MAX_VALUE_CHARS = 1_024;

const NOT_TEXT = problem('not_text', 'expected text, a whole number, or a list of these');
const TOO_LONG = problem('too_long', `longer than ${MAX_VALUE_CHARS} characters`);
const TOO_MANY_VALUES = problem('too_many_values', `only the first ${MAX_VALUES_PER_KEY} values were used`);
const TOO_MANY_KEYS = problem('too_many_keys', `only the first ${MAX_KEYS} keys of user_data were read`);
const PLACEHOLDER = problem('placeholder', 'a word for "no value" or a template that was not filled in');
const UNKNOWN_KEY = problem('unknown_key', 'no customer information parameter of Meta; not sent');
const SAID_TWICE = problem('said_twice', 'the short name of this key is there too and was used');
const UNHASHED_LIST = problem('not_text', 'expected one value, not a list');

const NO_VALUE = /^(?:(?:null|\(null\)|undefined|none|nan|n\/a|unknown|\(not set\)|\[object object\])$|\{\{|\$\{)/i;
/** First characters of those, with the bit of lower case set: most values need no look at the pattern. `{` is `[` then. */
const N = 0x6e;
const U = 0x75;
const PARENTHESIS = 0x28;
const BRACKET = 0x7b;
const DOLLAR = 0x24;

const NO_LANGUAGES: readonly string[] = [];

/** One of the two is there; both fields always are, which keeps the loop over the keys fast. */
type Rule = {
  readonly key: string;
  readonly hashed: HashedRule | undefined;
  readonly unhashed: UnhashedRule | undefined;
};

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...Object.entries(HASHED_RULES).map(([key, hashed]): [string, Rule] => [key, { key, hashed, unhashed: undefined }]),
  ...Object.entries(UNHASHED_RULES).map(([key, unhashed]): [string, Rule] => [
    key,
    { key, hashed: undefined, unhashed },
  ]),
  ...Object.entries(LONG_NAMES).map(([name, key]): [string, Rule] => [
    name,
    { key, hashed: HASHED_RULES[key], unhashed: undefined },
  ]),
]);

/**
 * Hashes of what many customers of a shop share: gender, country, state, postal code, birth date. Never of what finds
 * one person. It stays small (some 5 MB) whatever is sent.
 */
const sharedHashes = new RecentHashes<Sha256Hex>({ places: 32_768, maxChars: 40, lettersOnly: false });
/** The same for cities, first and last names, whose rules read nothing but the text, as it was written. */
type CommonHashes = RecentHashes<Sha256Hex | readonly Sha256Hex[]>;
const commonCities: CommonHashes = new RecentHashes({ places: 8_192, maxChars: 40, lettersOnly: false });
const commonNames: CommonHashes = new RecentHashes({ places: 8_192, maxChars: 20, lettersOnly: true });
const CITY = HASHED_RULES['ct'];
const FIRST_NAME = HASHED_RULES['fn'];
const LAST_NAME = HASHED_RULES['ln'];

/**
 * Normalises and hashes `user_data` as Meta's reference page says. A value that cannot be used costs its key and a
 * warning, never the event, and never an exception: any JSON value may come in. Values that were hashed before are
 * kept. Raw personal data is in no output and in no warning.
 */
export function hashUserData(
  userData: Readonly<Record<string, unknown>>,
  context: IdentifierContext,
): { userData: HashedUserData; warnings: Warning[] } {
  const result: HashedUserData = {};
  const warnings: Warning[] = [];
  const languages = context.languages ?? NO_LANGUAGES;
  const { country } = userData;
  const ruleContext: RuleContext = {
    personCountry:
      typeof country === 'string' && country.length <= 64 ? countryCode(visible(country), languages) : undefined,
    tenantCountry: context.country?.toLowerCase(),
    dateOrder: context.dateOrder,
    languages,
  };

  let keys = 0;
  // Not over Object.keys: making that list cost a thirtieth of this function's time.
  for (const name in userData) {
    if (++keys > MAX_KEYS) {
      warn(warnings, 'user_data', TOO_MANY_KEYS);
      break;
    }
    const value = userData[name];
    if (value === null || value === undefined || value === '') continue;
    const rule = RULES.get(name);
    if (rule === undefined) {
      if (context.extraKeys?.has(name) === true && name !== '__proto__')
        keep(result, warnings, name, name, opaque(value));
      else warn(warnings, name, UNKNOWN_KEY);
    } else if (rule.key !== name && Object.hasOwn(userData, rule.key)) {
      warn(warnings, name, SAID_TWICE);
    } else if (rule.hashed !== undefined) {
      const hashes = Array.isArray(value)
        ? hashList(value, rule.hashed, ruleContext, name, warnings)
        : hashOne(value, rule.hashed, ruleContext, name, warnings);
      if (hashes !== undefined) result[rule.key] = hashes;
    } else if (rule.unhashed !== undefined) {
      keep(result, warnings, rule.key, name, Array.isArray(value) ? only(value, rule.unhashed) : rule.unhashed(value));
    }
  }
  return { userData: result, warnings };
}

function hashOne(
  value: unknown,
  rule: HashedRule,
  context: RuleContext,
  name: string,
  warnings: Warning[],
): Sha256Hex | Sha256Hex[] | undefined {
  const text = plainText(value);
  if (typeof text !== 'string') return warn(warnings, name, text);
  if (text === '') return undefined;
  const common = rule === FIRST_NAME || rule === LAST_NAME ? commonNames : rule === CITY ? commonCities : undefined;
  if (common === undefined) return hashText(text, rule, context, name, warnings);
  const place = common.placeOf(text);
  const known = common.at(place, text);
  if (known !== undefined) return typeof known === 'string' ? known : [...known];
  const hashes = hashText(text, rule, context, name, warnings);
  if (hashes !== undefined) common.keep(place, text, typeof hashes === 'string' ? hashes : [...hashes]);
  return hashes;
}

function hashText(
  text: string,
  rule: HashedRule,
  context: RuleContext,
  name: string,
  warnings: Warning[],
): Sha256Hex | Sha256Hex[] | undefined {
  const hashed = text.length < 32 ? undefined : alreadyHashed(text, rule.hex32IsPlain === true);
  if (typeof hashed === 'string') return hashed;
  const normalised: Normalised = hashed ?? (isPlaceholder(text) ? PLACEHOLDER : rule.normalise(text, context));
  if (typeof normalised === 'string') return digest(normalised, rule);
  if (!('code' in normalised)) return normalised.map((spelling) => digest(spelling, rule));
  const seen = visible(text);
  return seen === text ? warn(warnings, name, normalised) : hashText(seen, rule, context, name, warnings);
}

function hashList(
  values: readonly unknown[],
  rule: HashedRule,
  context: RuleContext,
  name: string,
  warnings: Warning[],
): Sha256Hex | Sha256Hex[] | undefined {
  const hashes = new Set<Sha256Hex>();
  if (values.length > MAX_VALUES_PER_KEY) warn(warnings, name, TOO_MANY_VALUES);
  for (const value of values.slice(0, MAX_VALUES_PER_KEY)) {
    if (value === null || value === undefined || value === '') continue;
    const hashed = hashOne(value, rule, context, name, warnings);
    if (typeof hashed === 'string') hashes.add(hashed);
    else hashed?.forEach((hash) => hashes.add(hash));
  }
  const [first, ...others] = hashes;
  if (first === undefined) return undefined;
  return others.length === 0 ? first : [first, ...others];
}

/** Some SDKs wrap every value in a list; of an unhashed key only a list of one is meant so. */
function only(values: readonly unknown[], rule: UnhashedRule): string | number | Problem {
  return values.length === 1 ? rule(values[0]) : UNHASHED_LIST;
}

function keep(
  result: HashedUserData,
  warnings: Warning[],
  key: string,
  name: string,
  value: string | number | Problem,
): void {
  if (typeof value === 'object') warn(warnings, name, value);
  else result[key] = value;
}

function plainText(value: unknown): string | Problem {
  if (typeof value === 'string') return value.length > MAX_VALUE_CHARS ? TOO_LONG : trimmed(value);
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? String(value) : NOT_TEXT;
}

function isPlaceholder(text: string): boolean {
  const first = text.charCodeAt(0) | 0x20;
  if (first !== N && first !== U && first !== PARENTHESIS && first !== BRACKET && first !== DOLLAR) return false;
  return NO_VALUE.test(text);
}

function digest(normalised: string, rule: HashedRule): Sha256Hex {
  if (rule.isShared !== true) return sha256(normalised);
  const place = sharedHashes.placeOf(normalised);
  const known = sharedHashes.at(place, normalised);
  if (known !== undefined) return known;
  const hash = sha256(normalised);
  sharedHashes.keep(place, normalised, hash);
  return hash;
}

function warn(warnings: Warning[], key: string, { code, message }: Problem): undefined {
  warnings.push({ key: printableKey(key), code, message });
}
