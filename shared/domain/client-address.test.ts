import { describe, expect, test } from 'vitest';
import { preferredAddress, publicAddress, requestAddress } from './client-address.ts';

describe('the address behind Google', () => {
  test('behind the load balancer the client is the last entry but one, whatever the sender wrote before it', () => {
    expect(requestAddress('35.191.0.1', '8.8.8.8, 1.1.1.1,85.105.12.7,34.117.59.81', 'load-balancer')).toBe(
      '85.105.12.7',
    );
  });

  test("at a function's own URL the client is the last entry", () => {
    expect(requestAddress('169.254.1.1', '8.8.8.8,85.105.12.7', 'serverless')).toBe('85.105.12.7');
  });

  test('a header too short for the proxy, or private entries, give nothing rather than a wrong address', () => {
    expect(requestAddress('35.191.0.1', '85.105.12.7', 'load-balancer')).toBeUndefined();
    expect(requestAddress('35.191.0.1', '8.8.8.8,10.0.0.7', 'serverless')).toBeUndefined();
  });

  test('without a proxy the header is only the word of the sender', () => {
    expect(requestAddress('85.105.12.7', '8.8.8.8', 'none')).toBe('85.105.12.7');
    expect(requestAddress('127.0.0.1', undefined, 'serverless')).toBeUndefined();
  });

  test('a header of megabytes is read at its end', () => {
    expect(requestAddress(undefined, `${'1.1.1.1,'.repeat(500_000)}85.105.12.7`, 'serverless')).toBe('85.105.12.7');
  });
});

test.each([
  ['85.105.12.7', '85.105.12.7'],
  [' 85.105.12.7:51234 ', '85.105.12.7'],
  ['2A02:E0:1::7', '2a02:e0:1::7'],
  ['[2a02:e0:1::7]:443', '2a02:e0:1::7'],
  ['[2a02:e0:1::7]', '2a02:e0:1::7'],
  ['2a02:e0:1:0:0:0:0:7', '2a02:e0:1:0:0:0:0:7'],
  ['::ffff:85.105.12.7', '85.105.12.7'],
  ['::ffff:5569:c07', '85.105.12.7'],
  ['64:ff9b::85.105.12.7', '85.105.12.7'],
])('%s is sent as %s', (written, address) => expect(publicAddress(written)).toBe(address));

test.each([
  ...'10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 127.0.0.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1'.split(' '),
  ...'255.255.255.255 192.0.2.1 198.51.100.7 203.0.113.9 198.19.0.1'.split(' '),
  ...':: ::1 fe80::1 fc00::1 fd12:3456::1 ff02::1 2001:db8::1 2001::1 2002:a00:1::1 3fff::1 ::ffff:10.0.0.1'.split(' '),
  ...'256.1.1.1 1.2.3 1.2.3.4.5 01.2.3.4 1::2::3 2a02:e0 2a02:::1 2a02::1%eth0 12345::1 unknown [2a02::1 [2a02::1]x'.split(
    ' ',
  ),
  '1:2:3:4:5:6:7:8:9',
  '2a02:1:2:3:4:5:6:7::',
  '',
  '-',
  '8'.repeat(1_000_000),
])('%s is not sent', (written) => expect(publicAddress(written)).toBeUndefined());

test.each(['172.15.255.255', '172.32.0.0', '100.128.0.0', '11.0.0.0', '223.255.255.255', '2001:200::1', '2003::1'])(
  '%s, next to a special block, is public',
  (address) => expect(publicAddress(address)).toBe(address),
);

test('IPv6 is preferred, then the order given', () => {
  expect(preferredAddress('85.105.12.7', undefined, '2a02:e0:1::7')).toBe('2a02:e0:1::7');
  expect(preferredAddress(undefined, '85.105.12.7', '8.8.8.8')).toBe('85.105.12.7');
  expect(preferredAddress(undefined)).toBeUndefined();
});
