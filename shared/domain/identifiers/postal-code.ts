import { problem, type Normalised } from './finding.ts';
import { asciiWord, lettersAndDigits, lowerCase, visible, withAsciiDigits } from './letters.ts';

const NOT_A_POSTAL_CODE = problem('not_a_postal_code', 'expected a postal code of 2 to 12 letters and digits');

const POSTAL_CODE = /^[a-z0-9]{2,12}$/;
const ZIP_PLUS_4 = /^\d{5}[\s-]+\d{4}$/;
const NINE_DIGITS = /^\d{9}$/;
/** `D-10115`: the sign for the country that letters abroad carried, no part of the code. In Latvia and Lithuania it is one. */
const COUNTRY_SIGN = /^(?:a|b|ch|d|dk|f|i|l|tr)-(?=\d{4,5}$)/;

/**
 * `zp`: lower case, no spaces, no dash; of a US ZIP+4 only the first five digits. Five digits, dash, four digits is a
 * ZIP+4 wherever the tenant is, unless the person's country is known to be another one.
 */
export function normalisePostalCode(
  text: string,
  personCountry: string | undefined,
  country: string | undefined,
): Normalised {
  const word = asciiWord(text);
  if (word !== undefined && word.length > 1 && word.length < 9) return word;
  const written = withAsciiDigits(visible(text));
  const american = ZIP_PLUS_4.test(written)
    ? personCountry === undefined || personCountry === 'us'
    : NINE_DIGITS.test(written) && country === 'us';
  if (american) return written.slice(0, 5);
  const code = lettersAndDigits(lowerCase(written).replace(COUNTRY_SIGN, ''));
  return POSTAL_CODE.test(code) ? code : NOT_A_POSTAL_CODE;
}
