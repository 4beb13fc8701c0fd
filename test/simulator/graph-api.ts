import { authorize } from './access.ts';
import type { SimulatorContext } from './context.ts';
import { credentialOf, verifyProof } from './credential.ts';
import type { Credential, Endpoint } from './endpoint.ts';
import { endpointFor } from './endpoints.ts';
import type { Fault } from './faults.ts';
import { parseFields, render, Row, Rows } from './field-selection.ts';
import { errorBody, GraphError, httpStatusOf, nonexistingField, throttled, unknownObject } from './graph-error.ts';
import { listParameters, pageOf } from './paging.ts';
import { readParameters } from './parameters.ts';
import { describeToken, findToken, loggableError, type TokenFound, usageTarget } from './request-facts.ts';
import { parseBody, parseForm } from './request-body.ts';
import { loggableParams } from './request-log.ts';
import { routeOf, type Route } from './route.ts';
import type { UsageTarget } from './usage.ts';
import type { GraphNode } from './world.ts';

export interface GraphRequest {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** What goes back; `cut` closes the connection instead of answering. */
export interface GraphAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly cut: boolean;
  readonly latencyMs: number;
}

/** Everything learnt about one request while it is answered; the log entry is made from it. */
interface Progress {
  params: Map<string, unknown>;
  token: TokenFound;
  credential: Credential | undefined;
  usage: UsageTarget;
  fault: Fault | undefined;
}

const globalParameters = new Set(['access_token', 'appsecret_proof']);
const readParametersAllowed = new Set([...globalParameters, 'fields']);

/**
 * Answers one Graph request and writes its log entry. Never throws for anything a client may send, but for the few calls
 * upon which Meta asks the app's server something: those are for {@link answerGraphAsking}.
 */
export function answerGraph(request: GraphRequest, context: SimulatorContext): GraphAnswer {
  const step = exchange(request, context).next();
  if (step.done !== true) throw new Error('simulator defect: Meta would call the app here, which only a server can');
  return step.value;
}

/** The same, waiting for what Meta asks of the app's own server meanwhile. */
export async function answerGraphAsking(request: GraphRequest, context: SimulatorContext): Promise<GraphAnswer> {
  const running = exchange(request, context);
  let step = running.next();
  while (step.done !== true) {
    step = await step.value.then(
      () => running.next(),
      (error: unknown) => running.throw(error),
    );
  }
  return step.value;
}

/** One request from its path to its log entry; yields what Meta asks of the app, which must be waited for. */
function* exchange(request: GraphRequest, context: SimulatorContext): Generator<Promise<void>, GraphAnswer, void> {
  const startedAt = performance.now();
  const seq = context.log.nextSeq();
  const fbtraceId = `ASIM${seq.toString(36).padStart(8, '0')}`;
  const route = routeOf(request.method, request.url.pathname, context);
  const progress: Progress = {
    params: new Map(),
    token: { value: undefined, in: 'none' },
    credential: undefined,
    usage: usageTarget(route, request.method),
    fault: undefined,
  };

  let outcome: { status: number; body: unknown } | GraphError;
  try {
    outcome = { status: 200, body: yield* carryOut(request, route, progress, context, fbtraceId) };
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    outcome = error;
  }

  const { fault } = progress;
  const details = outcome instanceof GraphError ? outcome.details : undefined;
  const cut = fault?.dropBeforeApply === true || fault?.lostResponse === true;
  const isHtml = fault?.htmlBody === true && details === undefined;
  const status = details === undefined ? 200 : httpStatusOf(details);
  context.log.add({
    seq,
    at: new Date(context.clock.nowMs()).toISOString(),
    method: request.method,
    path: request.url.pathname,
    version: route.version,
    edge: route.template,
    operation: route.endpoint?.operation,
    params: loggableParams(progress.params, context.log.isBrief),
    token: describeToken(progress.token, progress.credential),
    tokenIn: progress.token.in,
    status: cut ? 0 : status,
    ...(details === undefined ? {} : { error: loggableError(details) }),
    ...(fault === undefined ? {} : { fault: nameOf(fault) }),
    fbtraceId,
    ms: Math.round((performance.now() - startedAt) * 100) / 100,
  });
  const regainMinutes = fault?.throttle === undefined ? 0 : minutesLeft(fault, context);
  return {
    status,
    headers: {
      'content-type': isHtml ? 'text/html; charset=utf-8' : 'application/json; charset=UTF-8',
      'facebook-api-version':
        context.switches.answered_version === 'oldest_left' ? 'v26.0' : route.version === '' ? 'v25.0' : route.version,
      'x-fb-trace-id': fbtraceId,
      'x-fb-request-id': fbtraceId,
      ...context.usage.headers(progress.usage, regainMinutes),
    },
    body: isHtml
      ? '<!DOCTYPE html><html><body>Sorry, something went wrong.</body></html>'
      : JSON.stringify(details === undefined ? (outcome as { body: unknown }).body : errorBody(details, fbtraceId)),
    cut,
    latencyMs: fault?.latencyMs ?? 0,
  };
}

function* carryOut(
  request: GraphRequest,
  route: Route,
  progress: Progress,
  context: SimulatorContext,
  fbtraceId: string,
): Generator<Promise<void>, unknown, void> {
  if (route.refusal !== undefined) throw route.refusal;
  const query = parseForm(request.url.searchParams);
  const body = parseBody(request.contentType, request.body);
  progress.params = new Map([...query, ...body]);
  progress.token = findToken(request.authorization, query, body);

  progress.fault = context.faults.strike({
    method: request.method,
    path: route.path,
    template: route.template,
    operation: route.endpoint?.operation,
  });
  const { fault } = progress;
  if (fault?.dropBeforeApply === true || fault?.htmlBody === true) return {};
  if (fault?.throttle !== undefined) {
    throw throttled(fault.throttle.code ?? 80004, 2446079, context.switches, 'There have been too many calls.');
  }
  if (fault?.error !== undefined) {
    throw new GraphError({ message: `(#${String(fault.error.code)}) Planted error`, ...fault.error });
  }

  const isAnonymous = route.endpoint?.credentials.includes('none') ?? false;
  progress.credential = isAnonymous ? { kind: 'none' } : credentialOf(progress.token.value, context);
  const { credential } = progress;
  if (!isAnonymous) verifyProof(progress.token.value, progress.params.get('appsecret_proof'), credential, context);
  const { endpoint, node } = resolve(route, credential);
  context.usage.count(progress.usage);
  authorize(endpoint, credential, node, route.shownId, context);

  const table = endpoint.isList === true ? { ...endpoint.parameters, ...listParameters } : endpoint.parameters;
  const allowed = request.method === 'GET' ? readParametersAllowed : globalParameters;
  const params = readParameters(table, progress.params, allowed);
  // To a write, `fields` is a parameter of its own, where it is one.
  const fields = request.method === 'GET' ? progress.params.get('fields') : undefined;
  const tree = typeof fields === 'string' && fields !== '' ? parseFields(fields) : undefined;
  const call = { context, credential, node, params, nowMs: context.clock.nowMs(), rawToken: progress.token.value };
  if (endpoint.askTheApp !== undefined) yield endpoint.askTheApp(call);
  const answer = endpoint.handle(call);
  if (answer instanceof Row) return render(answer, tree, context);
  if (answer instanceof Rows) {
    const link = (extra: Record<string, string>) => nextLink(request, progress, extra, context);
    return pageOf(visibleTo(answer, fault, context), params as never, tree, link, context);
  }
  return endpoint.operation === 'send_events' ? { ...answer, fbtrace_id: fbtraceId } : answer;
}

/** The edge and its node, or the error Graph gives for what does not exist. */
function resolve(route: Route, credential: Credential): { endpoint: Endpoint; node: GraphNode | undefined } {
  if (route.endpoint?.on === 'root') return { endpoint: route.endpoint, node: undefined };
  let { node, endpoint } = route;
  if (route.isMe) {
    if (credential.kind === 'app' || credential.kind === 'none') {
      throw new GraphError({
        code: 2500,
        message: 'An active access token must be used to query information about the current user.',
      });
    }
    node = credential.kind === 'user' ? credential.person : credential.systemUser;
    endpoint = endpointFor(route.method, node.kind, route.edge);
  }
  if (node === undefined) {
    if (/^(act_)?\d+$/.test(route.shownId)) throw unknownObject(route.shownId, route.method, 'no such object');
    throw new GraphError({
      code: 803,
      message: `(#803) Some of the aliases you requested do not exist: ${route.shownId}`,
    });
  }
  if (endpoint === undefined) {
    if (route.method === 'GET' && route.edge !== undefined) throw nonexistingField(route.edge, node.kind);
    throw unknownObject(route.shownId, route.method, `no ${route.method} ${route.edge ?? 'on the node'}`);
  }
  return { endpoint, node };
}

function visibleTo(rows: Rows, fault: Fault | undefined, context: SimulatorContext): Rows {
  const blindMs = fault?.finderBlindMs;
  if (blindMs === undefined) return rows;
  const newest = context.clock.nowMs() - blindMs;
  return new Rows(
    rows.shape,
    rows.values.filter((value) => ((value as { createdAtMs?: number }).createdAtMs ?? 0) <= newest),
  );
}

function nextLink(
  request: GraphRequest,
  progress: Progress,
  extra: Record<string, string>,
  context: SimulatorContext,
): string {
  const link = new URL(request.url);
  for (const name of ['access_token', 'appsecret_proof', 'after', 'before']) link.searchParams.delete(name);
  for (const [name, value] of Object.entries(extra)) link.searchParams.set(name, value);
  if (context.switches.paging_next_has_token && progress.token.value !== undefined) {
    link.searchParams.set('access_token', progress.token.value);
  }
  return link.href;
}

const minutesLeft = (fault: Fault, context: SimulatorContext): number =>
  Math.max(1, Math.ceil(((fault.blockedUntilMs ?? 0) - context.clock.nowMs()) / 60_000));

const nameOf = (fault: Fault): string =>
  (['dropBeforeApply', 'lostResponse', 'throttle', 'htmlBody', 'error', 'latencyMs', 'finderBlindMs'] as const).find(
    (effect) => fault[effect] !== undefined,
  ) ?? 'none';
