import { Domain } from 'node:domain';
import type { HttpFunction, Request, Response } from '@google-cloud/functions-framework';
import { accept } from './accept.ts';
import type { AcceptDependencies } from './accept.ts';
import type { RelayAnswer } from './meta-answer.ts';
import type { RelayRequest } from './request.ts';
import { answerUnreadableBodies, answerUnreadableBodiesFromTheStart } from './unreadable-body.ts';

/** The relay as an HTTP function of functions-framework. Dependencies are asked for on the first request. */
export function relayFunction(dependencies: () => AcceptDependencies): HttpFunction {
  answerUnreadableBodiesFromTheStart(send);
  return async (request, response) => {
    leaveDomain();
    answerUnreadableBodies(request.app, send);
    send(response, await accept(relayRequest(request), dependencies()));
  };
}

/**
 * functions-framework runs each request in a `node:domain`, so that what a function throws late still gets an answer. Here
 * nothing does: {@link accept} answers every error. The domain's hooks on every promise cost a tenth of a request.
 */
function leaveDomain(): void {
  if ('domain' in process && process.domain instanceof Domain) process.domain.exit();
}

function relayRequest(request: Request): RelayRequest & { readonly rawBody: Buffer | undefined } {
  const { method, url, headers, rawBody, socket } = request;
  const body: unknown = request.body;
  const bodyBytes = rawBody?.length ?? 0;
  return { method, url, headers, body, rawBody, bodyBytes, remoteAddress: socket.remoteAddress };
}

function send(response: Response, { status, body, cookies, headers }: RelayAnswer): void {
  const hasBody = status !== 204 && status !== 304;
  response.writeHead(status, {
    ...(hasBody && { 'content-type': 'application/json; charset=UTF-8', 'content-length': Buffer.byteLength(body) }),
    'cache-control': 'no-store',
    ...(cookies !== undefined && cookies.length > 0 && { 'set-cookie': [...cookies] }),
    ...headers,
  });
  response.end(body);
}
