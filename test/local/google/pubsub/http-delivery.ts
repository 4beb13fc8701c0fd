import { Agent, type Dispatcher } from 'undici';

/** A request Google would send to a push endpoint or an HTTP task target. */
export type HttpDeliveryRequest = {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | undefined;
};

/** What came back: a status, or why nothing did. */
export type HttpDeliveryOutcome =
  | { readonly status: number; readonly retryAfter?: string | undefined }
  | { readonly status?: undefined; readonly error: string };

/**
 * Sends HTTP requests as Pub/Sub push and Cloud Tasks do: keep-alive connections, answer bodies ignored, and no timeout of its own,
 * because a delivery's deadline belongs to the service's clock. HTTP or HTTPS, any host.
 */
export class HttpDelivery {
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 10_000 } });

  /**
   * Sends and reports the outcome exactly once, after returning. The returned function gives up: the request is aborted and its
   * outcome is an error.
   */
  send(request: HttpDeliveryRequest, report: (outcome: HttpDeliveryOutcome) => void): () => void {
    let controller: Dispatcher.DispatchController | undefined;
    let abandoned: Error | undefined;
    let outcome: HttpDeliveryOutcome | undefined;
    let reported = false;
    const finish = (result: HttpDeliveryOutcome): void => {
      if (reported) return;
      reported = true;
      report(result);
    };
    this.#agent.dispatch(
      {
        origin: request.url.origin,
        path: request.url.pathname + request.url.search,
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
      },
      {
        onRequestStart: (started) => {
          controller = started;
          if (abandoned) started.abort(abandoned);
        },
        onResponseStart: (_, status, headers) => {
          const retryAfter = headers['retry-after'];
          outcome = { status, retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined };
          // Pub/Sub takes 102 Processing as an acknowledgement; any other 1xx only announces the answer.
          if (status === 102) finish(outcome);
        },
        onResponseData: () => undefined,
        onResponseEnd: () => finish(outcome ?? { error: 'the answer had no status' }),
        onResponseError: (_, error) => finish({ error: error.message }),
      },
    );
    return () => {
      abandoned = new Error('gave up waiting for an answer');
      controller?.abort(abandoned);
      finish({ error: abandoned.message });
    };
  }

  /** Breaks off whatever is under way. */
  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

const tokenLifetimeMs = 3_600_000;

/**
 * The identity token Google attaches for `oidcToken`, but unsigned (`alg: none`): the local gateway reads who calls and for whom,
 * nothing else would accept it. Valid for an hour from `nowMs`.
 */
export function unsignedOidcToken(options: { email: string; audience: string; nowMs: number }): string {
  const issuedAt = Math.floor(options.nowMs / 1000);
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const claims = {
    iss: 'https://accounts.google.com',
    aud: options.audience,
    azp: options.email,
    sub: options.email,
    email: options.email,
    email_verified: true,
    iat: issuedAt,
    exp: issuedAt + tokenLifetimeMs / 1000,
  };
  return `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`;
}
