/** What the client tells its observer about each exchange with Meta: enough for logs and metrics, nothing secret. */
import type { CredentialKind } from './access-token.ts';
import type { GraphError } from './errors.ts';
import { edgeOf } from './graph-body.ts';
import type { HttpAnswer, HttpRequest } from './transport.ts';
import type { Usage } from './usage.ts';
import { graphVersion } from './version.ts';

/** One exchange, without ids, parameters or tokens. */
export interface GraphCall {
  readonly method: HttpRequest['method'];
  /** Template, e.g. `/{id}/adaccount`. */
  readonly path: string;
  /** `adaccount`; empty for a call on a node itself. */
  readonly edge: string;
  readonly credential: CredentialKind | 'none';
  /** Absent when no answer came. */
  readonly status?: number;
  readonly ms: number;
  readonly fbtraceId?: string;
  readonly errorCode?: number;
  readonly errorSubcode?: number;
  /** What kind of failure it was (`errors.ts`), and its reason. */
  readonly errorClass?: GraphError['class'];
  readonly errorReason?: string;
  readonly usage: readonly Usage[];
  /** The version Meta answered with, only when it is not the one asked for. */
  readonly answeredVersion?: string;
}

interface Exchange {
  readonly method: HttpRequest['method'];
  readonly template: string;
  readonly credential: CredentialKind | undefined;
  readonly ms: number;
  readonly received: HttpAnswer | undefined;
  readonly usage: readonly Usage[];
  readonly failure: GraphError | undefined;
}

/** The exchange as the observer may see it. */
export function observed({ method, template, credential, ms, received, usage, failure }: Exchange): GraphCall {
  const answered = received?.headers['facebook-api-version'];
  const trace = failure?.fbtraceId ?? received?.headers['x-fb-trace-id'];
  return {
    method,
    path: template,
    edge: edgeOf(template),
    credential: credential ?? 'none',
    ms,
    usage,
    ...(received && { status: received.status }),
    ...(typeof trace === 'string' && { fbtraceId: trace }),
    ...(failure?.code !== undefined && { errorCode: failure.code }),
    ...(failure?.subcode !== undefined && { errorSubcode: failure.subcode }),
    ...(failure && { errorClass: failure.class, errorReason: failure.reason }),
    ...(typeof answered === 'string' && answered !== graphVersion && { answeredVersion: answered }),
  };
}
