/**
 * Money as Meta counts it: integers of the currency's minor unit, never floats.
 *
 * Meta's offset table is its own, not ISO 4217: forint, rupiah or Taiwan dollar have no minor unit here although ISO
 * gives them two decimals, and the Bahraini or Jordanian dinar has two where ISO gives three. (Marketing API,
 * "Currencies".) A currency that is not in the table is refused, because guessing an offset is a hundredfold error.
 */

/** Minor units in one whole unit. Every currency an ad account can be kept in (Marketing API, `adaccount_currency`), and the dinars. */
const offsets: Readonly<Record<string, 1 | 100>> = Object.fromEntries([
  ...'CLP COP CRC HUF IDR ISK JPY KRW PYG TWD VND'.split(' ').map((currency) => [currency, 1]),
  ...(
    'AED ARS AUD BDT BHD BOB BRL CAD CHF CNY CZK DKK DZD EGP EUR GBP GTQ HKD HNL ILS INR JOD KES LKR MOP MXN MYR NGN ' +
    'NIO NOK NZD PEN PHP PKR PLN QAR RON SAR SEK SGD THB TRY UAH USD UYU ZAR'
  )
    .split(' ')
    .map((currency) => [currency, 100]),
]);

export type MoneyProblem = 'unknown-currency' | 'not-an-amount' | 'too-precise' | 'too-large';

/** An amount or currency that cannot be money. The message names the problem, never the tenant. */
export class MoneyError extends Error {
  override readonly name = 'MoneyError';
  readonly problem: MoneyProblem;
  constructor(problem: MoneyProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}

/** 100 for most currencies, 1 for those Meta counts in whole units. @throws MoneyError `unknown-currency` */
export function minorUnitsPerUnit(currency: string): 1 | 100 {
  const offset = Object.hasOwn(offsets, currency) ? offsets[currency] : undefined;
  if (offset === undefined) {
    throw new MoneyError('unknown-currency', `Meta's currency table has no ${JSON.stringify(currency)}`);
  }
  return offset;
}

/**
 * Minor units as the decimal string of whole units that some of Meta's parameters want: 1500000 TRY → "15000",
 * 1500050 TRY → "15000.50", 15000 HUF → "15000". @throws MoneyError
 */
export function toWholeUnits(amountMinor: number, currency: string): string {
  const offset = minorUnitsPerUnit(currency);
  assertMinorUnits(amountMinor);
  const remainder = amountMinor % offset;
  const whole = String((amountMinor - remainder) / offset);
  return remainder === 0 ? whole : `${whole}.${String(remainder).padStart(2, '0')}`;
}

/**
 * A plain decimal string of whole units as minor units: "15000.5" TRY → 1500050. Signs, exponents, separators and more
 * decimals than the currency has are refused, not rounded. @throws MoneyError
 */
export function fromWholeUnits(decimal: string, currency: string): number {
  const offset = minorUnitsPerUnit(currency);
  const match = /^(\d+)(?:\.(\d+))?$/.exec(decimal);
  if (match === null) throw new MoneyError('not-an-amount', 'An amount is digits with an optional decimal point');
  const decimals = offset === 100 ? 2 : 0;
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  if (fraction.length > decimals) {
    throw new MoneyError('too-precise', `${currency} has ${decimals} decimals at Meta`);
  }
  return parseMinorUnits(`${match[1]}${fraction.padEnd(decimals, '0')}`);
}

/** The numeric string in which Meta returns `spend_cap`, `amount_spent` or `balance`, as an integer. @throws MoneyError */
export function parseMinorUnits(text: string): number {
  if (!/^\d+$/.test(text)) throw new MoneyError('not-an-amount', 'Minor units are a string of digits');
  const amountMinor = Number(text);
  assertMinorUnits(amountMinor);
  return amountMinor;
}

/** Rejects floats, negatives, NaN and what a double cannot count exactly. @throws MoneyError */
function assertMinorUnits(amountMinor: number): void {
  if (!Number.isInteger(amountMinor) || amountMinor < 0) {
    throw new MoneyError('not-an-amount', 'Minor units are a whole number, zero or more');
  }
  if (!Number.isSafeInteger(amountMinor))
    throw new MoneyError('too-large', 'More minor units than can be counted exactly');
}
