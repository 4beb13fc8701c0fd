import { problem, type Normalised } from './finding.ts';
import { isAscii, lowerCase } from './letters.ts';

const NOT_AN_EMAIL = problem('not_an_email', 'expected an e-mail address');

/** RFC 5321: 254 in all, 64 of them before the @; RFC 1035: 63 in a label. */
const MAX_ADDRESS_CHARS = 254;
const MAX_LOCAL_CHARS = 64;
const MAX_LABEL_CHARS = 63;
const LONG_LABEL = /[^.@]{64}/;

/** No part of these can begin inside another one, so they backtrack within one label at most; lengths are checked apart. */
const ASCII_ADDRESS =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:[a-z]{2,}|xn--[a-z0-9-]+)$/;
const UTF8_ADDRESS =
  /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~.-]+@(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?\.)+(?:[\p{L}\p{M}]{2,}|xn--[a-z0-9-]+)$/u;

/**
 * `em`: trimmed, lower case, and it must look like an address. Letters outside ASCII are allowed on both sides of the @
 * (RFC 6531), so one `é` never costs the event, as it does in Meta's Node SDK (issue 302).
 */
export function normaliseEmail(text: string): Normalised {
  const written = text.startsWith('mailto:') ? text.slice(7) : text;
  if (written.length > MAX_ADDRESS_CHARS) return NOT_AN_EMAIL;
  const inAscii = written.toLowerCase();
  if (ASCII_ADDRESS.test(inAscii)) return fits(inAscii) ? inAscii : NOT_AN_EMAIL;
  if (isAscii(inAscii)) return NOT_AN_EMAIL;
  const address = lowerCase(written);
  return UTF8_ADDRESS.test(address) && fits(address) ? address : NOT_AN_EMAIL;
}

function fits(address: string): boolean {
  if (address.indexOf('@') > MAX_LOCAL_CHARS) return false;
  return address.length <= MAX_LABEL_CHARS || !LONG_LABEL.test(address.slice(address.indexOf('@')));
}
