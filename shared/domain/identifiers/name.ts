import { problem, type Normalised } from './finding.ts';
import { spellings } from './letters.ts';

const NOTHING_LEFT = problem('empty', 'no letters or digits in it');

/** `fn`, `ln`, `ct`: lower case, no punctuation, no spaces (`Mary-Ann` → `maryann`), in every spelling worth matching. */
export function normaliseName(text: string): Normalised {
  const words = spellings(text);
  return words === '' ? NOTHING_LEFT : words;
}
