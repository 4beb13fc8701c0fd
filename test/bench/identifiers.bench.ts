import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { hashUserData } from '../../shared/domain/identifiers/hash-user-data.ts';
import { judgeServerEvent } from '../../shared/domain/server-event/judge.ts';

/** One measured comparison: how many times faster we are than the other side, both measured in turn in the same run. */
export type BenchResult = {
  readonly name: string;
  /** Their fastest round / ours. */
  readonly ratio: number;
  readonly bar?: number;
  readonly oursMicroseconds: number;
  readonly theirsMicroseconds: number;
};

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;
/** Young objects only: a full collection also throws compiled code away, which costs the next round. */
const collectYoung = () => {
  collect({ type: 'minor' });
};

const PEOPLE = 3_000;
const ROUNDS = 15;
const WARM_UP_ROUNDS = 4;
const NOW_SECONDS = 1_760_000_000;

/** One full user as an American shop knows it; the values are valid in both libraries, so both do all the work. */
const AMERICAN = {
  em: 'John_Smith@gmail.com',
  ph: '+1 (650) 555-1212',
  fn: 'Mary',
  ln: "O'Connor",
  ge: 'F',
  db: '19970216',
  ct: 'New York',
  st: 'NY',
  zp: '94035-1234',
  country: 'us',
  external_id: 'Customer-00017',
  client_ip_address: '85.105.12.7',
  client_user_agent:
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36',
  fbc: 'fb.1.1759000000000.IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB',
  fbp: 'fb.1.1759000000000.1116446470',
};

/** A user whose name and city have two spellings, each of which we hash and the SDK does not. */
const TURKISH = {
  ...AMERICAN,
  ph: '0532 123 45 67',
  fn: 'Şebnem',
  ln: 'Yılmaz',
  ct: 'İstanbul',
  st: 'İstanbul',
  zp: '34000',
  country: 'tr',
};

type User = typeof AMERICAN;

/**
 * Different people: no name, address or id repeats, not even in another round, so none of them is answered from
 * memory; 40 cities and postal codes and 600 birth dates do, as in a shop.
 * They come out of JSON as in a request, because a text glued together in memory is slower to read for everybody.
 */
function crowd(user: User, round: number): readonly User[] {
  const people = Array.from({ length: PEOPLE }, (_, at) => round * PEOPLE + at).map((index) => ({
    ...user,
    em: `${index}_${user.em}`,
    ph: user.ph.slice(0, -2) + String(10 + (index % 90)),
    fn: user.fn + letters(index),
    ln: user.ln + letters(index * 7),
    db: `${1950 + (index % 50)}${String(1 + (index % 12)).padStart(2, '0')}16`,
    ct: user.ct + letters(index % 40),
    zp: String(34_000 + (index % 40)),
    external_id: user.external_id + String(index),
  }));
  return JSON.parse(JSON.stringify(people)) as User[];
}

function letters(index: number): string {
  return index.toString(36).replace(/\d/g, (digit) => 'ghijklmnop'.charAt(Number(digit)));
}

const PURCHASE = {
  event_name: 'Purchase',
  event_time: NOW_SECONDS,
  event_id: 'order-17',
  action_source: 'website',
  event_source_url: 'https://www.example.com/checkout/thanks?order=17&utm_source=facebook&utm_medium=paid_social',
  custom_data: {
    currency: 'USD',
    value: 129.9,
    content_type: 'product',
    contents: [
      { id: 'sku-1', quantity: 1, item_price: 100 },
      { id: 'sku-2', quantity: 2, item_price: 14.95 },
    ],
  },
};

/** The parts of Meta's libraries that are measured: they come without types that Node's resolution can read. */
type SdkUserData = { readonly normalize: () => object } & Readonly<Record<string, (value: string) => SdkUserData>>;
type Builder = { readonly getNormalizedAndHashedPII: (value: string, type: string) => string | null };

const load = createRequire(import.meta.url);
const { UserData } = load('facebook-nodejs-business-sdk') as { UserData: new () => SdkUserData };
const { ParamBuilder } = load('capi-param-builder-nodejs') as { ParamBuilder: new () => Builder };
const builder = new ParamBuilder();

const SETTERS: Readonly<Record<keyof User, string>> = {
  em: 'setEmail',
  ph: 'setPhone',
  fn: 'setFirstName',
  ln: 'setLastName',
  ge: 'setGender',
  db: 'setDateOfBirth',
  ct: 'setCity',
  st: 'setState',
  zp: 'setZip',
  country: 'setCountry',
  external_id: 'setExternalId',
  client_ip_address: 'setClientIpAddress',
  client_user_agent: 'setClientUserAgent',
  fbc: 'setFbc',
  fbp: 'setFbp',
};

function withSdk(user: User): object {
  const data = new UserData();
  for (const [key, setter] of Object.entries(SETTERS)) data[setter]?.(user[key as keyof User]);
  return data.normalize();
}

const BUILDER_TYPES: readonly (readonly [keyof User, string])[] = [
  ['em', 'email'],
  ['ph', 'phone'],
  ['fn', 'first_name'],
  ['ln', 'last_name'],
  ['ge', 'gender'],
  ['db', 'date_of_birth'],
  ['ct', 'city'],
  ['st', 'state'],
  ['zp', 'zip_code'],
  ['country', 'country'],
  ['external_id', 'external_id'],
];
const PLAIN_KEYS = ['client_ip_address', 'client_user_agent', 'fbc', 'fbp'] as const;

function withParameterBuilder(user: User): object {
  const data: Record<string, string | null> = {};
  for (const [key, type] of BUILDER_TYPES) data[key] = builder.getNormalizedAndHashedPII(user[key], type);
  for (const key of PLAIN_KEYS) data[key] = user[key];
  return data;
}

/**
 * "Normalise and hash one full user" of 15 keys, ours against Meta's two Node libraries, each in the way it is meant to be
 * used. All give the digests of em, ph, fn, ln, ge, db, ct, st, zp and country. We and the Parameter Builder hash
 * `external_id` too, which the SDK sends in plain. Only we check the four keys that are not hashed, give the phone its
 * country code and check every digest. We keep the digests of gender, city, state, postal code, country, birth date and
 * of names of one word that came before, never of what finds one person; the libraries keep none.
 */
export async function run(): Promise<BenchResult[]> {
  const american = { country: 'US' };
  const turkish = { country: 'TR', languages: ['tr'] };
  const judgeContext = { nowSeconds: NOW_SECONDS, country: 'US', eventIdSeed: '1' };
  const hash = (user: User) => hashUserData(user, american);
  const judge = (user: User) => judgeServerEvent({ ...PURCHASE, user_data: user }, judgeContext);
  return Promise.resolve([
    compare('hash one full user, against facebook-nodejs-business-sdk', AMERICAN, hash, withSdk, 3),
    compare('hash one full user, against capi-param-builder-nodejs', AMERICAN, hash, withParameterBuilder, 3),
    compare(
      'hash one full Turkish user in both spellings, against the SDK, which knows one',
      TURKISH,
      (user) => hashUserData(user, turkish),
      withSdk,
    ),
    compare("judge one Purchase, against the SDK's hashing alone", AMERICAN, judge, withSdk),
  ]);
}

/**
 * Ours and theirs in turn, round by round, so that a busy machine slows both; the ratio is that of the fastest rounds: what
 * else the machine does makes a round slower, and never faster.
 */
function compare(
  name: string,
  like: User,
  ours: (user: User) => object,
  theirs: (user: User) => object,
  bar?: number,
): BenchResult {
  const rounds = Array.from({ length: WARM_UP_ROUNDS + ROUNDS }, (_, round) => {
    const people = crowd(like, round);
    return [measure(people, ours), measure(people, theirs)] as const;
  }).slice(WARM_UP_ROUNDS);
  const oursMicroseconds = Math.min(...rounds.map(([ourTime]) => ourTime));
  const theirsMicroseconds = Math.min(...rounds.map(([, theirTime]) => theirTime));
  return {
    name,
    ratio: theirsMicroseconds / oursMicroseconds,
    oursMicroseconds,
    theirsMicroseconds,
    ...(bar === undefined ? {} : { bar }),
  };
}

/** Microseconds per person. The garbage of the side before is collected first, so that nobody pays for the other's. */
function measure(people: readonly User[], work: (user: User) => object): number {
  collectYoung();
  const started = performance.now();
  let results = 0;
  for (const person of people) if (typeof work(person) === 'object') results++;
  return ((performance.now() - started) * 1_000) / results;
}
