import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LookupAddress } from 'node:dns';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PublicFetchError, createPublicFetch, isPublic } from './public-fetch.ts';
import type { Lookup, PublicFetch, PublicFetchOptions } from './public-fetch.ts';

/** A machine inside: whoever reaches it has broken out of the public internet. */
let inside: Server;
let port: number;
let reached: string[];
let answer: (path: string) => { status: number; headers?: Record<string, string>; body?: string };
const open: PublicFetch[] = [];

beforeAll(async () => {
  inside = createServer((request, response) => {
    reached.push(request.url ?? '');
    const { body = '', headers = {}, status } = answer(request.url ?? '');
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => void inside.listen(0, '127.0.0.1', resolve));
  ({ port } = inside.address() as AddressInfo);
  reached = [];
});
afterAll(
  () =>
    new Promise<void>((resolve) => {
      inside.close(() => resolve());
      inside.closeAllConnections();
    }),
);
afterEach(async () => {
  reached = [];
  for (const fetch of open.splice(0)) await fetch.close();
});

const fetchWith = (options: PublicFetchOptions = {}): PublicFetch => {
  const fetch = createPublicFetch(options);
  open.push(fetch);
  return fetch;
};
/** A resolver under the test's control; it plays the name server of somebody hostile. */
const resolvingTo =
  (answers: (name: string) => readonly string[]): Lookup =>
  (name, _options, callback) => {
    const addresses: LookupAddress[] = answers(name).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }));
    callback(null, addresses);
  };

const privateAddresses = (
  '0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.1.2.3 169.254.0.1 ' +
  '169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 ' +
  '192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 ' +
  '240.0.0.1 255.255.255.255 :: ::1 ::7f00:1 fe80::1 febf::1 fc00::1 fd00:ec2::254 fdff::1 fec0::1 ff02::1 ' +
  '::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::ffff:0:127.0.0.1 ' +
  '64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:7f00:1:: 2002:a00:1::1 ' +
  '2002:a9fe:a9fe:: 2001::1 2001:0:7f00:1:: 2001:db8::1 2001:10::1 2001:20::1 3fff::1 100::1 5f00::1 4000::1 ' +
  '::127.0.0.1'
).split(' ');
const publicAddresses = [
  '1.1.1.1',
  '8.8.8.8',
  '99.255.255.255',
  '172.15.0.1',
  '172.32.0.1',
  '2606:4700::1111',
  '2a00:1450::1',
];

describe('which addresses are public', () => {
  it.each(privateAddresses)('%s is not', (address) => expect(isPublic(address)).toBe(false));
  it.each(publicAddresses)('%s is', (address) => expect(isPublic(address)).toBe(true));
});

/** Every private address under every spelling an address can have in a URL. */
function spellings(address: string): string[] {
  if (address.includes(':')) return [`[${address}]`, `[${address.toUpperCase()}]`];
  const octets = address.split('.').map(Number);
  const number = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const [a = 0, b = 0, c = 0, d = 0] = octets;
  return [
    address,
    `${address}.`,
    String(number),
    `0x${number.toString(16)}`,
    `0${number.toString(8)}`,
    octets.map((octet) => `0x${octet.toString(16)}`).join('.'),
    octets.map((octet) => `0${octet.toString(8)}`).join('.'),
    `${a}.${b}.${c * 256 + d}`,
    `${a}.${b * 65_536 + c * 256 + d}`,
    address.replaceAll('.', '。'),
    address.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  ];
}
const vectors = privateAddresses.flatMap(spellings).map((host) => `http://${host}/`);

describe('addresses inside', () => {
  it(`are refused in all ${vectors.length} spellings before any connection`, async () => {
    const fetch = fetchWith({ lookup: () => expect.fail('a numeric address was looked up') });
    const through: string[] = [];
    for (const url of vectors) {
      const failure: unknown = await fetch.get(url).catch((error: unknown) => error);
      if (!(failure instanceof PublicFetchError) || failure.kind !== 'refused') through.push(url);
    }
    expect(vectors.length).toBeGreaterThan(250);
    expect(through).toEqual([]);
  });

  it.each(privateAddresses)('a name that resolves to %s is not connected to', async (address) => {
    const fetch = fetchWith({ lookup: resolvingTo(() => [address]) });
    await expect(fetch.get(`http://feeds.example:${port}/`)).rejects.toMatchObject({ kind: 'refused' });
    expect(reached).toEqual([]);
  });

  it('one bad address among good ones refuses the name', async () => {
    const fetch = fetchWith({ lookup: resolvingTo(() => ['8.8.8.8', '127.0.0.1']) });
    await expect(fetch.get(`http://feeds.example:${port}/`)).rejects.toMatchObject({ kind: 'refused' });
  });

  it('a name that answers well first and badly later gains nothing: what was checked is what is connected to', async () => {
    answer = () => ({ status: 200, body: 'id\n' });
    const answers = [['10.0.0.1'], ['127.0.0.1']];
    const fetch = fetchWith({
      lookup: resolvingTo(() => answers.pop() ?? ['10.0.0.1']),
      isAllowed: (address) => address === '127.0.0.1',
    });
    expect(await text(await fetch.get(`http://feeds.example:${port}/`))).toBe('id\n');
    expect(answers).toEqual([['10.0.0.1']]);
  });

  it.each([
    'file:///etc/passwd',
    'ftp://feeds.example/',
    'gopher://127.0.0.1/',
    'data:text/plain,a',
    'javascript:1',
    'nonsense',
    '',
  ])('%s is no address to read', async (url) => {
    await expect(fetchWith().get(url)).rejects.toMatchObject({ kind: 'refused' });
  });

  it('a password in the address is refused and not repeated', async () => {
    await expect(fetchWith().get('https://kobi:geheim@feeds.example/')).rejects.toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('geheim') as string }) as Error,
    );
  });
});

describe('redirects', () => {
  /** This server is the public internet here; everything else is judged as ever. */
  const fetchFromHere = (): PublicFetch =>
    fetchWith({
      lookup: resolvingTo((name) => (name.endsWith('.example') ? ['127.0.0.1'] : ['10.0.0.1'])),
      isAllowed: (address) => address === '127.0.0.1' || isPublic(address),
    });

  it('are followed, and the body of the last answer is read', async () => {
    answer = (path) =>
      path === '/feed' ? { status: 302, headers: { location: '/real.csv' } } : { status: 200, body: 'id\n1\n' };
    expect(await text(await fetchFromHere().get(`http://feeds.example:${port}/feed`))).toBe('id\n1\n');
  });

  it.each([
    'http://169.254.169.254/latest/meta-data',
    'http://[::1]/',
    'http://internal.corp/',
    'http://0x0a000001/',
    'file:///etc/passwd',
  ])('to %s are refused', async (location) => {
    answer = () => ({ status: 302, headers: { location } });
    await expect(fetchFromHere().get(`http://feeds.example:${port}/feed`)).rejects.toMatchObject({ kind: 'refused' });
    expect(reached).toEqual(['/feed']);
  });

  it('without an end are refused', async () => {
    answer = (path) => ({ status: 302, headers: { location: `${path}x` } });
    await expect(fetchFromHere().get(`http://feeds.example:${port}/feed`)).rejects.toThrow(
      'redirects more than 5 times',
    );
  });

  it.each([
    [404, 'refused'],
    [403, 'refused'],
    [500, 'unreachable'],
    [429, 'unreachable'],
  ])('an answer of %i is %s', async (status, kind) => {
    answer = () => ({ status });
    await expect(fetchFromHere().get(`http://feeds.example:${port}/feed`)).rejects.toMatchObject({ kind });
  });
});
