import { hash } from 'node:crypto';
import type { RelayAnswer } from '../meta-answer.ts';
import type { RelayCall } from '../route.ts';
import { kobiScript } from './script.ts';

const etag = `"${hash('sha256', kobiScript, 'hex').slice(0, 32)}"`;

const headers = {
  'content-type': 'text/javascript; charset=utf-8',
  'cache-control': 'public, max-age=3600',
  etag,
  // Pages that isolate themselves, or load it with `crossorigin`, may have it: it is the same for everybody.
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
  'x-content-type-options': 'nosniff',
};

/** `GET /kobi.js`: the browser script, the same for every tenant, cached for an hour and then asked after by its ETag. */
export function serveScript({ request }: RelayCall): RelayAnswer {
  const known = request.headers['if-none-match'];
  const isKnown = known?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag) === true;
  return isKnown ? { status: 304, body: '', headers } : { status: 200, body: kobiScript, headers };
}
