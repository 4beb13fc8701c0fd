import { isIP } from 'node:net';
import { type EventFault, invalidEvent, isObject } from './event-fault.ts';
import type { Switches } from './switches.ts';

/** Keys whose values Meta takes only as SHA-256 in lowercase hex, alone or as a list. */
const hashedKeys = new Set(['em', 'ph', 'fn', 'ln', 'db', 'ge', 'ct', 'st', 'zp', 'country']);

/** Keys that must arrive as they are. */
const plainKeys = new Set([
  'client_ip_address',
  'client_user_agent',
  'fbc',
  'fbp',
  'subscription_id',
  'fb_login_id',
  'lead_id',
  'anon_id',
  'madid',
  'page_id',
  'page_scoped_user_id',
  'ctwa_clid',
  'ig_account_id',
  'ig_sid',
  'whatsapp_business_account_id',
]);

/** Any subset of one of these alone is too little to match a person by. */
const insufficientSets = [
  new Set(['ct', 'country', 'st', 'zp', 'ge', 'client_user_agent']),
  new Set(['db', 'client_user_agent']),
  new Set(['fn', 'ge']),
  new Set(['ln', 'ge']),
];

const sha256Hex = /^[0-9a-f]{64}$/;
const looksHashed = /^[0-9a-f]{64}$/i;
/** `fb.{subdomain index}.{ms}.{fbclid}`; a fbclid may hold dots. */
const fbcFormat = /^fb\.\d\.\d{13}\.\S+$/;
/** `fb.{subdomain index}.{ms}.{random}`, with the Parameter Builder's appendix if there is one. */
const fbpFormat = /^fb\.\d\.\d{13}\.\d{1,20}(\.[\w-]{2,8})?$/;

const insufficient = (): EventFault =>
  invalidEvent(
    "You haven't added sufficient customer information parameter data for this event.",
    'Insufficient Customer Information',
    2804050,
  );

/** The first rule `user_data` breaks ("Customer information parameters"), or nothing. */
export function checkUserData(userData: unknown, switches: Switches): EventFault | undefined {
  if (!isObject(userData)) return insufficient();
  const present: string[] = [];
  for (const [key, value] of Object.entries(userData)) {
    const fault = checkKey(key, value, switches);
    if (fault !== undefined) return fault;
    if (!isEmpty(value)) present.push(key);
  }
  const isTooLittle = present.length === 0 || insufficientSets.some((weak) => present.every((key) => weak.has(key)));
  return isTooLittle ? insufficient() : undefined;
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || isEmptyList(value);
const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function checkKey(key: string, value: unknown, switches: Switches): EventFault | undefined {
  if (hashedKeys.has(key)) {
    const values: unknown[] = Array.isArray(value) ? value : [value];
    const isHashed = values.every((one) => typeof one === 'string' && sha256Hex.test(one));
    return isHashed ? undefined : invalidEvent(`user_data.${key} must be SHA-256 in lowercase hex.`, 'Unhashed Data');
  }
  if (key === 'external_id') {
    const values: unknown[] = Array.isArray(value) ? value : [value];
    const isGood = values.every((one) => typeof one === 'string' && one !== '');
    return isGood ? undefined : invalidEvent('user_data.external_id must be a string or a list of strings.');
  }
  if (!plainKeys.has(key)) {
    return switches.strict_event_keys ? invalidEvent(`Unknown key user_data.${key}.`) : undefined;
  }
  return checkPlain(key, value, switches);
}

function checkPlain(key: string, value: unknown, switches: Switches): EventFault | undefined {
  if (typeof value !== 'string' && !(typeof value === 'number' && Number.isSafeInteger(value))) {
    return invalidEvent(`user_data.${key} must be a string.`);
  }
  const text = String(value);
  if (looksHashed.test(text)) return invalidEvent(`user_data.${key} must not be hashed.`, 'Hashed Data');
  switch (key) {
    case 'client_ip_address':
      return isIP(text) === 0
        ? invalidEvent('user_data.client_ip_address must be an IPv4 or IPv6 address.')
        : undefined;
    case 'lead_id':
      return /^\d{15,16}$/.test(text)
        ? undefined
        : invalidEvent('user_data.lead_id must be the 15 or 16 digits of a lead.', 'Invalid Lead ID', 2804036);
    case 'fb_login_id':
      return /^\d+$/.test(text) ? undefined : invalidEvent('user_data.fb_login_id must be digits.');
    case 'fbc':
      return switches.click_id_format_enforced && !fbcFormat.test(text)
        ? invalidEvent('user_data.fbc must read fb.1.<milliseconds>.<fbclid>.')
        : undefined;
    case 'fbp':
      return switches.click_id_format_enforced && !fbpFormat.test(text)
        ? invalidEvent('user_data.fbp must read fb.1.<milliseconds>.<random number>.')
        : undefined;
    default:
      return undefined;
  }
}
