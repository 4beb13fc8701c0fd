import type { Json, JsonObject } from '../canonical.ts';
import type { Warning } from '../identifiers/finding.ts';
import type { HashedUserData } from '../identifiers/hash-user-data.ts';

/** Where a conversion happened, in Meta's words ("Server Event Parameters", `action_source`). */
export const ACTION_SOURCES = [
  'email',
  'website',
  'app',
  'phone_call',
  'chat',
  'physical_store',
  'system_generated',
  'business_messaging',
  'other',
] as const;
export type ActionSource = (typeof ACTION_SOURCES)[number];

/** One event as it goes to Meta: checked, hashed, nothing in it that Meta does not know. */
export type HashedServerEvent = {
  event_name: string;
  /** Unix seconds. */
  event_time: number;
  action_source: ActionSource;
  event_id: string;
  user_data: HashedUserData;
  event_source_url?: string;
  referrer_url?: string;
  custom_data?: JsonObject;
  opt_out?: boolean;
  data_processing_options?: readonly 'LDU'[];
  data_processing_options_country?: number;
  data_processing_options_state?: number;
  advertiser_tracking_enabled?: boolean;
  messaging_channel?: string;
  advanced_measurement_table?: string;
  app_data?: Json;
  original_event_data?: Json;
  attribution_data?: Json;
};

/** Why an event cannot go to Meta. `got` describes the value and repeats it only where it cannot be personal data. */
export type Refusal = {
  readonly field: string;
  readonly code: string;
  readonly got: string;
  readonly expected: string;
};

export type Verdict =
  | { readonly verdict: 'accepted'; readonly event: HashedServerEvent; readonly warnings: readonly Warning[] }
  | {
      readonly verdict: 'refused';
      readonly reasons: readonly Refusal[];
      readonly warnings: readonly Warning[];
      /** The sender's own id of the event, when it gave a usable one. */
      readonly eventId?: string;
    };

/** What a value is, without saying it. */
export function described(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'string') return value === '' ? 'an empty string' : `a string of ${value.length} characters`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

const WORD = /^[A-Za-z][A-Za-z_]{0,31}$/;

/** As `described`, but a single plain word is repeated: for fields whose values are words of Meta's or of ISO's lists. */
export function quotedWord(value: unknown): string {
  return typeof value === 'string' && WORD.test(value) ? `'${value}'` : described(value);
}

/** Whether the value is an object of JSON, neither null nor a list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
