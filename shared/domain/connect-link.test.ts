import { expect, it } from 'vitest';
import {
  connectLinkLifeMs,
  signConnectLink,
  signPageChoice,
  verifyConnectLink,
  verifyPageChoice,
} from './connect-link.ts';

const key = 'k'.repeat(32);
const now = new Date('2026-11-23T10:00:00.000Z');
const link = signConnectLink(key, 'acme', now);
const choice = {
  nonce: 'n',
  tenantId: 'acme',
  metaUserId: '1',
  userTokenVersion: '1',
  pages: [{ id: '2', name: 'Çiçek “Evi”' }],
};

it('a link opens its own tenant, until seven days are over', () => {
  const lastMoment = new Date(now.getTime() + connectLinkLifeMs - 1);
  expect(verifyConnectLink(key, 'acme', link, now)).toBe('valid');
  expect(verifyConnectLink(key, 'acme', link, lastMoment)).toBe('valid');
  expect(verifyConnectLink(key, 'acme', link, new Date(lastMoment.getTime() + 1))).toBe('expired');
});

it('a link opens no other tenant, cannot be prolonged, and needs the key', () => {
  const [expiry = '', signature = ''] = link.split('.');
  expect(verifyConnectLink(key, 'acme2', link, now)).toBe('invalid');
  expect(verifyConnectLink(key, 'acme', `${Number(expiry) + 1}.${signature}`, now)).toBe('invalid');
  expect(verifyConnectLink('x'.repeat(32), 'acme', link, now)).toBe('invalid');
});

it.each(['', '.', 'abc', '1.', `.${'a'.repeat(43)}`, `1e3.${'a'.repeat(43)}`])(
  'what is no link is refused: %j',
  (text) => {
    expect(verifyConnectLink(key, 'acme', text, now)).toBe('invalid');
  },
);

it('a choice comes back as it was signed, and only so', () => {
  const signed = signPageChoice(key, choice);
  const [payload = '', signature = ''] = signed.split('.');
  const forged = Buffer.from(JSON.stringify({ ...choice, tenantId: 'other' })).toString('base64url');
  expect(verifyPageChoice(key, signed)).toEqual(choice);
  expect(verifyPageChoice(key, `${forged}.${signature}`)).toBeUndefined();
  expect(verifyPageChoice('x'.repeat(32), signed)).toBeUndefined();
  expect(verifyPageChoice(key, payload)).toBeUndefined();
});
