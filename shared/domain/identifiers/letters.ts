/**
 * Letters, the same on every machine: no function here depends on the locale of the process (Meta's Java SDK, run under
 * a Turkish locale, changes 138 of 3,009 results).
 */

/** Letters that Unicode does not take apart into a base letter and a mark. */
const BASE_LETTERS: Readonly<Record<string, string>> = {
  ı: 'i',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ħ: 'h',
  ŧ: 't',
  ŋ: 'n',
  ə: 'e',
  ĸ: 'k',
  ŀ: 'l',
};

/** a-z for every letter of the Latin blocks: taken apart by Unicode, or by the table above. */
const ROMAN: ReadonlyMap<string, string> = romanLetters();

const COMBINING_DOT_ABOVE = '\u0307';
const NOT_A_LETTER = /[^\p{L}\p{M}\p{N}]+/gu;
const FIRST_MARK = 0x300;
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]/g;

/** Whether every UTF-16 unit is below 128. */
export function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false;
  return true;
}

/**
 * Without surrounding white space, and if it begins or ends outside ASCII without zero-width characters and direction
 * marks. Does not look inside, where punctuation is left out anyway: `visible` does.
 */
export function trimmed(text: string): string {
  const last = text.length - 1;
  return isGraphic(text.charCodeAt(0)) && isGraphic(text.charCodeAt(last)) ? text : visible(text);
}

/** A printed character of ASCII. */
export function isGraphic(charCode: number): boolean {
  return charCode > 32 && charCode < 127;
}

/** Without surrounding white space, zero-width characters and direction marks. */
export function visible(text: string): string {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) > 127) return text.replace(INVISIBLE, '').trim();
  }
  return text.charCodeAt(0) > 32 && text.charCodeAt(text.length - 1) > 32 ? text : text.trim();
}

/**
 * Lower case in composed form. `İ` becomes `i` and never `i` + U+0307, which plain `toLowerCase()` gives and which hashes
 * to something nobody has; `I` becomes `i` also in Turkish words, as Meta's own libraries do.
 */
export function lowerCase(text: string): string {
  let highest = 0;
  let hasCapital = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > highest) highest = code;
    if (code >= 65 && code <= 90) hasCapital = true;
  }
  if (highest < 128) return hasCapital ? text.toLowerCase() : text;
  // Below the combining marks nothing can join a letter, so NFC has nothing to do.
  const lower = (highest < FIRST_MARK ? text : text.normalize('NFC')).toLowerCase();
  return lower.includes(COMBINING_DOT_ABOVE) ? lower.replaceAll(COMBINING_DOT_ABOVE, '').normalize('NFC') : lower;
}

/** The word in lower case if it has A-Z, a-z and 0-9 alone, as most have; undefined otherwise. */
export function asciiWord(text: string): string | undefined {
  let hasCapital = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isPlainCode(code)) continue;
    if (code < 65 || code > 90) return undefined;
    hasCapital = true;
  }
  return hasCapital ? text.toLowerCase() : text;
}

/** Only letters, their marks and digits of a text already in lower case: no punctuation, no space, no symbol. */
export function lettersAndDigits(lower: string): string {
  let kept = '';
  let start = 0;
  for (let at = 0; at < lower.length; at++) {
    const code = lower.charCodeAt(at);
    if (isPlainCode(code) || isLatinLetter(code)) continue;
    if (code > 127) return lower.replace(NOT_A_LETTER, '');
    kept += lower.slice(start, at);
    start = at + 1;
  }
  return start === 0 ? lower : kept + lower.slice(start);
}

/** Whether there is nothing but a-z and 0-9, as in most values: then the rules below have nothing to do. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (!isPlainCode(text.charCodeAt(at))) return false;
  return true;
}

/** Whether a text in lower case is one word of Latin letters and digits, so that there is no punctuation to take out. */
export function isLatinWord(lower: string): boolean {
  for (let at = 0; at < lower.length; at++) {
    const code = lower.charCodeAt(at);
    if (!isPlainCode(code) && !isLatinLetter(code)) return false;
  }
  return true;
}

/** À to ɏ, all of them letters but the signs × and ÷. */
function isLatinLetter(code: number): boolean {
  return code >= 0xc0 && code <= 0x24f && code !== 0xd7 && code !== 0xf7;
}

function isPlainCode(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57);
}

/**
 * The a-z spelling of a text already in lower case (`şanlıurfa` → `sanliurfa`), or undefined when it has letters of
 * another script, for which we have no safe transliteration.
 */
export function romanised(lower: string): string | undefined {
  if (isPlain(lower)) return lower;
  let plain = '';
  for (const letter of lower) {
    const roman = letter < '\u0080' ? letter : ROMAN.get(letter);
    if (roman === undefined) return undefined;
    plain += roman;
  }
  return plain;
}

function romanLetters(): Map<string, string> {
  const roman = new Map(Object.entries(BASE_LETTERS));
  for (const [first, last] of [
    [0xc0, 0x24f],
    [0x1e00, 0x1eff],
  ] as const) {
    for (let code = first; code <= last; code++) {
      const letter = String.fromCharCode(code);
      const [base = '', ...marks] = letter.normalize('NFD');
      const plain = BASE_LETTERS[base] ?? base;
      if (marks.length > 0 && isAscii(plain)) roman.set(letter, plain);
    }
  }
  // A mark that composes with no letter stands alone in NFC, and adds nothing to the a-z spelling.
  for (let code = 0x300; code <= 0x36f; code++) roman.set(String.fromCharCode(code), '');
  return roman;
}

/** The form under which words are looked up in tables: lower case, a-z where possible, nothing but letters and digits. */
export function folded(text: string): string {
  const word = asciiWord(text);
  if (word !== undefined) return word;
  const lower = lettersAndDigits(lowerCase(text));
  return romanised(lower) ?? lower;
}

/**
 * Name or place as Meta wants it before hashing: lower case, no punctuation, no spaces. Where a word has letters outside
 * a-z, both its a-z spelling and its UTF-8 spelling, because Meta recommends the first, accepts the second and does not
 * say which one it matches. Empty when nothing is left.
 */
export function spellings(text: string): string | readonly string[] {
  const word = asciiWord(text);
  if (word !== undefined) return word;
  const utf8 = lettersAndDigits(lowerCase(text));
  if (isPlain(utf8)) return utf8;
  const roman = romanised(utf8);
  return roman === undefined || roman === '' ? utf8 : [roman, utf8];
}

/** First code points of the decimal digits that people type: Arabic, Persian, Devanagari, Bengali, full width. */
const DIGIT_ZEROS = [0x0660, 0x06f0, 0x0966, 0x09e6, 0xff10] as const;

/** The value 0-9 of a digit in any of the scripts people type phone numbers in, or -1. */
export function digitValue(charCode: number): number {
  if (charCode >= 48 && charCode <= 57) return charCode - 48;
  if (charCode < 128) return -1;
  for (const zero of DIGIT_ZEROS) if (charCode >= zero && charCode < zero + 10) return charCode - zero;
  return -1;
}

/** The text with every such digit written as 0-9. */
export function withAsciiDigits(text: string): string {
  if (isAscii(text)) return text;
  let result = '';
  for (const char of text) {
    const value = digitValue(char.charCodeAt(0));
    result += value < 0 ? char : String(value);
  }
  return result;
}
