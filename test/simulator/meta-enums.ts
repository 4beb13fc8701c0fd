/** Enum values of Graph v25.0 that several edges share. */

export const businessVerticals = [
  'ADVERTISING',
  'AUTOMOTIVE',
  'CONSUMER_PACKAGED_GOODS',
  'ECOMMERCE',
  'EDUCATION',
  'ENERGY_AND_UTILITIES',
  'ENTERTAINMENT_AND_MEDIA',
  'FINANCIAL_SERVICES',
  'GAMING',
  'GOVERNMENT_AND_POLITICS',
  'HEALTH',
  'LUXURY',
  'MARKETING',
  'NON_PROFIT',
  'NOT_SET',
  'ORGANIZATIONS_AND_ASSOCIATIONS',
  'OTHER',
  'PROFESSIONAL_SERVICES',
  'RESTAURANT',
  'RETAIL',
  'TECHNOLOGY',
  'TELECOM',
  'TRAVEL',
] as const;

/** "0" to "592". */
export const timezoneIds: readonly string[] = Array.from({ length: 593 }, (_, index) => String(index));

export const pageTaskNames = [
  'ADVERTISE',
  'ANALYZE',
  'CASHIER_ROLE',
  'CREATE_CONTENT',
  'GLOBAL_STRUCTURE_MANAGEMENT',
  'MANAGE',
  'MANAGE_JOBS',
  'MANAGE_LEADS',
  'MESSAGING',
  'MODERATE',
  'MODERATE_COMMUNITY',
  'PAGES_MESSAGING',
  'PAGES_MESSAGING_SUBSCRIPTIONS',
  'PROFILE_PLUS_ADVERTISE',
  'PROFILE_PLUS_ANALYZE',
  'PROFILE_PLUS_CREATE_CONTENT',
  'PROFILE_PLUS_FACEBOOK_ACCESS',
  'PROFILE_PLUS_FULL_CONTROL',
  'PROFILE_PLUS_GLOBAL_STRUCTURE_MANAGEMENT',
  'PROFILE_PLUS_MANAGE',
  'PROFILE_PLUS_MANAGE_LEADS',
  'PROFILE_PLUS_MESSAGING',
  'PROFILE_PLUS_MODERATE',
  'PROFILE_PLUS_MODERATE_DELEGATE_COMMUNITY',
  'PROFILE_PLUS_REVENUE',
  'READ_PAGE_MAILBOXES',
  'VIEW_MONETIZATION_INSIGHTS',
] as const;

export const adAccountCurrencies: readonly string[] = [
  'AED ARS AUD BDT BOB BRL CAD CHF CLP CNY COP CRC CZK DKK DZD EGP EUR GBP GTQ HKD HNL HUF IDR ILS INR ISK JPY KES',
  'KRW LKR MOP MXN MYR NGN NIO NOK NZD PEN PHP PKR PLN PYG QAR RON SAR SEK SGD THB TRY TWD UAH USD UYU VND ZAR',
].flatMap((line) => line.split(' '));

const wholeUnitCurrencies = new Set('CLP COP CRC HUF ISK IDR JPY KRW PYG TWD VND'.split(' '));

/** Decimal digits between a currency's unit and its minor unit on the Marketing API ("Currency codes"): 0 or 2. */
export const minorDigitsOf = (currency: string): number => (wholeUnitCurrencies.has(currency) ? 0 : 2);

/** Whole-unit decimal text to minor units, rounded half up: ("23.50", "USD") → 2350n. */
export function toMinor(amount: string, currency: string): bigint {
  const [whole = '0', fraction = ''] = amount.split('.');
  const digits = minorDigitsOf(currency);
  const kept = fraction.slice(0, digits).padEnd(digits, '0');
  const roundsUp = (fraction[digits] ?? '0') >= '5';
  return BigInt(whole + kept) + (roundsUp ? 1n : 0n);
}
