import { describe, expect, test } from 'vitest';
import { currentFbc, fbcOf, fbclidOf } from './fbc.ts';
import { mintFbp } from './fbp.ts';
import { registrableDomain, subdomainIndexOf } from './registrable-domain.ts';
import { isFbcOfClick, validFbc, validFbp } from './shapes.ts';

const fbclid = 'IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB_qa2ofrHyiLjcbCRxTDMgk';
const page = `https://www.example.com/p?utm_source=fb&fbclid=${fbclid}&x=1#top`;

describe('fbclid', () => {
  test('is read from the query byte for byte', () => expect(fbclidOf(page)).toBe(fbclid));

  test.each([
    ['https://x.com/?FBCLID=a', undefined],
    ['https://x.com/?xfbclid=a', undefined],
    ['https://x.com/#fbclid=a', undefined],
    ['https://x.com/#?fbclid=a', undefined],
    ['https://x.com/?fbclid=', undefined],
    ['https://x.com/?fbclid=a%20b', undefined],
    ['https://x.com/?fbclid=%', '%'],
    ['https://x.com/?fbclid=Ab%2DcD', 'Ab-cD'],
    ['https://x.com/?fbclid=a.b.c', 'a.b.c'],
    ['https://x.com/?fbclid=<script>', undefined],
    ['no url', undefined],
    [undefined, undefined],
  ])('of %s is %s', (url, expected) => expect(fbclidOf(url)).toBe(expected));
});

describe('fbc', () => {
  const known = `fb.1.1596403881668.${fbclid}`;

  test('is made from the page, else from the referrer, in milliseconds and with the index of a server', () => {
    expect(currentFbc(undefined, page, undefined, 1_700_000_000_000)).toBe(`fb.1.1700000000000.${fbclid}`);
    expect(currentFbc(undefined, 'https://x.com/', page, 1_700_000_000_000, 2)).toBe(`fb.2.1700000000000.${fbclid}`);
    expect(currentFbc(undefined, 'https://x.com/?fbclid=a', page, 1_700_000_000_000)).toBe('fb.1.1700000000000.a');
    expect(currentFbc(undefined, 'https://x.com/', undefined, 1_700_000_000_000)).toBeUndefined();
  });

  test('of the same click is never refreshed, also where it carries the appendix of the Parameter Builder', () => {
    expect(currentFbc(known, page, undefined, 1_800_000_000_000)).toBe(known);
    expect(currentFbc(`${known}.AQYBAQEA`, page, undefined, 1_800_000_000_000)).toBe(`${known}.AQYBAQEA`);
  });

  test('gives way to another click in the URL of the page, not to one in the referrer', () => {
    expect(currentFbc(known, 'https://x.com/?fbclid=New', undefined, 1_800_000_000_000)).toBe('fb.1.1800000000000.New');
    expect(currentFbc(known, 'https://x.com/', 'https://x.com/?fbclid=New', 1_800_000_000_000)).toBe(known);
    expect(currentFbc(known, `https://x.com/?fbclid=${fbclid.toLowerCase()}`, undefined, 1_800_000_000_000)).not.toBe(
      known,
    );
  });

  test.each([
    [known, known],
    [` ${known} `, known],
    ['fb.1.1596403881668.a.b.c', 'fb.1.1596403881668.a.b.c'],
    ['fb.1.1596403881.abc', 'fb.1.1596403881000.abc'],
    ['fb.1.1596403881668.', undefined],
    ['fb.1.15964.abc', undefined],
    ['FB.1.1596403881668.abc', undefined],
    ['fb.1.1596403881668.a b', undefined],
    ['abc', undefined],
  ])('%s is sent as %s', (value, expected) => expect(validFbc(value)).toBe(expected));

  test('a click that is only the beginning of another is not the same click', () => {
    expect(isFbcOfClick('fb.1.1596403881668.abcdef', 'abc')).toBe(false);
    expect(isFbcOfClick('fb.1.1596403881668.abc.defg', 'abc')).toBe(false);
    expect(isFbcOfClick('fb.1.1596403881668.abc.de', 'abc')).toBe(true);
  });

  test('what is made is valid', () => expect(validFbc(fbcOf(fbclid, 1_700_000_000_000, 1))).toBeDefined());
});

describe('fbp', () => {
  test.each(['fb.1.1596403881668.1116446470', 'fb.2.1596403881668.1.Ag', 'fb.1.1596403881668.1.AQYBAQEA'])(
    '%s is valid',
    (fbp) => expect(validFbp(fbp)).toBe(fbp),
  );
  test.each(['fb.1.1596403881.1', 'fb.1.1596403881668.abc', 'fb.1.1596403881668', 'fb.1.1596403881668.1.abcd', ''])(
    '%s is not',
    (fbp) => expect(validFbp(fbp)).toBeUndefined(),
  );

  test('a minted one is valid at both ends of the random range', () => {
    expect(mintFbp(1, 1_700_000_000_000, () => 0)).toBe('fb.1.1700000000000.0');
    expect(validFbp(mintFbp(2, 1_700_000_000_000, () => 1 - Number.EPSILON))).toBe('fb.2.1700000000000.2147483646');
  });
});

test.each([
  ['www.example.com', 'example.com', 1],
  ['https://shop.example.co.uk/a', 'example.co.uk', 2],
  ['magaza.ornek.com.tr', 'ornek.com.tr', 2],
  ['a.myshopify.com', 'a.myshopify.com', 2],
  ['localhost', undefined, 0],
  ['85.105.12.7', undefined, 0],
  ['com.tr', undefined, 0],
] as const)('%s shares cookies on %s, index %i', (host, domain, index) => {
  expect(registrableDomain(host)).toBe(domain);
  expect(subdomainIndexOf(host)).toBe(index);
});
