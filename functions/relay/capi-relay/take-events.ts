import type { IncomingHttpHeaders } from 'node:http';
import { requestAddress } from '../../../shared/domain/client-address.ts';
import type { Proxy } from '../../../shared/domain/client-address.ts';
import type { JudgeContext } from '../../../shared/domain/server-event/judge.ts';
import type { RelayDirectory } from '../../../shared/gcp/relay-directory.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import { eventsMessage, maxEventBytes } from '../events-message.ts';
import type { Admitted } from './admit.ts';
import { Refused, invalidParameter } from './meta-answer.ts';
import { judgeAll } from './verdicts.ts';
import type { Verdicts } from './verdicts.ts';

export interface AcceptDependencies {
  readonly directory: RelayDirectory;
  /** Queues the text of one `capi-events` envelope. Resolves once that is durable, rejects when it is not certain. */
  readonly queue: (json: string) => Promise<void>;
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
 * The one way into the queue, for every door: judges each event, and queues the good ones as one message.
 *
 * Resolves once what it calls taken is durable in Pub/Sub. A bad event is in `refused` with its index and reason and its
 * siblings are queued; when none is good, nothing is queued and `events` is empty. Raw personal data goes no further than
 * this function: not into the message, a log line or the verdicts.
 *
 * @throws Refused 413 when the message would be too large; whatever the queue throws when it is not certain
 */
export async function takeEvents(taking: GivenEvents, dependencies: AcceptDependencies): Promise<Verdicts> {
  const { admitted, given, receivedAt, source, testEventCode, traceparent } = taking;
  const { log, queue } = dependencies;
  const { tenantId, datasetId } = admitted.dataset;
  const context = contextOf(taking, dependencies);
  const verdicts = judgeAll(given, context, taking.bodyBytes > maxEventBytes);
  if (verdicts.refused.length > 0) logRefused(verdicts, given.length, log.child({ tenantId, datasetId, source }));
  if (verdicts.events.length === 0) return verdicts;

  const head = { tenantId, datasetId, testEventCode, at: receivedAt.toISOString(), traceparent };
  const { eventId, json } = eventsMessage(head, verdicts.events);
  // A character has at most three bytes, so most messages need not be measured.
  if (json.length * 3 > maxMessageBytes && Buffer.byteLength(json) > maxMessageBytes) throw new Refused(tooLarge);
  await queue(json);
  log.debug({ tenantId, datasetId, source, eventId, events: verdicts.events.length }, 'events queued');
  return verdicts;
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
    country: dataset.country,
    languages: languagesOf(dataset.country),
    eventIdSeed: dataset.datasetId,
    // A server's own address and user agent say nothing about the person.
    ...(key.purpose === 'browser' && { request: browserOf(request, proxy) }),
  };
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
