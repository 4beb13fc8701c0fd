import { traceFields } from '../../../shared/runtime/logger.ts';
import { traceparentOf } from '../../../shared/runtime/trace.ts';
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

/** @throws Refused 404 for a path nothing is at, 405 with `Allow` for a method it does not take */
function routeOf({ method, url }: RelayRequest): { route: (typeof routes)[number]; match: RegExpExecArray } {
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
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
