/**
 * The Graph client: the only place that speaks HTTP with Meta.
 *
 * It promises: a token is only ever in the `Authorization` header, with `appsecret_proof` beside it; no call is made
 * before a time Meta named to regain access; only reads are repeated; and a failed write says whether it may have been
 * applied. Whatever Meta, or the way to Meta, does wrong is thrown as a {@link GraphError}.
 */
import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import * as v from 'valibot';
import { AccessToken } from './access-token.ts';
import type { CredentialKind } from './access-token.ts';
import { readAnswer } from './answer.ts';
import { GraphError } from './errors.ts';
import { pathTemplate } from './graph-body.ts';
import type { GraphParams } from './graph-body.ts';
import { requestFor } from './graph-request.ts';
import type { CallOptions, GraphRequest } from './graph-request.ts';
import { observed } from './observer.ts';
import type { GraphCall } from './observer.ts';
import { TransportError, createTransport } from './transport.ts';
import type { HttpAnswer, HttpRequest } from './transport.ts';
import { createUsageGate, readUsage, subjectOfPath } from './usage.ts';
import type { Usage } from './usage.ts';

export interface GraphClientOptions {
  /** Origin of Graph, e.g. `https://graph.facebook.com`. */
  readonly baseUrl: string;
  /** The app secret, asked for on every call so that a rotation takes effect; the provider caches. */
  readonly appSecret?: () => Promise<string>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Asked before every exchange; what it throws is thrown instead of making the call. */
  readonly beforeCall?: () => Promise<void>;
  /** Told of every exchange, repeated reads included, also when it failed. Must not throw. */
  readonly onCall?: (call: GraphCall) => void;
  /** Instead of a keep-alive pool of our own. */
  readonly dispatcher?: Dispatcher;
  readonly sleep?: (ms: number) => Promise<unknown>;
  /** 0 up to 1, spreads repeated reads. */
  readonly random?: () => number;
}

type Answer<T> = v.GenericSchema<unknown, T>;

export interface Page<T> {
  readonly items: readonly T[];
  /** The cursor to ask the next page by; undefined: there is none. */
  readonly after: string | undefined;
}

/** Calls made with one token. The kind is part of the type, so an endpoint can ask for the right one. */
export interface GraphAs<Kind extends CredentialKind> {
  readonly kind: Kind;
  /** A read; repeated at most twice when it is safe to. @throws GraphError */
  get<T>(path: string, params: GraphParams, answer: Answer<T>, options?: CallOptions): Promise<T>;
  /** A write; sent once. @throws GraphError, whose `outcome` says whether it may have been applied */
  post<T>(path: string, params: GraphParams, answer: Answer<T>, options?: CallOptions): Promise<T>;
  /** A removal; sent once. @throws GraphError */
  delete<T>(path: string, params: GraphParams, answer: Answer<T>, options?: CallOptions): Promise<T>;
  /** One page of a list: the one after the cursor `params.after`, the first without. @throws GraphError */
  page<T>(path: string, params: GraphParams, item: Answer<T>, options?: CallOptions): Promise<Page<T>>;
  /** Every item of every page, following the cursor. @throws GraphError rather than return part of a list */
  list<T>(path: string, params: GraphParams, item: Answer<T>, options?: CallOptions): Promise<T[]>;
}

export interface GraphClient {
  /** The same connections and limits, acting as the owner of `token`. */
  as<Kind extends CredentialKind>(token: AccessToken<Kind>): GraphAs<Kind>;
  /**
   * `GET /oauth/…`, made without a token and with `client_secret` from the app secret. Meta defines these calls with
   * their secrets as query parameters; the query is never logged, observed or put into an error.
   * @throws GraphError
   */
  oauth<T>(path: string, params: GraphParams, answer: Answer<T>, options?: CallOptions): Promise<T>;
  /** The app's own token, made of its id and secret. */
  appToken(appId: string): Promise<AccessToken<'app'>>;
  close(): Promise<void>;
}

const pageSize = 100;
/** 100 000 objects. A list that goes on longer is a cursor that does not move. */
const maxPages = 1_000;
const extraTries = 2;
const firstBackOffMs = 250;
/** No repeated read starts later than this after the first try. */
const readBudgetMs = 45_000;

export function createGraphClient(options: GraphClientOptions): GraphClient {
  const { now, sleep = delay, random = Math.random } = options;
  const base = new URL(options.baseUrl);
  const transport = createTransport(base.origin, options.dispatcher);
  const gate = createUsageGate(now);
  const proofs = new WeakMap<AccessToken, { secret: string; proof: string }>();

  const requireSecret = async (): Promise<string> => {
    if (!options.appSecret) throw new TypeError('This call needs the app secret');
    return options.appSecret();
  };

  /** The same token has the same proof until the app secret changes. */
  async function proofOf(token: AccessToken): Promise<string | undefined> {
    if (!options.appSecret) return undefined;
    const secret = await options.appSecret();
    const known = proofs.get(token);
    if (known?.secret === secret) return known.proof;
    const proof = createHmac('sha256', secret).update(token.reveal()).digest('hex');
    proofs.set(token, { secret, proof });
    return proof;
  }

  async function call<T>(call: GraphRequest, answer: Answer<T>): Promise<T> {
    if (call.method !== 'GET' && call.isRepeatable !== true) return exchange(call, answer);
    const startedMs = now();
    for (let tried = 0; ; tried += 1) {
      try {
        return await exchange(call, answer);
      } catch (error) {
        const backOffMs = firstBackOffMs * 2 ** tried * (1 + random());
        const late = now() + backOffMs - startedMs > readBudgetMs;
        if (!(error instanceof GraphError) || error.class !== 'transient' || tried === extraTries || late) throw error;
        await sleep(backOffMs);
      }
    }
  }

  /** One request, one answer, one line to the observer. */
  async function exchange<T>(call: GraphRequest, answer: Answer<T>): Promise<T> {
    const template = pathTemplate(call.path);
    const name = `${call.method} ${template}`;
    const subject = call.limitOf ?? subjectOfPath(call.path);
    await passGate(name, subject);
    const proof = call.token && (await proofOf(call.token));
    const request = requestFor(call, base.pathname, proof);
    // Last, with nothing to wait for after it: whoever stands still in between may no longer send.
    await options.beforeCall?.();
    const startedMs = now();
    let received: HttpAnswer | undefined;
    let usage: Usage[] = [];
    let failure: GraphError | undefined;
    try {
      received = await transport.send(request);
      usage = readUsage(received.headers, subject);
      const regainAtMs = gate.learn(subject, usage);
      return readAnswer(received, answer, {
        call: name,
        isWrite: call.method !== 'GET' && call.isRepeatable !== true,
        nowMs: now(),
        regainAtMs,
        secrets: [call.token?.reveal(), proof, ...(call.secrets ?? [])].filter((secret) => secret !== undefined),
      });
    } catch (error) {
      failure =
        error instanceof TransportError
          ? unanswered(error, name, call.isRepeatable === true ? 'GET' : call.method)
          : asGraphError(error);
      if (failure.class === 'throttled' && failure.retryAtMs !== undefined) {
        gate.block(failure.reason === 'app-limit' ? { subject: 'app', useCase: 'other' } : subject, failure.retryAtMs);
      }
      throw failure;
    } finally {
      const ms = now() - startedMs;
      const credential = call.token?.kind;
      options.onCall?.(observed({ method: call.method, template, credential, ms, received, usage, failure }));
    }
  }

  async function passGate(name: string, subject: ReturnType<typeof subjectOfPath>): Promise<void> {
    const blocked = (): GraphError | undefined => {
      const retryAtMs = gate.blockedUntilMs(subject);
      if (retryAtMs === undefined) return undefined;
      return new GraphError({
        class: 'throttled',
        reason: 'blocked-until',
        outcome: 'not-applied',
        call: name,
        retryAtMs,
        advice: 'Meta named a time before which it answers nothing; the call was not made.',
      });
    };
    const before = blocked();
    if (before) throw before;
    const paceMs = gate.paceMs(subject);
    if (paceMs === 0) return;
    await sleep(paceMs);
    // Another call may have met the limit in the meantime.
    const after = blocked();
    if (after) throw after;
  }

  async function page<T>(
    token: AccessToken,
    path: string,
    params: GraphParams,
    item: Answer<T>,
    more: CallOptions,
  ): Promise<Page<T>> {
    const answer = v.object({
      data: v.array(item),
      paging: v.optional(
        v.object({ cursors: v.optional(v.object({ after: v.optional(v.string()) })), next: v.optional(v.string()) }),
      ),
    });
    const query = { limit: pageSize, ...params };
    const { data, paging } = await call({ method: 'GET', path, params: query, token, ...more }, answer);
    if (paging?.next === undefined) return { items: data, after: undefined };
    // `next` carries the token in its query, so only its cursor is used.
    const after = paging.cursors?.after ?? new URL(paging.next, base).searchParams.get('after') ?? '';
    if (after === '' || after === params['after']) throw stoodStill(path);
    return { items: data, after };
  }

  async function list<T>(token: AccessToken, path: string, params: GraphParams, item: Answer<T>, more: CallOptions) {
    const items: T[] = [];
    const seen = new Set<string>();
    let after: string | undefined;
    do {
      const found = await page(token, path, { ...params, after }, item, more);
      for (const each of found.items) items.push(each);
      if (found.after === undefined) return items;
      after = found.after;
      if (seen.has(after)) break;
      seen.add(after);
    } while (seen.size < maxPages);
    throw stoodStill(path);
  }

  return {
    as: (token) => ({
      kind: token.kind,
      get: (path, params, answer, more = {}) => call({ method: 'GET', path, params, token, ...more }, answer),
      post: (path, params, answer, more = {}) => call({ method: 'POST', path, params, token, ...more }, answer),
      delete: (path, params, answer, more = {}) => call({ method: 'DELETE', path, params, token, ...more }, answer),
      page: (path, params, item, more = {}) => page(token, path, params, item, more),
      list: (path, params, item, more = {}) => list(token, path, params, item, more),
    }),
    async oauth(path, params, answer, more = {}) {
      const secret = await requireSecret();
      const secrets = [secret, ...(more.secrets ?? [])];
      const all = { ...params, client_secret: secret };
      // A login code is used up by the first answer, so these are not repeated as reads are.
      return exchange({ method: 'GET', path, params: all, token: undefined, ...more, secrets }, answer);
    },
    async appToken(appId) {
      return new AccessToken('app', `${appId}|${await requireSecret()}`);
    },
    close: () => transport.close(),
  };
}

/** What a missing answer means: nothing for a read, `unknown` for a write that may have left. */
function unanswered(error: TransportError, name: string, method: HttpRequest['method']): GraphError {
  const lost = method !== 'GET' && error.sent;
  return new GraphError({
    class: lost ? 'unknown-outcome' : 'transient',
    reason: error.sent ? 'answer-lost' : 'not-reached',
    outcome: lost ? 'unknown' : 'not-applied',
    call: name,
    transportCode: error.code,
    advice: lost ? 'Look for the result before writing again.' : 'Meta was not reached; it is tried again.',
  });
}

function stoodStill(path: string): GraphError {
  return new GraphError({
    class: 'config-bug',
    reason: 'unexpected-answer',
    outcome: 'not-applied',
    call: `GET ${pathTemplate(path)}`,
    detail: 'the list says it goes on but its cursor does not move',
  });
}

function asGraphError(error: unknown): GraphError {
  if (error instanceof GraphError) return error;
  throw error;
}
