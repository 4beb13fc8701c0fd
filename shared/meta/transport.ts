/**
 * One HTTP exchange with Meta over a keep-alive pool, and what its failure means. Knows nothing of tokens or envelopes.
 */
import type { Dispatcher } from 'undici';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** For the whole exchange, waiting for a free connection included. */
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** No complete answer came. `sent` is false only when the request surely never left. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: string;
  readonly sent: boolean;
  constructor(code: string) {
    super(code);
    this.code = code;
    this.sent = !neverSent.has(code);
  }
}

/**
 * Failures before a connection existed. A reset or closed socket is not among them, nor a pool that was destroyed: the
 * request may be under way.
 */
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_CLOSED',
  'UND_ERR_INVALID_ARG',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

export interface Transport {
  /** @throws TransportError */
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** Connections to Meta per instance; more callers than that wait for one. */
const connections = 64;
const connectTimeoutMs = 5_000;
const keepAliveMs = 60_000;

/**
 * @param origin e.g. `https://graph.facebook.com`
 * @param dispatcher replaces the pool; it is not closed with the transport
 */
export function createTransport(origin: string, dispatcher?: Dispatcher): Transport {
  let pool: Promise<Dispatcher> | undefined;
  // undici is loaded by the first call, not at start: most cold starts never reach Meta.
  const openPool = async (): Promise<Dispatcher> => {
    const { default: undici } = await import('undici');
    return new undici.Pool(origin, {
      connections,
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      connect: { timeout: connectTimeoutMs },
    });
  };

  return {
    async send(request) {
      const via = dispatcher ?? (await (pool ??= openPool()));
      try {
        const answer = await via.request({
          origin,
          path: request.path,
          method: request.method,
          headers: request.headers,
          body: request.body ?? null,
          // The signal bounds the whole exchange; undici's own timers are too coarse for that.
          signal: AbortSignal.timeout(request.timeoutMs),
          headersTimeout: 0,
          bodyTimeout: 0,
        });
        return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
      } catch (error) {
        throw new TransportError(transportCode(error));
      }
    },
    async close() {
      const opened = pool;
      pool = undefined;
      await (await opened)?.close();
    },
  };
}

/** The errno or undici code of a failure; several addresses tried at once fail as an AggregateError. */
function transportCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    const codes = error.errors.map(transportCode);
    return codes.find((code) => !neverSent.has(code)) ?? codes[0] ?? 'UNKNOWN';
  }
  if (!(error instanceof Error)) return 'UNKNOWN';
  if (error.name === 'TimeoutError') return 'TIMEOUT';
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'UNKNOWN';
}
