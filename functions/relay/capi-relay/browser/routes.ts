import type { RelayRoute } from '../route.ts';
import { collect, preflight } from './collect.ts';
import { serveScript } from './serve-script.ts';

/** What a client's pages use: the script, and where it sends to. */
export const browserRoutes: readonly RelayRoute[] = [
  { method: 'POST', name: '/collect', path: /^\/collect$/, handle: collect },
  { method: 'GET', name: '/kobi.js', path: /^\/kobi\.js$/, handle: serveScript },
  { method: 'OPTIONS', name: '/collect', path: /^\/collect$/, handle: preflight },
];
