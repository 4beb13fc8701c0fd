/** `upload-events` behind its own HTTP server, with an embedded Firestore and a queue that can be watched. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { Firestore } from '@google-cloud/firestore';
import { uploadRoutes, maxChunkBytes } from '../../functions/relay/upload-events/routes.ts';
import { defaultRelaySettings } from '../../shared/contracts/relay-documents.ts';
import type { Dataset, RelayKey, RelayKeyPurpose } from '../../shared/contracts/relay-documents.ts';
import { makeRelayKey } from '../../shared/domain/relay-key.ts';
import { googleUniverse } from '../../shared/gcp/universe.ts';
import { UploadStore } from '../../shared/gcp/upload-store.ts';
import { httpFunction } from '../../shared/runtime/http-function.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { startEmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';

export const uploadNow = new Date('2026-11-23T12:00:00Z');

/** What the function answers about an upload; an error has `error`. */
export interface UploadView {
  readonly uploadId: string;
  readonly state: string;
  readonly columns: readonly string[] | null;
  readonly nextOffset: number;
  readonly rows: number;
  readonly queued: number;
  readonly held: number;
  readonly dropped: number;
  readonly refused: number;
  readonly refusedBy: Readonly<Record<string, number>>;
  readonly warnings: Readonly<Record<string, number>>;
  readonly problems: { readonly listed: number };
  readonly error?: { readonly code: string; readonly message: string; readonly expected?: readonly string[] };
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly link: string | null;
  readonly body: UploadView;
}

export interface UploadWorld {
  readonly firestore: EmbeddedFirestore;
  /** Keys of tenant `acme` (dataset 111) by purpose, and one of tenant `other` (dataset 222). */
  readonly keys: Readonly<Record<RelayKeyPurpose | 'other', string>>;
  /** Every log line. */
  readonly lines: string[];
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
  /** One chunk of a file, with its Content-Range. */
  put(uploadId: string, bytes: Buffer, from: number, total: number | '*', key?: string): Promise<Answer>;
  close(): Promise<void>;
}

export interface SendOptions {
  readonly key?: string | undefined;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Starts it; `queue` gets the text of each message and may reject. */
export async function startUploadWorld(queue: (json: string) => Promise<void>): Promise<UploadWorld> {
  const firestore = await startEmbeddedFirestore({ projectId: 'kobi-test' });
  const db = new Firestore({
    projectId: 'kobi-test',
    host: firestore.host,
    ssl: false,
    ...googleUniverse,
    customHeaders: { Authorization: 'Bearer owner' },
  });
  const createdAt = uploadNow.toISOString();
  const kept = new Map<string, RelayKey>();
  const issue = (number: number, tenantId: string, purpose: RelayKeyPurpose): string => {
    const { key, relayKeyId, sha256 } = makeRelayKey(Buffer.alloc(8, number), Buffer.alloc(32, number));
    const made = { createdAt, createdBy: 'test', events: null, notAfter: null, revokedAt: null };
    kept.set(relayKeyId, { relayKeyId, sha256, tenantId, purpose, ...made });
    return key;
  };
  const datasets = new Map<string, Dataset>(
    ['111', '222'].map((datasetId) => [
      datasetId,
      {
        datasetId,
        tenantId: datasetId === '111' ? 'acme' : 'other',
        vertical: 'ecommerce',
        country: 'TR',
        createdAt,
        settings: defaultRelaySettings,
      },
    ]),
  );
  const keys = {
    server: issue(1, 'acme', 'server'),
    crm: issue(2, 'acme', 'crm'),
    browser: issue(3, 'acme', 'browser'),
    other: issue(4, 'other', 'server'),
  };
  const lines: string[] = [];
  const log = createLogger({
    level: 'debug',
    functionName: 'upload-events',
    destination: { write: (line) => (lines.length < 10_000 ? lines.push(line) : 0) },
  });
  let made = 0;
  const routes = uploadRoutes({
    uploads: new UploadStore(db, () => uploadNow),
    relay: {
      directory: { dataset: (id) => datasets.get(id), relayKey: (id) => kept.get(id) },
      queue,
      proxy: 'serverless',
      projectId: 'kobi-test',
      log,
      now: () => uploadNow,
    },
    randomBytes: (size) => Buffer.alloc(size, (made += 1)),
  });
  http(
    'upload-events-test',
    httpFunction(() => ({ projectId: 'kobi-test', log, routes, maxBodyBytes: maxChunkBytes })),
  );
  const server: Server = getTestServer('upload-events-test');
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const send: UploadWorld['send'] = async (method, path, { key = keys.crm, body, headers = {} } = {}) => {
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: { ...(key !== '' && { authorization: `Bearer ${key}` }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    const parsed = (isJson ? JSON.parse(text) : {}) as UploadView;
    return { status: response.status, text, link: response.headers.get('link'), body: parsed };
  };
  return {
    firestore,
    keys,
    lines,
    send,
    put: (uploadId, bytes, from, total, key) =>
      send('PUT', `/uploads/${uploadId}`, {
        key,
        body: bytes,
        headers: { 'content-type': 'text/csv', 'content-range': `bytes ${from}-${from + bytes.length - 1}/${total}` },
      }),
    async close() {
      server.closeAllConnections();
      server.close();
      await db.terminate();
      await firestore.close();
    },
  };
}
