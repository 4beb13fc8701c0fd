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

const ROUNDS = 15;
const CALLS_PER_ROUND = 3_000;
const WARM_UP_CALLS = 10_000;
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
  const event = {
    event_name: 'Purchase',
    event_time: NOW_SECONDS,
    event_id: 'order-17',
    action_source: 'website',
    event_source_url: 'https://www.example.com/checkout/thanks?order=17&utm_source=facebook&utm_medium=paid_social',
    user_data: AMERICAN,
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
  const judgeContext = { nowSeconds: NOW_SECONDS, country: 'US', eventIdSeed: '1' };
  return Promise.resolve([
    compare(
      'hash one full user',
      () => hashUserData(AMERICAN, { country: 'US' }),
      () => withSdk(AMERICAN),
      3,
    ),
    compare(
      'hash one full Turkish user, both spellings',
      () => hashUserData(TURKISH, { country: 'TR', languages: ['tr'] }),
      () => withSdk(TURKISH),
    ),
    compare(
      "judge one Purchase, against the SDK's hashing alone",
      () => judgeServerEvent(event, judgeContext),
      () => withSdk(AMERICAN),
    ),
  ]);
}

function compare(name: string, ours: () => object, theirs: () => object, bar?: number): BenchResult {
  measure(ours, WARM_UP_CALLS);
  measure(theirs, WARM_UP_CALLS);
  const rounds = Array.from({ length: ROUNDS }, () => {
    const oursMicroseconds = measure(ours, CALLS_PER_ROUND);
    const theirsMicroseconds = measure(theirs, CALLS_PER_ROUND);
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

/** Microseconds per call. */
function measure(work: () => object, calls: number): number {
  const started = performance.now();
  let results = 0;
  for (let call = 0; call < calls; call++) if (work() !== null) results++;
  return ((performance.now() - started) * 1_000) / results;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
