/** The whole of a function's own process: load it, listen, tell the parent where, end with the parent. */
import { pathToFileURL } from 'node:url';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import type { ChildReady } from './child-process-function.ts';

const [name = '', indexPath = ''] = process.argv.slice(2);
await import(pathToFileURL(indexPath).href);
const server = getTestServer(name);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const ready: ChildReady = { port: typeof address === 'object' && address !== null ? address.port : 0 };
  process.send?.(ready);
});
process.once('disconnect', () => process.exit(0));
process.once('SIGTERM', () => process.exit(0));
// Ctrl-C reaches the whole group; the parent decides when its functions end.
process.on('SIGINT', () => undefined);
