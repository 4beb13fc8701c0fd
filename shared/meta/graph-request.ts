/** One call as an HTTP request: what goes into header, query and body. */
import type { AccessToken } from './access-token.ts';
import { encodeForm } from './graph-body.ts';
import type { GraphParams } from './graph-body.ts';
import type { HttpRequest } from './transport.ts';
import type { CallSubject } from './usage.ts';
import { graphVersion } from './version.ts';

export interface CallOptions {
  readonly timeoutMs?: number;
  /** Send the parameters as a JSON body instead of form fields; POST only. */
  readonly json?: boolean;
  /** Texts beside the token and its proof that must not survive in an error: Graph echoes parameters. */
  readonly secrets?: readonly string[];
  /** The limit the call counts against, where its path does not name the object the limit belongs to. */
  readonly limitOf?: CallSubject;
  /** A write that changes nothing worth finding again: sent anew when its answer was lost. */
  readonly isRepeatable?: boolean;
}

export interface GraphRequest extends CallOptions {
  readonly method: HttpRequest['method'];
  readonly path: string;
  readonly params: GraphParams;
  readonly token: AccessToken | undefined;
}

/** Meta answers most calls within seconds; a longer wait only delays the next attempt. */
const defaultTimeoutMs = 30_000;

/** Where everything goes: token in the header, proof and parameters in the body of a POST, in the query otherwise. */
export function requestFor(call: GraphRequest, basePath: string, proof: string | undefined): HttpRequest {
  const path = `${basePath.replace(/\/$/, '')}/${graphVersion}${call.path}`;
  const headers: Record<string, string> = { accept: 'application/json' };
  if (call.token) headers['authorization'] = `Bearer ${call.token.reveal()}`;
  const timeoutMs = call.timeoutMs ?? defaultTimeoutMs;
  const withProof = { ...call.params, appsecret_proof: proof };
  if (call.method !== 'POST') {
    const query = encodeForm(withProof);
    return { method: call.method, path: query === '' ? path : `${path}?${query}`, headers, body: undefined, timeoutMs };
  }
  headers['content-type'] = call.json ? 'application/json' : 'application/x-www-form-urlencoded';
  const body = call.json ? JSON.stringify(withProof) : encodeForm(withProof);
  return { method: 'POST', path, headers, body, timeoutMs };
}
