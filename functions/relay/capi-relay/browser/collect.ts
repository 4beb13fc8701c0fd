import * as v from 'valibot';
import { admit } from '../admit.ts';
import { Refused, invalidParameter } from '../meta-answer.ts';
import type { MetaError, RelayAnswer } from '../meta-answer.ts';
import { answerOf } from '../accept-events.ts';
import type { RelayCall } from '../route.ts';
import { takeEvents } from '../take-events.ts';
import type { AcceptDependencies } from '../take-events.ts';
import { hitSchema, wireEvents } from './hit.ts';
import type { Hit } from './hit.ts';
import { corsHeaders, isListed, originOf } from './origins.ts';
import { visitorIds } from './visitor-ids.ts';

/** Browsers hold a page's beacons to 64 KiB together. */
const maxHitBytes = 262_144;

/**
 * `POST /collect`: events of a page, from `kobi.js`. Taken from the origins that the dataset's settings list, with a relay
 * key of purpose `browser`, which is public and opens nothing else than the writing of events.
 *
 * Answers 204 when every event is durably queued and there is nothing to say of any, else as the other doors do. With the
 * visitor's consent the answer makes `_fbp` and `_fbc` last ({@link visitorIds}).
 *
 * @throws Refused 400, 401, 403, 404, 413, 429; a page of a foreign origin cannot read which
 */
export async function collect(call: RelayCall, dependencies: AcceptDependencies): Promise<RelayAnswer> {
  const { request, traceparent, fbtraceId } = call;
  const { headers } = request;
  const origin = originOf(headers.origin);
  if (origin === undefined) throw new Refused(foreignOrigin);
  const hit = readHit(call);
  const receivedAt = dependencies.now();
  const letIn = admit(
    hit.key,
    /^\d{1,20}$/.test(hit.dataset) ? hit.dataset : undefined,
    dependencies.directory,
    receivedAt,
  );
  const admitted = letIn instanceof Promise ? await letIn : letIn;
  if (!isListed(origin, admitted.dataset.settings.origins)) throw new Refused(foreignOrigin);

  const { fbp, fbc, setCookies } = visitorIds({
    cookies: headers.cookie,
    relayHost: headers.host,
    origin,
    fbp: hit.fbp,
    fbc: hit.fbc,
    fbclid: hit.fbclid,
    load: hit.load && { atMs: hit.load.at, draw: hit.load.draw },
    isConsented: hit.consent === 'granted',
    nowMs: receivedAt.getTime(),
  });
  const answered = { headers: corsHeaders(origin), cookies: setCookies };
  try {
    const verdicts = await takeEvents(
      {
        given: wireEvents(hit, { fbp, fbc }, receivedAt),
        admitted,
        request,
        testEventCode: hit.test_event_code ?? undefined,
        source: 'collect',
        receivedAt,
        traceparent,
        bodyBytes: request.bodyBytes,
      },
      dependencies,
    );
    const { status, body } = answerOf(verdicts, fbtraceId);
    if (verdicts.messages.length === 0) return { status: 204, body: '', ...answered };
    return { status, body, ...answered };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new Refused({ ...error.error, headers: { ...error.error.headers, ...corsHeaders(origin) } });
  }
}

/**
 * `OPTIONS /collect`. `kobi.js` never needs it. A preflight has no body, so it names no dataset unless its URL does
 * (`?dataset=`): then that dataset's list decides, else the question may be asked and the `POST` decides.
 */
export async function preflight(
  { request: { headers, url } }: RelayCall,
  { directory }: AcceptDependencies,
): Promise<RelayAnswer> {
  const origin = originOf(headers.origin);
  if (origin === undefined) throw new Refused(foreignOrigin);
  const datasetId = new URLSearchParams(url.split('?')[1] ?? '').get('dataset');
  if (datasetId !== null) {
    const dataset = /^\d{1,20}$/.test(datasetId) ? await directory.dataset(datasetId) : undefined;
    if (dataset === undefined || !isListed(origin, dataset.settings.origins)) throw new Refused(foreignOrigin);
  }
  const allowed = {
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'content-type, traceparent',
    'access-control-max-age': '7200',
  };
  return { status: 204, body: '', headers: { ...corsHeaders(origin), ...allowed } };
}

/** @throws Refused 400, 413 */
function readHit({ request: { body, bodyBytes } }: RelayCall): Hit {
  if (bodyBytes > maxHitBytes) throw new Refused(tooLarge);
  const result = v.safeParse(
    hitSchema,
    typeof body === 'string' || Buffer.isBuffer(body) ? parsed(String(body)) : body,
  );
  if (result.success) return result.output;
  const fields = result.issues.map((issue) => v.getDotPath(issue) ?? 'body');
  const said = `Not right or missing: ${[...new Set(fields)].slice(0, 5).join(', ')}. Let kobi.js send it.`;
  throw new Refused(invalidParameter('The hit could not be read', said));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const foreignOrigin: MetaError = {
  status: 403,
  code: 200,
  message: '(#200) This origin may not send events',
  userTitle: 'Unknown origin',
  userMessage: 'Only pages of the origins in the relay settings may use the browser script. Add this one there.',
};

const tooLarge = invalidParameter('Request too large', `A hit may have ${maxHitBytes} bytes.`, 413);
