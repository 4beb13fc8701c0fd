import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server } from 'node:http';
import type { Application, ErrorRequestHandler } from 'express';
import { traceparentOf } from '../../../shared/runtime/trace.ts';
import { errorAnswer, fbtraceIdOf, invalidParameter } from './meta-answer.ts';
import type { RelayAnswer } from './meta-answer.ts';
import { targetOf } from './request.ts';

const done = new WeakSet<object>();

/**
 * functions-framework parses bodies before a function sees the request, and answers what it cannot parse with an HTML
 * page. This puts a last handler on its Express app that answers in Meta's form, for requests to the relay's paths.
 */
export function answerUnreadableBodies(app: Pick<Application, 'use'>, send: Send): void {
  if (done.has(app)) return;
  done.add(app);
  const handler: ErrorRequestHandler = (error: unknown, request, response, next) => {
    const status = statusOf(error);
    if (status === undefined || targetOf(request.url) === undefined) return next(error);
    const fbtraceId = fbtraceIdOf(traceparentOf(request.headers['traceparent']));
    send(response, errorAnswer(unreadable(status), fbtraceId));
  };
  app.use(handler);
}

type Send = (response: Parameters<ErrorRequestHandler>[2], answer: RelayAnswer) => void;

/** The same before the first request: a function is never handed the app, but the server that starts with it is seen. */
export function answerUnreadableBodiesFromTheStart(send: Send): void {
  const channel = 'http.server.request.start';
  const onRequest = (message: unknown): void => {
    unsubscribe(channel, onRequest);
    const server = typeof message === 'object' && message !== null && 'server' in message ? message.server : undefined;
    if (!(server instanceof Server)) return;
    for (const listener of server.listeners('request'))
      if (isExpressApp(listener)) answerUnreadableBodies(listener, send);
  };
  subscribe(channel, onRequest);
}

function isExpressApp(listener: object): listener is Pick<Application, 'use'> {
  return 'use' in listener && typeof listener.use === 'function' && 'handle' in listener;
}

/** The client error body-parser found; undefined for anything that is no fault of the request. */
function statusOf(error: unknown): number | undefined {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

function unreadable(status: number): ReturnType<typeof invalidParameter> {
  return invalidParameter(
    'The body could not be read',
    'Send valid JSON or a form, in UTF-8, plain or compressed with gzip, and its true content type.',
    status,
  );
}
