/** Mutated requests against the relay as it is deployed, and what must hold for the answer to each. */
import { EventEmitter } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { accept } from '../../functions/relay/capi-relay/accept.ts';
import { readBoundedBody } from '../../functions/relay/capi-relay/bounded-body.ts';
import type { RelayAnswer } from '../../functions/relay/capi-relay/meta-answer.ts';
import { createRateLimiter } from '../../functions/relay/capi-relay/rate-limiter.ts';
import { relayFunction } from '../../functions/relay/capi-relay/relay-function.ts';
import type { AcceptDependencies } from '../../functions/relay/capi-relay/take-events.ts';
import type { HeldEventsRecord } from '../../shared/contracts/relay-documents.ts';
import { parseEnvelope } from '../../shared/contracts/topics.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { canaryEmail, canaryTexts, corpus, datasets, keys, secretKeys, start } from './corpus.ts';
import type { FuzzRequest } from './corpus.ts';
import { mutated } from './mutations.ts';
import type { Mutated } from './mutations.ts';
import { Random } from '../random.ts';

export interface FuzzOptions {
  readonly runs: number;
  readonly seed: number;
  /** Called every so many runs with the resident memory, in bytes. */
  readonly onProgress?: (done: number, rssBytes: number) => void;
}

export interface FuzzReport {
  readonly statuses: ReadonlyMap<number, number>;
  readonly overHttp: number;
  readonly queuedMessages: number;
  readonly queuedEvents: number;
  readonly held: number;
  /** What must not happen and did, with the run that made it; the first hundred. */
  readonly violations: readonly string[];
  /** Resident memory of the last quarter of the runs, of that of the second quarter; medians. */
  readonly rssGrowth: number;
}

interface Answered {
  readonly status: number;
  readonly body: string;
}

/** One request in so many goes over HTTP through functions-framework's server; the others through the same code without. */
const oneOverHttpIn = 50;
const hashedKeys = ['em', 'ph', 'fn', 'ln', 'ge', 'db', 'ct', 'st', 'zp', 'country', 'external_id'];
const hex64 = /^[0-9a-f]{64}$/;

export async function fuzzRelay({ runs, seed, onProgress }: FuzzOptions): Promise<FuzzReport> {
  const random = new Random(seed);
  const statuses = new Map<number, number>();
  const violations: string[] = [];
  const rss: number[] = [];
  let nowMs = start.getTime();
  let overHttp = 0;
  let queuedMessages = 0;
  let queuedEvents = 0;
  let held = 0;
  /** What the run in hand let out, by where: looked through after it. */
  let lettingOut: string[] = [];
  let records: HeldEventsRecord[] = [];
  let isMovedRun = false;
  const violate = (what: string): void => {
    if (violations.length < 100) violations.push(what);
  };

  const dependencies: AcceptDependencies = {
    directory: { dataset: (id) => datasets.get(id), relayKey: (id) => keys.get(id) },
    queue: async (json) => {
      lettingOut.push(json);
      queuedMessages += 1;
      const parsed = parseEnvelope('capi-events', JSON.parse(json));
      if (!parsed.ok) return violate(`a message that its schema does not take: ${parsed.problems.join('; ')}`);
      queuedEvents += parsed.envelope.data.events.length;
      for (const event of parsed.envelope.data.events) checkEvent(event, violate);
    },
    heldEvents: {
      hold: async ({ tenantId, datasetId, at }, events) => {
        const eventsJson = JSON.stringify(events.map(({ event }) => event));
        lettingOut.push(eventsJson);
        held += events.length;
        const personKeys = events.flatMap((event) => event.personKeys);
        // A name that a mutation moved would come out with a later, unmoved decision.
        if (isMovedRun) return;
        const rest = { testEventCode: null, heldAt: at, expireAt: start };
        records = [...records.slice(-3), { heldId: 'h', tenantId, datasetId, personKeys, eventsJson, ...rest }];
      },
      decide: async (_datasetId, personKeys, settle) => {
        for (const record of records)
          if (record.personKeys.some((key) => personKeys.includes(key))) await settle(record);
      },
    },
    counters: {
      count: (_tenantId, name, verdict) => void lettingOut.push(`${name} ${verdict}`),
      flushIfDue: () => undefined,
    },
    limiter: createRateLimiter(),
    proxy: 'serverless',
    projectId: 'fuzz',
    log: createLogger({
      level: 'info',
      functionName: 'capi-relay',
      destination: {
        write: (line) => {
          lettingOut.push(line);
          if (/"severity":"(?:ERROR|CRITICAL)"/.test(line)) violate(`an error line: ${line.slice(0, 1_200)}`);
        },
      },
    }),
    now: () => new Date(nowMs),
  };

  const unhandled = (error: unknown): void => violate(`unhandled: ${String(error)}`);
  process.on('unhandledRejection', unhandled);
  process.on('uncaughtException', unhandled);
  http(
    'fuzz',
    relayFunction(() => dependencies),
  );
  const server = getTestServer('fuzz');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const direct = directly(dependencies);
  const every = Math.max(1, Math.floor(runs / 100));
  try {
    for (let run = 0; run < runs; run += 1) {
      nowMs += 1;
      lettingOut = [];
      const { request, isMoved }: Mutated = mutated(random.pick(corpus), random);
      isMovedRun = isMoved;
      const isOverHttp = run % oneOverHttpIn === 0;
      let answer: Answered | undefined;
      try {
        answer = isOverHttp ? await overTheWire(request, port, agent) : await direct(request);
      } catch (error) {
        violate(`run ${run}: threw ${String(error)}`);
      }
      if (answer !== undefined) {
        if (isOverHttp) overHttp += 1;
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        check(answer, request, [...lettingOut, answer.body].join('\n'), isMoved, (what) =>
          violate(`run ${run}: ${what}`),
        );
      }
      if (run % every === every - 1) {
        rss.push(process.memoryUsage().rss);
        onProgress?.(run + 1, rss.at(-1) ?? 0);
        // Lets timers and the garbage collector's work between two thousand requests happen.
        await new Promise(setImmediate);
      }
    }
  } finally {
    agent.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    process.off('unhandledRejection', unhandled);
    process.off('uncaughtException', unhandled);
  }
  const quarter = Math.floor(rss.length / 4);
  const rssGrowth = median(rss.slice(-quarter)) / median(rss.slice(quarter, 2 * quarter));
  return { statuses, overHttp, queuedMessages, queuedEvents, held, violations, rssGrowth };
}

function checkEvent(event: Readonly<Record<string, unknown>>, violate: (what: string) => void): void {
  const userData = event['user_data'] as Readonly<Record<string, unknown>>;
  for (const key of hashedKeys) {
    const values = userData[key] === undefined ? [] : [userData[key]].flat();
    if (!values.every((value) => typeof value === 'string' && hex64.test(value))) violate(`${key} is not hashed`);
  }
}

function check(
  { status, body }: Answered,
  { method, url }: FuzzRequest,
  everything: string,
  isMoved: boolean,
  violate: (what: string) => void,
): void {
  if (status >= 500) violate(`${status} for ${method} ${url.slice(0, 100)}`);
  if (status >= 400 && status !== 431 && method !== 'HEAD' && !isMetaError(body))
    violate(`${status} is not in the shape of Meta: ${body.slice(0, 200)}`);
  if (everything.includes(canaryEmail)) violate(`an e-mail address got out: ${contextOf(everything, canaryEmail)}`);
  if (isMoved) return;
  for (const text of [...canaryTexts, ...secretKeys])
    if (everything.includes(text)) violate(`'${text}' got out: ${contextOf(everything, text)}`);
}

function contextOf(everything: string, text: string): string {
  const at = everything.indexOf(text);
  return everything.slice(Math.max(0, at - 120), at + 40);
}

function isMetaError(body: string): boolean {
  try {
    const { error } = JSON.parse(body) as { error?: { code?: unknown; message?: unknown; fbtrace_id?: unknown } };
    return typeof error?.code === 'number' && typeof error.message === 'string' && typeof error.fbtrace_id === 'string';
  } catch {
    return false;
  }
}

/** The function without sockets: the same reader of bodies and the same handler, with a request made of parts. */
function directly(dependencies: AcceptDependencies): (request: FuzzRequest) => Promise<Answered> {
  return ({ method, url, headers, body }) =>
    new Promise((resolve, reject) => {
      const read = readBoundedBody((_response, { status, body: text }) => resolve({ status, body: text }));
      const length = body === undefined ? {} : { 'content-length': String(body.length) };
      const incoming = Object.assign(new EventEmitter(), {
        headers: { ...headers, ...length },
        resume: () => undefined,
      }) as unknown as IncomingMessage & { body?: unknown; rawBody?: Buffer };
      read(incoming, undefined as unknown as ServerResponse, () => {
        const { rawBody } = incoming;
        const given = { method, url, headers: incoming.headers, body: incoming.body, rawBody };
        accept({ ...given, bodyBytes: rawBody?.length ?? 0, remoteAddress: '10.0.0.1' }, dependencies).then(
          ({ status, body: text }: RelayAnswer) => resolve({ status, body: text }),
          reject,
        );
      });
      if (body !== undefined && body.length > 0) {
        incoming.emit('data', body);
        incoming.emit('end');
      }
    });
}

/** Undefined for what Node's own client does not send at all. */
function overTheWire(
  { method, url, headers, body }: FuzzRequest,
  port: number,
  agent: Agent,
): Promise<Answered | undefined> {
  return new Promise((resolve) => {
    let outgoing: ReturnType<typeof httpRequest>;
    try {
      const length = body === undefined ? {} : { 'content-length': body.length };
      outgoing = httpRequest({ port, host: '127.0.0.1', method, path: url, headers: { ...headers, ...length }, agent });
    } catch {
      return resolve(undefined);
    }
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    // Node answers what is no HTTP by closing; nothing of ours was reached.
    outgoing.on('error', () => resolve(undefined));
    outgoing.end(body);
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
