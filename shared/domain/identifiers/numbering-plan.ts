import metadata from 'libphonenumber-js/min/metadata';
import type { CountryCode } from 'libphonenumber-js/core';

/** Plain digits, or a pattern where the country has several. */
type Prefix = string | RegExp;

/** What is needed of one country's numbering plan to recognise an ordinary number without the full parser. */
type NumberingPlan = {
  readonly callingCode: string;
  /** Matches a whole national number of the country, without its trunk prefix. */
  readonly national: RegExp;
  /** Starts a number written with the international prefix (`00`, `011`). */
  readonly internationalPrefix: Prefix;
  /** Starts a number written with the trunk prefix, if the country has one. Plain digits are simply cut off. */
  readonly trunk: Prefix | undefined;
};

/** One entry per country that is asked for, 245 at most. */
const plans = new Map<string, NumberingPlan>();

/**
 * E.164 digits of an ordinary number of that country (alpha-2, lower case), or undefined where only the full parser
 * (ten times slower, a third of our whole time per user) can say. Agrees with the parser on every number it answers;
 * a test compares them over all countries.
 */
export function ordinaryNumber(digits: string, international: boolean, country: string): string | undefined {
  const plan = planOf(country);
  if (plan === undefined) return undefined;
  const { callingCode, trunk } = plan;
  if (!international) {
    if (startsWith(digits, plan.internationalPrefix)) return undefined;
    const hasTrunk = trunk !== undefined && startsWith(digits, trunk);
    if (plan.national.test(digits)) return hasTrunk ? undefined : callingCode + digits;
    if (hasTrunk) {
      if (typeof trunk !== 'string') return undefined;
      const withoutTrunk = digits.slice(trunk.length);
      return plan.national.test(withoutTrunk) ? callingCode + withoutTrunk : undefined;
    }
  }
  if (!digits.startsWith(callingCode)) return undefined;
  const rest = digits.slice(callingCode.length);
  return plan.national.test(rest) && (trunk === undefined || !startsWith(rest, trunk)) ? digits : undefined;
}

/** Whether libphonenumber knows numbers of that country (upper-case alpha-2). */
export function isPhoneCountry(country: string): country is CountryCode {
  return Object.hasOwn(metadata.countries, country);
}

function planOf(country: string): NumberingPlan | undefined {
  const known = plans.get(country);
  if (known !== undefined) return known;
  const upper = country.toUpperCase();
  if (!isPhoneCountry(upper)) return undefined;
  // Positions of metadata version 4, which the package pins (source/metadata.js of libphonenumber-js).
  const row: readonly unknown[] = metadata.countries[upper] ?? [];
  const [callingCode, internationalPrefix, national, , , trunk, , trunkPattern] = row;
  const pattern = text(trunkPattern) || text(trunk);
  const plan =
    metadata.version === 4 && text(callingCode) && text(internationalPrefix) && text(national)
      ? {
          callingCode: text(callingCode),
          national: new RegExp(`^(?:${text(national)})$`),
          internationalPrefix: prefix(text(internationalPrefix)),
          trunk: pattern ? prefix(pattern) : undefined,
        }
      : undefined;
  if (plan !== undefined) plans.set(country, plan);
  return plan;
}

function prefix(pattern: string): Prefix {
  return /^\d+$/.test(pattern) ? pattern : new RegExp(`^(?:${pattern})`);
}

function startsWith(digits: string, prefix: Prefix): boolean {
  return typeof prefix === 'string' ? digits.startsWith(prefix) : prefix.test(digits);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
