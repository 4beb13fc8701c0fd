/** Prices as feeds and `items_batch` write them: a decimal amount and a currency, e.g. `10.00 TRY`. */
import { CURRENCIES } from '../server-event/currency-codes.ts';

export interface Price {
  /** As it is sent: `10.00 TRY`. The same price written in another way comes out the same. */
  readonly text: string;
  /** Hundredths of a whole unit, whatever the currency: only ever compared with another of the same currency. */
  readonly hundredths: number;
  readonly currency: string;
}

export const priceRule = 'an amount and an ISO 4217 currency, such as 10.00 TRY';

const AMOUNT_FIRST = /^(\d{1,12})(?:\.(\d{1,4}))? ?([A-Za-z]{3})$/;
const CURRENCY_FIRST = /^([A-Za-z]{3}) ?(\d{1,12})(?:\.(\d{1,4}))?$/;

/**
 * Undefined when it is none. A comma is not guessed at: `1,234` is a thousand in one country and one and a bit in
 * another, and a wrong guess is a price a thousand times too low.
 */
export function readPrice(written: string): Price | undefined {
  const first = AMOUNT_FIRST.exec(written);
  const second = first === null ? CURRENCY_FIRST.exec(written) : null;
  if (first === null && second === null) return undefined;
  const [whole = '', fraction = '', code = ''] =
    first === null ? [second?.[2], second?.[3], second?.[1]] : [first[1], first[2], first[3]];
  const currency = code.toUpperCase();
  if (!CURRENCIES.has(currency)) return undefined;
  const digits = fraction.replace(/0+$/, '').padEnd(2, '0');
  const amount = whole.replace(/^0+(?=\d)/, '');
  return { text: `${amount}.${digits} ${currency}`, hundredths: Number(amount + digits.slice(0, 2)), currency };
}
