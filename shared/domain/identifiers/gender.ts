import { problem, type Normalised } from './finding.ts';
import { folded } from './letters.ts';

const NOT_F_OR_M = problem('not_f_or_m', "expected f or m, or a word for female or male in the tenant's languages");

/** Words as `folded` leaves them, so accents do not matter. A word means the same in every language it is in (tested). */
export const WORDS: Readonly<Record<'f' | 'm', readonly string[]>> = {
  f: (
    'f female woman girl lady mrs ms miss madam maam she her hers herself dame kadin bayan kiz disi hanim weiblich frau femme feminin feminine femenino ' +
    'femenina mujer femminile femmina donna feminino feminina mulher vrouw vrouwelijk kvinna kvinne kvinde nainen ' +
    'kobieta zena zensky zhenskiy женский женщина жінка γυναικα أنثى انثى انثي بنت امراة امرأة سيدة زن qadin 女 女性 여 여성 여자'
  ).split(' '),
  m: (
    'm male man boy mr mister sir gentleman guy he him his himself erkek bay eril mannlich maennlich mann herr homme masculin masculine masculino masculina hombre ' +
    'varon maschile maschio uomo homem man mannelijk mies mezczyzna muz muzsky muzhskoy мужской мужчина чоловік ανδρας ' +
    'ذكر رجل ولد سيد مرد kisi 男 男性 남 남성 남자'
  ).split(' '),
};

/** One-letter habits that mean something only in one language; used only when the tenant speaks it. */
const INITIALS: Readonly<Record<string, Readonly<Record<string, 'f' | 'm'>>>> = {
  tr: { k: 'f', e: 'm' },
  de: { w: 'f' },
  fr: { h: 'm' },
  es: { h: 'm' },
  nl: { v: 'f' },
  pl: { k: 'f' },
  ru: { ж: 'f', м: 'm' },
};

const INITIAL_OF_WORD: ReadonlyMap<string, 'f' | 'm'> = new Map(
  (['f', 'm'] as const).flatMap((initial) => WORDS[initial].map((word) => [folded(word), initial] as const)),
);

/** `ge`: `f` or `m`; anything else is dropped, because Meta knows no other value. */
export function normaliseGender(text: string, languages: readonly string[]): Normalised {
  const word = folded(text);
  const initial = INITIAL_OF_WORD.get(word);
  if (initial !== undefined) return initial;
  for (const language of languages) {
    const spoken = INITIALS[language];
    if (spoken !== undefined && Object.hasOwn(spoken, word)) return spoken[word] ?? NOT_F_OR_M;
  }
  return NOT_F_OR_M;
}
