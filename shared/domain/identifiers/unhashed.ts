import { publicAddress } from '../client-address.ts';
import { validFbc, validFbp } from '../click-ids/shapes.ts';
import { problem, type Problem } from './finding.ts';

const MALFORMED = problem('malformed', 'not in the form Meta gives this id');
const NOT_PUBLIC = problem('not_a_public_address', 'expected a public IPv4 or IPv6 address');
const HASHED = problem('must_not_be_hashed', 'Meta wants this key as it is; a hash of it matches nothing');
const PERSONAL = problem('personal_data', 'holds an e-mail address, which may only go hashed, in em');
const TOO_LONG = problem('too_long', 'longer than any value Meta gives');
const NOT_TEXT = problem('not_text', 'expected text or a whole number');

const HEX_64 = /^[0-9a-f]{64}$/i;
const DIGITS = /^\d{1,25}$/;
const LEAD_ID = /^\d{15,16}$/;
const OPAQUE = /^[\x21-\x7e]{1,512}$/;
const ADVERTISING_ID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
/** What iOS and Android give when tracking is limited: everybody's id, so nobody's. */
const NO_ADVERTISING_ID = /^[0-]+$/;
const EMAIL_INSIDE = /[^\s@]@[^\s@]/;
const MAX_USER_AGENT_CHARS = 2_048;

/** A key that goes to Meta as it is: gives the value to send, or why it cannot be sent. */
export type UnhashedRule = (value: unknown) => string | number | Problem;

/** Keys Meta wants unhashed (Customer Information Parameters; `whatsapp_business_account_id` from Business Messaging). */
export const UNHASHED_RULES: Readonly<Record<string, UnhashedRule>> = {
  client_ip_address: (value) =>
    typeof value === 'string' ? (publicAddress(value) ?? hashedOr(value, NOT_PUBLIC)) : NOT_TEXT,
  client_user_agent: userAgent,
  fbc: (value) => (typeof value === 'string' ? (validFbc(value) ?? hashedOr(value, MALFORMED)) : NOT_TEXT),
  fbp: (value) => (typeof value === 'string' ? (validFbp(value) ?? hashedOr(value, MALFORMED)) : NOT_TEXT),
  subscription_id: opaque,
  fb_login_id: wholeNumber,
  lead_id: leadId,
  anon_id: opaque,
  madid: advertisingId,
  page_id: digits,
  page_scoped_user_id: digits,
  ctwa_clid: opaque,
  ig_account_id: digits,
  ig_sid: digits,
  whatsapp_business_account_id: digits,
};

/** For keys a tenant's configuration adds, which we pass on without knowing their form. */
export function opaque(value: unknown): string | Problem {
  const text = asText(value);
  if (typeof text !== 'string') return text;
  if (text.length > 512) return TOO_LONG;
  if (text.includes('@') && EMAIL_INSIDE.test(text)) return PERSONAL;
  return OPAQUE.test(text) ? text : MALFORMED;
}

function digits(value: unknown): string | Problem {
  const text = asText(value);
  if (typeof text !== 'string') return text;
  return DIGITS.test(text) ? text : hashedOr(text, MALFORMED);
}

/** Meta types these as integers; those above 2^53 stay text, because a JSON number would round them. */
function wholeNumber(value: unknown): string | number | Problem {
  const text = digits(value);
  if (typeof text !== 'string') return text;
  const number = Number(text);
  return Number.isSafeInteger(number) && String(number) === text ? number : text;
}

/** Meta's lead ids have 15 or 16 digits ("Conversions API for CRM"); another id of the CRM's own must not pass for one. */
function leadId(value: unknown): string | number | Problem {
  const text = asText(value);
  if (typeof text !== 'string') return text;
  return LEAD_ID.test(text) ? wholeNumber(text) : hashedOr(text, MALFORMED);
}

function advertisingId(value: unknown): string | Problem {
  const text = asText(value);
  if (typeof text !== 'string') return text;
  return ADVERTISING_ID.test(text) && !NO_ADVERTISING_ID.test(text) ? text : hashedOr(text, MALFORMED);
}

function userAgent(value: unknown): string | Problem {
  if (typeof value !== 'string') return NOT_TEXT;
  const text = value.trim();
  if (text.length > MAX_USER_AGENT_CHARS) return TOO_LONG;
  if (text.includes('@') && EMAIL_INSIDE.test(text)) return PERSONAL;
  return text === '' || HEX_64.test(text) ? hashedOr(text, MALFORMED) : text;
}

function hashedOr(text: string, otherwise: Problem): Problem {
  return HEX_64.test(text.trim()) ? HASHED : otherwise;
}

function asText(value: unknown): string | Problem {
  if (typeof value === 'string') return value.trim();
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : NOT_TEXT;
}
