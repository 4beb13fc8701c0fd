import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { tellTheApp } from './callbacks.ts';
import { SimulatorClock } from './clock.ts';
import type { SimulatorContext } from './context.ts';
import { answerControl } from './control-api.ts';
import { EventLedger } from './event-ledger.ts';
import { FaultPlan } from './faults.ts';
import { answerGraphAsking } from './graph-api.ts';
import { InsightsWorld } from './insights/report-runs.ts';
import { openDialog, submitDialog } from './login-dialog.ts';
import { readBody } from './request-body.ts';
import { RequestLog } from './request-log.ts';
import { appPermissions, seed as defaultSeed, type Seed } from './seed.ts';
import { Store } from './store.ts';
import { applySwitches, defaultSwitches, type Switches } from './switches.ts';
import { TokenRegistry } from './tokens.ts';
import { UsageMeter } from './usage.ts';

export interface SimulatorOptions {
  /** 0 takes any free port, the default. */
  port?: number;
  host?: '127.0.0.1';
  now?: () => Date;
  seed?: Partial<Seed>;
  switches?: Partial<Switches>;
  /** Requests the log keeps. */
  logLimit?: number;
}

export interface Simulator {
  readonly url: string;
  readonly port: number;
  readonly store: Store;
  readonly faults: FaultPlan;
  readonly log: RequestLog;
  /** The parts in full, for tests in the same process. */
  readonly context: SimulatorContext;
  /** Back to the seed: world, tokens, log, faults, clock, and the switches it was started with. */
  reset(): void;
  /** Stops listening and drops every connection, kept alive or not. */
  close(): Promise<void>;
}

const defaultLogLimit = 100_000;

/** Starts Meta: Graph, login dialog and the control API on one port. The promise resolves when it listens. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const seed: Seed = { ...defaultSeed, ...options.seed };
  const clock = new SimulatorClock(options.now);
  const switches = defaultSwitches();

  const fresh = () => {
    clock.reset();
    applySwitches(switches, { ...defaultSwitches(), ...options.switches });
    const tokens = new TokenRegistry(clock);
    tokens.issue({
      kind: 'system_user',
      ownerId: seed.parentSystemUserId,
      businessId: seed.parentBusinessId,
      scopes: appPermissions,
      pageIds: undefined,
      life: 'never',
      value: seed.parentSystemUserToken,
    });
    return {
      store: new Store(seed, clock.nowMs()),
      tokens,
      events: new EventLedger(),
      quality: new Map(),
      faults: new FaultPlan(clock),
      log: new RequestLog(options.logLimit ?? defaultLogLimit),
      usage: new UsageMeter(clock, switches),
      insights: new InsightsWorld(),
    };
  };
  const context: SimulatorContext = { clock, switches, app: { subscriptions: new Map() }, ...fresh() };
  const reset = (): void => void Object.assign(context, fresh());

  const server = createServer((request, response) => {
    answer(request, response, context, reset).catch((error: unknown) => {
      console.error('simulator defect', error);
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
      response.end('simulator defect\n');
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${String(port)}`,
    port,
    context,
    get store() {
      return context.store;
    },
    get faults() {
      return context.faults;
    },
    get log() {
      return context.log;
    },
    reset,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  context: SimulatorContext,
  reset: () => void,
): Promise<void> {
  const method = request.method ?? 'GET';
  const host = request.headers.host ?? '127.0.0.1';
  const target = request.url ?? '/';
  if (!URL.canParse(target, `http://${host}`)) {
    response.writeHead(400, { 'content-type': 'text/plain' }).end('unreadable address\n');
    return;
  }
  const url = new URL(target, `http://${host}`);
  const body = await readBody(request);
  if (body === undefined) {
    response.writeHead(413, { 'content-type': 'text/plain' }).end('body too large\n');
    return;
  }

  const told = await tellTheApp(url.pathname, body, context);
  if (told !== undefined) {
    response.writeHead(told.status, { 'content-type': 'application/json' }).end(JSON.stringify(told.body));
    return;
  }
  if (url.pathname.startsWith('/_sim')) {
    const { status, body: text } = answerControl(method, url, body, context, reset);
    response.writeHead(status, { 'content-type': 'application/json' }).end(text);
    return;
  }
  if (/^(\/v\d+\.\d+)?\/dialog\/oauth$/.test(url.pathname)) {
    const dialog = method === 'POST' ? submitDialog(url, body, context) : openDialog(url, context);
    if (dialog.status === 302) response.writeHead(302, { location: dialog.location }).end();
    else response.writeHead(dialog.status, { 'content-type': 'text/html; charset=utf-8' }).end(dialog.html);
    return;
  }
  const graph = await answerGraphAsking(
    {
      method,
      url,
      authorization: request.headers.authorization,
      contentType: request.headers['content-type'],
      body,
    },
    context,
  );
  if (graph.latencyMs > 0) await delay(graph.latencyMs);
  if (graph.cut) {
    request.socket.destroy();
    return;
  }
  response.writeHead(graph.status, graph.headers).end(graph.body);
}
