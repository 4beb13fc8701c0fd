/**
 * What stands before the functions in the cloud, played locally: IAM on functions that only Google accounts may call, and
 * the forwarded address. Here the operator's identity is one printed development token instead of a Google ID token.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { FunctionManifest } from '../../shared/contracts/function-manifest.ts';

/** The bearer token that stands for the operator's Google ID token. It opens nothing outside this machine's stack. */
export const operatorToken = 'dev-operator';
export const operatorEmail = 'dev-operator@local';

export type Admission =
  | { readonly admitted: true; readonly headers: Readonly<Record<string, string>> }
  | { readonly admitted: false; readonly status: 401 | 403; readonly message: string };

export interface Caller {
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string | undefined;
}

/**
 * Whether a request may reach a function, and the headers it gets on the way (they replace the caller's own).
 *
 * - `public`: anybody.
 * - `iam`: the development token, from a browser as the password, which becomes an ID token as Cloud Run hands it on (its signature already removed).
 * - `pubsub`, `scheduler`: the embedded services' own ID token, the development token, or nothing from this machine.
 */
export function admit(callers: FunctionManifest['callers'], caller: Caller): Admission {
  const forwarded = forwardedHeaders(caller);
  if (callers === 'public') return { admitted: true, headers: forwarded };
  const bearer = bearerOf(caller.headers.authorization);
  if (bearer === operatorToken) {
    return { admitted: true, headers: { ...forwarded, authorization: `Bearer ${operatorIdToken()}` } };
  }
  if (callers === 'iam') {
    const status = bearer === undefined ? 401 : 403;
    return {
      admitted: false,
      status,
      message: `This function needs the IAM invoker role. Locally send "Authorization: Bearer ${operatorToken}".`,
    };
  }
  const isService = bearer !== undefined && isServiceToken(bearer);
  const isLocal = caller.headers.authorization === undefined && isLoopback(caller.remoteAddress);
  if (isService || isLocal) return { admitted: true, headers: forwarded };
  return {
    admitted: false,
    status: bearer === undefined ? 401 : 403,
    message:
      `Only ${callers === 'pubsub' ? "Pub/Sub's push account" : "Cloud Scheduler's account"} may call this function. ` +
      `Locally send "Authorization: Bearer ${operatorToken}", or no Authorization from this machine.`,
  };
}

/**
 * Google appends the caller's address as the last entry. A caller on this machine may write the entry itself: it stands
 * where Google's front end would.
 */
function forwardedHeaders({ headers, remoteAddress }: Caller): Record<string, string> {
  const given = headers['x-forwarded-for'];
  const known = Array.isArray(given) ? given.join(',') : given;
  const forwardedFor =
    known === undefined ? (remoteAddress ?? '') : isLoopback(remoteAddress) ? known : `${known},${remoteAddress ?? ''}`;
  return { 'x-forwarded-for': forwardedFor, 'x-forwarded-proto': 'http' };
}

function bearerOf(authorization: string | undefined): string | undefined {
  const basic = /^Basic +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  return Buffer.from(basic, 'base64')
    .toString()
    .replace(/^[^:]*:/, '');
}

/** Cloud Run hands the function an ID token whose signature it has replaced by this text. */
function operatorIdToken(): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const claims = { iss: 'https://accounts.google.com', sub: operatorEmail, email: operatorEmail, email_verified: true };
  return `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}.SIGNATURE_REMOVED_BY_GOOGLE`;
}

function isServiceToken(bearer: string): boolean {
  const claims = bearer.split('.')[1];
  if (claims === undefined) return false;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && 'email' in parsed && parsed.email === serviceAccountEmail;
  } catch {
    return false;
  }
}

/** The account as which the embedded Pub/Sub, Cloud Tasks and the local scheduler call functions. */
export const serviceAccountEmail = 'local-services@kobi-local.iam.gserviceaccount.com';

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(address);
}
