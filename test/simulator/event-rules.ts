import { checkCustomData } from './event-custom-data.ts';
import { type EventFault, invalidEvent, isObject, isText, type Json } from './event-fault.ts';
import { checkUserData } from './event-user-data.ts';
import { isHttpUrl } from './parameters.ts';
import type { Switches } from './switches.ts';
import { secondsPerDay } from './tokens.ts';

const actionSources = new Set([
  'email',
  'website',
  'app',
  'phone_call',
  'chat',
  'physical_store',
  'system_generated',
  'business_messaging',
  'other',
]);

const eventKeys = new Set([
  'event_name',
  'event_time',
  'event_id',
  'action_source',
  'event_source_url',
  'user_data',
  'custom_data',
  'opt_out',
  'data_processing_options',
  'data_processing_options_country',
  'data_processing_options_state',
  'referrer_url',
  'app_data',
  'messaging_channel',
  'original_event_data',
  'attribution_data',
  'advertiser_tracking_enabled',
]);

const windowDays = 7;
const physicalStoreWindowDays = 62;

/** The first rule an event breaks (Conversions API, "Server event parameters"), or nothing. */
export function checkEvent(event: Json, nowMs: number, switches: Switches): EventFault | undefined {
  return (
    checkKeys(event, switches) ??
    checkBasics(event) ??
    checkTime(event, nowMs, switches) ??
    checkUserData(event['user_data'], switches) ??
    checkSource(event, switches) ??
    checkCustomData(event) ??
    checkDataProcessing(event) ??
    checkOptionals(event)
  );
}

function checkKeys(event: Json, switches: Switches): EventFault | undefined {
  if (!switches.strict_event_keys) return undefined;
  const unknown = Object.keys(event).find((key) => !eventKeys.has(key));
  return unknown === undefined ? undefined : invalidEvent(`Unknown key ${unknown}.`);
}

function checkBasics(event: Json): EventFault | undefined {
  if (!isText(event['event_name'])) return invalidEvent('event_name is required.', 'Missing Event Name');
  const source = event['action_source'];
  if (typeof source !== 'string' || !actionSources.has(source)) {
    return invalidEvent(`action_source must be one of ${[...actionSources].join(', ')}.`, 'Invalid Action Source');
  }
  const eventId = event['event_id'];
  if (eventId !== undefined && !isText(eventId)) return invalidEvent('event_id must be a string.');
  return undefined;
}

function checkTime(event: Json, nowMs: number, switches: Switches): EventFault | undefined {
  const time = event['event_time'];
  if (typeof time !== 'number' || !Number.isSafeInteger(time) || time <= 0) {
    return invalidEvent('event_time must be a Unix time in seconds.', 'Missing Event Time');
  }
  const nowS = nowMs / 1000;
  const days = event['action_source'] === 'physical_store' ? physicalStoreWindowDays : windowDays;
  if (time < nowS - days * secondsPerDay) {
    return invalidEvent(
      `The timestamp for this event is too far in the past: at most ${String(days)} days are allowed.`,
      'Event Timestamp Too Old',
      2804003,
    );
  }
  if (time > nowS + switches.future_tolerance_s) {
    return invalidEvent('The timestamp for this event is in the future.', 'Event Timestamp In The Future');
  }
  return undefined;
}

function checkSource(event: Json, switches: Switches): EventFault | undefined {
  const url = event['event_source_url'];
  const userData = event['user_data'] as Json;
  if (url !== undefined && (typeof url !== 'string' || !isHttpUrl(url))) {
    return invalidEvent('event_source_url must be a valid URL.');
  }
  if (event['action_source'] === 'website') {
    if (url === undefined) return invalidEvent('event_source_url is required for website events.');
    if (switches.website_requires_user_agent && !isText(userData['client_user_agent'])) {
      return invalidEvent('client_user_agent is required for website events.');
    }
  }
  if (event['action_source'] !== 'business_messaging') return undefined;
  const channel = event['messaging_channel'];
  if (!['messenger', 'whatsapp', 'instagram'].includes(String(channel))) {
    return invalidEvent('messaging_channel must be messenger, whatsapp or instagram for business messaging.');
  }
  const hasSender = isText(userData['page_id']) || isText(userData['whatsapp_business_account_id']);
  if (event['event_name'] === 'LeadSubmitted' && channel === 'whatsapp' && !hasSender) {
    return invalidEvent('page_id or whatsapp_business_account_id is required.', 'Missing Sender', 2804116);
  }
  return undefined;
}

/** Limited Data Use: `[]` or `["LDU"]`, the latter with a country of 0 or 1 and a state of 0 or 1000. */
function checkDataProcessing(event: Json): EventFault | undefined {
  const options = event['data_processing_options'];
  const country = event['data_processing_options_country'];
  const state = event['data_processing_options_state'];
  if (options === undefined) {
    const isStray = country !== undefined || state !== undefined;
    return isStray ? invalidEvent('data_processing_options is required with its country or state.') : undefined;
  }
  if (!Array.isArray(options) || options.length > 1 || (options.length === 1 && options[0] !== 'LDU')) {
    return invalidEvent('data_processing_options must be [] or ["LDU"].');
  }
  if (options.length === 0) return undefined;
  if (country !== 0 && country !== 1) return invalidEvent('data_processing_options_country must be 0 or 1.');
  if (state !== undefined && state !== 0 && state !== 1000) {
    return invalidEvent('data_processing_options_state must be 0 or 1000.');
  }
  if (state === undefined || (country === 0) !== (state === 0)) {
    return invalidEvent('data_processing_options_country and _state must both be 0, or name a place.');
  }
  return undefined;
}

function checkOptionals(event: Json): EventFault | undefined {
  for (const key of ['opt_out', 'advertiser_tracking_enabled']) {
    const value = event[key];
    if (value !== undefined && typeof value !== 'boolean') return invalidEvent(`${key} must be a boolean.`);
  }
  for (const key of ['app_data', 'original_event_data', 'attribution_data']) {
    if (event[key] !== undefined && !isObject(event[key])) return invalidEvent(`${key} must be an object.`);
  }
  const extinfo = (event['app_data'] as Json | undefined)?.['extinfo'];
  if (extinfo !== undefined && !(Array.isArray(extinfo) && extinfo.length === 16)) {
    return invalidEvent('app_data.extinfo must have 16 entries.');
  }
  if (event['referrer_url'] !== undefined && typeof event['referrer_url'] !== 'string') {
    return invalidEvent('referrer_url must be a string.');
  }
  return undefined;
}
