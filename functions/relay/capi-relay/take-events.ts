import type { IncomingHttpHeaders } from 'node:http';
import type { Dataset, RelaySettings } from '../../../shared/contracts/relay-documents.ts';
import { requestAddress } from '../../../shared/domain/client-address.ts';
import type { Proxy } from '../../../shared/domain/client-address.ts';
import type { IdentifierContext } from '../../../shared/domain/identifiers/hash-user-data.ts';
import type { JudgeContext } from '../../../shared/domain/server-event/judge.ts';
import type { RelayDirectory } from '../../../shared/gcp/relay-directory.ts';
import { contentIdsOf } from '../../../shared/domain/relay-policy/content-id-pattern.ts';
import { policyOf } from '../../../shared/domain/relay-policy/policy.ts';
import type { Policy } from '../../../shared/domain/relay-policy/policy.ts';
import type { HeldEvents } from '../../../shared/gcp/held-events.ts';
import type { RelayCounters } from '../../../shared/gcp/relay-counters.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import { eventsMessage, maxEventBytes } from '../events-message.ts';
import type { Admitted } from './admit.ts';
import { Refused, invalidParameter, tooManyRequests, wrongPurpose } from './meta-answer.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { judgeAll } from './verdicts.ts';
import type { Verdicts } from './verdicts.ts';

export interface AcceptDependencies {
  readonly directory: RelayDirectory;
  /** Queues the text of one `capi-events` envelope. Resolves once that is durable, rejects when it is not certain. */
  readonly queue: (json: string) => Promise<void>;
  /** Where events wait for consent. Without it, an event that would have to is not taken: 503. */
  readonly heldEvents?: Pick<HeldEvents, 'hold' | 'decide'>;
  readonly counters?: Pick<RelayCounters, 'count' | 'flushIfDue'> & Partial<Pick<RelayCounters, 'sampleContentIds'>>;
  readonly limiter?: RateLimiter;
  /** What stands between the sender and us. */
  readonly proxy: Proxy;
  readonly projectId: string;
  readonly log: Logger;
  readonly now: () => Date;
}

/** Through which door events came; for logs and counters. */
export type EventSource = 'meta' | 'gateway' | 'collect' | 'segment' | 'ga4' | 'upload';

/** Events of one request, from whom they are, and what of the request itself says something about the person. */
export interface GivenEvents {
  /** In Meta's wire format, one to {@link maxEvents}; each still as it came. */
  readonly given: readonly unknown[];
  readonly admitted: Admitted;
  /** The request's: address and user agent are read from it when the key is a browser's. */
  readonly request: { readonly headers: IncomingHttpHeaders; readonly remoteAddress: string | undefined };
  readonly testEventCode: string | undefined;
  readonly source: EventSource;
  readonly receivedAt: Date;
  readonly traceparent: string;
  /** Bytes the events came in; unless they are known to be few, each event is measured. */
  readonly bodyBytes: number;
}

/** Meta's own limit for one request ("Using the API"). */
export const maxEvents = 1_000;
/** A Pub/Sub message may have 10 MB. */
export const maxMessageBytes = 9_000_000;

/**
 * The one way into the queue, for every door: judges each event, applies the tenant's policy, and queues what is to be
 * sent as one message.
 *
 * Resolves once `events` are durable in Pub/Sub and `held` in Firestore. A bad event is in `refused` with its index and
 * reason and its siblings are queued; when none is good, nothing is queued and `events` is empty. Raw personal data goes
 * no further than this function: not into the message, a log line or the verdicts.
 *
 * @throws Refused 403 when the key's purpose does not fit the door, 429 when the tenant sends too often, 413 when the
 *   message would be too large; whatever the queue or Firestore throws when it is not certain
 */
export async function takeEvents(taking: GivenEvents, dependencies: AcceptDependencies): Promise<Verdicts> {
  const { admitted, given, receivedAt, source, traceparent } = taking;
  const { dataset, key } = admitted;
  const { tenantId, datasetId, settings } = dataset;
  const { counters, log, queue } = dependencies;
  if ((source === 'collect') !== (key.purpose === 'browser')) throw new Refused(wrongPurpose(key.purpose));
  // An upload is one request of the sender, however many of our batches it makes.
  if (source !== 'upload') limitRate(admitted, receivedAt, dependencies.limiter);

  const policy = policyFor(admitted);
  const verdicts = judgeAll(given, contextOf(taking, dependencies), policy, taking.bodyBytes > maxEventBytes);
  const { events, held, refused, tally } = verdicts;
  if (refused.length > 0) logRefused(verdicts, given.length, log.child({ tenantId, datasetId, source }));

  const testEventCode = taking.testEventCode ?? settings.testEventCode ?? undefined;
  const head = { tenantId, datasetId, testEventCode, at: receivedAt.toISOString(), traceparent };
  if (held.length > 0) {
    if (dependencies.heldEvents === undefined) throw new Error('events are to be held and there is no place for them');
    await dependencies.heldEvents.hold(head, held);
  }
  if (events.length > 0) {
    const { eventId, json } = eventsMessage(head, events);
    // A character has at most three bytes, so most messages need not be measured.
    if (json.length * 3 > maxMessageBytes && Buffer.byteLength(json) > maxMessageBytes) throw new Refused(tooLarge);
    await queue(json);
    log.debug({ tenantId, datasetId, source, eventId, events: events.length }, 'events queued');
  }
  if (counters !== undefined) {
    tally.countInto(counters, tenantId);
    const shown = events.find(({ custom_data: custom }) => custom !== undefined)?.custom_data;
    if (shown !== undefined) counters.sampleContentIds?.(tenantId, contentIdsOf(shown), shown['content_type']);
    const flushing = counters.flushIfDue();
    if (flushing !== undefined) await flushing;
  }
  return verdicts;
}

/** @throws Refused 429 */
export function limitRate({ dataset }: Admitted, now: Date, limiter: RateLimiter | undefined): void {
  const waitSeconds = limiter?.take(dataset.tenantId, dataset.settings.requestsPerSecond, now.getTime());
  if (waitSeconds !== undefined) throw new Refused(tooManyRequests(waitSeconds));
}

/** Made ready once for as long as the directory keeps the two documents. */
const policies = new WeakMap<Admitted['dataset'], WeakMap<Admitted['key'], Policy>>();

function policyFor({ dataset, key }: Admitted): Policy {
  let ofDataset = policies.get(dataset);
  if (ofDataset === undefined) policies.set(dataset, (ofDataset = new WeakMap()));
  let policy = ofDataset.get(key);
  if (policy === undefined) ofDataset.set(key, (policy = policyOf(dataset, key.events)));
  return policy;
}

export const tooLarge = invalidParameter(
  'Request too large',
  `A request may have ${maxMessageBytes} bytes; send fewer events in each.`,
  413,
);

function logRefused({ refused }: Verdicts, events: number, log: Logger): void {
  const codes = [...new Set(refused.map(({ field, code }) => `${field} ${code}`))];
  log.info({ events, refused: refused.length, codes }, 'events refused');
}

function contextOf(
  { admitted: { dataset, key }, receivedAt, request }: GivenEvents,
  { proxy }: AcceptDependencies,
): JudgeContext {
  return {
    nowSeconds: receivedAt.getTime() / 1_000,
    ...identifierContextOf(dataset),
    extraUserDataKeys: extraKeysOf(dataset.settings),
    eventIdSeed: dataset.datasetId,
    // A server's own address and user agent say nothing about the person.
    ...(key.purpose === 'browser' && { request: browserOf(request, proxy) }),
  };
}

/** How the tenant's customers write phone numbers, dates and words. */
export function identifierContextOf({
  country,
  settings,
}: Dataset): Required<Pick<IdentifierContext, 'country' | 'dateOrder' | 'languages'>> {
  return { country, languages: languagesOf(country), dateOrder: settings.dateOrder ?? undefined };
}

function browserOf({ headers, remoteAddress }: GivenEvents['request'], proxy: Proxy): JudgeContext['request'] {
  const forwardedFor = headers['x-forwarded-for'];
  const forwarded = Array.isArray(forwardedFor) ? forwardedFor.join(',') : forwardedFor;
  return {
    clientIpAddress: requestAddress(remoteAddress, forwarded, proxy),
    clientUserAgent: headers['user-agent'],
  };
}

const languages = new Map<string, readonly string[]>();

/** The language most people of a country write (Unicode CLDR, likely subtags); for words such as `Erkek`. */
function languagesOf(country: string): readonly string[] {
  let known = languages.get(country);
  if (known === undefined) {
    known = /^[A-Za-z]{2}$/.test(country) ? [new Intl.Locale(`und-${country}`).maximize().language] : [];
    languages.set(country, known);
  }
  return known;
}

const extraKeys = new WeakMap<RelaySettings, ReadonlySet<string>>();

function extraKeysOf(settings: RelaySettings): ReadonlySet<string> | undefined {
  if (settings.extraUserDataKeys.length === 0) return undefined;
  let known = extraKeys.get(settings);
  if (known === undefined) extraKeys.set(settings, (known = new Set(settings.extraUserDataKeys)));
  return known;
}
