import { requestAddress } from '../../../shared/domain/client-address.ts';
import type { Proxy } from '../../../shared/domain/client-address.ts';
import type { JudgeContext } from '../../../shared/domain/server-event/judge.ts';
import type { RelayDirectory } from '../../../shared/gcp/relay-directory.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import { traceFields } from '../../../shared/runtime/logger.ts';
import { traceparentOf } from '../../../shared/runtime/trace.ts';
import { eventsMessage, maxEventBytes } from '../events-message.ts';
import { admit } from './admit.ts';
import type { Admitted } from './admit.ts';
import {
  Refused,
  errorAnswer,
  fbtraceIdOf,
  invalidParameter,
  unavailable,
  unknownPath,
  unsupportedMethod,
} from './meta-answer.ts';
import type { RelayAnswer } from './meta-answer.ts';
import { eventsOf, fieldsOf, isMultipart, multipartFields, targetOf } from './request.ts';
import type { RelayRequest, Target } from './request.ts';
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

/** Meta's own limit for one request ("Using the API"). */
export const maxEvents = 1_000;
/** A Pub/Sub message may have 10 MB. */
const maxMessageBytes = 9_000_000;

/**
 * Answers one request of a sender of events, in Meta's form.
 *
 * Success means *durably queued*: the events it counts are in Pub/Sub. A bad event is answered with its index and reason
 * and its siblings are queued; when every event is bad, and for every other error, nothing is. Raw personal data goes no
 * further than this function: not into the message, a log line or an answer.
 */
export async function accept(request: RelayRequest, dependencies: AcceptDependencies): Promise<RelayAnswer> {
  const { directory, log, now, queue } = dependencies;
  const traceparent = traceparentOf(request.headers['traceparent']);
  const fbtraceId = fbtraceIdOf(traceparent);
  try {
    const target = targetOf(request.url);
    if (target === undefined) throw new Refused(unknownPath);
    if (request.method !== 'POST') throw new Refused(unsupportedMethod);
    const { headers, url } = request;
    const body = isMultipart(request) ? await multipartFields(request) : request.body;
    const fields = fieldsOf({ body, headers, url }, target);
    const receivedAt = now();
    const letIn = admit(fields.key, target.datasetId, directory, receivedAt);
    const admitted = letIn instanceof Promise ? await letIn : letIn;
    if (request.bodyBytes > maxMessageBytes) throw new Refused(tooLarge);
    const given = eventsOf(fields.data, maxEvents);

    const { tenantId, datasetId } = admitted.dataset;
    const context = contextOf(request, admitted, receivedAt, dependencies);
    const verdicts = judgeAll(given, context, request.bodyBytes > maxEventBytes);
    if (verdicts.refused.length > 0) logRefused(verdicts, given.length, log.child({ tenantId, datasetId }));
    if (verdicts.events.length === 0) throw new Refused(allRefused(verdicts));

    const { testEventCode } = fields;
    const head = { tenantId, datasetId, testEventCode, at: receivedAt.toISOString(), traceparent };
    const { eventId, json } = eventsMessage(head, verdicts.events);
    // A character has at most three bytes, so most messages need not be measured.
    if (json.length * 3 > maxMessageBytes && Buffer.byteLength(json) > maxMessageBytes) throw new Refused(tooLarge);
    await queue(json);
    log.debug({ tenantId, datasetId, eventId, events: verdicts.events.length }, 'events queued');
    return success(verdicts, target, fbtraceId);
  } catch (error) {
    const traced = log.child(traceFields(dependencies.projectId, traceparent));
    if (error instanceof Refused) {
      const { status, code, message } = error.error;
      traced.info({ status, code, reason: message }, 'request refused');
      return errorAnswer(error.error, fbtraceId);
    }
    traced.error({ err: error }, 'request could not be taken');
    return errorAnswer(unavailable, fbtraceId);
  }
}

function logRefused({ refused }: Verdicts, events: number, log: Logger): void {
  const codes = [...new Set(refused.map(({ field, code }) => `${field} ${code}`))];
  log.info({ events, refused: refused.length, codes }, 'events refused');
}

function success({ events, messages, refused, warnings }: Verdicts, target: Target, fbtraceId: string): RelayAnswer {
  const body = { events_received: events.length, messages, fbtrace_id: fbtraceId, refused, warnings };
  return { status: target.isGateway ? 202 : 200, body: JSON.stringify(body) };
}

function allRefused({ refused, warnings, messages }: Verdicts): ConstructorParameters<typeof Refused>[0] {
  return {
    // The official SDKs show their caller only what is inside `error`.
    ...invalidParameter('Invalid parameter: every event was refused', messages.slice(0, 5).join('; ')),
    userTitle: 'Events refused',
    more: { messages, refused, warnings },
  };
}

const tooLarge = invalidParameter(
  'Request too large',
  `A request may have ${maxMessageBytes} bytes; send fewer events in each.`,
  413,
);

function contextOf(
  request: RelayRequest,
  { dataset, key }: Admitted,
  receivedAt: Date,
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

function browserOf({ headers, remoteAddress }: RelayRequest, proxy: Proxy): JudgeContext['request'] {
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
