import { alpha2ToAlpha3, getAlpha2Codes, getNames, registerLocale } from 'i18n-iso-countries';
import english from 'i18n-iso-countries/langs/en.json' with { type: 'json' };
import examples from 'libphonenumber-js/examples.mobile.json' with { type: 'json' };
import {
  getCountries,
  getCountryCallingCode,
  getExampleNumber,
  parsePhoneNumberFromString,
  type CountryCode,
} from 'libphonenumber-js/min';
import { describe, expect, test } from 'vitest';
import { normaliseBirthDate } from './birth-date.ts';
import { ALPHA_2, ALPHA_3 } from './country-codes.ts';
import { countryCode } from './country.ts';
import { normaliseEmail } from './email.ts';
import { normaliseGender, WORDS } from './gender.ts';
import { folded } from './letters.ts';
import { ordinaryNumber } from './numbering-plan.ts';
import { normalisePhone } from './phone.ts';
import { normalisePostalCode } from './postal-code.ts';
import { normaliseState } from './state.ts';

describe('ph', () => {
  test.each([
    ['0532 123 45 67', 'TR', '905321234567'],
    ['+90 0532 123 45 67', 'TR', '905321234567'],
    ['0532 123 45 67 ext. 89', 'TR', '905321234567'],
    ['0532 123 45 67 dahili 12', 'TR', '905321234567'],
    ['0532 123 45 67 / 0533 765 43 21', 'TR', '905321234567'],
    ['٠٥٣٢١٢٣٤٥٦٧', 'TR', '905321234567'],
    ['۰۵۳۲ ۱۲۳ ۴۵ ۶۷', 'TR', '905321234567'],
    ['０５３２１２３４５６７', 'TR', '905321234567'],
    ['905321234567', 'TR', '905321234567'],
    ['905321234567', 'US', '905321234567'],
    ['00905321234567', 'DE', '905321234567'],
    ['Tel: +90 (532) 123-45-67', 'US', '905321234567'],
    ['+1 (650) 555-1212', undefined, '16505551212'],
    ['16505551212', 'TR', '16505551212'],
    ['011 90 532 123 45 67', 'US', '905321234567'],
    ['+44 (0)20 7946 0958', 'GB', '442079460958'],
    ['06 698 12345', 'IT', '390669812345'],
    ['555.123.4567', 'US', '15551234567'],
    ['+297 (0)5601234', 'AW', '2975601234'],
    ['+39 (0)6 698 12345', 'IT', '390669812345'],
    ['21 12 34', 'FO', '298211234'],
    ['22 12 34 x7', 'GL', '299221234'],
  ])('%j in %s is %s', (input, country, expected) => {
    expect(normalisePhone(input, undefined, country?.toLowerCase())).toBe(expected);
  });

  test.each(['12345', 'abc', '+', '', '1-800-FLOWERS', '9'.repeat(60), '0532 123 45 67 0533 765 43 21'])(
    '%j is no number',
    (input) => expect(normalisePhone(input, undefined, 'tr')).toMatchObject({ code: 'not_a_phone' }),
  );

  test('a mobile number of every country is read as its people write it at home', () => {
    for (const country of getCountries()) {
      const number = getExampleNumber(country, examples)!;
      const written = number.formatNational();
      expect(normalisePhone(written, undefined, country.toLowerCase()), written).toBe(number.number.slice(1));
    }
  });

  test('a national number without any country is dropped, not guessed', () => {
    expect(normalisePhone('6505551212', undefined, undefined)).toMatchObject({ code: 'phone_without_country' });
  });

  test('the short way agrees with the full parser for ordinary and awkward numbers of every country', () => {
    const disagreements: string[] = [];
    let answered = 0;
    const compare = (ours: string | undefined, written: string, country?: CountryCode) => {
      if (ours === undefined) return;
      answered++;
      const theirs = parsePhoneNumberFromString(written, country)?.number;
      if (theirs !== `+${ours}`) disagreements.push(`${written} in ${country}: ${ours}, parser ${theirs}`);
    };
    for (const country of getCountries()) {
      const national = examples[country];
      const code = getCountryCallingCode(country);
      for (const prefix of ['', '0', '1', '8', '00', '06', code, `0${code}`, code + code, `00${code}`, `${code}0`]) {
        for (const digits of [prefix + national, prefix + national.slice(0, -1), `${prefix}${national}7`]) {
          compare(ordinaryNumber(digits, false, country.toLowerCase()), digits, country);
          compare(ordinaryNumber(digits, true, country.toLowerCase()), `+${digits}`);
        }
      }
    }
    expect(disagreements).toEqual([]);
    expect(answered).toBeGreaterThan(1_000);
  });
});

describe('country', () => {
  test('the code table is ISO 3166-1, and Kosovo', () => {
    const iso = Object.keys(getAlpha2Codes());
    expect([...ALPHA_2].sort()).toEqual(iso.map((code) => code.toLowerCase()).sort());
    for (const code of iso) expect(ALPHA_3.get(alpha2ToAlpha3(code)!.toLowerCase())).toBe(code.toLowerCase());
  });

  test.each([
    ['TR', 'tr'],
    ['tur', 'tr'],
    ['Türkiye', 'tr'],
    ['Turkiye', 'tr'],
    ['TÜRKİYE', 'tr'],
    ['Turkey', 'tr'],
    ['TR-34', 'tr'],
    ['UK', 'gb'],
    ['U.K.', 'gb'],
    ['England', 'gb'],
    ['U.S.A.', 'us'],
    ['United States of America', 'us'],
    ['South Korea', 'kr'],
    ['Germany', 'de'],
    ['Almanya', 'de'],
    ["Côte d'Ivoire", 'ci'],
    ['Bosnia & Herzegovina', 'ba'],
    ['Saint Kitts and Nevis', 'kn'],
    ['Korea, Republic of', 'kr'],
    ['A.B.D.', 'us'],
    ['Vereinigte Staaten von Amerika', 'us'],
    ['États-Unis d’Amérique', 'us'],
    ['США', 'us'],
    ['السعودية', 'sa'],
  ])('%j is %s', (input, code) => expect(countryCode(input, ['tr'])).toBe(code));

  test.each(['XX', 'U', 'zz', 'Atlantis', 'en-US', '', '12'])('%j is no country', (input) => {
    expect(countryCode(input, ['tr', 'xx', '__proto__'])).toBeUndefined();
  });

  test('every country is found by the English names that ICU and ISO have for it', () => {
    const names = new Intl.DisplayNames(['en'], { type: 'region' });
    for (const code of ALPHA_2) expect(countryCode(names.of(code.toUpperCase())!, [])).toBe(code);
    registerLocale(english);
    for (const [code, all] of Object.entries(getNames('en', { select: 'all' }))) {
      // Two countries are called Congo; Meta's own library reads the word alone as CG.
      const names = all.filter((name) => name !== 'Congo');
      for (const name of names) expect(countryCode(name, []), name).toBe(code.toLowerCase());
    }
  });

  test.each([
    ['Almanya', 'tr', 'de'],
    ['Frankreich', 'de', 'fr'],
    ['Allemagne', 'fr', 'de'],
    ['Alemania', 'es', 'de'],
    ['ألمانيا', 'ar', 'de'],
    ['Германия', 'ru', 'de'],
    ['中国', 'zh', 'cn'],
  ])('%s is known to a tenant who speaks %s', (name, language, code) => {
    expect(countryCode(name, [language])).toBe(code);
    expect(countryCode(name, [])).toBeUndefined();
  });
});

describe('st', () => {
  test.each([
    ['California', undefined, 'ca'],
    ['new york', 'us', 'ny'],
    ['US-CA', undefined, 'ca'],
    ['Bavaria', 'de', 'bavaria'],
    ['New South Wales', 'au', 'newsouthwales'],
    ['Georgia', 'ge', 'georgia'],
  ])('%s of a person in %s is %s', (input, country, expected) => {
    expect(normaliseState(input, country)).toBe(expected);
  });

  test('a state outside the US keeps both spellings', () => {
    expect(normaliseState('Québec', 'ca')).toEqual(['quebec', 'québec']);
  });
});

test.each([
  ['94035-1234', undefined, 'tr', '94035'],
  ['940351234', undefined, 'us', '94035'],
  ['SW1A 1AA', 'gb', 'gb', 'sw1a1aa'],
  ['K1A 0B1', undefined, 'ca', 'k1a0b1'],
  ['1000-001', 'pt', 'pt', '1000001'],
  ['٣٤٠٠٠', 'tr', 'tr', '34000'],
  ['D-10115', 'de', 'de', '10115'],
  ['LV-1010', 'lv', 'lv', 'lv1010'],
])('zp %s is %s', (input, person, country, expected) => {
  expect(normalisePostalCode(input, person, country)).toBe(expected);
});

describe('db', () => {
  test.each([
    ['19970216', undefined, '19970216'],
    ['1997-02-16', 'dmy', '19970216'],
    ['1997-02-16T00:00:00.000Z', undefined, '19970216'],
    ['16.02.1997', 'dmy', '19970216'],
    ['05/06/1990', 'dmy', '19900605'],
    ['05/06/1990', 'mdy', '19900506'],
    ['16/2/1997', undefined, '19970216'],
    ['29.02.2000', 'dmy', '20000229'],
  ] as const)('%s read as %s is %s', (input, order, expected) => {
    expect(normaliseBirthDate(input, order)).toBe(expected);
  });

  test.each([
    ['30/02/1990', 'dmy', 'impossible_date'],
    ['29.02.1900', 'dmy', 'impossible_date'],
    ['2/16/1997', 'dmy', 'impossible_date'],
    ['18970216', undefined, 'impossible_date'],
    ['16/02/97', 'dmy', 'not_a_date'],
    ['1997', undefined, 'not_a_date'],
    ['05/06/1990', undefined, 'ambiguous_date'],
  ] as const)('%s read as %s is refused: %s', (input, order, code) => {
    expect(normaliseBirthDate(input, order)).toMatchObject({ code });
  });
});

describe('ge', () => {
  test.each([
    ['Erkek', 'm'],
    ['Kadın', 'f'],
    ['KADIN', 'f'],
    ['weiblich', 'f'],
    ['Männlich', 'm'],
    ['Féminin', 'f'],
    ['أنثى', 'f'],
    ['Female', 'f'],
    ['Mister', 'm'],
    ["Ma'am", 'f'],
    ['ذكر', 'm'],
    ['Mujer', 'f'],
    ['Homme', 'm'],
    ['женский', 'f'],
    ['Kobieta', 'f'],
    ['Žena', 'f'],
    ['男性', 'm'],
  ])('%s is %s', (input, expected) => expect(normaliseGender(input, [])).toBe(expected));

  test('one letter means something only in the language it belongs to', () => {
    expect(normaliseGender('K', ['tr'])).toBe('f');
    expect(normaliseGender('K', ['en'])).toMatchObject({ code: 'not_f_or_m' });
    expect(normaliseGender('other', ['tr'])).toMatchObject({ code: 'not_f_or_m' });
  });

  test('no word means both', () => {
    const men = new Set(WORDS.m.map(folded));
    expect(WORDS.f.map(folded).filter((word) => men.has(word))).toEqual([]);
  });
});

describe('em', () => {
  test.each([
    [' John@X.COM'.trim(), 'john@x.com'],
    ['İSMAİL@ÖRNEK.COM.TR', 'ismail@örnek.com.tr'],
    ['josé@x.es', 'josé@x.es'],
    ['a+b@x-y.co', 'a+b@x-y.co'],
    ['mailto:a@x.com', 'a@x.com'],
    ['a@xn--rnek-4qa.com', 'a@xn--rnek-4qa.com'],
  ])('%s is %s', (input, expected) => expect(normaliseEmail(input)).toBe(expected));

  test.each([
    'a@x',
    '@x.com',
    'a b@x.com',
    'a@b@x.com',
    'a@-x.com',
    'a@x..com',
    'a@1.2.3.4',
    'a@',
    `${'a'.repeat(65)}@x.com`,
  ])('%s is no address', (input) => expect(normaliseEmail(input)).toMatchObject({ code: 'not_an_email' }));
});
