import iso from 'i18n-iso-countries';
import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/min';
import type { Input, Key, Ours, Sent } from './identifiers-differential.libraries.ts';

/** An input on which a library of Meta and we do not send the same digest. */
export type Difference = {
  readonly library: 'capi-param-builder-nodejs' | 'facebook-nodejs-business-sdk';
  readonly input: Input;
  readonly ours: Ours;
  readonly theirs: Sent;
};

/** Something we do otherwise than a library on purpose. */
export type Decision = {
  readonly id: string;
  /** Undefined: any key. */
  readonly keys: readonly Key[] | undefined;
  readonly reason: string;
  readonly source: string;
  /** Whether exactly this makes the difference; it says what both sides must have sent, not only what came in. */
  readonly explains: (difference: Difference) => boolean;
};

const PAGE = "Meta's page Customer Information Parameters, 9 January 2026";

const HEX = /^[0-9a-f]+$/i;
const letters = (text: string) =>
  text
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('\u0307', '')
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}]/gu, '');
const digits = (text: string) => text.replace(/\D/g, '');
const isBuilder = ({ library }: Difference) => library === 'capi-param-builder-nodejs';
const isSdk = ({ library }: Difference) => library === 'facebook-nodejs-business-sdk';
/** Our UTF-8 spelling, which stands last where there are two. */
const utf8 = ({ ours }: Difference) => ours.plain.at(-1) ?? '';
const theySend = ({ theirs }: Difference) => theirs.digest !== undefined;
const weSend = ({ ours }: Difference) => ours.digests.length > 0;
const weRefuse = ({ ours }: Difference, ...codes: readonly string[]) =>
  ours.digests.length === 0 && ours.code !== undefined && codes.includes(ours.code);
const plainOf = ({ theirs }: Difference) => theirs.plain ?? '';
const sameLetters = (difference: Difference) => letters(plainOf(difference)) === utf8(difference);

/** What libphonenumber reads in the text as a person of that country would dial it, digits only. */
function e164({ input: { country } }: Difference, text: string): string | undefined {
  if (country !== undefined && !isSupportedCountry(country)) return undefined;
  return parsePhoneNumberFromString(text, country)?.number.slice(1);
}
const HAS_EXTENSION = /ext\.|x\d|\//;
const OTHER_DIGITS = /[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]/g;
const inAscii = (text: string) =>
  text.replace(OTHER_DIGITS, (digit) => String((digit.charCodeAt(0) - (digit >= '\uff10' ? 0xff10 : 0x660)) % 16));

const NOT_ASCII = /[^\0-\x7f]/;
const PUNCTUATION = /[^\p{L}\p{M}\p{N}]/u;
const ascii = (text: string) => text.toLowerCase().replace(/[^a-z]/g, '');
const withoutDot = (difference: Difference) => plainOf(difference).replaceAll('\u0307', '').normalize('NFC');
const supported = (country: string | undefined) =>
  country !== undefined && isSupportedCountry(country) ? country : undefined;

const isIsoCountry = (text: string) =>
  iso.getName(text.trim(), 'en') !== undefined || iso.getAlpha2Code(text.trim(), 'en') !== undefined;

/** Whether they send our UTF-8 spelling without its letters outside a-z, or the first two letters of that. */
function isCutShort(it: Difference): boolean {
  const left = ascii(it.input.text);
  const all = it.input.text.replace(/[^A-Za-z0-9]/g, '').toLowerCase();
  return it.theirs.digest === undefined ? !/^[a-z]/.test(all) : plainOf(it) === all || plainOf(it) === left.slice(0, 2);
}

/** The number of the text without the first 0 after its country code. */
function withoutTrunk({ input }: Difference): string | undefined {
  const [, plus = '', code = '', rest = ''] = /(\+)(\d+)\s*\(?0\)?\s*(.*)/.exec(input.text) ?? [];
  return parsePhoneNumberFromString(`${plus}${code}${rest}`)?.number.slice(1);
}

const CANADA: Readonly<Record<string, string>> = { ontario: 'on', québec: 'qc', quebec: 'qc', britishcolumbia: 'bc' };

function isDayOf(eightDigits: string): boolean {
  const [year, month, day] = [eightDigits.slice(0, 4), eightDigits.slice(4, 6), eightDigits.slice(6)].map(Number);
  const date = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day));
  return (
    year !== undefined && year >= 1900 && year < 2100 && date.getUTCMonth() + 1 === month && date.getUTCDate() === day
  );
}

/** A date that exists only in the order that the tenant does not write. */
function monthIsSecond({ input }: Difference): boolean {
  const [, first = '', second = ''] = /^(\d{1,2})\D(\d{1,2})\D\d{4}$/.exec(input.text) ?? [];
  return input.country === 'US' ? Number(first) > 12 : Number(second) > 12;
}

export const DECISIONS: readonly Decision[] = [
  // Values of any key.
  {
    id: 'hash-of-nothing',
    keys: undefined,
    reason: 'The digest of the empty string is no identifier: it is the same for everybody who left the field empty.',
    source: 'WooCommerce plugin, which sends it',
    explains: (it) => weRefuse(it, 'hash_of_nothing') && it.theirs.digest === it.input.text.toLowerCase(),
  },
  {
    id: 'md5',
    keys: undefined,
    reason: 'Meta matches SHA-256 only, so an MD5 in its place matches nobody and is refused with the reason.',
    source: PAGE,
    explains: (it) => weRefuse(it, 'md5') && it.theirs.digest?.length === 32 && HEX.test(it.theirs.digest),
  },
  {
    id: 'md5-shaped-external-id',
    keys: ['external_id'],
    reason:
      "32 hex digits of an external id are a UUID without dashes, a shop's own id, and are hashed like any other.",
    source: 'RFC 9562, and the uuid columns of common shop systems',
    explains: (it) => weSend(it) && /^[0-9a-f]{32}$/i.test(it.input.text) && utf8(it) === it.input.text.toLowerCase(),
  },
  {
    id: 'hash-with-appendix',
    keys: undefined,
    reason:
      "A digest with the Parameter Builder's appendix is that digest; the SDK hashes or refuses digest and appendix.",
    source: "Meta's Parameter Builder, AppendixProvider",
    explains: (it) =>
      isSdk(it) &&
      /^[0-9a-f]{64}\.[\w-]{2,8}$/i.test(it.input.text) &&
      it.ours.digests[0] === it.input.text.slice(0, 64).toLowerCase(),
  },
  {
    id: 'capital-digest-with-appendix',
    keys: undefined,
    reason:
      'Digests go out in lower case, as Meta wants them; the Parameter Builder passes one with an appendix on as it is.',
    source: PAGE,
    explains: (it) =>
      isBuilder(it) &&
      it.theirs.digest?.toLowerCase() === it.ours.digests[0] &&
      it.theirs.digest === it.input.text.slice(0, 64),
  },
  {
    id: 'hash-and-more',
    keys: undefined,
    reason:
      'A digest with something else behind it is broken; hashed once more, as the libraries do, it matches nobody.',
    source: PAGE,
    explains: (it) => weRefuse(it, 'malformed_hash') && theySend(it) && /^[0-9a-f]{64}./i.test(it.input.text),
  },
  {
    id: 'placeholder',
    keys: undefined,
    reason: 'null, undefined, N/A, [object Object] and unfilled templates are nobody, and everybody has the same.',
    source: 'complaints collected from users of relays',
    explains: (it) => weRefuse(it, 'placeholder') && theySend(it),
  },
  {
    id: 'too-long',
    keys: undefined,
    reason: 'No identifier has more than 1,024 characters; hashing megabytes is work for an attacker.',
    source: 'our bounds on input',
    explains: (it) => weRefuse(it, 'too_long') && theySend(it) && it.input.text.length > 1_024,
  },
  {
    id: 'invisible-characters',
    keys: undefined,
    reason: 'Zero-width characters come with copied text, nobody sees them, and with them the digest matches nobody.',
    source: 'Unicode, general category Cf',
    explains: (it) => {
      const seen = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]/.test(it.input.text);
      return (
        seen &&
        weSend(it) &&
        (!theySend(it) ||
          plainOf(it)
            .replace(/[\u200b-\u200f\ufeff]/g, '')
            .trim() === utf8(it) ||
          sameLetters(it))
      );
    },
  },

  {
    id: 'dot-above',
    keys: ['fn', 'ln', 'external_id', 'ct', 'st'],
    reason: 'İ in lower case is i: the U+0307 that toLowerCase() leaves on it gives a digest that nobody has.',
    source: 'Unicode, SpecialCasing; Meta recommends a-z',
    explains: (it) => weSend(it) && plainOf(it).includes('\u0307') && (sameLetters(it) || withoutDot(it) === utf8(it)),
  },

  // em
  {
    id: 'em-utf8',
    keys: ['em'],
    reason:
      'Letters outside ASCII are allowed in addresses, and İ is i: one of them must not cost the identifier, nor, as in the SDK, the event.',
    source: 'RFC 6531; issue 302 of facebook-nodejs-business-sdk',
    explains: (it) => !theySend(it) && weSend(it) && NOT_ASCII.test(it.input.text),
  },
  {
    id: 'em-dots',
    keys: ['em'],
    reason:
      'Mobile carriers in Japan gave out addresses with dots together and before the @, against the RFC; they receive mail.',
    source: 'addresses of docomo.ne.jp and ezweb.ne.jp',
    explains: (it) => !theySend(it) && weSend(it) && /\.\.|\.@/.test(utf8(it)),
  },
  {
    id: 'em-mailto',
    keys: ['em'],
    reason: 'A mailto link holds an address.',
    source: 'RFC 6068',
    explains: (it) => !theySend(it) && weSend(it) && it.input.text === `mailto:${utf8(it)}`,
  },
  {
    id: 'em-cannot-exist',
    keys: ['em'],
    reason:
      'A domain ends in letters and has no label over 63, the part before the @ is no longer than 64: else no mail arrives.',
    source: 'RFC 5321, RFC 1035; ICANN gives no all-numeric top-level domain',
    explains: (it) => {
      const [local = '', domain = ''] = plainOf(it).split('@');
      const labels = domain.split('.');
      const impossible =
        local.length > 64 ||
        plainOf(it).length > 254 ||
        labels.some((label) => label.length > 63) ||
        !/^(?:[a-z]{2,}|xn--.+)$/.test(labels.at(-1) ?? '');
      return weRefuse(it, 'not_an_email') && theySend(it) && impossible;
    },
  },

  // ph
  {
    id: 'ph-extension',
    keys: ['ph'],
    reason: 'An extension or a second number in the field is no part of the number.',
    source: 'ITU-T E.164',
    explains: (it) => {
      const [number = ''] = it.input.text.split(HAS_EXTENSION);
      return (
        HAS_EXTENSION.test(it.input.text) &&
        utf8(it) === e164(it, number) &&
        (!theySend(it) || digits(plainOf(it)) !== utf8(it))
      );
    },
  },
  {
    id: 'ph-digits-of-other-scripts',
    keys: ['ph'],
    reason:
      'Arabic, Persian and full-width digits are digits; the Parameter Builder drops them, the SDK hashes them as they are.',
    source: 'Unicode, general category Nd',
    explains: (it) =>
      OTHER_DIGITS.test(it.input.text) &&
      weSend(it) &&
      (!theySend(it) || NOT_ASCII.test(plainOf(it))) &&
      utf8(it) === e164(it, inAscii(it.input.text)),
  },
  {
    id: 'ph-optional-trunk',
    keys: ['ph'],
    reason: 'In +44 (0)20 the 0 is for callers inside the country; the libraries leave it in the number.',
    source: 'ITU-T E.123',
    explains: (it) =>
      it.input.text.includes('0') &&
      /^\D*\+/.test(it.input.text) &&
      theySend(it) &&
      digits(plainOf(it)) !== utf8(it) &&
      withoutTrunk(it) === utf8(it),
  },
  {
    id: 'ph-without-country',
    keys: ['ph'],
    reason: 'A number without country code from a tenant without country could be anybody; it is not guessed.',
    source: PAGE,
    explains: (it) => weRefuse(it, 'phone_without_country') && it.input.country === undefined && theySend(it),
  },
  {
    id: 'ph-no-number',
    keys: ['ph'],
    reason: 'Too short, too long, or no number of the country or the world: its digest matches nobody.',
    source: 'libphonenumber; the Java SDK refuses them too',
    explains: (it) =>
      weRefuse(it, 'not_a_phone') &&
      theySend(it) &&
      (/^0+$|[A-Z]{4}/.test(it.input.text) ||
        parsePhoneNumberFromString(it.input.text, supported(it.input.country))?.isPossible() !== true),
  },
  {
    id: 'ph-country-code',
    keys: ['ph'],
    reason:
      "Meta wants the country code: a national number gets that of the person's or tenant's country, and its trunk 0 goes.",
    source: `${PAGE}: (650)555-1212 is 16505551212`,
    explains: (it) => {
      const national = digits(plainOf(it)).replace(/^0+/, '');
      return (
        theySend(it) &&
        utf8(it) === e164(it, it.input.text) &&
        national !== utf8(it) &&
        national !== '' &&
        utf8(it).endsWith(national)
      );
    },
  },
  {
    id: 'ph-short-numbers',
    keys: ['ph'],
    reason: 'In a few small countries a whole number has four to six digits; the SDK refuses fewer than seven.',
    source: 'libphonenumber',
    explains: (it) =>
      isSdk(it) && !theySend(it) && digits(it.input.text).length < 7 && utf8(it) === e164(it, it.input.text),
  },
  {
    id: 'ph-prefixes',
    keys: ['ph'],
    reason: 'Prefixes for dialling, as 8 in Russia, 011 in the US, 15 in Argentina, are no part of E.164.',
    source: 'libphonenumber',
    explains: (it) =>
      theySend(it) &&
      utf8(it) === e164(it, it.input.text) &&
      !utf8(it).endsWith(digits(plainOf(it)).replace(/^0+/, '')),
  },
  {
    id: 'ph-punctuation',
    keys: ['ph'],
    reason: 'The SDK takes only some signs out, so that 650.555.1212 keeps its dots.',
    source: `${PAGE}: remove symbols, letters, and any leading zeros`,
    explains: (it) =>
      isSdk(it) &&
      weSend(it) &&
      (!theySend(it) || /\D/.test(plainOf(it)) || plainOf(it).startsWith('0')) &&
      digits(it.input.text).replace(/^0+/, '') === utf8(it),
  },

  // fn, ln
  {
    id: 'name-punctuation-sdk',
    keys: ['fn', 'ln'],
    reason: 'The SDK only trims names; Meta wants no punctuation, and its own Parameter Builder takes spaces out too.',
    source: PAGE,
    explains: (it) => isSdk(it) && PUNCTUATION.test(plainOf(it)) && sameLetters(it),
  },
  {
    id: 'name-punctuation-unicode',
    keys: ['fn', 'ln'],
    reason:
      "’, …, · and emoji are punctuation and symbols as ' and . are; the Parameter Builder knows those of ASCII only.",
    source: `${PAGE}: no punctuation`,
    explains: (it) => isBuilder(it) && PUNCTUATION.test(plainOf(it)) && NOT_ASCII.test(plainOf(it)) && sameLetters(it),
  },
  {
    id: 'composed-letters',
    keys: ['fn', 'ln', 'ct', 'st'],
    reason: 'é in one code point or in two is the same letter and has to give the same digest.',
    source: 'Unicode, normalisation form C',
    explains: (it) => plainOf(it) !== plainOf(it).normalize('NFC') && sameLetters(it),
  },

  // ct, st
  {
    id: 'latin-letters-kept',
    keys: ['ct', 'st'],
    reason:
      'The Parameter Builder deletes ş and é. Meta recommends a-z and accepts UTF-8: we send é as e and as é, both.',
    source: `${PAGE}: recommends a-z; special characters in UTF-8`,
    explains: (it) =>
      isBuilder(it) &&
      NOT_ASCII.test(it.input.text) &&
      /\p{Script=Latin}/u.test(it.input.text) &&
      weSend(it) &&
      isCutShort(it),
  },
  {
    id: 'other-scripts-kept',
    keys: ['ct', 'st'],
    reason: 'Москва and 東京 are cities, in UTF-8; the Parameter Builder drops whatever does not begin with a-z.',
    source: `${PAGE}: special characters in UTF-8`,
    explains: (it) => isBuilder(it) && !theySend(it) && NOT_ASCII.test(utf8(it)),
  },
  {
    id: 'begins-with-digit',
    keys: ['ct', 'st'],
    reason:
      '6th of October City is a city and 34 is how some shops write a province; the Parameter Builder drops them.',
    source: 'ISO 3166-2, TR-34',
    explains: (it) => isBuilder(it) && !theySend(it) && /^\d/.test(utf8(it)),
  },
  {
    id: 'digits-kept',
    keys: ['ct', 'st'],
    reason:
      'Digits are part of the name, as in the Parameter Builder; the SDK takes them out (all of 34, so that it sends the digest of nothing).',
    source: `${PAGE}: only punctuation, special characters and spaces are removed`,
    explains: (it) => isSdk(it) && /\d/.test(utf8(it)) && letters(plainOf(it)) === utf8(it).replace(/\d/g, ''),
  },
  {
    id: 'ct-without-letters',
    keys: ['ct'],
    reason: 'A field that holds no letter is no city.',
    source: "Meta's Parameter Builder",
    explains: (it) => isSdk(it) && weRefuse(it, 'empty') && !/\p{L}/u.test(it.input.text),
  },
  {
    id: 'nothing-left',
    keys: ['fn', 'ln', 'ct', 'st'],
    reason: 'Punctuation alone is no name, and what is left of it is the empty string.',
    source: `${PAGE}: no punctuation`,
    explains: (it) => weRefuse(it, 'empty') && theySend(it) && letters(it.input.text) === '',
  },
  {
    id: 'place-punctuation',
    keys: ['ct', 'st'],
    reason: "The SDK takes out spaces, dots, dashes and brackets, but not ' and /.",
    source: `${PAGE}: no punctuation, no special characters`,
    explains: (it) => isSdk(it) && PUNCTUATION.test(plainOf(it)) && sameLetters(it),
  },
  {
    id: 'st-code-of-us-state',
    keys: ['st'],
    reason:
      'US states and territories go by their two-letter code, also as US-CA; the SDK sends the name, the Parameter Builder knows no territories.',
    source: `${PAGE}: the 2-character ANSI abbreviation code`,
    explains: (it) =>
      theySend(it) && /^[a-z]{2}$/.test(utf8(it)) && (isSdk(it) || plainOf(it) === letters(it.input.text).slice(0, 2)),
  },
  {
    id: 'st-whole-name',
    keys: ['st'],
    reason:
      'Outside the US the whole name goes; the Parameter Builder cuts it to two letters, so that Bavaria and Bayburt are both ba.',
    source: `${PAGE}: states outside the US in lower case with no punctuation and no spaces`,
    explains: (it) =>
      isBuilder(it) &&
      !/^[a-z]{2}$/.test(utf8(it)) &&
      letters(it.input.text) === utf8(it) &&
      plainOf(it) === ascii(it.input.text).slice(0, 2),
  },
  {
    id: 'st-name-inside-name',
    keys: ['st'],
    reason: 'New York City is not the state of New York; the Parameter Builder takes any name that has a state inside.',
    source: PAGE,
    explains: (it) => isBuilder(it) && utf8(it) === 'newyorkcity' && plainOf(it) === 'ny',
  },
  {
    id: 'st-canadian-provinces',
    keys: ['st'],
    reason: "Meta's page wants codes for the US only; the Parameter Builder shortens Canada's provinces too.",
    source: PAGE,
    explains: (it) => isBuilder(it) && CANADA[utf8(it)] === plainOf(it),
  },

  // zp
  {
    id: 'zp-spaces',
    keys: ['zp'],
    reason: 'Postal codes go without spaces and dashes, M1 1AE as m11ae; the Parameter Builder keeps the space inside.',
    source: `${PAGE}: no spaces and no dash`,
    explains: (it) => isBuilder(it) && /\s/.test(plainOf(it)) && letters(plainOf(it)) === utf8(it),
  },
  {
    id: 'zp-dash-outside-us',
    keys: ['zp'],
    reason: 'Only a US ZIP+4 is cut at the dash; 1000-001 in Portugal and D-10115 in Germany would be 1000 and D.',
    source: `${PAGE}: only the first five digits for the US`,
    explains: (it) => {
      const [before = '', after = ''] =
        letters(it.input.text.replaceAll('-', '|')) === '' ? [] : it.input.text.split('-').map(letters);
      const whole = utf8(it) === before + after || (utf8(it) === after && /^[a-z]{1,2}$/.test(before));
      return (
        after !== '' &&
        whole &&
        !/^\s*\d{5}-\d{4}\s*$/.test(it.input.text) &&
        (letters(plainOf(it)) === before || (!theySend(it) && before.length < 2))
      );
    },
  },
  {
    id: 'zp-plus-4-without-dash',
    keys: ['zp'],
    reason: 'Of nine digits in the US the first five go, with a space between them or nothing.',
    source: `${PAGE}: only the first five digits for the US`,
    explains: (it) =>
      /^\d{5}$/.test(utf8(it)) &&
      /^\d{9}$/.test(letters(it.input.text)) &&
      letters(plainOf(it)) === letters(it.input.text),
  },
  {
    id: 'zp-other-signs',
    keys: ['zp'],
    reason: 'Dots and signs are not part of a postal code, and digits of other scripts are digits.',
    source: PAGE,
    explains: (it) =>
      weSend(it) &&
      letters(inAscii(plainOf(it))) === utf8(it) &&
      (PUNCTUATION.test(plainOf(it)) || OTHER_DIGITS.test(plainOf(it))),
  },
  {
    id: 'zp-no-code',
    keys: ['zp'],
    reason: 'No postal code of the world has other than 2 to 12 letters a-z and digits.',
    source: 'Universal Postal Union, addressing sheets',
    explains: (it) =>
      weRefuse(it, 'not_a_postal_code') && theySend(it) && !/^[a-z0-9]{2,12}$/.test(letters(it.input.text)),
  },

  // country
  {
    id: 'country-by-name',
    keys: ['country'],
    reason: 'Names and alpha-3 codes of countries are understood; the SDK throws, which costs the event.',
    source: `${PAGE}: 2-letter ISO 3166-1 alpha-2 codes`,
    explains: (it) => isSdk(it) && !theySend(it) && /^[a-z]{2}$/.test(utf8(it)),
  },
  {
    id: 'country-not-two-letters-of-a-name',
    keys: ['country'],
    reason:
      'Of a name it does not know the Parameter Builder takes the first two letters: Kosovo is ko, UK is uk, Turkiye is tu. We send the code.',
    source: `${PAGE}: 2-letter ISO 3166-1 alpha-2 codes`,
    explains: (it) =>
      isBuilder(it) &&
      theySend(it) &&
      weSend(it) &&
      /^[a-z]{2}$/.test(utf8(it)) &&
      plainOf(it) === ascii(it.input.text).slice(0, 2),
  },
  {
    id: 'country-name-inside-name',
    keys: ['country'],
    reason:
      'The Parameter Builder takes a name that has a country inside for that country: Bonaire, Sint Eustatius and Saba is us, for the usa in it.',
    source: PAGE,
    explains: (it) =>
      isBuilder(it) &&
      theySend(it) &&
      /^[a-z]{2}$/.test(utf8(it)) &&
      ascii(it.input.text).length > 4 &&
      plainOf(it) !== ascii(it.input.text).slice(0, 2),
  },
  {
    id: 'country-of-other-scripts',
    keys: ['country'],
    reason: "A country's name in the language of the tenant is understood.",
    source: 'Unicode CLDR',
    explains: (it) => isBuilder(it) && !theySend(it) && /^[a-z]{2}$/.test(utf8(it)) && ascii(it.input.text) === '',
  },
  {
    id: 'country-unknown',
    keys: ['country'],
    reason: 'What is no country is refused with the reason; the Parameter Builder sends its first two letters.',
    source: `${PAGE}: 2-letter ISO 3166-1 alpha-2 codes`,
    explains: (it) =>
      isBuilder(it) &&
      weRefuse(it, 'not_a_country') &&
      !isIsoCountry(it.input.text) &&
      plainOf(it) === ascii(it.input.text).slice(0, 2),
  },

  // ge
  {
    id: 'ge-words-of-the-tenant',
    keys: ['ge'],
    reason: "f and m are understood in the tenant's language and with a dot or brackets around them.",
    source: `${PAGE}: f or m`,
    explains: (it) => !theySend(it) && /^[fm]$/.test(utf8(it)),
  },
  {
    id: 'ge-no-gender',
    keys: ['ge'],
    reason: 'king, father or chick in a field for gender is noise or a nickname; words that shops offer are known.',
    source: `${PAGE}: f or m`,
    explains: (it) => isBuilder(it) && weRefuse(it, 'not_f_or_m') && /^(?:king|princess)$/i.test(it.input.text),
  },

  // db
  {
    id: 'db-format',
    keys: ['db'],
    reason: 'The SDK hashes a date as it is written; Meta wants YYYYMMDD.',
    source: `${PAGE}: 2/16/1997 is 19970216`,
    explains: (it) =>
      isSdk(it) &&
      theySend(it) &&
      weSend(it) &&
      plainOf(it) === it.input.text.trim().toLowerCase() &&
      /^\d{8}$/.test(utf8(it)),
  },
  {
    id: 'db-order',
    keys: ['db'],
    reason:
      'Day or month first is the habit of the country; the Parameter Builder always takes the month first, so that most of the world gets another day.',
    source: PAGE,
    explains: (it) =>
      isBuilder(it) && utf8(it) === plainOf(it).slice(0, 4) + plainOf(it).slice(6) + plainOf(it).slice(4, 6),
  },
  {
    id: 'db-ambiguous',
    keys: ['db'],
    reason: 'A date that can be read in two ways, from a tenant without an order, is refused instead of guessed.',
    source: PAGE,
    explains: (it) => weRefuse(it, 'ambiguous_date') && theySend(it) && it.input.country === undefined,
  },
  {
    id: 'db-no-birth-date',
    keys: ['db'],
    reason:
      'Days the calendar does not have, years outside 1900 to 2099 or in two digits, and words are no birth date.',
    source: `${PAGE}: YYYYMMDD`,
    explains: (it) =>
      weRefuse(it, 'impossible_date', 'not_a_date') &&
      theySend(it) &&
      (isSdk(it) || !isDayOf(plainOf(it)) || monthIsSecond(it)),
  },

  // external_id
  {
    id: 'external-id-hashed',
    keys: ['external_id'],
    reason:
      "Meta recommends hashing it, and it may be an e-mail address; the SDK sends it in plain. The same digest as the Parameter Builder's.",
    source: `${PAGE}: hashing recommended`,
    explains: (it) => isSdk(it) && it.theirs.digest === it.input.text,
  },
  {
    id: 'broken-utf-16',
    keys: ['external_id'],
    reason: 'Half a surrogate pair goes as U+FFFD, as everything that writes UTF-8 does.',
    source: 'WHATWG Encoding',
    explains: (it) => isBuilder(it) && !it.input.text.isWellFormed() && weSend(it),
  },
];
