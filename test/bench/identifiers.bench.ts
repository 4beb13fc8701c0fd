import { createRequire } from 'node:module';
import { hashUserData } from '../../shared/domain/identifiers/hash-user-data.ts';
import { judgeServerEvent } from '../../shared/domain/server-event/judge.ts';

/** One measured comparison: how many times faster we are than the other side, both measured in turn in the same run. */
export type BenchResult = {
  readonly name: string;
  /** Median over the rounds of (their time / our time). */
  readonly ratio: number;
  readonly bar?: number;
  readonly oursMicroseconds: number;
  readonly theirsMicroseconds: number;
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

/** Different people: nothing that finds one person repeats within a round; 40 cities and postal codes do, as in a shop. */
function crowd(user: User): readonly User[] {
  return Array.from({ length: PEOPLE }, (_, index) => ({
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

/** The part of Meta's SDK that is measured: it comes without types that Node's resolution can read. */
type SdkUserData = { readonly normalize: () => object } & Readonly<Record<string, (value: string) => SdkUserData>>;

const { UserData } = createRequire(import.meta.url)('facebook-nodejs-business-sdk') as {
  UserData: new () => SdkUserData;
};

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

/** Compares `hashUserData`, and the whole judgement of an event, with the normaliser of Meta's Node SDK. */
export async function run(): Promise<BenchResult[]> {
  const american = { country: 'US' };
  const turkish = { country: 'TR', languages: ['tr'] };
  const judgeContext = { nowSeconds: NOW_SECONDS, country: 'US', eventIdSeed: '1' };
  return Promise.resolve([
    compare('hash one full user', AMERICAN, (user) => hashUserData(user, american), 3),
    compare('hash one full Turkish user, both spellings', TURKISH, (user) => hashUserData(user, turkish)),
    compare("judge one Purchase, against the SDK's hashing alone", AMERICAN, (user) =>
      judgeServerEvent({ ...PURCHASE, user_data: user }, judgeContext),
    ),
  ]);
}

function compare(name: string, like: User, ours: (user: User) => object, bar?: number): BenchResult {
  const people = crowd(like);
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    measure(people, ours);
    measure(people, withSdk);
  }
  const rounds = Array.from({ length: ROUNDS }, () => {
    const oursMicroseconds = measure(people, ours);
    const theirsMicroseconds = measure(people, withSdk);
    return { oursMicroseconds, theirsMicroseconds, ratio: theirsMicroseconds / oursMicroseconds };
  });
  return {
    name,
    ratio: median(rounds.map(({ ratio }) => ratio)),
    oursMicroseconds: median(rounds.map((round) => round.oursMicroseconds)),
    theirsMicroseconds: median(rounds.map((round) => round.theirsMicroseconds)),
    ...(bar === undefined ? {} : { bar }),
  };
}

/** Microseconds per person. */
function measure(people: readonly User[], work: (user: User) => object): number {
  const started = performance.now();
  let results = 0;
  for (const person of people) if (typeof work(person) === 'object') results++;
  return ((performance.now() - started) * 1_000) / results;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
