import type { AcceptDependencies } from './take-events.ts';
import type { RelayAnswer } from './meta-answer.ts';
import type { RelayRequest } from './request.ts';

/** One thing the relay answers. */
export interface RelayRoute {
  readonly method: 'GET' | 'POST' | 'OPTIONS';
  /** The path as people write it, for traces. */
  readonly name: string;
  /** Matched with the path, without query. */
  readonly path: RegExp;
  /**
   * Answers one request. A thrown `Refused` becomes the error it describes, in Meta's form; anything else is logged and
   * becomes 503, so that nothing the sender cannot repeat is ever lost.
   */
  readonly handle: (call: RelayCall, dependencies: AcceptDependencies) => RelayAnswer | Promise<RelayAnswer>;
}

/** A request as a handler sees it. */
export interface RelayCall {
  readonly request: RelayRequest;
  /** The body's bytes after decompression, whatever its content type; undefined when there is none. */
  readonly rawBody: Buffer | undefined;
  /** Of the route's `path`. */
  readonly match: RegExpExecArray;
  /** W3C trace context, the caller's own when it sent one. */
  readonly traceparent: string;
  /** Of the answer: our trace id in the form of Meta's. */
  readonly fbtraceId: string;
}
