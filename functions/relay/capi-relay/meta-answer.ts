/** Answers in the form Meta gives its own, so that a client of Meta's endpoint understands ours without a change. */

export interface RelayAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Values of `Set-Cookie`, one header each. */
  readonly cookies?: readonly string[];
}

/** Graph's error envelope ("Handling Errors"), with the codes Graph itself would use. */
export interface MetaError {
  readonly status: number;
  readonly code: number;
  readonly subcode?: number;
  readonly type?: 'OAuthException' | 'GraphMethodException';
  readonly message: string;
  readonly isTransient?: boolean;
  /** For the person who reads it: what is wrong, and what to do. */
  readonly userTitle: string;
  readonly userMessage: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Beside `error`, e.g. what was wrong with each event. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** A request that gets an error. The texts go to the caller: no key and nothing of an event is ever in them. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly error: MetaError;
  constructor(error: MetaError) {
    super(error.message);
    this.error = error;
  }
}

export function errorAnswer(error: MetaError, fbtraceId: string): RelayAnswer {
  const { status, code, subcode, type = 'OAuthException', message, isTransient = false, headers, more } = error;
  const envelope = {
    error: {
      message,
      type,
      code,
      ...(subcode === undefined ? {} : { error_subcode: subcode }),
      is_transient: isTransient,
      error_user_title: error.userTitle,
      error_user_msg: error.userMessage,
      fbtrace_id: fbtraceId,
    },
    ...more,
  };
  return { status, body: JSON.stringify(envelope), ...(headers === undefined ? {} : { headers }) };
}

/** Our trace id in the form of Meta's: `A` and 22 characters that are the W3C trace id. It leads to the log lines. */
export function fbtraceIdOf(traceparent: string): string {
  return `A${Buffer.from(traceparent.slice(3, 35), 'hex').toString('base64url')}`;
}

export const unknownPath: MetaError = {
  status: 404,
  code: 2500,
  message: 'Unknown path components',
  userTitle: 'Unknown path',
  userMessage: 'Send events with POST to /{dataset}/events, /v25.0/{dataset}/events or /capi/{dataset}/events.',
};

export const unsupportedMethod: MetaError = {
  status: 405,
  code: 100,
  type: 'GraphMethodException',
  message: 'Unsupported request method',
  userTitle: 'Unsupported method',
  userMessage: 'Events are sent with POST.',
  headers: { allow: 'POST' },
};

export const badKey: MetaError = {
  status: 401,
  code: 190,
  message: 'Invalid OAuth access token: not a relay key that is in use',
  userTitle: 'Relay key not accepted',
  userMessage:
    'Send the relay key as access_token in the body, or as Authorization: Bearer. It may be mistyped or revoked.',
  headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
};

export const foreignKey: MetaError = {
  status: 403,
  code: 200,
  message: '(#200) Permissions error: the relay key does not open this dataset',
  userTitle: 'Relay key of another client',
  userMessage: 'This relay key belongs to another client than the dataset. Use the key that was issued for it.',
};

export function wrongPurpose(purpose: 'server' | 'browser' | 'crm'): MetaError {
  const where =
    purpose === 'browser'
      ? 'A key of purpose browser is public and opens /collect only. Use a server or crm key here.'
      : 'Pages show everybody what they send: /collect takes a key of purpose browser only.';
  return {
    status: 403,
    code: 200,
    message: `(#200) Permissions error: a relay key of purpose ${purpose} does not open this path`,
    userTitle: 'Relay key of another purpose',
    userMessage: where,
  };
}

/** Code 613, as Graph answers a caller that exceeds a custom rate limit ("Rate Limits"). */
export function tooManyRequests(waitSeconds: number): MetaError {
  return {
    status: 429,
    code: 613,
    message: '(#613) Calls to this api have exceeded the rate limit.',
    isTransient: true,
    userTitle: 'Too many requests',
    userMessage: `Nothing was queued. Send the same request again after ${waitSeconds} s; up to 1,000 events fit in one.`,
    headers: { 'retry-after': String(waitSeconds) },
  };
}

export function unknownDataset(datasetId: string | undefined): MetaError {
  return {
    status: 404,
    code: 100,
    subcode: 33,
    type: 'GraphMethodException',
    message: `Unsupported post request. Object with ID '${datasetId ?? '(not a number)'}' does not exist or cannot be loaded`,
    userTitle: 'Unknown dataset',
    userMessage: 'No client has a dataset of this id. Check the number in the path.',
  };
}

/** The request as a whole is wrong. */
export function invalidParameter(message: string, userMessage: string, status = 400): MetaError {
  return { status, code: 100, message: `(#100) ${message}`, userTitle: 'Invalid parameter', userMessage };
}

/** Nothing was lost and nothing taken: the same request may be sent again. */
export const unavailable: MetaError = {
  status: 503,
  code: 2,
  message: 'Service temporarily unavailable',
  isTransient: true,
  userTitle: 'Try again shortly',
  userMessage: 'The events could not be queued. Send the same request again; an event_id keeps copies apart.',
  headers: { 'retry-after': '5' },
};
