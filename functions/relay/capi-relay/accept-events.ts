import { admit } from './admit.ts';
import { Refused, invalidParameter } from './meta-answer.ts';
import type { RelayAnswer } from './meta-answer.ts';
import { eventsOf, fieldsOf, isMultipart, multipartFields, targetOf } from './request.ts';
import type { Target } from './request.ts';
import type { RelayCall, RelayRoute } from './route.ts';
import { maxEvents, maxMessageBytes, takeEvents, tooLarge } from './take-events.ts';
import type { AcceptDependencies } from './take-events.ts';
import { isNothingTaken } from './verdicts.ts';
import type { Verdicts } from './verdicts.ts';

/** Meta's wire format, at Meta's own path with and without a version, and at that of its Gateway. */
export const eventsRoutes: readonly RelayRoute[] = [
  {
    method: 'POST',
    name: '/{dataset}/events',
    path: /^(?:\/v\d{1,3}\.\d{1,2}|\/capi)?\/[^/]{1,64}\/events\/?$/,
    handle: acceptEvents,
  },
];

async function acceptEvents(call: RelayCall, dependencies: AcceptDependencies): Promise<RelayAnswer> {
  const { request, traceparent, fbtraceId } = call;
  const target: Target = targetOf(request.url) ?? { datasetId: undefined, isGateway: false };
  const { headers, url } = request;
  const body = isMultipart(request) ? await multipartFields(request) : request.body;
  const fields = fieldsOf({ body, headers, url }, target);
  const receivedAt = dependencies.now();
  const letIn = admit(fields.key, target.datasetId, dependencies.directory, receivedAt);
  const admitted = letIn instanceof Promise ? await letIn : letIn;
  if (request.bodyBytes > maxMessageBytes) throw new Refused(tooLarge);
  const taking = {
    given: eventsOf(fields.data, maxEvents),
    admitted,
    request,
    testEventCode: fields.testEventCode,
    source: target.isGateway ? ('gateway' as const) : ('meta' as const),
    receivedAt,
    traceparent,
    bodyBytes: request.bodyBytes,
  };
  return answerOf(await takeEvents(taking, dependencies), fbtraceId, target.isGateway ? 202 : 200);
}

/**
 * The answer to a sender of events, whatever the door: Meta's own, with what was refused and warned of, and where the
 * tenant's policy held or dropped any, how many and which.
 *
 * @throws Refused 400 when every event was refused
 */
export function answerOf(verdicts: Verdicts, fbtraceId: string, status = 200): RelayAnswer {
  const { dropped, events, held, messages, refused, warnings } = verdicts;
  if (isNothingTaken(verdicts)) throw new Refused(allRefused(verdicts));
  const body = {
    events_received: events.length,
    messages,
    fbtrace_id: fbtraceId,
    refused,
    warnings,
    ...(held.length > 0 && { held: held.length }),
    ...(dropped.length > 0 && { dropped }),
  };
  return { status, body: JSON.stringify(body) };
}

function allRefused({ refused, warnings, messages }: Verdicts): ConstructorParameters<typeof Refused>[0] {
  return {
    // The official SDKs show their caller only what is inside `error`.
    ...invalidParameter('Invalid parameter: every event was refused', messages.slice(0, 5).join('; ')),
    userTitle: 'Events refused',
    more: { messages, refused, warnings },
  };
}
