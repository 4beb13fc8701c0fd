import type { Switches } from './switches.ts';

/** Meta's error envelope. Codes and subcodes decide; texts are for people (Graph API "Handle errors"). */

export interface GraphErrorDetails {
  code: number;
  message: string;
  subcode?: number;
  type?: 'OAuthException' | 'GraphMethodException';
  httpStatus?: number;
  userTitle?: string;
  userMessage?: string;
  isTransient?: boolean;
  errorData?: unknown;
  /** Why the simulator refused, for the request log only: Meta's answers do not say it, so ours must not either. */
  reason?: string;
}

export class GraphError extends Error {
  readonly details: GraphErrorDetails;

  constructor(details: GraphErrorDetails) {
    super(details.message);
    this.name = 'GraphError';
    this.details = details;
  }
}

/** The HTTP status Graph uses for a code where nothing more specific is known. */
export function httpStatusOf({ code, subcode, httpStatus }: GraphErrorDetails): number {
  if (httpStatus !== undefined) return httpStatus;
  if (code === 1 || code === 2) return 500;
  if (code === 190) return subcode === undefined ? 401 : 400;
  if (code === 803) return 404;
  if (code === 10 || (code >= 200 && code <= 299)) return 403;
  return 400;
}

/** The JSON body `{error:{…}}` of a refused call. */
export function errorBody(details: GraphErrorDetails, fbtraceId: string): { error: Record<string, unknown> } {
  const error: Record<string, unknown> = {
    message: details.message,
    type: details.type ?? 'OAuthException',
    code: details.code,
  };
  if (details.subcode !== undefined) error['error_subcode'] = details.subcode;
  error['is_transient'] = details.isTransient ?? false;
  if (details.userTitle !== undefined) error['error_user_title'] = details.userTitle;
  if (details.userMessage !== undefined) error['error_user_msg'] = details.userMessage;
  if (details.errorData !== undefined) error['error_data'] = details.errorData;
  error['fbtrace_id'] = fbtraceId;
  return { error };
}

export const missingParameter = (name: string): GraphError =>
  new GraphError({
    code: 100,
    message: `(#100) The parameter ${name} is required`,
    errorData: { blame_field_specs: [[name]] },
  });

export const unknownParameter = (name: string): GraphError =>
  new GraphError({
    code: 100,
    message: `(#100) Unknown parameter: ${name}`,
    errorData: { blame_field_specs: [[name]] },
  });

export const invalidParameter = (name: string, problem: string): GraphError =>
  new GraphError({
    code: 100,
    message: `(#100) Param ${name} ${problem}`,
    errorData: { blame_field_specs: [[name]] },
  });

export const unknownObject = (id: string, method: string, reason?: string): GraphError =>
  new GraphError({
    code: 100,
    subcode: 33,
    type: 'GraphMethodException',
    message:
      `Unsupported ${method.toLowerCase()} request. Object with ID '${id}' does not exist, cannot be loaded due to ` +
      'missing permissions, or does not support this operation. Please read the Graph API documentation at ' +
      'https://developers.facebook.com/docs/graph-api',
    ...(reason === undefined ? {} : { reason }),
  });

export const permissionDenied = (code: 10 | 200, problem: string): GraphError =>
  new GraphError({ code, message: `(#${String(code)}) ${problem}` });

export const nonexistingField = (field: string, nodeType: string): GraphError =>
  new GraphError({
    code: 100,
    message: `(#100) Tried accessing nonexisting field (${field}) on node type (${nodeType})`,
  });

/** A dead or malformed token. Subcodes: 458 app removed, 460 password changed, 463 expired, 467 invalidated. */
export const invalidToken = (message: string, subcode?: number): GraphError =>
  new GraphError({ code: 190, message, ...(subcode === undefined ? {} : { subcode }) });

export const malformedBody = (problem: string): GraphError =>
  new GraphError({ code: 100, message: `(#100) Malformed request: ${problem}` });

/** A throttle answer; its HTTP status is a switch, because sources differ. */
export const throttled = (
  code: number,
  subcode: number | undefined,
  switches: Pick<Switches, 'throttle_http_status'>,
  message: string,
): GraphError =>
  new GraphError({
    code,
    message: `(#${String(code)}) ${message}`,
    ...(subcode === undefined ? {} : { subcode }),
    httpStatus: Number(switches.throttle_http_status),
    isTransient: false,
  });
