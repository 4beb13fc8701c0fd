import { ALPHA_2, ALPHA_3 } from './country-codes.ts';
import { ALIASES, countryNames } from './country-names.ts';
import { problem, type Normalised } from './finding.ts';
import { folded } from './letters.ts';

const NOT_A_COUNTRY = problem(
  'not_a_country',
  "expected an ISO 3166-1 code or a country's name in English or a language of the tenant",
);

const CODE_AND_SUBDIVISION = /^([A-Za-z]{2})-[A-Za-z0-9]{1,3}$/;

/** `country`: ISO 3166-1 alpha-2, lower case, from alpha-2, alpha-3, `TR-34`, or a name in English or the given languages. */
export function normaliseCountry(text: string, languages: readonly string[]): Normalised {
  return countryCode(text, languages) ?? NOT_A_COUNTRY;
}

/** As `normaliseCountry`, undefined for what is no country. */
export function countryCode(text: string, languages: readonly string[]): string | undefined {
  const code = text.length === 2 ? text.toLowerCase() : '';
  if (ALPHA_2.has(code)) return code;
  const subdivided = CODE_AND_SUBDIVISION.exec(text);
  const name = subdivided?.[1] === undefined ? folded(text) : subdivided[1].toLowerCase();
  if (ALPHA_2.has(name)) return name;
  const alias = ALIASES.get(name);
  if (alias !== undefined) return alias;
  if (subdivided || name.length < 2) return undefined;
  return ALPHA_3.get(name) ?? countryNames('en', ALPHA_2)?.get(name) ?? inLanguages(name, languages);
}

function inLanguages(name: string, languages: readonly string[]): string | undefined {
  for (const language of languages) {
    const code = countryNames(language, ALPHA_2)?.get(name);
    if (code !== undefined) return code;
  }
  return undefined;
}
