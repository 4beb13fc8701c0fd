import { problem, type Normalised } from './finding.ts';
import { isAscii, lowerCase } from './letters.ts';

const NOT_AN_EMAIL = problem('not_an_email', 'expected an e-mail address');

/** RFC 5321: 254 in all, 64 of them before the @. The patterns below are bounded by label, so none backtracks far. */
const MAX_ADDRESS_CHARS = 254;

const ASCII_ADDRESS =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})$/;
const UTF8_ADDRESS =
  /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?\.)+(?:[\p{L}\p{M}]{2,63}|xn--[a-z0-9-]{2,59})$/u;

/**
 * `em`: trimmed, lower case, and it must look like an address. Letters outside ASCII are allowed on both sides of the @
 * (RFC 6531), so one `é` never costs the event, as it does in Meta's Node SDK (issue 302).
 */
export function normaliseEmail(text: string): Normalised {
  const address = lowerCase(text.startsWith('mailto:') ? text.slice(7) : text);
  if (address.length > MAX_ADDRESS_CHARS) return NOT_AN_EMAIL;
  return ASCII_ADDRESS.test(address) || (!isAscii(address) && UTF8_ADDRESS.test(address)) ? address : NOT_AN_EMAIL;
}
