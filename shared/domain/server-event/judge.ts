import { canonicalJson } from '../canonical.ts';
import { currentFbc } from '../click-ids/fbc.ts';
import { preferredAddress } from '../client-address.ts';
import { printableKey, problem, type Warning } from '../identifiers/finding.ts';
import { hashUserData, type HashedUserData, type IdentifierContext } from '../identifiers/hash-user-data.ts';
import { sha256 } from '../identifiers/sha256.ts';
import { readCustomData } from './custom-data.ts';
import { readDataProcessing } from './data-processing.ts';
import { readEventTime } from './event-time.ts';
import { refusalOfMatchKeys } from './match-keys.ts';
import { hasEmail, plainIdentity, type PlainIdentity } from './personal-data.ts';
import { plainCopy } from './plain-copy.ts';
import {
  ACTION_SOURCES,
  described,
  isObject,
  quotedWord,
  type ActionSource,
  type HashedServerEvent,
  type Refusal,
  type Verdict,
} from './server-event.ts';
import { cleanUrl } from './source-url.ts';

/** What the judge knows besides the event. It has no clock of its own. */
export type JudgeContext = {
  readonly nowSeconds: number;
  /** The tenant's: how phone numbers, dates and words of its customers are read. */
  readonly country?: IdentifierContext['country'];
  readonly dateOrder?: IdentifierContext['dateOrder'];
  readonly languages?: IdentifierContext['languages'];
  /** Keys beyond Meta's list that this tenant may send in `user_data`, unhashed. */
  readonly extraUserDataKeys?: ReadonlySet<string> | undefined;
  /** Of the HTTP request, only where the sender is the person's own browser. */
  readonly request?:
    { readonly clientIpAddress?: string | undefined; readonly clientUserAgent?: string | undefined } | undefined;
  /** Keeps the ids made for events without one apart between datasets: the dataset's id. */
  readonly eventIdSeed: string;
};

const MAX_EVENT_NAME_CHARS = 100;
const MAX_EVENT_ID_CHARS = 256;
const MAX_UNKNOWN_KEYS = 20;
/** Printable: what is in these reaches logs and lists of a console. */
const PRINTABLE = /^[^\p{Cc}\p{Cs}]+$/u;
const CHANNEL = /^[A-Za-z_]{1,64}$/;

/** Event parameters of Meta ("Server Event Parameters"; the last two only in Meta's SDKs). */
const EVENT_KEYS: ReadonlySet<string> = new Set(
  (
    'event_name event_time action_source user_data event_source_url event_id custom_data opt_out ' +
    'data_processing_options data_processing_options_country data_processing_options_state referrer_url app_data ' +
    'messaging_channel original_event_data attribution_data advertiser_tracking_enabled advanced_measurement_table'
  ).split(' '),
);
const COPIED_OBJECTS = ['app_data', 'original_event_data', 'attribution_data'] as const;

const UNKNOWN_KEY = problem('unknown_key', 'no server event parameter of Meta; not sent');
const REMOVED_FROM_URL = problem('personal_data', 'personal parts of the URL were removed');
const NOT_A_URL = problem('not_a_url', 'expected an http or https URL; not sent');
const NOT_AN_OBJECT = problem('not_an_object', 'expected an object; not sent');
const NOT_A_CHANNEL = problem('not_a_channel', "expected a word of Meta's, e.g. whatsapp; not sent");
/** Stands where an event's own id will be, made of everything else. */
const NOT_YET = '';
const NOT_A_BOOLEAN = problem('not_a_boolean', 'expected true or false; not sent');

/**
 * Decides whether one event can go to Meta and makes it ready: identifiers hashed, personal data taken out of every
 * other place, `fbc` from the click, address and browser from the request, an id where there was none. A bad key is
 * dropped with a warning; a bad event is refused with every reason at once, since one bad event makes Meta reject the
 * other 999 of its request ("Using the API"). Never throws on any JSON value; the event given is not changed.
 */
export function judgeServerEvent(event: unknown, context: JudgeContext): Verdict {
  if (!isObject(event)) {
    const reason: Refusal = { field: 'event', code: 'not_an_object', got: described(event), expected: 'an object' };
    return { verdict: 'refused', reasons: [reason], warnings: [] };
  }
  const reasons: Refusal[] = [];
  const warnings: Warning[] = [];
  warnOfUnknownKeys(event, warnings);

  const rawUserData = userDataOf(event, context, reasons);
  const identity = plainIdentity(rawUserData);
  const name = readName(event['event_name'], reasons);
  const eventId = readEventId(event['event_id'], reasons);
  const actionSource = readActionSource(event['action_source'], reasons);
  const time = readEventTime(event['event_time'], actionSource ?? 'website', context.nowSeconds);
  if (typeof time === 'object') reasons.push(time);

  const rawPageUrl = urlText(event['event_source_url']);
  const rawReferrer = urlText(event['referrer_url']);
  const pageUrl = readUrl('event_source_url', event['event_source_url'], identity, warnings);
  const referrerUrl = readUrl('referrer_url', event['referrer_url'], identity, warnings);

  const userData = readUserData(rawUserData, context, warnings);
  if (typeof time === 'number') {
    const known = typeof userData['fbc'] === 'string' ? userData['fbc'] : undefined;
    const fbc = currentFbc(known, rawPageUrl, rawReferrer, time * 1_000);
    if (fbc !== undefined && !hasEmail(fbc)) userData['fbc'] = fbc;
  }
  if (actionSource === 'website') requireWebsiteFields(event, pageUrl, userData, reasons);
  const matchKeys = refusalOfMatchKeys(userData, context.extraUserDataKeys);
  if (matchKeys !== undefined) reasons.push(matchKeys);

  const customData = readCustomData(event['custom_data'], name, identity, warnings, reasons);
  const dataProcessing = readDataProcessing(event);
  if ('code' in dataProcessing) reasons.push(dataProcessing);
  const optOut = readBoolean(event['opt_out']);
  if (optOut === 'unreadable') {
    const got = described(event['opt_out']);
    reasons.push({ field: 'opt_out', code: 'not_a_boolean', got, expected: 'true or false' });
  }

  const usable = name !== undefined && actionSource !== undefined && typeof time === 'number';
  if (reasons.length > 0 || !usable || 'code' in dataProcessing || optOut === 'unreadable') {
    return { verdict: 'refused', reasons, warnings, ...(eventId === undefined ? {} : { eventId }) };
  }
  // Written field by field: spreading half a dozen small objects together cost more than hashing an address.
  const judged: HashedServerEvent = {
    event_name: name,
    event_time: time,
    action_source: actionSource,
    user_data: userData,
    event_id: eventId ?? NOT_YET,
  };
  if (pageUrl !== undefined) judged.event_source_url = pageUrl;
  if (referrerUrl !== undefined) judged.referrer_url = referrerUrl;
  if (customData !== undefined) judged.custom_data = customData;
  if (optOut !== undefined) judged.opt_out = optOut;
  Object.assign(judged, dataProcessing);
  readRest(event, judged, identity, warnings);
  if (eventId === undefined) judged.event_id = derivedId(judged, context.eventIdSeed);
  return { verdict: 'accepted', event: judged, warnings };
}

/** The same event gives the same id however often, and through whatever door, it is sent again. */
function derivedId({ event_id: _notYet, ...content }: HashedServerEvent, seed: string): string {
  return `kobi.${sha256(`${seed}\n${canonicalJson(content)}`).slice(0, 32)}`;
}

function warnOfUnknownKeys(event: Readonly<Record<string, unknown>>, warnings: Warning[]): void {
  let unknown = 0;
  for (const key of Object.keys(event)) {
    if (EVENT_KEYS.has(key)) continue;
    if (++unknown > MAX_UNKNOWN_KEYS) return;
    warnings.push({ key: printableKey(key), ...UNKNOWN_KEY });
  }
}

/** A browser may send no `user_data` at all: its request then says who it is. */
function userDataOf(
  event: Readonly<Record<string, unknown>>,
  context: JudgeContext,
  reasons: Refusal[],
): Readonly<Record<string, unknown>> {
  const given = event['user_data'];
  if (isObject(given)) return given;
  if (given !== undefined || context.request === undefined) {
    reasons.push({ field: 'user_data', code: 'not_an_object', got: described(given), expected: 'an object' });
  }
  return {};
}

function readUserData(
  raw: Readonly<Record<string, unknown>>,
  { country, dateOrder, languages, extraUserDataKeys, request }: JudgeContext,
  warnings: Warning[],
): HashedUserData {
  const hashed = hashUserData(raw, { country, dateOrder, languages, extraKeys: extraUserDataKeys });
  warnings.push(...hashed.warnings);
  const { userData } = hashed;
  if (request === undefined) return userData;
  const fromRequest = hashUserData(
    { client_ip_address: request.clientIpAddress, client_user_agent: request.clientUserAgent },
    {},
  ).userData;
  const address = preferredAddress(textOf(userData['client_ip_address']), textOf(fromRequest['client_ip_address']));
  if (address !== undefined) userData['client_ip_address'] = address;
  const userAgent = userData['client_user_agent'] ?? fromRequest['client_user_agent'];
  if (userAgent !== undefined) userData['client_user_agent'] = userAgent;
  return userData;
}

function textOf(value: HashedUserData[string] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function readName(value: unknown, reasons: Refusal[]): string | undefined {
  const name = typeof value === 'string' ? value.trim() : '';
  if (name !== '' && name.length <= MAX_EVENT_NAME_CHARS && PRINTABLE.test(name) && !hasEmail(name)) return name;
  const expected = `a standard or custom event name of at most ${MAX_EVENT_NAME_CHARS} characters`;
  reasons.push({ field: 'event_name', code: 'not_a_name', got: described(value), expected });
  return undefined;
}

function readEventId(value: unknown, reasons: Refusal[]): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const id = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof id === 'string' && id.length <= MAX_EVENT_ID_CHARS && PRINTABLE.test(id) && !hasEmail(id)) return id;
  const expected = `a text of at most ${MAX_EVENT_ID_CHARS} characters without personal data, the same as the pixel's eventID`;
  reasons.push({ field: 'event_id', code: 'not_an_id', got: described(value), expected });
  return undefined;
}

function readActionSource(value: unknown, reasons: Refusal[]): ActionSource | undefined {
  const known = ACTION_SOURCES.find((source) => source === value);
  if (known === undefined) {
    const expected = `one of ${ACTION_SOURCES.join(', ')}`;
    reasons.push({ field: 'action_source', code: 'unknown_action_source', got: quotedWord(value), expected });
  }
  return known;
}

function requireWebsiteFields(
  event: Readonly<Record<string, unknown>>,
  pageUrl: string | undefined,
  userData: HashedUserData,
  reasons: Refusal[],
): void {
  if (pageUrl === undefined) {
    const got = described(event['event_source_url']);
    const expected = 'the http or https URL of the page, for action_source website';
    reasons.push({ field: 'event_source_url', code: 'required_for_website', got, expected });
  }
  if (userData['client_user_agent'] === undefined) {
    const expected = "the browser's user agent, for action_source website";
    reasons.push({ field: 'user_data.client_user_agent', code: 'required_for_website', got: 'none usable', expected });
  }
}

function urlText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function readUrl(field: string, value: unknown, identity: PlainIdentity, warnings: Warning[]): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const clean = typeof value === 'string' ? cleanUrl(value, identity) : undefined;
  if (clean === undefined) warnings.push({ key: field, ...NOT_A_URL });
  else if (clean.removed > 0) warnings.push({ key: field, ...REMOVED_FROM_URL });
  return clean?.url;
}

function readBoolean(value: unknown): boolean | undefined | 'unreadable' {
  if (value === undefined || value === null || value === '') return undefined;
  if (value === true || value === 1 || value === '1' || value === 'true') return true;
  if (value === false || value === 0 || value === '0' || value === 'false') return false;
  return 'unreadable';
}

/** Adds to `judged` what few events have. */
function readRest(
  event: Readonly<Record<string, unknown>>,
  judged: HashedServerEvent,
  identity: PlainIdentity,
  warnings: Warning[],
): void {
  const tracking = readBoolean(event['advertiser_tracking_enabled']);
  if (tracking === 'unreadable') warnings.push({ key: 'advertiser_tracking_enabled', ...NOT_A_BOOLEAN });
  else if (tracking !== undefined) judged.advertiser_tracking_enabled = tracking;
  for (const key of ['messaging_channel', 'advanced_measurement_table'] as const) {
    const value = event[key];
    if (value === undefined || value === null || value === '') continue;
    if (typeof value === 'string' && CHANNEL.test(value)) judged[key] = value;
    else warnings.push({ key, ...NOT_A_CHANNEL });
  }
  for (const key of COPIED_OBJECTS) {
    const value = event[key];
    if (value === undefined || value === null) continue;
    if (isObject(value)) judged[key] = plainCopy(key, value, identity, warnings);
    else warnings.push({ key, ...NOT_AN_OBJECT });
  }
}
