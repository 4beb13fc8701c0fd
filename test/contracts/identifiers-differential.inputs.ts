import { createHash } from 'node:crypto';
import iso from 'i18n-iso-countries';
import english from 'i18n-iso-countries/langs/en.json' with { type: 'json' };
import examples from 'libphonenumber-js/mobile/examples';
import { getCountries, getExampleNumber, type PhoneNumber } from 'libphonenumber-js/min';
import type { Input, Key } from './identifiers-differential.libraries.ts';

type Tenant = { readonly country: string | undefined; readonly language: string | undefined };
type Random = { readonly below: (end: number) => number; readonly of: <T>(values: readonly T[]) => T };

const US: Tenant = { country: 'US', language: 'en' };
const TR: Tenant = { country: 'TR', language: 'tr' };
const TENANTS: readonly Tenant[] = [
  US,
  TR,
  { country: 'DE', language: 'de' },
  { country: 'FR', language: 'fr' },
  { country: 'ES', language: 'es' },
  { country: 'SA', language: 'ar' },
  { country: 'GB', language: 'en' },
  { country: undefined, language: undefined },
];

/** Rows of `disagreements.json`: inputs on which two or more of Meta's and other systems' own tests contradict each other. */
export const CONFLICTS: readonly Input[] = (
  [
    ['ct', 'San José'],
    ['ct', 'Montréal'],
    ['ct', 'Los Angeles 90210'],
    ['country', 'Germany'],
    ['country', 'USA'],
    ['country', 'United States of America'],
    ['country', 'South Korea'],
    ['ph', '555.123.4567'],
    ['st', 'California'],
    ['st', 'New York'],
    ['st', 'North Carolina'],
    ['st', 'Rhode Island'],
    ['st', 'Québec'],
    ['zp', 'SW1A 1AA'],
    ['ph', '12345'],
    ['country', 'U'],
  ] as const
).map(([key, text]) => ({ key, text, ...US }));

/** The same inputs for the same seed, each once: at least 2,000, of every key, ordinary ones and the worst we have seen. */
export function inputs(seed: number): readonly Input[] {
  const random = seeded(seed);
  const all = [
    ...CONFLICTS,
    ...emails(random),
    ...phones(random),
    ...names(random),
    ...places(random),
    ...postalCodes(random),
    ...countries(random),
    ...genders(),
    ...birthDates(random),
    ...externalIds(random),
    ...hashedBefore(random),
    ...garbage(random),
  ];
  return [...new Map(all.map((input) => [JSON.stringify(input), input])).values()];
}

/** mulberry32: a small generator with a seed, so that a failure can be seen again. */
function seeded(seed: number): Random {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number) => Math.floor(next() * end);
  return { below, of: <T>(values: readonly T[]) => values[below(values.length)] as T };
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** A text as people paste it: in capitals, padded, with a zero-width space. */
function disguised(random: Random, text: string): string {
  const change = random.below(8);
  if (change === 0) return text.toUpperCase();
  if (change === 1) return `  ${text}\t`;
  if (change === 2) return text.toLowerCase();
  if (change === 3) return `\u200b${text}\ufeff`;
  return text;
}

const FIRST_NAMES =
  "Mary John Mary-Ann O'Connor Jean-Paul José François Zoë Björn Łukasz Søren Şebnem İSMAİL Çağla Işıl IŞIL Ömer Gül Yılmaz Öztürk Nguyễn Đặng 정 田中 太郎 王小明 محمد فاطمة Иван Анна Γιώργος דוד สมชาย D’Angelo Smith, Straße Mc.Donald Æsir Þór Renée-Claire Anne\u0301 I\u0307smail Muñoz_Pérez 美咲さん ラーメン María·José Ὀδυσσεύς".split(
    ' ',
  );
const LAST_NAMES = [
  'Jean Paul',
  'van der Berg',
  'de la Cruz',
  'Smith Jr.',
  'Dr. Müller',
  'St. John',
  'X Æ A-12',
  '-',
  '…',
  "''",
];

function names(random: Random): Input[] {
  const words = [...FIRST_NAMES, ...LAST_NAMES];
  return times(360, (index) => ({
    key: random.of<Key>(['fn', 'ln']),
    text: disguised(random, index < 200 ? random.of(words) : `${random.of(FIRST_NAMES)} ${random.of(words)}`),
    ...random.of(TENANTS),
  }));
}

function emails(random: Random): Input[] {
  const locals =
    "john.smith JANE_DOE a+b o'neil josé ismail İSMAİL x 1234567 a.b.c first-last user%x 정 {a} taro..d. a`b".split(
      ' ',
    );
  const domains =
    'gmail.com X.COM example.co.uk mail.örnek.com.tr xn--rnek-4qa.com a-b.io sub.a.museum x.c 1.2.3.4 localhost -x.com x..com a_b.com example.com.'.split(
      ' ',
    );
  const whole = [
    'not an e-mail',
    'a@b@c.com',
    '@x.com',
    'a@',
    'mailto:a@x.com',
    'John <john@x.com>',
    'a@x.com, b@x.com',
  ];
  return [
    ...times(300, () => disguised(random, `${random.of(locals)}${random.below(90)}@${random.of(domains)}`)),
    ...whole,
    `${'a'.repeat(65)}@x.com`,
    `a@${'x'.repeat(64)}.com`,
    `a@${'x.'.repeat(130)}com`,
  ].map((text) => ({ key: 'em', text, ...random.of(TENANTS) }));
}

const NOTATIONS: readonly ((number: PhoneNumber) => string)[] = [
  (number) => number.number,
  (number) => number.formatInternational(),
  (number) => number.formatNational(),
  (number) => number.number.slice(1),
  (number) => `00${number.number.slice(1)}`,
  (number) => `+${number.countryCallingCode} (0)${number.nationalNumber}`,
  (number) => number.formatNational().replace(/[\s-]+/g, '.'),
  (number) => `${number.formatInternational()} ext. 89`,
  (number) => `${number.formatNational()} x7`,
  (number) => number.formatNational().replace(/\d/g, (digit) => String.fromCharCode(0x660 + Number(digit))),
  (number) => `Tel: ${number.formatInternational()}`,
  (number) => `${number.formatNational()} / ${number.formatNational()}`,
];

function phones(random: Random): Input[] {
  const numbers = getCountries().flatMap((country) => getExampleNumber(country, examples) ?? []);
  const written = numbers.flatMap((number) =>
    times(3, () => ({ text: random.of(NOTATIONS)(number), country: number.country })),
  );
  const odd = [
    '911',
    '0',
    '+',
    'none',
    '1-800-FLOWERS',
    '+90 0532 123 45 67',
    '9'.repeat(30),
    '0000000000',
    '(650)555-1212',
  ];
  return [
    ...written.map(({ text, country }): Input => {
      const tenant = random.below(5) === 0 ? random.of(TENANTS).country : country;
      return { key: 'ph', text, country: tenant, language: undefined };
    }),
    ...odd.flatMap((text) => TENANTS.map((tenant): Input => ({ key: 'ph', text, ...tenant }))),
  ];
}

const US_STATES =
  'California,Texas,New York,North Carolina,West Virginia,Virginia,Washington,Kansas,Arkansas,District of Columbia,Puerto Rico,Guam'.split(
    ',',
  );
const STATES =
  'CA,tx,ny,US-CA,New York City,N.Y.,Bavaria,Bayern,New South Wales,Ontario,Québec,Quebec,British Columbia,İstanbul,Ankara,Île-de-France,São Paulo,東京都,Москва,الرياض,34,Region 4,Nordrhein-Westfalen,a,Emilia-Romagna,Castilla y León'.split(
    ',',
  );
const CITIES =
  "paris,London,New York,San José,Montréal,Los Angeles 90210,São Paulo,Şanlıurfa,Iğdır,İstanbul,IĞDIR,Zürich,Köln,St. John's,Aix-en-Provence,Washington D.C.,Kraków,Łódź,Åre,Москва,東京,الرياض,서울,תל אביב,6th of October City,'s-Hertogenbosch,Coeur d’Alene,Frankfurt (Main),Halle/Saale,Winston–Salem,123,Đà Nẵng".split(
    ',',
  );

function places(random: Random): Input[] {
  const states = [...US_STATES, ...STATES].flatMap((text) =>
    TENANTS.slice(0, 4).map((tenant) => [text, tenant] as const),
  );
  return [
    ...states.map(([text, tenant]): Input => ({ key: 'st', text: disguised(random, text), ...tenant })),
    ...times(220, (): Input => ({ key: 'ct', text: disguised(random, random.of(CITIES)), ...random.of(TENANTS) })),
  ];
}

/** 9 a digit, A a letter: how postal codes look in that country. */
const POSTAL_PATTERNS: readonly (readonly [string, string])[] = [
  ['US', '99999'],
  ['US', '99999-9999'],
  ['US', '99999 9999'],
  ['US', '999999999'],
  ['TR', '99999'],
  ['TR', '99999-9999'],
  ['GB', 'AA9A 9AA'],
  ['GB', 'A9 9AA'],
  ['CA', 'A9A 9A9'],
  ['CA', 'A9A-9A9'],
  ['DE', '99999'],
  ['DE', 'D-99999'],
  ['PT', '9999-999'],
  ['JP', '999-9999'],
  ['BR', '99999-999'],
  ['PL', '99-999'],
  ['NL', '9999 AA'],
  ['IE', 'A99 AA99'],
  ['SE', '999 99'],
  ['AU', '9999'],
];

function postalCodes(random: Random): Input[] {
  const filled = (pattern: string) =>
    pattern.replace(/[9A]/g, (kind) =>
      kind === '9' ? String(random.below(10)) : random.of('ABCEGHJKLMNPRSTVWXYZ'.split('')),
    );
  const codes = POSTAL_PATTERNS.flatMap(([country, pattern]) =>
    times(9, (): Input => ({ key: 'zp', text: disguised(random, filled(pattern)), country, language: undefined })),
  );
  const odd = ['1', '-', '٣٤٠٠٠', '９４０３５', '94035-', 'PO Box 1234567890', '〒100-0001', '94.035', 'none'];
  return [...codes, ...odd.map((text): Input => ({ key: 'zp', text, ...random.of(TENANTS) }))];
}

function countries(random: Random): Input[] {
  iso.registerLocale(english);
  const names = Object.entries(iso.getNames('en', { select: 'all' })).flatMap(([, all]) => all);
  const codes = Object.entries(iso.getAlpha2Codes()).flatMap(([two, three]) => [random.of([two, three])]);
  const odd =
    'UK U.K. Türkiye Turkiye TÜRKİYE XX U zz USA Atlantis 12 TR-34 en-US Almanya Deutschland 中国 Россия'.split(' ');
  const inTheirOwnLanguage: readonly (readonly [string, string])[] = [
    ['ألمانيا', 'ar'],
    ['Германия', 'ru'],
    ['ドイツ', 'ja'],
    ['Γερμανία', 'el'],
  ];
  return [
    ...[...names, ...codes, ...odd].map((text): Input => ({
      key: 'country',
      text: disguised(random, text),
      ...random.of(TENANTS),
    })),
    ...inTheirOwnLanguage.map(([text, language]): Input => ({ key: 'country', text, country: undefined, language })),
  ];
}

function genders(): Input[] {
  const words =
    'f m F M Female male FEMALE Woman man girl boy Mrs. Mr king princess other x divers unknown 1 k e w h Erkek Kadın KADIN weiblich Männlich Frau Homme Féminin Mujer hombre ذكر أنثى femme she him f. (m) female/male'.split(
      ' ',
    );
  return words.flatMap((text) => TENANTS.map((tenant): Input => ({ key: 'ge', text, ...tenant })));
}

function birthDates(random: Random): Input[] {
  const two = (number: number) => String(number).padStart(2, '0');
  const written = times(200, () => {
    const [year, month, day] = [1930 + random.below(80), 1 + random.below(12), 1 + random.below(31)];
    return random.of([
      `${year}${two(month)}${two(day)}`,
      `${year}-${two(month)}-${two(day)}`,
      `${year}-${two(month)}-${two(day)}T00:00:00.000Z`,
      `${month}/${day}/${year}`,
      `${two(day)}.${two(month)}.${year}`,
      `${day} ${month} ${year}`,
      `${year}/${month}/${day}`,
    ]);
  });
  const odd = [
    '1997',
    '16/02/97',
    '30/02/1990',
    '18970216',
    '99999999',
    '29.02.1900',
    'February 16, 1997',
    '0000-00-00',
    '16 Feb 1997',
    '1875-05-20',
  ];
  return [...written, ...odd].map((text) => ({ key: 'db', text, ...random.of(TENANTS) }));
}

function externalIds(random: Random): Input[] {
  const forms = [
    () => `user-${random.below(1e6)}`,
    () => `Customer ${random.below(1e6)}`,
    () => `0F8FAD5BD9CB469FA165${String(random.below(1e12)).padStart(12, '0')}`,
    () => `Müşteri_${random.below(99)}`,
    () => `İ${random.below(99)}`,
    () => `${random.below(1e9)}`,
    () => `a\u200bb${random.below(99)}`,
  ];
  return times(90, () => ({ key: 'external_id', text: random.of(forms)(), ...US }));
}

function hashedBefore(random: Random): Input[] {
  const keys: readonly Key[] = ['em', 'ph', 'fn', 'ge', 'db', 'ct', 'st', 'zp', 'country', 'external_id'];
  return keys.flatMap((key) => {
    const hex = createHash('sha256')
      .update(`${key}${random.below(1e9)}`)
      .digest('hex');
    const nothing = createHash('sha256').update('').digest('hex');
    const texts = [
      hex,
      hex.toUpperCase(),
      `  ${hex}\n`,
      `${hex}.AQYBAQEA`,
      `${hex}.Ag`,
      `${hex.toUpperCase()}.AQYBAQEA`,
      `${hex}.!?`,
      hex.slice(1),
      createHash('md5').update(hex).digest('hex'),
      nothing,
      nothing.toUpperCase(),
    ];
    return texts.map((text): Input => ({ key, text, ...US }));
  });
}

function garbage(random: Random): Input[] {
  const texts = [
    '',
    ' ',
    'null',
    'undefined',
    '{{user.email}}',
    '[object Object]',
    'N/A',
    '\ud800',
    '\u0000',
    '🙂',
    '%%%',
    'a'.repeat(1_100),
    '{"a":1}',
  ];
  const keys: readonly Key[] = ['em', 'ph', 'fn', 'ge', 'db', 'ct', 'st', 'zp', 'country', 'external_id'];
  return keys.flatMap((key) => texts.map((text): Input => ({ key, text, ...random.of(TENANTS) })));
}
