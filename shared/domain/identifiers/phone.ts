import { parsePhoneNumberFromString, type PhoneNumber } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/min/metadata';
import { problem, type Normalised } from './finding.ts';
import { digitValue } from './letters.ts';
import { isPhoneCountry, ordinaryNumber } from './numbering-plan.ts';

const NOT_A_PHONE = problem('not_a_phone', 'no telephone number of that country and none with a country code');
const NO_COUNTRY = problem('phone_without_country', 'no country code in the number and no country to read it by');

/** Anything shorter is a short code or a fragment; E.164 ends at 15, trunk and international prefixes come on top. */
const MIN_DIGITS = 7;
/** In these countries a whole number has four to six digits. */
const SHORT_NUMBERS: ReadonlySet<string> = new Set('ac ad ck fk fo gl ki nc nf nu pm sb sh ta tk tv wf'.split(' '));
const MIN_SHORT_DIGITS = 4;
const MAX_DIGITS = 20;

/** In `+44 (0)20 7946 0958`: the 0 is dialled inside the country only (ITU-T E.123 advises against writing it). */
const OPTIONAL_TRUNK = '(0)';

/**
 * `ph`: digits of E.164 without the plus, read by the person's country, then the tenant's (alpha-2, lower case):
 * `0532 123 45 67` in Turkey → `905321234567`. Extensions and second numbers are left out, Arabic and Persian digits
 * read, and a number that fits the country is preferred to one that happens to start with a country code. Never throws.
 */
export function normalisePhone(
  text: string,
  personCountry: string | undefined,
  tenantCountry: string | undefined,
): Normalised {
  const first = personCountry ?? tenantCountry;
  const minDigits = first !== undefined && SHORT_NUMBERS.has(first) ? MIN_SHORT_DIGITS : MIN_DIGITS;
  const dialled = dialledDigits(text, minDigits);
  if (dialled.length < minDigits || dialled.length > MAX_DIGITS) return NOT_A_PHONE;
  const second = personCountry === tenantCountry ? undefined : tenantCountry;

  const plus = dialled.startsWith('+');
  const international = plus || dialled.startsWith('00');
  const digits = plus ? dialled.slice(1) : international ? dialled.slice(2) : dialled;
  const ordinary =
    (first === undefined ? undefined : ordinaryNumber(digits, international, first)) ??
    (second === undefined ? undefined : ordinaryNumber(digits, international, second));
  if (ordinary !== undefined) return ordinary;

  const worldwide = parse(`+${digits}`, undefined);
  if (international) {
    if (worldwide?.isValid() !== true && text.includes(OPTIONAL_TRUNK)) {
      return normalisePhone(text.replace(OPTIONAL_TRUNK, ''), personCountry, tenantCountry);
    }
    return worldwide?.isPossible() === true ? e164Digits(worldwide) : NOT_A_PHONE;
  }
  const national = [first, second].filter((country) => country !== undefined).map((country) => parse(digits, country));
  const number =
    [...national, worldwide].find((reading) => reading?.isValid()) ?? national.find((reading) => reading?.isPossible());
  if (number !== undefined) return e164Digits(number);
  return first === undefined ? NO_COUNTRY : NOT_A_PHONE;
}

/**
 * The digits in the order of dialling, `+` in front if it was written there. Stops after so many digits at the first
 * letter, `#`, `;`, `,` or `/`, where an extension or a second number begins.
 */
function dialledDigits(text: string, minDigits: number): string {
  let digits = '';
  let count = 0;
  let runStart = 0;
  let at = 0;
  for (; at < text.length && count <= MAX_DIGITS; at++) {
    const code = text.charCodeAt(at);
    if (code >= 48 && code <= 57) {
      count++;
      continue;
    }
    if (at > runStart) digits += text.slice(runStart, at);
    runStart = at + 1;
    const value = digitValue(code);
    if (value >= 0) {
      digits += String(value);
      count++;
    } else if (count === 0 && (code === 0x2b || code === 0xff0b)) {
      digits = '+';
    } else if (count >= minDigits && startsExtension(code)) {
      return digits;
    }
  }
  return at > runStart ? digits + text.slice(runStart, at) : digits;
}

function startsExtension(code: number): boolean {
  if (code === 0x23 || code === 0x2c || code === 0x2f || code === 0x3b) return true;
  return (
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x61 && code <= 0x7a) ||
    (code > 0xbf && /\p{L}/u.test(String.fromCharCode(code)))
  );
}

function parse(digits: string, country: string | undefined): PhoneNumber | undefined {
  if (country === undefined) return parsePhoneNumberFromString(digits, { extract: false }, metadata);
  const defaultCountry = country.toUpperCase();
  if (!isPhoneCountry(defaultCountry)) return undefined;
  return parsePhoneNumberFromString(digits, { defaultCountry, extract: false }, metadata);
}

function e164Digits(number: PhoneNumber): string {
  return number.number.slice(1);
}
