/** What can be done to a good request. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { FuzzRequest } from './corpus.ts';
import { canaryEmail } from './corpus.ts';
import type { Random } from '../random.ts';

export interface Mutated {
  readonly request: FuzzRequest;
  /** Whether a value may stand in another place than where it was put, so that a name may stand where names may go. */
  readonly isMoved: boolean;
}

type Mutation = (request: FuzzRequest, random: Random) => FuzzRequest;

/** Values that have broken parsers, each at any place of a body. */
const hostileValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1e308,
  5e-324,
  2 ** 53,
  1_760_000_000_000,
  0.1,
  '',
  ' ',
  '0',
  'null',
  'NaN',
  'Infinity',
  [],
  {},
  [[]],
  [null],
  [[[[[[[[[[]]]]]]]]]],
  { length: 1e9 },
  { toString: null },
  { toJSON: 1 },
  { catch: 1 },
  '\u0000',
  '\uFEFF',
  '\u202E',
  '\uD800',
  '\uDFFF',
  'İ',
  'ﷺ'.repeat(50),
  '٠٥٣٢١٢٣٤٥٦٧',
  'a'.repeat(2_000),
  '9'.repeat(400),
  `${'a'.repeat(3_000)}@`,
  `${'a.'.repeat(1_500)}@b`,
  '%'.repeat(2_000),
  '%00',
  '%ff%40',
  '../../etc/passwd',
  '{{email}}',
  '[object Object]',
  'javascript:alert(1)',
  'http://[::1]:99999/',
  'https://user:pw@shop.example/',
  '//',
  'fb.1.1.1',
  'constructor',
  '__proto__',
  'hasOwnProperty',
  canaryEmail,
  encodeURIComponent(canaryEmail),
  `x ${canaryEmail} y`,
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'A'.repeat(64),
  ' 2001:db8::1 ',
  '::ffff:10.0.0.1',
  '1.2.3.4, 5.6.7.8',
  '1970-01-01',
  '31/02/1990',
  'website',
  'Purchase',
];
const hostileKeys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'toJSON',
  'then',
  'length',
  '',
  ' ',
  '\u0000',
  'em',
  'ph',
  'user_data',
  'data',
  'consent',
  'event_id',
  canaryEmail,
  'a'.repeat(500),
  '0',
  '-1',
  'hasOwnProperty',
  '__defineGetter__',
];
const hostileHeaders = [
  [
    'content-type',
    [
      '',
      'application/json; charset=utf-16',
      'application/json;charset',
      'text/plain',
      'multipart/form-data',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded; charset=iso-8859-9',
      'application/cloudevents+json',
      'x',
      'application/json; charset="klingon"',
      'application/octet-stream',
    ],
  ],
  ['content-encoding', ['gzip', 'br', 'deflate', 'identity', 'zstd', 'compress', '__proto__', '', 'gzip, gzip']],
  ['authorization', ['', 'Bearer', 'Bearer x', 'Basic x', 'Basic Og==', 'bearer  y', `Bearer ${'k'.repeat(5_000)}`]],
  [
    'traceparent',
    ['x', '00-0-0-0', `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`, `00-${'a'.repeat(32)}-${'b'.repeat(16)}-zz`],
  ],
  ['x-forwarded-for', ['', ',', ',,,,', '999.1.1.1', '[', 'fe80::1%eth0', '1.2.3.4'.repeat(500), '::', canaryEmail]],
  ['user-agent', ['', 'Googlebot/2.1', 'x'.repeat(5_000), canaryEmail]],
  ['origin', ['null', '', 'https://evil.example', 'https://shop.example:443', 'shop.example', 'https://shop.example/']],
  [
    'cookie',
    [
      '',
      '=',
      '_fbp',
      '_fbp=;_fbc=',
      `_fbc=fb.1.1.${'x'.repeat(3_000)}`,
      '_fbp=%',
      '_fbp=fb.1.1700000000000.1; _fbp=fb.1.1.2',
    ],
  ],
  ['host', ['', 'x', '[::1]:80', 'com', 'a'.repeat(300), 'r.shop.co.uk']],
] as const;
const hostileUrls = [
  '/',
  '',
  '//',
  '/111',
  '/111/events/',
  '/111/events/x',
  '/999/events',
  '/abc/events',
  '/v1/111/events',
  '/v99.99/112/events',
  '/v25.0/capi/111/events',
  '/capi/capi/events',
  '/111/segment?x',
  '/111/events?access_token=',
  '/111/events?access_token=%',
  '/%2e%2e/events',
  '/111/events?%%%',
  '/222/events',
  '/112/consent/',
  '/abc/consent',
  '/collect/',
  '/collect?dataset=',
  '/kobi.js?',
  '/__proto__/events',
  `/${'1'.repeat(21)}/events`,
  '/111/events#x',
  '*',
];

type Container = Record<string, unknown> | unknown[];

/** A list or object of the value, chosen at random. */
function containerIn(value: unknown, random: Random): Container | undefined {
  let at = value;
  let chosen: Container | undefined;
  while (typeof at === 'object' && at !== null) {
    chosen = at as Container;
    const children = Object.values(chosen).filter((child) => typeof child === 'object' && child !== null);
    if (children.length === 0 || random.chance(0.25)) break;
    at = random.pick(children);
  }
  return chosen;
}

function set(container: Container, key: string, value: unknown): void {
  if (Array.isArray(container) && key === 'length') return;
  Object.defineProperty(container, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Changes a JSON body in one place; bodies that are none stay. */
function withJson(change: (container: Container, random: Random, root: unknown) => void): Mutation {
  return (request, random) => {
    if (request.body === undefined) return request;
    let root: unknown;
    try {
      root = JSON.parse(request.body.toString());
    } catch {
      return request;
    }
    const container = containerIn(root, random);
    if (container === undefined) return request;
    change(container, random, root);
    return { ...request, body: Buffer.from(JSON.stringify(root)) };
  };
}

const keyIn = (container: Container, random: Random): string | undefined => {
  const names = Object.keys(container);
  return names.length === 0 ? undefined : random.pick(names);
};

const replaceValue = withJson((container, random) => {
  const key = keyIn(container, random);
  if (key !== undefined) set(container, key, random.pick(hostileValues));
});
const removeKey = withJson((container, random) => {
  const key = keyIn(container, random);
  if (key !== undefined) Reflect.deleteProperty(container, key);
});
const addKey = withJson((container, random) => set(container, random.pick(hostileKeys), random.pick(hostileValues)));
const renameKey = withJson((container, random) => {
  const key = keyIn(container, random);
  if (key !== undefined) set(container, random.pick(hostileKeys), Reflect.get(container, key) as unknown);
});
const swapValues = withJson((container, random, root) => {
  const other = containerIn(root, random) ?? container;
  const [key, otherKey] = [keyIn(container, random), keyIn(other, random)];
  if (key === undefined || otherKey === undefined) return;
  // A copy: an object that holds itself is no JSON.
  set(container, key, JSON.parse(JSON.stringify(Reflect.get(other, otherKey) ?? null)));
});
const nest = withJson((container, random) => {
  const key = keyIn(container, random);
  if (key === undefined) return;
  let value: unknown = Reflect.get(container, key);
  for (let level = random.below(100); level >= 0; level -= 1) value = random.chance(0.5) ? [value] : { a: value };
  set(container, key, value);
});
const repeat = withJson((container, random) => {
  const key = keyIn(container, random);
  if (key === undefined) return;
  const value: unknown = Reflect.get(container, key);
  const copies = Array.from({ length: random.below(random.chance(0.01) ? 1_100 : 20) }, () => value);
  set(container, key, copies);
});

const flipBytes: Mutation = (request, random) => {
  if (request.body === undefined || request.body.length === 0) return request;
  const body = Buffer.from(request.body);
  for (let flips = 1 + random.below(6); flips > 0; flips -= 1) body[random.below(body.length)] = random.below(256);
  return { ...request, body };
};
const cutBytes: Mutation = (request, random) => {
  const { body } = request;
  if (body === undefined) return request;
  const at = random.below(body.length + 1);
  const end = random.chance(0.5) ? body.length : at + random.below(40);
  return { ...request, body: Buffer.concat([body.subarray(0, at), body.subarray(end)]) };
};
const insertBytes: Mutation = (request, random) => {
  const { body } = request;
  if (body === undefined) return request;
  const at = random.below(body.length + 1);
  const from = random.below(body.length + 1);
  const piece = random.chance(0.5)
    ? Buffer.from(
        random
          .pick(['{', '[', '"', ',', '\\', '\\u', '&', '=', '\u0000', '1e999', '}', ']', '\r\n'])
          .repeat(1 + random.below(200)),
      )
    : body.subarray(from, from + random.below(200));
  return { ...request, body: Buffer.concat([body.subarray(0, at), piece, body.subarray(at)]) };
};
const changeHeader: Mutation = (request, random) => {
  const [name, values] = random.pick(hostileHeaders);
  return { ...request, headers: { ...request.headers, [name]: random.pick<string>(values) } };
};
const dropHeader: Mutation = (request, random) => {
  const names = Object.keys(request.headers);
  if (names.length === 0) return request;
  const dropped = random.pick(names);
  return {
    ...request,
    headers: Object.fromEntries(Object.entries(request.headers).filter(([name]) => name !== dropped)),
  };
};
const changeUrl: Mutation = (request, random) => ({ ...request, url: random.pick(hostileUrls) });
const changeMethod: Mutation = (request, random) => ({
  ...request,
  method: random.pick(['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH']),
});
const compress: Mutation = (request, random) => {
  if (request.body === undefined) return request;
  const [encoding, pack] = random.pick([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', fastBrotli],
  ] as const);
  return { ...request, headers: { ...request.headers, 'content-encoding': encoding }, body: pack(request.body) };
};
const fastBrotli = (body: Buffer): Buffer => brotliCompressSync(body, { params: { 1: 1 } });
const changeKey: Mutation = (request, random) => {
  const change = (text: string): string =>
    text.replace(/kobi_[0-9a-f]{16}_[\w-]{43}/, (key) => {
      const at = random.below(key.length);
      return random.chance(0.5)
        ? `${key.slice(0, at)}${random.pick(['x', '0', '_', ''])}${key.slice(at + 1)}`
        : key.slice(0, at);
    });
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, change(value)]));
  const body = request.body && Buffer.from(change(request.body.toString('latin1')), 'latin1');
  return { ...request, url: change(request.url), headers, body };
};

const weighted: readonly { readonly mutation: Mutation; readonly moves: boolean; readonly weight: number }[] = [
  { mutation: replaceValue, moves: true, weight: 8 },
  { mutation: removeKey, moves: true, weight: 4 },
  { mutation: addKey, moves: false, weight: 4 },
  { mutation: renameKey, moves: true, weight: 3 },
  { mutation: swapValues, moves: true, weight: 3 },
  { mutation: nest, moves: false, weight: 2 },
  { mutation: repeat, moves: false, weight: 2 },
  { mutation: flipBytes, moves: true, weight: 3 },
  { mutation: cutBytes, moves: true, weight: 2 },
  { mutation: insertBytes, moves: true, weight: 3 },
  { mutation: changeHeader, moves: true, weight: 4 },
  { mutation: dropHeader, moves: false, weight: 1 },
  { mutation: changeUrl, moves: false, weight: 1 },
  { mutation: changeMethod, moves: false, weight: 1 },
  { mutation: changeKey, moves: false, weight: 1 },
  { mutation: compress, moves: false, weight: 1 },
];
const choices = weighted.flatMap((choice) => Array.from({ length: choice.weight }, () => choice));

/** One to four mutations, one after the other. */
export function mutated(good: FuzzRequest, random: Random): Mutated {
  let request = good;
  let isMoved = false;
  for (let count = 1 + random.below(4); count > 0; count -= 1) {
    const { mutation, moves } = random.pick(choices);
    request = mutation(request, random);
    isMoved ||= moves;
  }
  return { request, isMoved };
}
