import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbeddedStorage } from '../../test/local/google/storage/embedded-storage.ts';
import type { EmbeddedStorage } from '../../test/local/google/storage/embedded-storage.ts';
import { ObjectMissing, createObjectReader } from './object-reader.ts';

describe('Cloud Storage objects, through Google’s own client', () => {
  let storage: EmbeddedStorage;
  beforeAll(async () => {
    storage = await startEmbeddedStorage();
    process.env['STORAGE_EMULATOR_HOST'] = storage.url;
  });
  afterAll(async () => {
    delete process.env['STORAGE_EMULATOR_HOST'];
    await storage.close();
  });

  it('are read byte for byte, also when they are gzip and their name has slashes', async () => {
    const read = createObjectReader('kobi-test');
    const bytes = gzipSync(Buffer.from('id,title\n1,Şal\n'.repeat(20_000)));
    storage.put('kobi-feeds', 'acme/2026-11-25/ürünler.csv.gz', bytes);
    expect(await buffer(await read('kobi-feeds', 'acme/2026-11-25/ürünler.csv.gz'))).toEqual(bytes);
  });

  it('that are not there are an error of their own', async () => {
    await expect(createObjectReader('kobi-test')('kobi-feeds', 'none.csv')).rejects.toBeInstanceOf(ObjectMissing);
  });
});
