/**
 * Reading addresses that tenants name, without letting them reach into our own network: every address a name resolves to
 * must be on the public internet, it is checked where the connection is made (so a name that changes its answer gains
 * nothing), and each redirect is checked anew.
 */
import { lookup as systemLookup } from 'node:dns';
import type { LookupAddress, LookupOptions } from 'node:dns';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { publicAddress } from '../domain/client-address.ts';

/** The address was not read: `refused` will stay so, `unreachable` may pass. The message holds no query or password. */
export class PublicFetchError extends Error {
  override readonly name = 'PublicFetchError';
  readonly kind: 'refused' | 'unreachable';
  constructor(kind: PublicFetchError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

export type Lookup = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface PublicFetchOptions {
  /** Which addresses may be connected to; the public internet unless told. */
  readonly isAllowed?: (address: string) => boolean;
  readonly lookup?: Lookup;
  readonly maxRedirects?: number;
  /** Without a byte for so long, the answer is given up. */
  readonly idleTimeoutMs?: number;
}

export interface PublicFetch {
  /** The body of a 200 answer. @throws PublicFetchError */
  get(url: string): Promise<Readable>;
  /** Sends a body and returns the status of the answer, whatever it is; redirects are not followed. @throws PublicFetchError */
  post(url: string, body: string, headers: Readonly<Record<string, string>>): Promise<number>;
  close(): Promise<void>;
}

const redirects = new Set([301, 302, 303, 307, 308]);

export function createPublicFetch(options: PublicFetchOptions = {}): PublicFetch {
  const { isAllowed = isPublic, lookup = systemLookup, maxRedirects = 5, idleTimeoutMs = 30_000 } = options;
  let agent: Promise<Dispatcher> | undefined;

  const open = async (): Promise<Dispatcher> => {
    const { default: undici } = await import('undici');
    return new undici.Agent({
      connect: { timeout: 10_000, lookup: guardedLookup(lookup, isAllowed) },
      headersTimeout: idleTimeoutMs,
      bodyTimeout: idleTimeoutMs,
    });
  };

  async function request(
    url: URL,
    sent: Pick<Dispatcher.RequestOptions, 'method' | 'body' | 'headers'>,
  ): Promise<Dispatcher.ResponseData> {
    const via = await (agent ??= open());
    try {
      return await via.request({
        ...sent,
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        headers: { accept: '*/*', 'user-agent': 'Kobi/1', ...(sent.headers as Record<string, string> | undefined) },
      });
    } catch (error) {
      const refused = refusalIn(error);
      if (refused !== undefined) throw refused;
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
      throw new PublicFetchError('unreachable', `${url.host} was not reached (${code}).`);
    }
  }

  return {
    async get(written) {
      let url = checked(written, isAllowed);
      for (let hop = 0; ; hop += 1) {
        const { statusCode, headers, body } = await request(url, { method: 'GET' });
        if (statusCode === 200) return body;
        await body.dump();
        const { location } = headers;
        if (!redirects.has(statusCode) || typeof location !== 'string') {
          const kind = statusCode >= 500 || statusCode === 429 ? 'unreachable' : 'refused';
          throw new PublicFetchError(kind, `${url.host} answered ${statusCode}.`);
        }
        if (hop === maxRedirects)
          throw new PublicFetchError('refused', `${url.host} redirects more than ${maxRedirects} times.`);
        if (!URL.canParse(location, url.href))
          throw new PublicFetchError('refused', `${url.host} redirects to what is no address.`);
        const next = checked(new URL(location, url).href, isAllowed);
        if (url.protocol === 'https:' && next.protocol !== 'https:') {
          throw new PublicFetchError('refused', `${url.host} redirects from https to http.`);
        }
        url = next;
      }
    },
    async post(written, body, headers) {
      const answer = await request(checked(written, isAllowed), { method: 'POST', body, headers });
      await answer.body.dump();
      return answer.statusCode;
    },
    async close() {
      const opened = agent;
      agent = undefined;
      await (await opened)?.close();
    },
  };
}

/** Reachable for everybody, as far as the address tells. */
export function isPublic(address: string): boolean {
  return publicAddress(address) !== undefined;
}

/** @throws PublicFetchError for what is no http(s) address, has a password in it, or names an address that is not allowed */
function checked(written: string, isAllowed: (address: string) => boolean): URL {
  if (!URL.canParse(written)) throw new PublicFetchError('refused', 'This is not an address.');
  const url = new URL(written);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new PublicFetchError('refused', `${url.protocol} is not read, only http: and https:.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new PublicFetchError('refused', `The address of ${url.host} has a user name in it.`);
  }
  // A numeric host is connected to without a lookup. URL has already turned every spelling of one into the usual.
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (/^[\d.]+$/.test(host) || host.includes(':')) {
    if (!isAllowed(host)) throw notPublic(url.host);
  }
  return url;
}

function notPublic(host: string): PublicFetchError {
  return new PublicFetchError('refused', `${host} is not on the public internet.`);
}

/** Resolves a name for a connection; one address that is not allowed refuses all, whichever would have been used. */
function guardedLookup(lookup: Lookup, isAllowed: (address: string) => boolean) {
  return (
    hostname: string,
    options: LookupOptions,
    callback: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
  ): void => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) callback(error, '');
      else if (addresses.length === 0 || !addresses.every(({ address }) => isAllowed(address)))
        callback(notPublic(hostname), '');
      else if (options.all === true) callback(null, addresses);
      else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
    });
  };
}

/** The refusal of the lookup, however deep undici has wrapped it. */
function refusalIn(error: unknown): PublicFetchError | undefined {
  if (error instanceof PublicFetchError) return error;
  if (error instanceof AggregateError) return error.errors.map(refusalIn).find((found) => found !== undefined);
  return error instanceof Error && error.cause !== undefined ? refusalIn(error.cause) : undefined;
}
