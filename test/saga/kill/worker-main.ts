/**
 * One worker process: every function of onboarding, served by functions-framework behind one port. What it serves comes in
 * as the entry that {@link buildWorker} writes, which imports the functions first.
 */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { flushCompileCache } from 'node:module';
import { getTestServer } from '@google-cloud/functions-framework/testing';

/** Serves `/<function>/…` and tells the parent where. Ends with the parent. */
export function serveFunctions(names: readonly string[]): void {
  const servers = new Map<string, Server>();
  for (const name of names) servers.set(name, getTestServer(name));
  const server = createServer((request, response) => {
    const [, name = ''] = (request.url ?? '/').split('/');
    const target = servers.get(name);
    if (target === undefined) return void response.writeHead(404).end();
    request.url = (request.url ?? '/').slice(name.length + 1) || '/';
    target.emit('request', request, response);
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    // Node writes it when a process ends, and most of these never come to that.
    flushCompileCache();
    process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
  });
  process.once('disconnect', () => process.exit(0));
}
