import { problem, type Normalised } from './finding.ts';
import { isAscii, lowerCase } from './letters.ts';

const NOT_AN_EMAIL = problem('not_an_email', 'expected an e-mail address');

/** RFC 5321 limits: 64 octets before the @, 254 in all. */
const MAX_LOCAL_CHARS = 64;
const MAX_ADDRESS_CHARS = 254;

const LOCAL_ASCII = /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]+$/;
const LOCAL_UTF8 = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~.-]+$/u;
const LABEL_ASCII = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const LABEL_UTF8 = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?$/u;
const TOP_LEVEL = /^(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59}|[\p{L}\p{M}]{2,63})$/u;

/**
 * `em`: trimmed, lower case, and it must look like an address. Letters outside ASCII are allowed on both sides of the @
 * (RFC 6531), so one `é` never costs the event, as it does in Meta's Node SDK (issue 302).
 */
export function normaliseEmail(text: string): Normalised {
  const address = lowerCase(text.startsWith('mailto:') ? text.slice(7) : text);
  const at = address.lastIndexOf('@');
  if (at < 1 || at > MAX_LOCAL_CHARS || address.length > MAX_ADDRESS_CHARS) return NOT_AN_EMAIL;
  const local = address.slice(0, at);
  const domain = address.slice(at + 1);
  const ascii = isAscii(address);
  if (!(ascii ? LOCAL_ASCII : LOCAL_UTF8).test(local)) return NOT_AN_EMAIL;
  const labels = domain.split('.');
  const label = ascii ? LABEL_ASCII : LABEL_UTF8;
  if (labels.length < 2 || !labels.every((part) => label.test(part))) return NOT_AN_EMAIL;
  return TOP_LEVEL.test(labels.at(-1) ?? '') ? address : NOT_AN_EMAIL;
}
