import { ALPHA_2, ALPHA_3 } from './country-codes.ts';
import { problem, type Normalised } from './finding.ts';
import { folded } from './letters.ts';

const NOT_A_COUNTRY = problem(
  'not_a_country',
  "expected an ISO 3166-1 code or a country's name in English or a language of the tenant",
);

/**
 * What people write and neither ISO nor ICU lists: old and short names, nations of the UK, names in the country's own
 * language, codes of other standards. Keys as `folded` leaves them; ICU renames countries between Node releases, so the
 * names that changed stand here too.
 */
const ALIASES: Readonly<Record<string, string>> = {
  uk: 'gb',
  el: 'gr',
  uae: 'ae',
  ksa: 'sa',
  usofa: 'us',
  unitedstatesofamerica: 'us',
  theunitedstates: 'us',
  america: 'us',
  greatbritain: 'gb',
  britain: 'gb',
  england: 'gb',
  scotland: 'gb',
  wales: 'gb',
  northernireland: 'gb',
  unitedkingdomofgreatbritainandnorthernireland: 'gb',
  turkiye: 'tr',
  turkey: 'tr',
  turkiyecumhuriyeti: 'tr',
  republicofturkiye: 'tr',
  republicofturkey: 'tr',
  holland: 'nl',
  thenetherlands: 'nl',
  nederland: 'nl',
  deutschland: 'de',
  espana: 'es',
  italia: 'it',
  osterreich: 'at',
  schweiz: 'ch',
  suisse: 'ch',
  belgique: 'be',
  belgie: 'be',
  brasil: 'br',
  polska: 'pl',
  sverige: 'se',
  norge: 'no',
  danmark: 'dk',
  suomi: 'fi',
  magyarorszag: 'hu',
  czechrepublic: 'cz',
  czechia: 'cz',
  republicofireland: 'ie',
  eire: 'ie',
  korea: 'kr',
  southkorea: 'kr',
  republicofkorea: 'kr',
  northkorea: 'kp',
  russia: 'ru',
  russianfederation: 'ru',
  viet: 'vn',
  vietnam: 'vn',
  macedonia: 'mk',
  northmacedonia: 'mk',
  ivorycoast: 'ci',
  capeverde: 'cv',
  swaziland: 'sz',
  burma: 'mm',
  palestine: 'ps',
  stateofpalestine: 'ps',
  hongkong: 'hk',
  macau: 'mo',
  macao: 'mo',
  taiwan: 'tw',
  syria: 'sy',
  iran: 'ir',
  moldova: 'md',
  tanzania: 'tz',
  bolivia: 'bo',
  venezuela: 've',
  laos: 'la',
  brunei: 'bn',
  vatican: 'va',
  drc: 'cd',
};

/** The languages whose country names we look up: a closed list, so the tables below cannot grow without end. */
const LANGUAGES: ReadonlySet<string> = new Set(
  'ar az bg cs da de el en es fa fi fr he hr hu id it ja ko nb nl pl pt ro ru sk sl sq sr sv th tr uk vi zh'.split(' '),
);

const CODE_AND_SUBDIVISION = /^([A-Za-z]{2})-[A-Za-z0-9]{1,3}$/;

const namesByLanguage = new Map<string, ReadonlyMap<string, string>>();

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
  if (Object.hasOwn(ALIASES, name)) return ALIASES[name];
  if (subdivided || name.length < 3) return undefined;
  const fromAlpha3 = ALPHA_3.get(name);
  if (fromAlpha3 !== undefined) return fromAlpha3;
  return nameTable('en').get(name) ?? inLanguages(name, languages);
}

function inLanguages(name: string, languages: readonly string[]): string | undefined {
  for (const language of languages) {
    if (!LANGUAGES.has(language)) continue;
    const code = nameTable(language).get(name);
    if (code !== undefined) return code;
  }
  return undefined;
}

/** Built from ICU the first time a language is asked for (about 5 ms), kept: there are 33 languages at most. */
function nameTable(language: string): ReadonlyMap<string, string> {
  const known = namesByLanguage.get(language);
  if (known) return known;
  const names = new Intl.DisplayNames([language], { type: 'region', fallback: 'none' });
  const table = new Map<string, string>();
  for (const code of ALPHA_2) {
    const name = names.of(code.toUpperCase());
    if (name !== undefined) table.set(folded(name), code);
  }
  namesByLanguage.set(language, table);
  return table;
}
