import { createHmac, timingSafeEqual } from 'node:crypto';

/** HMAC-SHA256 in base64url, 43 characters. Each purpose is signed apart, so that one can never stand for another. */
export function signText(key: string, purpose: string, text: string): string {
  return createHmac('sha256', key).update(`kobi:${purpose}:v1\n${text}`).digest('base64url');
}

/** Whether `signature` is that of the text; takes as long for any wrong one. */
export function isSignatureOf(signature: string, key: string, purpose: string, text: string): boolean {
  const given = Buffer.from(signature);
  const expected = Buffer.from(signText(key, purpose, text));
  return given.length === expected.length && timingSafeEqual(given, expected);
}
