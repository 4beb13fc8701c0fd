import { subscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import type { ErrorRequestHandler, Express } from 'express';
import { jsonAnswer } from './http-answer.ts';
import { HttpProblem, problemBody } from './http-problem.ts';

/**
 * functions-framework parses bodies before the function is called, and has no hook for what its parser refuses: Express
 * then answers with an HTML page that, outside production, shows a stack with paths of the machine. This module puts an
 * answer of ours behind the framework's own routes.
 */

const covered = new WeakSet<Server>();
let isWatching = false;

/** Covers every server of this process that takes connections, before its first request is handled. */
export function watchForRefusedBodies(): void {
  if (isWatching) return;
  isWatching = true;
  subscribe('http.server.request.start', (message) => {
    const { server } = message as { server: Server };
    answerRefusedBodies(server);
  });
}

/** Covers one server; for a host that hands requests to a framework server which does not listen itself. */
function answerRefusedBodies(server: Server): void {
  if (covered.has(server)) return;
  covered.add(server);
  for (const listener of server.listeners('request')) if (isExpress(listener)) listener.use(answerRefusal);
}

/** Four parameters: by that Express knows an error handler. */
const answerRefusal: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  const problem = response.headersSent ? undefined : problemOf(error);
  if (problem === undefined) {
    next(error);
    return;
  }
  const { body, headers, status } = jsonAnswer(problem.status, problemBody(problem));
  response.writeHead(status, headers).end(body);
};

/** body-parser says in `type` what it refused (its README, "Errors"); Express itself refuses a path it cannot decode. */
function problemOf(error: unknown): HttpProblem | undefined {
  if (error instanceof URIError)
    return new HttpProblem(400, 'malformed-path', 'The path is not percent-encoded UTF-8.');
  const type = typeof error === 'object' && error !== null && 'type' in error ? error.type : undefined;
  switch (type) {
    case 'entity.parse.failed':
      return new HttpProblem(400, 'malformed-json', 'The body is not JSON.', { expected: ['a JSON object'] });
    case 'entity.too.large':
      return new HttpProblem(413, 'body-too-large', 'The body is too large.');
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new HttpProblem(415, 'unsupported-encoding', 'Send the body as UTF-8, plain or gzip.');
    case 'request.size.invalid':
    case 'request.aborted':
    case 'parameters.too.many':
      return new HttpProblem(400, 'malformed-body', 'The body could not be read.');
    default:
      return undefined;
  }
}

function isExpress(listener: unknown): listener is Express {
  return typeof listener === 'function' && 'use' in listener && 'handle' in listener;
}
