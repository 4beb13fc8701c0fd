/** Instances of a function in processes of their own that can be killed, behind one address that outlives them. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { ChildReady } from '../local/child-process-function.ts';
import type { FunctionFolder } from '../local/manifests.ts';

export interface MortalInstances {
  /** Ends one instance as if its machine were switched off, and starts another in its place. */
  kill(index: number): void;
  close(): Promise<void>;
}

export interface Front {
  readonly url: string;
  /** Requests to `/<function>/…` go to these instances. */
  serve(folder: FunctionFolder, instances: number): Promise<MortalInstances>;
  close(): Promise<void>;
}

interface Instance {
  readonly child: ChildProcess;
  /** Undefined when it died before it listened. */
  readonly port: Promise<number | undefined>;
}

const childMain = join(import.meta.dirname, '..', 'local', 'child-process-main.ts');

export async function openFront(): Promise<Front> {
  let instances: Instance[] = [];
  let folder: FunctionFolder | undefined;
  let turn = 0;
  let isClosing = false;
  const agent = new Agent({ keepAlive: true });

  const start = ({ manifest, indexPath }: FunctionFolder): Instance => {
    const child = fork(childMain, [manifest.name, indexPath], {
      stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
    });
    const ready = once(child, 'message').then(([message]) => (message as ChildReady).port);
    return { child, port: Promise.race([ready, once(child, 'exit').then(() => undefined)]) };
  };

  const pass = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    // Whole, before an instance is chosen: a sender whose body nobody reads to its end would never see the answer.
    const body = await buffer(incoming);
    turn += 1;
    const port = await instances[turn % instances.length]?.port;
    if (folder === undefined || port === undefined) return void response.writeHead(503).end();
    const path = (incoming.url ?? '/').slice(folder.manifest.name.length + 1);
    const outgoing = httpRequest(
      { agent, host: '127.0.0.1', port, method: incoming.method, path, headers: incoming.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    // The instance died: to the caller that is a failed delivery.
    outgoing.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    outgoing.end(body);
  };

  const server = createServer((incoming, response) => void pass(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async serve(served, count) {
      folder = served;
      instances = Array.from({ length: count }, () => start(served));
      await Promise.all(instances.map(({ port }) => port));
      return {
        kill(index) {
          const place = index % instances.length;
          const victim = instances[place];
          if (isClosing || victim === undefined) return;
          instances[place] = start(served);
          victim.child.kill('SIGKILL');
        },
        async close() {
          isClosing = true;
          await Promise.all(
            instances.map(async ({ child, port }) => {
              await port;
              const ended = once(child, 'exit');
              child.kill('SIGKILL');
              await ended;
            }),
          );
        },
      };
    },
    async close() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
