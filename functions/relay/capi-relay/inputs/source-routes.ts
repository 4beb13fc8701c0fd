/** Events as Segment and Google's Tag Manager send them, at paths of their own and, where the body says whose it is, at Meta's. */
import { isGa4Body, mapGa4 } from '../../../../shared/domain/event-sources/ga4.ts';
import type { MappedBody } from '../../../../shared/domain/event-sources/mapped-events.ts';
import type { Payload } from '../../../../shared/domain/event-sources/payload.ts';
import { isSegmentBody, mapSegment } from '../../../../shared/domain/event-sources/segment.ts';
import { answerOf } from '../accept-events.ts';
import { admit } from '../admit.ts';
import { Refused } from '../meta-answer.ts';
import type { RelayAnswer } from '../meta-answer.ts';
import { bodyFields, eventsOf, targetOf, testEventCodeOf } from '../request.ts';
import type { RelayCall, RelayRoute } from '../route.ts';
import { maxEvents, maxMessageBytes, takeEvents, tooLarge } from '../take-events.ts';
import type { AcceptDependencies } from '../take-events.ts';
import type { Verdicts } from '../verdicts.ts';
import { sourceKeyOf } from './source-key.ts';

type Source = 'segment' | 'ga4';

const sources = {
  segment: { map: mapSegment, list: 'batch' },
  ga4: { map: mapGa4, list: 'events' },
} as const satisfies Record<Source, { map: (body: Payload, nowSeconds: number) => MappedBody; list: string }>;

export const sourceRoutes: readonly RelayRoute[] = [
  {
    method: 'POST',
    name: '/{dataset}/segment',
    path: /^\/[^/]{1,64}\/segment\/?$/,
    handle: (call, dependencies) => acceptSource('segment', call, bodyFields(call.request.body), dependencies),
  },
  {
    method: 'POST',
    name: '/{dataset}/ga4',
    path: /^\/[^/]{1,64}\/ga4\/?$/,
    handle: (call, dependencies) => acceptSource('ga4', call, bodyFields(call.request.body), dependencies),
  },
];

/**
 * Meta's own path, taking Segment's and Google's bodies too. `data` is Meta's and wins: a body that has it is never
 * anybody else's.
 */
export function alsoBySource(route: RelayRoute): RelayRoute {
  return {
    ...route,
    handle: (call, dependencies) => {
      const { body, headers, url } = call.request;
      if (isFields(body) ? 'data' in body : headers['content-type']?.startsWith('multipart/') === true) {
        return route.handle(call, dependencies);
      }
      const fields = bodyFields(body);
      const isMetas = 'data' in fields || targetOf(url)?.isGateway === true;
      const source = isMetas ? undefined : sourceOf(fields);
      if (source !== undefined) return acceptSource(source, call, fields, dependencies);
      return route.handle({ ...call, request: { ...call.request, body: fields } }, dependencies);
    },
  };
}

function sourceOf(body: Payload): Source | undefined {
  if (isSegmentBody(body)) return 'segment';
  return isGa4Body(body) ? 'ga4' : undefined;
}

async function acceptSource(
  source: Source,
  { request, traceparent, fbtraceId }: RelayCall,
  body: Payload,
  dependencies: AcceptDependencies,
): Promise<RelayAnswer> {
  const receivedAt = dependencies.now();
  const key = sourceKeyOf(request, body);
  const admitted = await admit(key, targetOf(request.url)?.datasetId, dependencies.directory, receivedAt);
  if (request.bodyBytes > maxMessageBytes) throw new Refused(tooLarge);
  const { map, list } = sources[source];
  if (body[list] !== undefined) eventsOf(body[list], maxEvents, list);
  const mapped = map(body, Math.floor(receivedAt.getTime() / 1_000));
  if (mapped.events.length === 0) return nothingToSend(mapped, list, fbtraceId);
  const verdicts = await takeEvents(
    {
      given: mapped.events.map(({ event }) => event),
      admitted,
      request,
      testEventCode: testEventCodeOf(body['test_event_code']),
      source,
      receivedAt,
      traceparent,
      bodyBytes: request.bodyBytes,
    },
    dependencies,
  );
  return answerOf(inSendersTerms(verdicts, mapped, list), fbtraceId);
}

/** Calls that are no conversion are no error: Segment would send them again. */
function nothingToSend(mapped: MappedBody, list: string, fbtraceId: string): RelayAnswer {
  const body = {
    events_received: 0,
    messages: ignoredMessages(mapped, list),
    fbtrace_id: fbtraceId,
    refused: [],
    warnings: [],
  };
  return { status: 200, body: JSON.stringify(body) };
}

/** The verdicts with the positions of the sender's own list, and with what mapping itself left out. */
function inSendersTerms(verdicts: Verdicts, mapped: MappedBody, list: string): Verdicts {
  const positionOf = (index: number): number => mapped.events[index]?.index ?? index;
  const placed = <Item extends { readonly index: number }>(items: readonly Item[]): Item[] =>
    items.map((item) => ({ ...item, index: positionOf(item.index) }));
  const ofMapping = mapped.events.flatMap(({ index, warnings }) => warnings.map((warning) => ({ index, ...warning })));
  return {
    ...verdicts,
    refused: placed(verdicts.refused),
    dropped: placed(verdicts.dropped),
    warnings: [...placed(verdicts.warnings), ...ofMapping],
    messages: [
      ...verdicts.messages.map((message) =>
        message.replace(/^data\[(\d+)\]/, (_whole, index: string) => `${list}[${positionOf(Number(index))}]`),
      ),
      ...ignoredMessages(mapped, list),
    ],
  };
}

function ignoredMessages({ ignored }: MappedBody, list: string): string[] {
  return ignored.map(({ index, reason }) => `${list}[${index}] was not sent: ${reason}`);
}

function isFields(body: unknown): body is Payload {
  return typeof body === 'object' && body !== null && !Buffer.isBuffer(body);
}
