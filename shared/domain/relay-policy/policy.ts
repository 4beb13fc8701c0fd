import type { Warning } from '../identifiers/finding.ts';
import type { HashedServerEvent, Refusal } from '../server-event/server-event.ts';
import { verticalTemplates } from '../vertical-templates.ts';
import type { Vertical } from '../vertical-templates.ts';
import type { ConsentSignal } from './consent.ts';
import { contentIdRegExp, foreignContentIds, hasContentIds } from './content-id-pattern.ts';
import { isKnownBot } from './known-bot.ts';
import { personKeys } from './person-keys.ts';

/** A tenant's wishes, as kept (`relay-documents.ts`); what of them concerns single events. */
export interface PolicySettings {
  readonly consent: {
    readonly absent: 'send' | 'limited-data-use' | 'hold' | 'drop';
    readonly denied: 'limited-data-use' | 'drop';
  };
  readonly limitedDataUse: { readonly country: number; readonly state: number };
  readonly bots: 'send' | 'flag' | 'drop';
  readonly events: readonly string[] | null;
  readonly contentIdPattern: string | null;
}

/** The dataset whose events these are. */
export interface PolicyOwner {
  readonly datasetId: string;
  readonly vertical: Vertical;
  readonly settings: PolicySettings;
}

/** The same, made ready once for many events. */
export interface Policy extends Omit<PolicySettings, 'events' | 'contentIdPattern'> {
  readonly datasetId: string;
  /** Event names that may be sent: the tenant's and the key's. Null: any. */
  readonly events: ReadonlySet<string> | null;
  readonly eventsOfKey: ReadonlySet<string> | null;
  readonly contentId: RegExp | undefined;
  /** Events of the vertical's template that a catalog is matched by. */
  readonly catalogEvents: ReadonlySet<string>;
}

export function policyOf(
  { datasetId, vertical, settings }: PolicyOwner,
  eventsOfKey: readonly string[] | null,
): Policy {
  const { consent, limitedDataUse, bots, events, contentIdPattern } = settings;
  return {
    datasetId,
    consent,
    limitedDataUse,
    bots,
    events: events === null ? null : new Set(events),
    eventsOfKey: eventsOfKey === null ? null : new Set(eventsOfKey),
    contentId: contentIdPattern === null ? undefined : contentIdRegExp(contentIdPattern),
    catalogEvents: new Set(verticalTemplates[vertical].catalogEvents),
  };
}

/** What becomes of one event that Meta would take. */
export type Treatment =
  | { readonly kind: 'send'; readonly event: HashedServerEvent }
  /** Kept until the person decides, under any of these names. */
  | { readonly kind: 'hold'; readonly event: HashedServerEvent; readonly personKeys: readonly string[] }
  /** As the tenant's settings say; no fault of the sender. */
  | { readonly kind: 'drop'; readonly reason: DropReason }
  | { readonly kind: 'refuse'; readonly reason: Refusal };

export type DropReason = 'consent_denied' | 'consent_absent' | 'consent_nobody_to_ask' | 'known_bot';

/**
 * Applies a tenant's policy to one judged event: which events may be sent at all, crawlers, then consent. What is only
 * remarkable is added to `warnings`. The event given is not changed.
 */
export function treat(
  event: HashedServerEvent,
  consent: ConsentSignal,
  policy: Policy,
  warnings: Pick<Warning[], 'push'>,
): Treatment {
  const { events, eventsOfKey, contentId } = policy;
  if (events !== null && !events.has(event.event_name)) return notAllowed('event_not_allowed', 'the tenant allows');
  if (eventsOfKey !== null && !eventsOfKey.has(event.event_name))
    return notAllowed('event_not_of_key', 'this relay key may send');

  const userAgent = event.user_data['client_user_agent'];
  if (policy.bots !== 'send' && typeof userAgent === 'string' && isKnownBot(userAgent)) {
    if (policy.bots === 'drop') return { kind: 'drop', reason: 'known_bot' };
    warnings.push(KNOWN_BOT);
  }
  if (contentId !== undefined && event.custom_data !== undefined) {
    if (foreignContentIds(event.custom_data, contentId) > 0) warnings.push(FOREIGN_CONTENT_ID);
  }
  if (policy.catalogEvents.has(event.event_name) && isOnline(event) && !hasContentIds(event.custom_data)) {
    warnings.push(NO_CONTENT_ID);
  }

  if (consent === 'granted') return { kind: 'send', event };
  switch (policy.consent[consent]) {
    case 'send':
      return { kind: 'send', event };
    case 'limited-data-use':
      return { kind: 'send', event: limited(event, policy.limitedDataUse) };
    case 'drop':
      return { kind: 'drop', reason: consent === 'denied' ? 'consent_denied' : 'consent_absent' };
    case 'hold': {
      const keys = personKeys(policy.datasetId, event.user_data);
      return keys.length === 0
        ? { kind: 'drop', reason: 'consent_nobody_to_ask' }
        : { kind: 'hold', event, personKeys: keys };
    }
  }
}

/** Limited Data Use with the tenant's place; an event that asks for it itself keeps its own. */
export function limited(event: HashedServerEvent, place: PolicySettings['limitedDataUse']): HashedServerEvent {
  if (event.data_processing_options?.includes('LDU') === true) return event;
  return {
    ...event,
    data_processing_options: ['LDU'],
    data_processing_options_country: place.country,
    data_processing_options_state: place.state,
  };
}

const KNOWN_BOT: Warning = {
  key: 'user_data.client_user_agent',
  code: 'known_bot',
  message: 'a crawler, by its user agent; sent and counted',
};
const FOREIGN_CONTENT_ID: Warning = {
  key: 'custom_data.content_ids',
  code: 'content_id_form',
  message: "not all content ids have the form of the catalog's; sent as they are, the catalog will not match them",
};

const NO_CONTENT_ID: Warning = {
  key: 'custom_data.content_ids',
  code: 'content_ids_missing',
  message: 'neither content_ids nor contents: sent, but dynamic ads cannot match the event with the catalog',
};

/** What a shop sells over its counter or books in its CRM is not looked for in a catalog. */
function isOnline({ action_source: source }: HashedServerEvent): boolean {
  return source === 'website' || source === 'app';
}

function notAllowed(code: string, who: string): Treatment {
  const reason = { field: 'event_name', code, got: 'another event', expected: `an event ${who}` };
  return { kind: 'refuse', reason };
}
