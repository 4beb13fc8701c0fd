import { describe, expect, test } from 'vitest';
import { unsignedOidcToken } from './google/pubsub/http-delivery.ts';
import { admit, operatorEmail, operatorToken, serviceAccountEmail } from './gateway.ts';
import type { Admission } from './gateway.ts';

const loopback = '127.0.0.1';
const elsewhere = '203.0.113.9';
const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });
const serviceToken = unsignedOidcToken({ email: serviceAccountEmail, audience: 'x', nowMs: 0 });
const otherToken = unsignedOidcToken({ email: 'someone@example.com', audience: 'x', nowMs: 0 });
const headersOf = (admission: Admission): Readonly<Record<string, string>> =>
  admission.admitted ? admission.headers : {};

describe('functions behind IAM', () => {
  test('the operator arrives as an ID token with the operator’s e-mail, never as the development token', () => {
    const { authorization = '' } = headersOf(admit('iam', { headers: bearer(operatorToken), remoteAddress: loopback }));
    const claims: unknown = JSON.parse(Buffer.from(authorization.split('.')[1]!, 'base64url').toString());
    expect(claims).toMatchObject({ email: operatorEmail });
    expect(authorization).not.toContain(operatorToken);
  });

  test('a browser shows the development token as the password', () => {
    const basic = (pair: string): { authorization: string } => ({
      authorization: `Basic ${Buffer.from(pair).toString('base64')}`,
    });
    expect(admit('iam', { headers: basic(`dev:${operatorToken}`), remoteAddress: loopback }).admitted).toBe(true);
    expect(admit('iam', { headers: basic('dev:wrong'), remoteAddress: loopback })).toMatchObject({ status: 403 });
  });

  test.each([
    ['nobody', {}, 401],
    ['a stranger', bearer('stranger'), 403],
    ['somebody with an ID token of their own making', bearer(otherToken), 403],
    ['an embedded service', bearer(serviceToken), 403],
  ])('%s is refused and told which token to use', (_who, headers, status) => {
    const admission = admit('iam', { headers, remoteAddress: loopback });
    expect(admission).toMatchObject({ admitted: false, status });
    expect(admission.admitted ? '' : admission.message).toContain(operatorToken);
  });
});

describe('functions of Pub/Sub and Cloud Scheduler', () => {
  test.each([
    ['the embedded services', bearer(serviceToken), loopback, true],
    ['the operator', bearer(operatorToken), elsewhere, true],
    ['a person on this machine', {}, loopback, true],
    ['a person on this machine over IPv6', {}, '::1', true],
    ['a person elsewhere', {}, elsewhere, false],
    ['another account', bearer(otherToken), loopback, false],
    ['a wrong token', bearer('wrong'), loopback, false],
  ])('%s: admitted is %4$s', (_who, headers, remoteAddress, admitted) => {
    expect(admit('pubsub', { headers, remoteAddress }).admitted).toBe(admitted);
    expect(admit('scheduler', { headers, remoteAddress }).admitted).toBe(admitted);
  });
});

describe('the forwarded address', () => {
  const forwarded = (given: string | undefined, remoteAddress: string): string | undefined =>
    headersOf(admit('public', { headers: given === undefined ? {} : { 'x-forwarded-for': given }, remoteAddress }))[
      'x-forwarded-for'
    ];

  test('a caller elsewhere cannot choose the last entry', () => {
    expect(forwarded('8.8.8.8', elsewhere)).toBe(`8.8.8.8,${elsewhere}`);
    expect(forwarded(undefined, elsewhere)).toBe(elsewhere);
  });

  test('a caller on this machine may speak for a visitor', () => {
    expect(forwarded('8.8.8.8', loopback)).toBe('8.8.8.8');
  });
});
