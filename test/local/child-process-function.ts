import { fork } from 'node:child_process';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { FunctionServer } from './function-host.ts';
import type { FunctionFolder } from './manifests.ts';

/** What the child says when it listens. */
export interface ChildReady {
  readonly port: number;
}

/**
 * Runs a function in a process of its own, as an instance in the cloud is, and passes requests on to it. The child
 * inherits this process's environment and standard error; its log lines come out there.
 *
 * @throws Error when the child ends before it listens
 */
export async function startChildProcessFunction({ manifest, indexPath }: FunctionFolder): Promise<FunctionServer> {
  const child = fork(join(import.meta.dirname, 'child-process-main.ts'), [manifest.name, indexPath], {
    // Log lines go to standard error: standard output belongs to the demo.
    stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
  });
  const ended = once(child, 'exit');
  const port = await Promise.race([
    once(child, 'message').then(([message]) => (message as ChildReady).port),
    ended.then(([code]) => {
      throw new Error(`${manifest.name} ended before it listened (exit code ${String(code)})`);
    }),
  ]);
  return {
    handle: (request, response) => pass(request, response, port),
    async close() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function pass(request: IncomingMessage, response: ServerResponse, port: number): void {
  const outgoing = httpRequest(
    { host: '127.0.0.1', port, method: request.method, path: request.url, headers: request.headers },
    (incoming) => {
      response.writeHead(incoming.statusCode ?? 502, incoming.headers);
      incoming.pipe(response);
    },
  );
  outgoing.on('error', () => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502, { 'content-type': 'application/json' }).end('{"error":"The function went away."}');
  });
  response.on('close', () => outgoing.destroy());
  request.pipe(outgoing);
}
