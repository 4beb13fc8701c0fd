/** A feed's bytes: fetched, counted, unzipped where they are gzip, and held against the checksum. */
import { createHash } from 'node:crypto';
import { Readable, pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FeedRequest } from '../../../shared/contracts/catalog-documents.ts';
import { ObjectMissing } from '../../../shared/gcp/object-reader.ts';
import { PublicFetchError } from '../../../shared/runtime/public-fetch.ts';
import { FeedMalformed } from './read-feed/feed-row.ts';

/** The feed cannot be had. `passing`: it may be possible a little later. */
export class FeedUnavailable extends Error {
  override readonly name = 'FeedUnavailable';
  readonly isPassing: boolean;
  constructor(message: string, isPassing: boolean) {
    super(message);
    this.isPassing = isPassing;
  }
}

export interface FeedSources {
  /** @throws PublicFetchError */
  readonly fetchUrl: (url: string) => Promise<Readable>;
  /** @throws ObjectMissing */
  readonly readObject: (bucket: string, object: string) => Promise<Readable>;
  readonly maxFileBytes?: number;
  readonly maxUnzippedBytes?: number;
}

const gib = 2 ** 30;

/**
 * The file's content. The last chunk comes before the checksum is known to hold, so nothing may be done with what was
 * read before the iteration has ended.
 *
 * @throws FeedUnavailable, FeedMalformed
 */
export async function* openFeed(feed: FeedRequest, sources: FeedSources): AsyncGenerator<Uint8Array> {
  const { maxFileBytes = 2 * gib, maxUnzippedBytes = 4 * gib } = sources;
  try {
    const file = verified(await open(feed, sources), feed.sha256, maxFileBytes);
    const first = await file.next();
    if (first.done === true) return;
    if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
      yield first.value;
      yield* file;
      return;
    }
    yield* unzipped(first.value, file, maxUnzippedBytes);
  } catch (error) {
    throw understood(error);
  }
}

async function open({ source }: FeedRequest, { fetchUrl, readObject }: FeedSources): Promise<Readable> {
  return source.kind === 'url' ? fetchUrl(source.url) : readObject(source.bucket, source.object);
}

async function* verified(file: Readable, sha256: string, maxBytes: number): AsyncGenerator<Uint8Array, undefined> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of file as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new FeedUnavailable(`The file is larger than ${maxBytes} bytes.`, false);
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== sha256) {
    throw new FeedUnavailable('The file is not the one that was announced: its SHA-256 is another.', false);
  }
}

async function* unzipped(
  first: Uint8Array,
  file: AsyncGenerator<Uint8Array, undefined>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    yield first;
    yield* file;
  };
  let failure: unknown;
  const gunzip = createGunzip();
  pipeline(Readable.from(whole()), gunzip, (error) => void (failure = error ?? undefined));
  let bytes = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new FeedUnavailable(`Unzipped, the file is larger than ${maxBytes} bytes.`, false);
      yield chunk;
    }
  } finally {
    gunzip.destroy();
  }
  if (failure !== undefined) throw failure;
}

function understood(error: unknown): unknown {
  if (error instanceof FeedUnavailable || error instanceof FeedMalformed) return error;
  if (error instanceof PublicFetchError) return new FeedUnavailable(error.message, error.kind === 'unreachable');
  if (error instanceof ObjectMissing) return new FeedUnavailable(error.message, false);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('Z_')) return new FeedMalformed('it is not readable as gzip');
  // A connection that breaks off in the middle.
  if (/^(ECONN|UND_ERR|ETIMEDOUT|EPIPE|ERR_STREAM|CONTENT_DOWNLOAD)/.test(code)) {
    return new FeedUnavailable(`The file broke off while it was read (${code}).`, true);
  }
  return error;
}
