import { expect, it } from 'vitest';
import { makeRelayKey, parseRelayKey, sameSha256 } from './relay-key.ts';

const made = makeRelayKey(new Uint8Array(8).fill(7), new Uint8Array(32).fill(9));

it('a key is recognised again, and its hash is that of the whole key', () => {
  expect(parseRelayKey(made.key)).toEqual(made);
  expect(made.relayKeyId).toBe('0707070707070707');
});

it.each(['', 'kobi_', made.key.slice(0, -1), `${made.key}x`, made.key.toUpperCase(), 'EAAsomething', ' ' + made.key])(
  'what is not a key is not taken for one: “%s”',
  (text) => {
    expect(parseRelayKey(text)).toBeUndefined();
  },
);

it('only the same digest compares as the same, whatever its form', () => {
  const other = makeRelayKey(new Uint8Array(8).fill(7), new Uint8Array(32).fill(8));
  expect(sameSha256(made.sha256, made.sha256)).toBe(true);
  expect(sameSha256(made.sha256, other.sha256)).toBe(false);
  expect(sameSha256('', '')).toBe(false);
  expect(sameSha256(made.sha256.slice(2), made.sha256.slice(2))).toBe(false);
});
