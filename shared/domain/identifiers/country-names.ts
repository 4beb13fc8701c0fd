import { folded } from './letters.ts';

/**
 * What people and shop systems write and ICU does not list: ISO 3166-1's own long and turned-round names, old and short
 * names, nations of the UK, names in the country's own language, codes of other standards. ICU renames countries between
 * Node releases, so the names that changed stand here too. Understood in every language.
 */
const NAMES: Readonly<Record<string, string>> = {
  ae: 'UAE, Emirates, الإمارات',
  ag: 'Antigua',
  at: 'Österreich',
  ba: 'Bosnia',
  be: 'Belgique, België',
  bn: 'Brunei, Brunei Darussalam',
  bo: 'Bolivia, Bolivia Plurinational State of, Plurinational State of Bolivia',
  bq: 'Bonaire, Bonaire Sint Eustatius and Saba',
  br: 'Brasil',
  by: 'Beyaz Rusya, Белоруссия',
  cd: 'DRC, Congo the Democratic Republic of the, Democratic Republic of the Congo, DR Congo',
  cg: 'Congo, Republic of the Congo',
  ch: 'Schweiz, Suisse, Svizzera',
  ci: "Ivory Coast, Cote d'Ivoire, Fildişi Sahili, Elfenbeinküste, Costa de Marfil",
  cn: "People's Republic of China, PRC, КНР",
  cv: 'Cape Verde, Cabo Verde',
  cy: 'Güney Kıbrıs Rum Kesimi',
  cz: 'Czech Republic, Czechia, Çek Cumhuriyeti, Tschechische Republik, République Tchèque, República Checa, Repubblica Ceca, Chéquia',
  de: 'Deutschland, Federal Republic of Germany',
  dk: 'Danmark, الدنمارك',
  es: 'España',
  fi: 'Suomi',
  fk: 'Falkland Islands Malvinas',
  fm: 'Micronesia Federated States of, Federated States of Micronesia',
  gb: 'UK, Great Britain, Britain, England, Scotland, Wales, Northern Ireland, United Kingdom of Great Britain and Northern Ireland, Großbritannien, İngiltere, Grande-Bretagne, Gran Bretaña, Англия, بريطانيا',
  gm: 'The Gambia, Republic of The Gambia',
  gr: 'EL, Hellas',
  gs: 'South Georgia and the South Sandwich Islands',
  hk: 'Hong Kong, Гонконг, هونغ كونغ',
  hm: 'Heard Island and McDonald Islands',
  hu: 'Magyarország, المجر',
  ie: 'Republic of Ireland, Éire',
  ir: 'Iran, Iran Islamic Republic of, Islamic Republic of Iran',
  it: 'Italia',
  kp: "North Korea, Korea Democratic People's Republic of",
  kr: 'Korea, South Korea, Republic of Korea, Korea Republic of',
  la: "Laos, Lao People's Democratic Republic",
  md: 'Moldova, Moldova Republic of, Republic of Moldova, Moldawien, Молдавия',
  mf: 'Saint Martin French part',
  mk: 'Macedonia, North Macedonia, Macedonia the former Yugoslav Republic of, The Republic of North Macedonia',
  mm: 'Burma, Myanmar',
  mo: 'Macau, Macao',
  my: 'Malesia',
  nl: 'Holland, The Netherlands, Nederland, Netherlands Kingdom of the',
  no: 'Norge',
  om: 'عمان',
  pl: 'Polska',
  pn: 'Pitcairn',
  ps: 'Palestine, State of Palestine, Palestine State of, فلسطين',
  ru: 'Russia, Russian Federation, Российская Федерация',
  sa: 'KSA, Kingdom of Saudi Arabia, السعودية, Arabia Saudita',
  se: 'Sverige',
  sh: 'Saint Helena, Saint Helena Ascension and Tristan da Cunha',
  sx: 'Sint Maarten Dutch part',
  sy: 'Syria, Syrian Arab Republic',
  sz: 'Swaziland',
  tl: 'East Timor',
  tr: 'Türkiye, Turkey, Türkiye Cumhuriyeti, Republic of Türkiye, T.C.',
  tw: 'Taiwan, Taiwan Province of China',
  tz: 'Tanzania, Tanzania United Republic of, United Republic of Tanzania',
  um: 'United States Minor Outlying Islands',
  us:
    'USA, US of A, United States of America, The United States, America, Amerika, ABD, Amerika Birleşik Devletleri, ' +
    "Birleşik Devletler, Vereinigte Staaten von Amerika, États-Unis d'Amérique, EE.UU., Estados Unidos de América, " +
    "EUA, Estados Unidos da América, Stati Uniti d'America, Verenigde Staten van Amerika, США, Соединенные Штаты Америки, أمريكا",
  va: 'Vatican, Holy See, Holy See Vatican City State',
  vc: 'Saint Vincent and the Grenadines',
  ve: 'Venezuela, Venezuela Bolivarian Republic of',
  vg: 'Virgin Islands British',
  vi: 'Virgin Islands U.S., United States Virgin Islands',
  vn: 'Viet Nam, Vietnam',
  za: 'ЮАР',
};

/** Those names as `folded` leaves them, to alpha-2. */
export const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries(NAMES).flatMap(([code, names]) => names.split(', ').map((name) => [folded(name), code] as const)),
);

/** The languages whose country names we look up: a closed list, so the tables below cannot grow without end. */
const LANGUAGES: ReadonlySet<string> = new Set(
  'ar az bg cs da de el en es fa fi fr he hr hu id it ja ko nb nl pl pt ro ru sk sl sq sr sv th tr uk vi zh'.split(' '),
);

const tables = new Map<string, ReadonlyMap<string, string>>();

/**
 * Country names of a language (ISO 639-1, lower case) as `folded` leaves them, to those of the given alpha-2 codes that
 * have them; undefined for languages outside our list. Built from ICU the first time a language is asked for (about
 * 5 ms) and kept: there are 33 languages at most.
 */
export function countryNames(language: string, codes: Iterable<string>): ReadonlyMap<string, string> | undefined {
  const known = tables.get(language);
  if (known !== undefined || !LANGUAGES.has(language)) return known;
  const names = new Intl.DisplayNames([language], { type: 'region', fallback: 'none' });
  const table = new Map<string, string>();
  for (const code of codes) {
    const name = names.of(code.toUpperCase());
    if (name === undefined) continue;
    // ICU's English writes `St. Kitts & Nevis`, people and ISO `Saint Kitts and Nevis`.
    for (const written of [name, name.replace('&', 'and'), name.replace('St.', 'Saint').replace('&', 'and')]) {
      table.set(folded(written), code);
    }
  }
  tables.set(language, table);
  return table;
}
