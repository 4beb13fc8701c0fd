import metadata from 'libphonenumber-js/min/metadata';
import type { CountryCode } from 'libphonenumber-js/core';

/** What is needed of one country's numbering plan to recognise an ordinary number without the full parser. */
type NumberingPlan = {
  readonly callingCode: string;
  /** Matches a whole national number of the country, without its trunk prefix. */
  readonly national: RegExp;
  /** Matches the start of a number written with the international prefix (`00`, `011`). */
  readonly internationalPrefix: RegExp;
  /** Matches the start of a number written with the trunk prefix, if the country has one. */
  readonly trunk: RegExp | undefined;
  /** The trunk prefix, where it is plain digits that are simply cut off. */
  readonly plainTrunk: string | undefined;
};

/** One entry per country that is asked for, 245 at most. */
const plans = new Map<string, NumberingPlan | undefined>();

/**
 * E.164 digits of an ordinary number of that country (upper-case alpha-2), or undefined where only the full parser
 * (ten times slower, a third of our whole time per user) can say. Agrees with the parser on every number it answers;
 * a test compares them over all countries.
 */
export function ordinaryNumber(digits: string, international: boolean, country: string): string | undefined {
  const plan = planOf(country);
  if (plan === undefined) return undefined;
  const { callingCode, trunk } = plan;
  if (!international) {
    if (plan.internationalPrefix.test(digits)) return undefined;
    const hasTrunk = trunk?.test(digits) ?? false;
    if (plan.national.test(digits)) return hasTrunk ? undefined : callingCode + digits;
    if (hasTrunk) {
      if (plan.plainTrunk === undefined) return undefined;
      const withoutTrunk = digits.slice(plan.plainTrunk.length);
      return plan.national.test(withoutTrunk) ? callingCode + withoutTrunk : undefined;
    }
  }
  if (!digits.startsWith(callingCode)) return undefined;
  const rest = digits.slice(callingCode.length);
  return plan.national.test(rest) && !(trunk?.test(rest) ?? false) ? digits : undefined;
}

/** Whether libphonenumber knows numbers of that country (upper-case alpha-2). */
export function isPhoneCountry(country: string): country is CountryCode {
  return Object.hasOwn(metadata.countries, country);
}

function planOf(country: string): NumberingPlan | undefined {
  if (plans.has(country)) return plans.get(country);
  if (!isPhoneCountry(country)) return undefined;
  // Positions of metadata version 4, which the package pins (source/metadata.js of libphonenumber-js).
  const row: readonly unknown[] = metadata.countries[country] ?? [];
  const [callingCode, internationalPrefix, national, , , trunk, , trunkPattern] = row;
  const pattern = text(trunkPattern) || text(trunk);
  const plan =
    metadata.version === 4 && text(callingCode) && text(internationalPrefix) && text(national)
      ? {
          callingCode: text(callingCode),
          national: new RegExp(`^(?:${text(national)})$`),
          internationalPrefix: new RegExp(`^(?:${text(internationalPrefix)})`),
          trunk: pattern ? new RegExp(`^(?:${pattern})`) : undefined,
          plainTrunk: /^\d+$/.test(pattern) ? pattern : undefined,
        }
      : undefined;
  plans.set(country, plan);
  return plan;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
