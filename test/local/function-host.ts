/**
 * All functions behind one address: `http://127.0.0.1:PORT/<function-name>/<its path>`. Each function is served by
 * functions-framework's own server, in this process or in one of its own, so what runs here is what runs in the cloud.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { FunctionFolder } from './manifests.ts';
import { admit } from './gateway.ts';

/** One function, ready for requests whose URL no longer names it. */
export interface FunctionServer {
  handle(request: IncomingMessage, response: ServerResponse): void;
  close(): Promise<void>;
}

export interface FunctionHostOptions {
  readonly port: number;
  /** Asked before a function gets a request; a URL answered here is redirected to. Plays the Kobi portal. */
  readonly redirect?: (functionName: string, path: URL) => Promise<string | undefined>;
}

export interface FunctionHost {
  readonly url: string;
  readonly port: number;
  /** Makes functions reachable. Until then every request is answered 503. */
  mount(
    functions: readonly FunctionFolder[],
    start: (folder: FunctionFolder) => Promise<FunctionServer>,
  ): Promise<void>;
  /** Breaks off open connections. */
  close(): Promise<void>;
}

/** A port somebody else listens on. */
export class PortBusy extends Error {
  override readonly name = 'PortBusy';
  constructor(port: number, option: string) {
    super(
      `Port ${port} is in use. Stop what listens there, or choose another with ${option} N (0 takes any free one).`,
    );
  }
}

/**
 * Listens on 127.0.0.1 before any function is loaded, because functions are told the address in their environment.
 *
 * @throws PortBusy
 */
export async function startFunctionHost(options: FunctionHostOptions): Promise<FunctionHost> {
  const mounted = new Map<string, { folder: FunctionFolder; server: FunctionServer }>();
  let isMounted = false;
  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else answer(response, 500, { error: error instanceof Error ? error.message : String(error) });
    });
  });

  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://local');
    const [, name = ''] = url.pathname.split('/');
    if (name === '')
      return answer(
        response,
        200,
        index(
          [...mounted.values()].map((entry) => entry.folder),
          host.url,
        ),
      );
    const target = mounted.get(name);
    if (target === undefined) {
      if (!isMounted) return answer(response, 503, { error: 'The functions are still starting.' });
      return answer(response, 404, {
        error: `There is no function "${name}".`,
        functions: [...mounted.keys()].map((known) => `${host.url}/${known}`),
      });
    }
    const admission = admit(target.folder.manifest.callers, {
      headers: request.headers,
      remoteAddress: request.socket.remoteAddress,
    });
    if (!admission.admitted) {
      // So a browser asks for the development token, or shows the one of the address it was given.
      if (admission.status === 401) response.setHeader('www-authenticate', 'Basic realm="Kobi local stack"');
      return answer(response, admission.status, { error: admission.message });
    }
    const redirect = request.method === 'GET' ? await options.redirect?.(name, url) : undefined;
    if (redirect !== undefined) {
      response.writeHead(302, { location: redirect }).end();
      return;
    }
    Object.assign(request.headers, admission.headers);
    request.url = (request.url ?? '/').slice(name.length + 1).replace(/^(?!\/)/, '/');
    target.server.handle(request, response);
  };

  const port = await listen(server, options.port);
  const host: FunctionHost = {
    port,
    url: `http://127.0.0.1:${port}`,
    async mount(functions, start) {
      const started = await Promise.allSettled(functions.map((folder) => start(folder)));
      for (const [index, folder] of functions.entries()) {
        const outcome = started[index];
        if (outcome?.status === 'fulfilled') mounted.set(folder.manifest.name, { folder, server: outcome.value });
      }
      // What did start is ended by `close`.
      const failure = started.find((outcome) => outcome.status === 'rejected');
      if (failure !== undefined) throw failure.reason;
      isMounted = true;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await Promise.all([...mounted.values()].map((entry) => entry.server.close()));
    },
  };
  return host;
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new PortBusy(port, '--port') : error),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body, null, 2)}\n`);
}

/** What is where, for whoever opens the address. */
function index(folders: readonly FunctionFolder[], url: string): unknown {
  return {
    project: 'Meta Ads module of Kobi, local stack',
    functions: folders.map(({ manifest }) => ({
      name: manifest.name,
      why: manifest.why,
      callers: manifest.callers,
      ...('http' in manifest.trigger
        ? { addresses: manifest.trigger.http.map((path) => `${url}/${manifest.name}${path}`) }
        : 'topic' in manifest.trigger
          ? { topic: manifest.trigger.topic, run: `POST ${url}/${manifest.name} with a Pub/Sub push body` }
          : { schedule: manifest.trigger.schedule, run: `POST ${url}/${manifest.name}` }),
    })),
  };
}
