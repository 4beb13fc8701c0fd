/**
 * The one error this folder throws for anything Meta, or the way to Meta, does. Foreign answers are translated here and
 * nowhere else.
 */
import { ruleFor } from './error-table.ts';
import type { GraphErrorClass, GraphErrorReason } from './error-table.ts';
import { scrub } from './scrub.ts';

/**
 * Whether a failed call changed anything at Meta. `not-applied`: surely not, it may be sent again. `unknown`: it was
 * sent and the answer was lost, so look for the result before sending again. A read is always `not-applied`.
 */
export type GraphOutcome = 'not-applied' | 'unknown';

export interface GraphErrorFacts {
  readonly class: GraphErrorClass;
  readonly reason: GraphErrorReason;
  readonly outcome: GraphOutcome;
  /** HTTP method and path template, e.g. `POST /{id}/adaccount`. */
  readonly call: string;
  readonly advice?: string | undefined;
  readonly code?: number | undefined;
  readonly subcode?: number | undefined;
  readonly httpStatus?: number | undefined;
  readonly fbtraceId?: string | undefined;
  readonly isTransient?: boolean | undefined;
  readonly blameFields?: readonly string[] | undefined;
  readonly userTitle?: string | undefined;
  readonly userMessage?: string | undefined;
  readonly graphMessage?: string | undefined;
  readonly retryAtMs?: number | undefined;
  /** What the transport said: an errno or undici code, e.g. `ECONNREFUSED`. */
  readonly transportCode?: string | undefined;
  /** What was wrong with an answer: field paths and expected types, never values. */
  readonly detail?: string | undefined;
}

/**
 * A call to Meta that did not do what was asked.
 *
 * `message` is composed from codes and names only and is safe to log anywhere. `graphMessage`, `userTitle` and
 * `userMessage` are Meta's words with everything that looks like a token, hash, e-mail address or phone number removed.
 */
export class GraphError extends Error {
  override readonly name = 'GraphError';
  readonly class: GraphErrorClass;
  readonly reason: GraphErrorReason;
  readonly outcome: GraphOutcome;
  readonly call: string;
  /** What to do about it, for a person. */
  readonly advice: string | undefined;
  readonly code: number | undefined;
  readonly subcode: number | undefined;
  readonly httpStatus: number | undefined;
  /** Meta's id of the request, which their support asks for. */
  readonly fbtraceId: string | undefined;
  readonly isTransient: boolean;
  /** Parameter paths Meta blames, e.g. `targeting.geo_locations`. */
  readonly blameFields: readonly string[];
  readonly userTitle: string | undefined;
  readonly userMessage: string | undefined;
  readonly graphMessage: string | undefined;
  /** Epoch milliseconds before which the call must not be repeated; set for `throttled` and `rescheduled`. */
  readonly retryAtMs: number | undefined;
  readonly transportCode: string | undefined;

  constructor(facts: GraphErrorFacts) {
    super(messageOf(facts));
    this.class = facts.class;
    this.reason = facts.reason;
    this.outcome = facts.outcome;
    this.call = facts.call;
    this.advice = facts.advice;
    this.code = facts.code;
    this.subcode = facts.subcode;
    this.httpStatus = facts.httpStatus;
    this.fbtraceId = facts.fbtraceId;
    this.isTransient = facts.isTransient ?? facts.class === 'transient';
    this.blameFields = facts.blameFields ?? [];
    this.userTitle = facts.userTitle;
    this.userMessage = facts.userMessage;
    this.graphMessage = facts.graphMessage;
    this.retryAtMs = facts.retryAtMs;
    this.transportCode = facts.transportCode;
  }
}

function messageOf(facts: GraphErrorFacts): string {
  const numbers = [facts.code, facts.subcode].filter((number) => number !== undefined).join('/');
  return [
    `${facts.call}: ${facts.class} (${facts.reason})`,
    numbers && `code ${numbers}`,
    facts.httpStatus === undefined ? '' : `HTTP ${facts.httpStatus}`,
    facts.transportCode ?? '',
    facts.blameFields?.length ? `blames ${facts.blameFields.join(', ')}` : '',
    facts.detail ?? '',
    facts.fbtraceId === undefined ? '' : `fbtrace_id ${facts.fbtraceId}`,
    facts.outcome === 'unknown' ? 'it may have been applied' : '',
  ]
    .filter(Boolean)
    .join(', ');
}

/** What a call was, for the error about it. */
export interface FailedCall {
  /** HTTP method and path template. */
  readonly call: string;
  readonly isWrite: boolean;
  readonly nowMs: number;
  /** Epoch milliseconds at which the usage headers of the same answer say calls are allowed again. */
  readonly regainAtMs?: number | undefined;
  /** Seconds, from a `Retry-After` header. */
  readonly retryAfterSeconds?: number | undefined;
  /** Texts that must not survive in Meta's words: the token and proof of this call. */
  readonly secrets: readonly string[];
}

/**
 * Meta's error envelope as a {@link GraphError}; `undefined` when the body is none.
 *
 * An HTTP 5xx answer to a write counts as `unknown` even with an envelope: codes 1 and 2 do not promise that nothing
 * was done, and looking first costs one read.
 */
export function errorFromEnvelope(body: unknown, httpStatus: number, failed: FailedCall): GraphError | undefined {
  const error = isRecord(body) ? body['error'] : undefined;
  if (!isRecord(error)) return undefined;
  const code = integer(error['code']);
  if (code === undefined) return undefined;
  const subcode = integer(error['error_subcode']);
  const rule = ruleFor(code, subcode);
  // An error nobody has met is tried again, and ends in the dead letters if it stays. Meta's own flag overrules a rule
  // only where that is as broad as "invalid parameter": it is also set on throttles, which must wait longer.
  const isTransient = error['is_transient'] === true;
  const isBroad = rule === undefined || (rule.class === 'config-bug' && rule.subcode === undefined);
  const errorClass: GraphErrorClass = rule === undefined || (isTransient && isBroad) ? 'transient' : rule.class;
  const text = (value: unknown): string | undefined =>
    typeof value === 'string' && value !== '' ? scrub(value, failed.secrets) : undefined;
  return new GraphError({
    class: errorClass,
    reason: rule?.reason ?? 'unlisted-error',
    outcome: failed.isWrite && httpStatus >= 500 ? 'unknown' : 'not-applied',
    call: failed.call,
    advice: rule?.advice,
    code,
    subcode,
    httpStatus,
    fbtraceId: traceId(error['fbtrace_id']),
    isTransient,
    blameFields: blameFields(error['error_data']),
    userTitle: text(error['error_user_title']),
    userMessage: text(error['error_user_msg']),
    graphMessage: text(error['message']),
    retryAtMs: retryAt(errorClass, rule?.waitMs, failed),
  });
}

function retryAt(errorClass: GraphErrorClass, waitMs: number | undefined, failed: FailedCall): number | undefined {
  if (errorClass === 'throttled') {
    if (failed.regainAtMs !== undefined) return failed.regainAtMs;
    if (failed.retryAfterSeconds !== undefined) return failed.nowMs + failed.retryAfterSeconds * 1_000;
  }
  return waitMs === undefined ? undefined : failed.nowMs + waitMs;
}

/** Several objects where one is expected: choosing among them would be guessing. */
export function ambiguousMatch(call: string, count: number): GraphError {
  return new GraphError({
    class: 'config-bug',
    reason: 'ambiguous-match',
    outcome: 'not-applied',
    call,
    detail: `${count} objects match where one is expected`,
    advice: 'Several objects carry the same key: choose one and adopt it.',
  });
}

/** `error_data` is an object or a JSON string holding `blame_field_specs`, a list of key paths. */
function blameFields(errorData: unknown): string[] {
  const data = typeof errorData === 'string' ? parseJson(errorData) : errorData;
  const specs = isRecord(data) ? data['blame_field_specs'] : undefined;
  if (!Array.isArray(specs)) return [];
  return specs
    .map((path: unknown) => (Array.isArray(path) ? path : [path]))
    .map((path) => path.filter((key): key is string | number => ['string', 'number'].includes(typeof key)).join('.'))
    .filter((path) => /^[\w.[\]-]{1,120}$/.test(path));
}

/** Meta's request id, only if it looks like one: it goes into log lines. */
export function traceId(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w-]{1,64}$/.test(value) ? value : undefined;
}

function integer(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^-?\d{1,12}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) ? number : undefined;
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
