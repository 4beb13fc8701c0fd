import { channel } from 'node:diagnostics_channel';
import { pathToFileURL } from 'node:url';
import { getFunction, getTestServer } from '@google-cloud/functions-framework/testing';
import type { FunctionServer } from './function-host.ts';
import type { FunctionFolder } from './manifests.ts';

/** The functions before this one. */
let earlier: Promise<unknown> = Promise.resolve();

/**
 * Loads a function into this process and serves it with functions-framework's own server. The environment must be
 * complete before: functions read it when they are loaded or first called. One at a time: a function takes the first
 * server of the framework it sees for its own, as it is when each has a process.
 *
 * @throws Error when its index.ts does not register the manifest's name
 */
export function startInProcessFunction(folder: FunctionFolder): Promise<FunctionServer> {
  const started = earlier.then(() => load(folder));
  earlier = started.catch(() => undefined);
  return started;
}

async function load({ manifest, folder, indexPath }: FunctionFolder): Promise<FunctionServer> {
  await import(pathToFileURL(indexPath).href);
  // The declared type promises a function; the registry gives undefined for a name nobody registered.
  const registered = getFunction(manifest.name) as unknown;
  if (registered === undefined) throw new Error(`${folder}/index.ts does not register "${manifest.name}"`);
  const server = getTestServer(manifest.name);
  // It never listens, requests are handed to it; so that a function can see it all the same, what Node tells of a
  // server's first request is told now.
  channel('http.server.request.start').publish({ server });
  return {
    handle: (request, response) => void server.emit('request', request, response),
    close: () => Promise.resolve(),
  };
}
