import { pathToFileURL } from 'node:url';
import { getFunction, getTestServer } from '@google-cloud/functions-framework/testing';
import type { FunctionServer } from './function-host.ts';
import type { FunctionFolder } from './manifests.ts';

/**
 * Loads a function into this process and serves it with functions-framework's own server. The environment must be
 * complete before: functions read it when they are loaded or first called.
 *
 * @throws Error when its index.ts does not register the manifest's name
 */
export async function startInProcessFunction({ manifest, folder, indexPath }: FunctionFolder): Promise<FunctionServer> {
  await import(pathToFileURL(indexPath).href);
  // The declared type promises a function; the registry gives undefined for a name nobody registered.
  const registered = getFunction(manifest.name) as unknown;
  if (registered === undefined) throw new Error(`${folder}/index.ts does not register "${manifest.name}"`);
  // Never listens: requests are handed to it.
  const server = getTestServer(manifest.name);
  return {
    handle: (request, response) => void server.emit('request', request, response),
    close: () => Promise.resolve(),
  };
}
