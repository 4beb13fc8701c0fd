/**
 * The relay's documents: what it must know of a dataset and of a key, and what it remembers about delivery. Read through
 * memory by the functions, so an event costs no read.
 */
import * as v from 'valibot';
import { contentTypes } from '../domain/catalog/content-id-form.ts';
import { operators } from '../domain/provisioning-path.ts';
import { verticals } from '../domain/vertical-templates.ts';

/** What happens to an event that says nothing about consent, or says no. */
export const consentActions = ['send', 'limited-data-use', 'hold', 'drop'] as const;
export const botActions = ['send', 'flag', 'drop'] as const;

/** How a tenant wants its events treated. Every field has the default that a new tenant starts with. */
export const relaySettingsSchema = v.object({
  /** Sent with every event of the dataset; Meta shows them under Test events and still counts them. */
  testEventCode: v.optional(v.nullable(v.string()), null),
  consent: v.optional(
    v.object({
      /** The event carries no consent signal. */
      absent: v.picklist(consentActions),
      /** The person refused. */
      denied: v.picklist(['limited-data-use', 'drop']),
    }),
    { absent: 'send', denied: 'drop' },
  ),
  /** Where Limited Data Use applies: 0/0 lets Meta find out. */
  limitedDataUse: v.optional(v.object({ country: v.number(), state: v.number() }), { country: 0, state: 0 }),
  bots: v.optional(v.picklist(botActions), 'flag'),
  /** Event names that may be sent; null lets the vertical's and any custom one through. */
  events: v.optional(v.nullable(v.array(v.string())), null),
  /** Origins whose pages may use the browser script, e.g. `https://shop.example.com`. */
  origins: v.optional(v.array(v.string()), []),
  /** Order of day, month and year in the tenant's birth dates; null follows the country. */
  dateOrder: v.optional(v.nullable(v.picklist(['dmy', 'mdy', 'ymd'])), null),
  /** Further user_data keys that Meta may know by now. */
  extraUserDataKeys: v.optional(v.array(v.string()), []),
  /** What a content id of the tenant's catalog looks like, as a regular expression; null takes any. */
  contentIdPattern: v.optional(v.nullable(v.string()), null),
  /** Requests a second before 429, for all keys of the tenant on one instance. */
  requestsPerSecond: v.optional(v.number(), 500),
});
export type RelaySettings = v.InferOutput<typeof relaySettingsSchema>;

/** The settings of a tenant that never changed any. */
export const defaultRelaySettings: RelaySettings = v.parse(relaySettingsSchema, {});

/** How the relay reads a dataset id in a URL: whose it is and how to understand its events. */
export const datasetSchema = v.object({
  datasetId: v.string(),
  tenantId: v.string(),
  country: v.string(),
  vertical: v.picklist(verticals),
  createdAt: v.string(),
  /** Whose token sends; absent: the child's. */
  operator: v.optional(v.picklist(operators)),
  settings: v.optional(relaySettingsSchema, defaultRelaySettings),
});
export type Dataset = v.InferOutput<typeof datasetSchema>;

export const relayKeyPurposes = ['server', 'browser', 'crm'] as const;
export type RelayKeyPurpose = (typeof relayKeyPurposes)[number];

/** A relay key as kept: its SHA-256 only. The key itself was shown once, or lives in Secret Manager. */
export const relayKeySchema = v.object({
  relayKeyId: v.string(),
  tenantId: v.string(),
  purpose: v.picklist(relayKeyPurposes),
  sha256: v.string(),
  /** Event names this key may send; null may send all the tenant may. */
  events: v.optional(v.nullable(v.array(v.string())), null),
  createdAt: v.string(),
  createdBy: v.string(),
  /** When a rotated key stops working; its successor already works. */
  notAfter: v.optional(v.nullable(v.string()), null),
  revokedAt: v.nullable(v.string()),
});
export type RelayKey = v.InferOutput<typeof relayKeySchema>;

/**
 * The events of one call to Meta, by key (`shared/gcp/delivery-ledger.ts`). While it is `sending` its lease says how long
 * its sender may take; `settled`, every key reached Meta but those in `unconfirmed`, whose answer was lost.
 */
export const deliveryLedgerSchema = v.object({
  state: v.picklist(['sending', 'settled']),
  keys: v.array(v.string()),
  /** Keys that may or may not have reached Meta; null while that is all of them. */
  unconfirmed: v.nullable(v.array(v.string())),
  at: v.string(),
  leaseUntil: v.string(),
  expireAt: v.date(),
});
export type DeliveryLedgerEntry = v.InferOutput<typeof deliveryLedgerSchema>;

/** Why nothing of a tenant is sent just now, and when one probe may find out whether that still holds. */
export const relayBreakerSchema = v.object({
  tenantId: v.string(),
  reason: v.string(),
  advice: v.string(),
  openedAt: v.string(),
  probeAt: v.string(),
  /** Until when the answer of the last probe is awaited. */
  probingUntil: v.optional(v.string()),
});
export type RelayBreaker = v.InferOutput<typeof relayBreakerSchema>;

/** One instance's counts of one tenant and hour: `{event name}|{verdict}` → how many. */
export const relayCountersSchema = v.object({
  tenantId: v.string(),
  hour: v.string(),
  counts: v.record(v.string(), v.number()),
  /** Some content ids of the hour's events and their `content_type`, to be held against the catalog. */
  contentIds: v.optional(v.array(v.object({ id: v.string(), type: v.nullable(v.picklist(contentTypes)) })), []),
  expireAt: v.date(),
});
export type RelayCounters = v.InferOutput<typeof relayCountersSchema>;

/** Events of one person that wait for that person's decision about consent: hashed, as they would have been queued. */
export const heldEventsSchema = v.object({
  heldId: v.string(),
  tenantId: v.string(),
  datasetId: v.string(),
  testEventCode: v.nullable(v.string()),
  /** Digests of the person's identifiers within the dataset; any one of them finds the events. */
  personKeys: v.array(v.string()),
  /** The list of events as JSON text: Firestore takes no list inside a list, which custom data may have. */
  eventsJson: v.string(),
  heldAt: v.string(),
  expireAt: v.date(),
});
export type HeldEventsRecord = v.InferOutput<typeof heldEventsSchema>;
