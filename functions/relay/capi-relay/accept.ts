import { traceFields } from '../../../shared/runtime/logger.ts';
import { isRecorded, traceparentOf } from '../../../shared/runtime/trace.ts';
import { startSpan } from '../../../shared/runtime/tracing.ts';
import type { Span } from '../../../shared/runtime/tracing.ts';
import { Refused, errorAnswer, fbtraceIdOf, unavailable, unknownPath, unsupportedMethod } from './meta-answer.ts';
import type { RelayAnswer } from './meta-answer.ts';
import type { RelayRequest } from './request.ts';
import { routes } from './routes.ts';
import type { AcceptDependencies } from './take-events.ts';

export { maxEvents } from './take-events.ts';
export type { AcceptDependencies } from './take-events.ts';

/**
 * Answers one request to the relay, in Meta's form.
 *
 * Success means *durably queued*: the events it counts are in Pub/Sub. Every error is answered in Meta's envelope, and
 * then nothing was queued; 503 says that the same request may be sent again.
 */
export async function accept(
  request: RelayRequest & { readonly rawBody?: Buffer | undefined },
  dependencies: AcceptDependencies,
): Promise<RelayAnswer> {
  const traceparent = traceparentOf(request.headers['traceparent']);
  return isRecorded(traceparent)
    ? acceptRecorded(request, dependencies, startSpan('server', traceparent))
    : acceptUnder(traceparent, request, dependencies);
}

async function acceptRecorded(
  request: RelayRequest & { readonly rawBody?: Buffer | undefined },
  dependencies: AcceptDependencies,
  span: Span,
): Promise<RelayAnswer> {
  const answer = await span.run(() => acceptUnder(span.traceparent, request, dependencies));
  const name = nameOf(request);
  span.end({
    name: `${request.method} ${name}`,
    attributes: {
      'http.request.method': request.method,
      'http.route': name,
      'http.response.status_code': answer.status,
    },
    failed: answer.status >= 500,
  });
  return answer;
}

async function acceptUnder(
  traceparent: string,
  request: RelayRequest & { readonly rawBody?: Buffer | undefined },
  dependencies: AcceptDependencies,
): Promise<RelayAnswer> {
  const fbtraceId = fbtraceIdOf(traceparent);
  try {
    const { route, match } = routeOf(request);
    const answer = route.handle({ request, rawBody: request.rawBody, match, traceparent, fbtraceId }, dependencies);
    return answer instanceof Promise ? await answer : answer;
  } catch (error) {
    const traced = dependencies.log.child(traceFields(dependencies.projectId, traceparent));
    if (error instanceof Refused) {
      const { status, code, message } = error.error;
      traced.info({ status, code, reason: message }, 'request refused');
      return errorAnswer(error.error, fbtraceId);
    }
    traced.error({ err: error }, 'request could not be taken');
    return errorAnswer(unavailable, fbtraceId);
  }
}

function nameOf({ method, url }: RelayRequest): string {
  const path = pathOf(url);
  return routes.find((route) => route.method === method && route.path.test(path))?.name ?? '(none)';
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

/** @throws Refused 404 for a path nothing is at, 405 with `Allow` for a method it does not take */
function routeOf({ method, url }: RelayRequest): { route: (typeof routes)[number]; match: RegExpExecArray } {
  const path = pathOf(url);
  const allowed: string[] = [];
  for (const route of routes) {
    const match = route.path.exec(path);
    if (match === null) continue;
    if (route.method === method) return { route, match };
    allowed.push(route.method);
  }
  if (allowed.length === 0) throw new Refused(unknownPath);
  throw new Refused({ ...unsupportedMethod, headers: { allow: allowed.join(', ') } });
}
