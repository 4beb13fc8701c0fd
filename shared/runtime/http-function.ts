import { randomUUID } from 'node:crypto';
import type { HttpFunction, Request, Response } from '@google-cloud/functions-framework';
import { jsonAnswer } from './http-answer.ts';
import type { HttpAnswer } from './http-answer.ts';
import { HttpProblem, problemBody } from './http-problem.ts';
import { traceFields } from './logger.ts';
import type { Logger } from './logger.ts';
import { watchForRefusedBodies } from './refused-body.ts';
import { startRequestSpan } from './tracing.ts';

/** One thing an HTTP function does, declared as data so that a reader sees all of them at once. */
export interface HttpRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `{name}` stands for one path segment. */
  readonly path: string;
  /** `public`: anybody. `iam`: callers Cloud Run's IAM let through, known by their e-mail address. */
  readonly callers: 'public' | 'iam';
  readonly handle: (call: HttpCall) => Promise<HttpAnswer>;
}

/** A request as a handler sees it. */
export interface HttpCall {
  /** The path segments `{name}` stood for, decoded. Untrusted: check before use. */
  param(name: string): string;
  readonly query: URLSearchParams;
  cookie(name: string): string | undefined;
  /** A header by its name in lower case; several of one name joined with a comma. Undefined when it is not there. */
  header(name: string): string | undefined;
  readonly rawBody: Buffer;
  /** E-mail address of an `iam` caller, `public` otherwise. */
  readonly caller: string;
  /** W3C trace context, the caller's own when it sent one. */
  readonly traceparent: string;
  readonly log: Logger;
}

export interface HttpFunctionOptions {
  readonly projectId: string;
  readonly log: Logger;
  readonly routes: readonly HttpRoute[];
  readonly maxBodyBytes?: number;
  /** How a problem is answered; JSON unless told. */
  readonly answerProblem?: (problem: HttpProblem) => HttpAnswer;
}

const defaultMaxBodyBytes = 64 * 1024;

/**
 * Turns declared routes into a functions-framework HTTP function.
 *
 * Unknown paths answer 404, known paths with another method 405 with `Allow`, oversized bodies 413. A thrown
 * {@link HttpProblem} is the answer it describes; anything else is logged and answered 500 with a request id only.
 * One line is logged per request, with the route's pattern: never a query, a header or a body.
 */
export function httpFunction(options: () => HttpFunctionOptions): HttpFunction {
  watchForRefusedBodies();
  return async (request: Request, response: Response): Promise<void> => {
    const { answerProblem = jsonProblem, log, maxBodyBytes = defaultMaxBodyBytes, projectId, routes } = options();
    const startedMs = performance.now();
    const requestId = randomUUID();
    const span = startRequestSpan(request.headers);
    const { traceparent } = span;
    const bound = log.child({ requestId, ...traceFields(projectId, traceparent) });
    let route: HttpRoute | undefined;
    let answer: HttpAnswer;
    try {
      const matched = matchRoute(routes, request);
      ({ route } = matched);
      const { handle, callers } = route;
      const call: HttpCall = {
        param: (name) => matched.params.get(name) ?? '',
        query: new URL(request.url, 'http://localhost').searchParams,
        cookie: (name) => cookieOf(request.headers.cookie, name),
        header: (name) => request.headers[name]?.toString(),
        rawBody: bodyOf(request, maxBodyBytes),
        caller: callers === 'iam' ? callerOf(request) : 'public',
        traceparent,
        log: bound,
      };
      answer = await span.run(() => handle(call));
    } catch (error) {
      answer = answerProblem(error instanceof HttpProblem ? error : unexpected(error, requestId, bound));
    }
    bound.info(
      {
        method: request.method,
        route: route?.path ?? '(none)',
        status: answer.status,
        ms: Math.round(performance.now() - startedMs),
      },
      'answered',
    );
    span.end({
      name: `${request.method} ${route?.path ?? '(none)'}`,
      attributes: {
        'http.request.method': request.method,
        'http.route': route?.path,
        'http.response.status_code': answer.status,
      },
      failed: answer.status >= 500,
    });
    response.writeHead(answer.status, {
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
      ...answer.headers,
    });
    response.end(answer.body);
  };
}

/**
 * The e-mail address in the caller's Google ID token.
 *
 * The signature is not checked here and need not be: a function whose callers are `iam` is deployed without public
 * access, and Cloud Run verifies the token (and the invoker role) before the function runs, then replaces the signature.
 * Locally a gateway plays that part.
 * @throws HttpProblem 401 when there is no such token
 */
function callerOf(request: Pick<Request, 'headers'>): string {
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const payload = token?.split('.')[1];
  const claims = payload === undefined ? undefined : parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
  const email = isRecord(claims) ? claims['email'] : undefined;
  if (typeof email === 'string' && email !== '') return email;
  throw new HttpProblem(401, 'unauthenticated', 'Call with a Google ID token that names an e-mail address.', {
    headers: { 'www-authenticate': 'Bearer' },
  });
}

/** The body as JSON, whatever content type it was sent with. @throws HttpProblem 400 */
export function jsonBody(call: Pick<HttpCall, 'rawBody'>): unknown {
  const body = parseJson(call.rawBody.toString('utf8'));
  if (body !== undefined) return body;
  const what = call.rawBody.length === 0 ? 'The request has no body.' : 'The body is not JSON.';
  throw new HttpProblem(400, 'malformed-json', what, { expected: ['a JSON object'] });
}

/** The fields of an HTML form. */
export function formBody(call: Pick<HttpCall, 'rawBody'>): URLSearchParams {
  return new URLSearchParams(call.rawBody.toString('utf8'));
}

function matchRoute(
  routes: readonly HttpRoute[],
  request: Request,
): { route: HttpRoute; params: ReadonlyMap<string, string> } {
  const path = request.path.length > 1 ? request.path.replace(/\/$/, '') : request.path;
  const allowed: string[] = [];
  for (const route of routes) {
    const params = matchPath(route.path, path);
    if (params === undefined) continue;
    if (route.method === request.method) return { route, params };
    allowed.push(route.method);
  }
  if (allowed.length === 0) throw new HttpProblem(404, 'not-found', 'There is nothing at this path.');
  throw new HttpProblem(405, 'method-not-allowed', `This path takes ${allowed.join(', ')}.`, {
    expected: allowed,
    headers: { allow: allowed.join(', ') },
  });
}

function matchPath(pattern: string, path: string): Map<string, string> | undefined {
  const expected = pattern.split('/');
  const given = path.split('/');
  if (expected.length !== given.length) return undefined;
  const params = new Map<string, string>();
  for (const [index, segment] of expected.entries()) {
    const value = given[index] ?? '';
    const name = /^\{(\w+)\}$/.exec(segment)?.[1];
    if (name === undefined) {
      if (segment !== value) return undefined;
      continue;
    }
    const decoded = decodeSegment(value);
    if (decoded === undefined || decoded === '') return undefined;
    params.set(name, decoded);
  }
  return params;
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** functions-framework keeps the bytes it parsed; a request without a body has none. */
function bodyOf(request: Request, maxBytes: number): Buffer {
  const body = request.rawBody ?? Buffer.alloc(0);
  if (body.length <= maxBytes) return body;
  throw new HttpProblem(413, 'body-too-large', `The body may have ${maxBytes} bytes, it has ${body.length}.`);
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const [key = '', ...value] = pair.split('=');
    if (key.trim() === name) return value.join('=').trim();
  }
  return undefined;
}

function unexpected(error: unknown, requestId: string, log: Logger): HttpProblem {
  log.error({ err: error }, 'unexpected error');
  return new HttpProblem(500, 'internal', `Something went wrong on our side. Request id ${requestId}.`);
}

function jsonProblem(problem: HttpProblem): HttpAnswer {
  return jsonAnswer(problem.status, problemBody(problem), { ...problem.details.headers });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
