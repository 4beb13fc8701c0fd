/** Cloud Storage for reading objects, at the wire: the two calls of the JSON API that a download makes. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32c } from '../secret-manager/crc32c.ts';

export interface EmbeddedStorage {
  /** `http://127.0.0.1:PORT`, for STORAGE_EMULATOR_HOST. */
  readonly url: string;
  put(bucket: string, object: string, bytes: Uint8Array): void;
  close(): Promise<void>;
}

const OBJECT = /^(?:\/download)?(?:\/storage\/v1)?\/b\/([^/]+)\/o\/([^/]+)$/;

export async function startEmbeddedStorage(): Promise<EmbeddedStorage> {
  const objects = new Map<string, Uint8Array>();
  const server = createServer((request, response) => answer(request, response, objects));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    put: (bucket, object, bytes) => void objects.set(`${bucket}/${object}`, bytes),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, objects: ReadonlyMap<string, Uint8Array>): void {
  const url = new URL(request.url ?? '/', 'http://storage');
  const [, bucket = '', encoded = ''] = OBJECT.exec(url.pathname) ?? [];
  const object = decodeURIComponent(encoded);
  const bytes = objects.get(`${decodeURIComponent(bucket)}/${object}`);
  const json = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  if (request.method !== 'GET' || bytes === undefined) {
    json(404, {
      error: { code: 404, message: `No such object: ${bucket}/${object}`, errors: [{ reason: 'notFound' }] },
    });
    return;
  }
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32c(bytes));
  const md5 = createHash('md5').update(bytes).digest('base64');
  if (url.searchParams.get('alt') !== 'media') {
    const size = String(bytes.length);
    json(200, {
      kind: 'storage#object',
      bucket,
      name: object,
      size,
      crc32c: checksum.toString('base64'),
      md5Hash: md5,
    });
    return;
  }
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': bytes.length,
    'x-goog-hash': `crc32c=${checksum.toString('base64')},md5=${md5}`,
  });
  response.end(bytes);
}
