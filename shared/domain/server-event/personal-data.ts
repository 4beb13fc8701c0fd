import { digitValue, isAscii, isLatinWord, lowerCase, romanised } from '../identifiers/letters.ts';

/**
 * Finds personal data where none may be: in `custom_data` and in URLs. Meta flags events that carry it in plain
 * (managed-components/facebook-pixel issue 17), and it must not reach our queue.
 */

/** Names of fields, lower case and without separators, whose value is personal whatever it looks like. */
const PERSONAL_NAMES: ReadonlySet<string> = new Set(
  (
    'em ph fn ln ge db ct st zp clientipaddress clientuseragent ip ipaddress userip ' +
    'email emailaddress mail useremail customeremail eposta epostaadresi ' +
    'phone phonenumber telephone telephonenumber tel mobile mobilephone mobilenumber cellphone gsm msisdn telefon ' +
    'telefonno ceptelefonu customerphone userphone ' +
    'firstname lastname fullname surname familyname givenname middlename fname lname customername recipientname ' +
    'buyername cardholder cardholdername adsoyad soyad soyadi isim ' +
    'dob birthday birthdate dateofbirth dogumtarihi gender sex cinsiyet ' +
    'address address1 address2 addressline1 addressline2 streetaddress street shippingaddress billingaddress adres ' +
    'zip zipcode postcode postalcode postakodu ' +
    'password passwd pwd pass sifre ssn socialsecuritynumber nationalid tckn tckimlikno passport passportnumber iban ' +
    'creditcard creditcardnumber cardnumber cvv cvc pan'
  ).split(' '),
);

/** Beyond those, what a URL's query carries: who is logged in, and what opens the door. */
const PERSONAL_PARAMETERS: ReadonlySet<string> = new Set(
  (
    'name user username uname login token accesstoken idtoken refreshtoken authtoken auth jwt apikey key secret ' +
    'signature session sessionid phpsessid jsessionid sid otp pin'
  ).split(' '),
);

const PHONE_NAME = /phone|gsm|mobile|whatsapp|telefon/;
const SEPARATORS = /[_\-.\s[\]]+/g;
const EMAIL_INSIDE = /[\p{L}\p{N}_%+-]@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){0,8}\.\p{L}{2,}/u;
const INTERNATIONAL_PHONE = /^\s*\+\s*\d[\d\s().-]{6,24}$/;
const MIN_PHONE_DIGITS = 7;
const SHORTEST_PHONE = 1_000_000;
const MAX_PHONE_DIGITS = 15;
/** The digits two spellings of one phone number have in common. */
const COMMON_PHONE_DIGITS = 9;
/** More numbers than anybody has. */
const MAX_PHONES = 10;
/** Two letters are too often something else. */
const MIN_NAME_CHARS = 3;
const NOT_LETTERS = /[^\p{L}\p{M}\p{N}]+/gu;

/** What `user_data` says in plain about this person, to find it again elsewhere in the event. Never leaves the judge. */
export type PlainIdentity = {
  /** First and last name alone, each as `words` gives it: a text that is nothing else is personal. */
  readonly names: readonly string[];
  /** Both together in either order: a text that contains them is personal. */
  readonly fullNames: readonly string[];
  /** One word of each name: an ASCII text without any of them holds neither name. */
  readonly nameWords: readonly string[];
  readonly phoneEnds: readonly string[];
};

/** Reads the plain names and phone numbers of `user_data`; hashed ones are of no use here. */
export function plainIdentity(userData: Readonly<Record<string, unknown>>): PlainIdentity {
  const first = plainName(userData['fn']);
  const last = plainName(userData['ln']);
  const names: string[] = [];
  const nameWords: string[] = [];
  for (const name of [first, last]) {
    if (name.length >= MIN_NAME_CHARS + 2) names.push(name);
    if (name !== '') nameWords.push(name.slice(1, name.indexOf(' ', 1)));
  }
  const phoneEnds: string[] = [];
  const phones = userData['ph'] ?? userData['phone'];
  if (Array.isArray(phones)) for (const phone of phones.slice(0, MAX_PHONES)) addPhoneEnd(phone, phoneEnds);
  else addPhoneEnd(phones, phoneEnds);
  const fullNames = first !== '' && last !== '' ? [first + last.slice(1), last + first.slice(1)] : [];
  return { names, fullNames, nameWords, phoneEnds };
}

function addPhoneEnd(phone: unknown, phoneEnds: string[]): void {
  const digits = typeof phone === 'string' && phone.length < 64 ? digitsOf(phone) : '';
  if (digits.length >= COMMON_PHONE_DIGITS) phoneEnds.push(digits.slice(-COMMON_PHONE_DIGITS));
}

function plainName(value: unknown): string {
  if (typeof value !== 'string' || value.length >= 64) return '';
  const known = commonNames.get(value);
  if (known !== undefined) return known;
  const name = words(value);
  if (name.trim() === '') return '';
  if (ONE_WORD.test(value)) {
    if (commonNames.size >= MAX_COMMON_NAMES) commonNames.clear();
    commonNames.set(value, name);
  }
  return name;
}

/** Names of one word, as many people bear them, under their spelling in the event. Emptied when full. */
const commonNames = new Map<string, string>();
const MAX_COMMON_NAMES = 4_096;
const ONE_WORD = /^\p{L}{1,20}$/u;

/** Lower case, a-z where possible, one space around every word, so that spelling and punctuation make no difference. */
function words(text: string): string {
  const written = lowerCase(text);
  const lower = isLatinWord(written) ? written : written.replace(NOT_LETTERS, ' ');
  return ` ${(romanised(lower) ?? lower).trim()} `;
}

/** Whether a field of that name holds personal data by its name alone. */
export function isPersonalName(name: string): boolean {
  return PERSONAL_NAMES.has(name.toLowerCase().replace(SEPARATORS, ''));
}

/** As `isPersonalName`, for parameters of a URL. */
export function isPersonalParameter(name: string): boolean {
  const plain = name.toLowerCase().replace(SEPARATORS, '');
  return PERSONAL_NAMES.has(plain) || PERSONAL_PARAMETERS.has(plain);
}

/** Whether the text holds an e-mail address, plain or percent-encoded. */
export function hasEmail(text: string): boolean {
  if (text.includes('@') && EMAIL_INSIDE.test(text)) return true;
  return text.includes('%40') && EMAIL_INSIDE.test(text.replaceAll('%40', '@'));
}

/** Whether a value is, or contains, personal data: an e-mail address, a phone number, or this person's own name or number. */
export function isPersonalValue(name: string, value: string | number, identity: PlainIdentity): boolean {
  if (typeof value === 'number' && value < SHORTEST_PHONE) return false;
  const text = typeof value === 'number' ? String(value) : value;
  if (hasEmail(text) || (text.includes('+') && INTERNATIONAL_PHONE.test(text))) return true;
  if (text.length >= MIN_PHONE_DIGITS) {
    const phoneName = PHONE_NAME.test(name.toLowerCase());
    if (phoneName || identity.phoneEnds.length > 0) {
      const digits = digitsOf(text);
      if (phoneName && digits.length >= MIN_PHONE_DIGITS && digits.length <= MAX_PHONE_DIGITS) return true;
      if (identity.phoneEnds.some((end) => digits.includes(end))) return true;
    }
  }
  if (typeof value === 'number' || (identity.names.length === 0 && identity.fullNames.length === 0)) return false;
  if (!mayHoldName(text, identity.nameWords)) return false;
  const written = words(text);
  return identity.names.includes(written) || identity.fullNames.some((fullName) => written.includes(fullName));
}

/** A quick no for most texts: what is ASCII is its own a-z spelling, so a word of a name would stand there as it is. */
function mayHoldName(text: string, nameWords: readonly string[]): boolean {
  if (!isAscii(text)) return true;
  const lower = text.toLowerCase();
  return nameWords.some((word) => lower.includes(word));
}

function digitsOf(text: string): string {
  let digits = '';
  for (let at = 0; at < text.length; at++) {
    const value = digitValue(text.charCodeAt(at));
    if (value >= 0) digits += value;
  }
  return digits;
}
