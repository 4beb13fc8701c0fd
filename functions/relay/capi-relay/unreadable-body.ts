import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server } from 'node:http';
import type { Application, ErrorRequestHandler, RequestHandler } from 'express';
import { traceparentOf } from '../../../shared/runtime/trace.ts';
import { readBoundedBody, unreadable } from './bounded-body.ts';
import { errorAnswer, fbtraceIdOf, unknownPath } from './meta-answer.ts';
import type { RelayAnswer } from './meta-answer.ts';

type App = Pick<Application, 'use'> & { readonly router: { readonly stack: unknown[] } };
type Send = (response: Parameters<ErrorRequestHandler>[2], answer: RelayAnswer) => void;

const done = new WeakSet<object>();

/**
 * functions-framework reads and parses bodies before a function sees the request, without a limit that protects memory,
 * and answers what it cannot parse with an HTML page. This puts our own reader before its parsers, and behind them a last
 * handler that answers in Meta's form whatever Express itself refuses, such as a path it cannot decode.
 */
export function answerUnreadableBodies(app: object, send: Send): void {
  if (done.has(app) || !isExpressApp(app)) return;
  done.add(app);
  const read: RequestHandler = (request, response, next) => {
    reader(request, response, next);
  };
  const reader = readBoundedBody((response, answer) => send(response as Parameters<Send>[0], answer));
  app.use(read);
  // Express knows no other way to be first than to be there first.
  const { stack } = app.router;
  const layer = stack.pop();
  if (layer !== undefined) stack.unshift(layer);

  const refuse: ErrorRequestHandler = (error: unknown, request, response, next) => {
    const status = statusOf(error);
    if (status === undefined || response.headersSent) return next(error);
    const fbtraceId = fbtraceIdOf(traceparentOf(request.headers['traceparent']));
    send(response, errorAnswer(unreadable(status), fbtraceId));
  };
  app.use(refuse);
  // What the framework's own route does not match, such as `POST *`.
  const nothingThere: RequestHandler = (request, response) => {
    send(response, errorAnswer(unknownPath, fbtraceIdOf(traceparentOf(request.headers['traceparent']))));
  };
  app.use(nothingThere);
}

/** The same before the first request: a function is never handed the app, but the server that starts with it is seen. */
export function answerUnreadableBodiesFromTheStart(send: Send): void {
  const channel = 'http.server.request.start';
  const onRequest = (message: unknown): void => {
    const server = typeof message === 'object' && message !== null && 'server' in message ? message.server : undefined;
    const apps = server instanceof Server ? server.listeners('request').filter(isExpressApp) : [];
    if (apps.length === 0) return;
    unsubscribe(channel, onRequest);
    for (const app of apps) answerUnreadableBodies(app, send);
  };
  subscribe(channel, onRequest);
}

function isExpressApp(listener: object): listener is App {
  return 'use' in listener && typeof listener.use === 'function' && 'handle' in listener && 'router' in listener;
}

/** The client error Express or body-parser found; undefined for anything that is no fault of the request. */
function statusOf(error: unknown): number | undefined {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
