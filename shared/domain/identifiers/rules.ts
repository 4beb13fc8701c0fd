import { dateOrderOf, normaliseBirthDate, type DateOrder } from './birth-date.ts';
import { normaliseCountry } from './country.ts';
import { normaliseEmail } from './email.ts';
import { problem, type Normalised } from './finding.ts';
import { normaliseGender } from './gender.ts';
import { isGraphic, lettersAndDigits, lowerCase, visible, withAsciiDigits } from './letters.ts';
import { normaliseCity, normaliseName } from './name.ts';
import { normalisePhone } from './phone.ts';
import { normalisePostalCode } from './postal-code.ts';
import { normaliseState } from './state.ts';

/** What a rule may know besides the value. Countries are alpha-2, lower case. */
export type RuleContext = {
  /** The person's own country, when the event gives one and in plain; it is then what `country` normalises to. */
  readonly personCountry: string | undefined;
  readonly tenantCountry: string | undefined;
  readonly dateOrder: DateOrder | undefined;
  readonly languages: readonly string[];
};

export type HashedRule = {
  readonly normalise: (text: string, context: RuleContext) => Normalised;
  /** Many people have the same value, so its hash is worth keeping. */
  readonly isShared?: true;
  /** 32 hex digits are an ordinary value of this key, not an MD5. */
  readonly hex32IsPlain?: true;
};

const WHITE_SPACE = /\s+/g;
const EMPTY = problem('empty', 'no letters or digits in it');
const NOT_A_NUMBER_OF = {
  day: problem('not_a_day', 'expected a day of the month, 1 to 31'),
  month: problem('not_a_month', 'expected a month, 1 to 12'),
  year: problem('not_a_year', 'expected a four-digit year of birth'),
};

/**
 * Every key that Meta wants hashed and how it is normalised first (Customer Information Parameters, 9 January 2026).
 * From `f5first` on: keys only Meta's SDKs know, normalised as those do.
 */
export const HASHED_RULES: Readonly<Record<string, HashedRule>> = {
  em: { normalise: normaliseEmail },
  ph: { normalise: (text, { personCountry, tenantCountry }) => normalisePhone(text, personCountry, tenantCountry) },
  fn: { normalise: normaliseName },
  ln: { normalise: normaliseName },
  ge: { normalise: (text, { languages }) => normaliseGender(text, languages), isShared: true },
  db: {
    normalise: (text, { dateOrder, tenantCountry }) =>
      normaliseBirthDate(text, dateOrder ?? dateOrderOf(tenantCountry)),
    isShared: true,
  },
  ct: { normalise: normaliseCity, isShared: true },
  st: { normalise: (text, { personCountry }) => normaliseState(text, personCountry), isShared: true },
  zp: {
    normalise: (text, { personCountry, tenantCountry }) =>
      normalisePostalCode(text, personCountry, personCountry ?? tenantCountry),
    isShared: true,
  },
  country: {
    normalise: (text, { personCountry, languages }) => personCountry ?? normaliseCountry(text, languages),
    isShared: true,
  },
  external_id: { normalise: normaliseExternalId, hex32IsPlain: true },
  f5first: { normalise: (text) => firstLetters(text, 5) },
  f5last: { normalise: (text) => firstLetters(text, 5) },
  fi: { normalise: (text) => firstLetters(text, 1) },
  dobd: { normalise: (text) => numberBetween(text, 1, 31) ?? NOT_A_NUMBER_OF.day },
  dobm: { normalise: (text) => numberBetween(text, 1, 12) ?? NOT_A_NUMBER_OF.month },
  doby: { normalise: (text) => numberBetween(text, 1900, 2099) ?? NOT_A_NUMBER_OF.year },
  app_user_id: { normalise: normaliseExternalId, hex32IsPlain: true },
};

/** Long names that Meta's offline page puts beside the short ones. */
export const LONG_NAMES: Readonly<Record<string, string>> = { email: 'em', phone: 'ph', gen: 'ge', zip: 'zp' };

/** Lower case without white space, as Meta's Parameter Builder does in the browser: the id must hash alike on every channel. */
function normaliseExternalId(text: string): Normalised {
  const lower = text.toLowerCase();
  // Of printed ASCII alone there is nothing to take out.
  for (let at = 0; at < lower.length; at++) {
    if (!isGraphic(lower.charCodeAt(at))) {
      const id = visible(lowerCase(text)).replace(WHITE_SPACE, '');
      return id === '' ? EMPTY : id;
    }
  }
  return lower;
}

function firstLetters(text: string, count: number): Normalised {
  const letters = Array.from(lettersAndDigits(lowerCase(text)))
    .slice(0, count)
    .join('');
  return letters === '' ? EMPTY : letters;
}

function numberBetween(text: string, least: number, most: number): string | undefined {
  const digits = withAsciiDigits(text);
  if (!/^\d{1,4}$/.test(digits)) return undefined;
  const number = Number(digits);
  return number >= least && number <= most ? String(number).padStart(2, '0') : undefined;
}
