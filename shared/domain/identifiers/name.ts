import { problem, type Normalised } from './finding.ts';
import { spellings } from './letters.ts';

const NOTHING_LEFT = problem('empty', 'no letters or digits in it');
const NO_LETTER = problem('empty', 'no letters in it');
const LETTER = /\p{L}/u;

/** `fn`, `ln`: lower case, no punctuation, no spaces (`Mary-Ann` → `maryann`), in every spelling worth matching. */
export function normaliseName(text: string): Normalised {
  const words = spellings(text);
  return words === '' ? NOTHING_LEFT : words;
}

/** `ct`: as a name, and it must have a letter: what has none is a postal code or a house number in the wrong field. */
export function normaliseCity(text: string): Normalised {
  const words = spellings(text);
  if (typeof words !== 'string' || words.charCodeAt(0) > 57) return words;
  return LETTER.test(words) ? words : NO_LETTER;
}
