import { problem, type Problem } from '../identifiers/finding.ts';
import { CURRENCIES } from './currency-codes.ts';

const NOT_A_VALUE = problem('not_a_value', 'a number from 0 to 1,000,000,000,000 with a decimal point and no exponent');
const NOT_A_CURRENCY = problem('not_a_currency', 'an ISO 4217 code, e.g. TRY');

const DECIMAL = /^\d{1,13}(?:\.\d{1,9})?$/;
const LARGEST_VALUE = 1_000_000_000_000;

/** `custom_data.value`: the number as given, or a plain decimal text as a number. */
export function readValue(value: unknown): number | Problem {
  const number = typeof value === 'string' && DECIMAL.test(value.trim()) ? Number(value) : value;
  return typeof number === 'number' && number >= 0 && number <= LARGEST_VALUE ? number : NOT_A_VALUE;
}

/** `custom_data.currency` in upper case. */
export function readCurrency(value: unknown): string | Problem {
  const code = typeof value === 'string' ? value.trim().toUpperCase() : '';
  return CURRENCIES.has(code) ? code : NOT_A_CURRENCY;
}
