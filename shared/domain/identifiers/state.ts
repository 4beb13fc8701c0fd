import { problem, type Normalised } from './finding.ts';
import { folded, spellings } from './letters.ts';

const NOTHING_LEFT = problem('empty', 'no letters or digits in it');

/** ANSI codes of the states, the District of Columbia and the territories, with their names as `folded` leaves them. */
const US_STATES: ReadonlyMap<string, string> = new Map(
  (
    'al alabama|ak alaska|az arizona|ar arkansas|ca california|co colorado|ct connecticut|de delaware|fl florida|' +
    'ga georgia|hi hawaii|id idaho|il illinois|in indiana|ia iowa|ks kansas|ky kentucky|la louisiana|me maine|' +
    'md maryland|ma massachusetts|mi michigan|mn minnesota|ms mississippi|mo missouri|mt montana|ne nebraska|' +
    'nv nevada|nh newhampshire|nj newjersey|nm newmexico|ny newyork|nc northcarolina|nd northdakota|oh ohio|' +
    'ok oklahoma|or oregon|pa pennsylvania|ri rhodeisland|sc southcarolina|sd southdakota|tn tennessee|tx texas|' +
    'ut utah|vt vermont|va virginia|wa washington|wv westvirginia|wi wisconsin|wy wyoming|dc districtofcolumbia|' +
    'as americansamoa|gu guam|mp northernmarianaislands|pr puertorico|vi usvirginislands'
  )
    .split('|')
    .flatMap((line): [string, string][] => {
      const [code = '', name = ''] = line.split(' ');
      return [
        [name, code],
        [code, code],
        [`us${code}`, code],
      ];
    })
    .concat([
      ['washingtondc', 'dc'],
      ['virginislands', 'vi'],
      ['newyorkstate', 'ny'],
      ['washingtonstate', 'wa'],
    ]),
);

/**
 * `st`: the two-letter ANSI code for the US, elsewhere the name in lower case without punctuation and spaces (Meta's
 * page; Meta's own Parameter Builder cuts every other name to two letters, which turns `Bavaria` into `ba`). A US name
 * is recognised unless the person lives elsewhere.
 */
export function normaliseState(text: string, personCountry: string | undefined): Normalised {
  if (personCountry === undefined || personCountry === 'us') {
    const code = US_STATES.get(folded(text));
    if (code !== undefined) return code;
  }
  const words = spellings(text);
  return words === '' ? NOTHING_LEFT : words;
}
