import type { Readable } from 'node:stream';
import type { Storage } from '@google-cloud/storage';
import { googleUniverse } from './universe.ts';

/** The object is not there, or may not be read. */
export class ObjectMissing extends Error {
  override readonly name = 'ObjectMissing';
}

/** Reads Cloud Storage objects; the client is loaded by the first. */
export function createObjectReader(projectId: string): (bucket: string, object: string) => Promise<Readable> {
  let storage: Promise<Storage> | undefined;
  return async (bucket, object) => {
    storage ??= import('@google-cloud/storage').then(
      (library) => new library.Storage({ projectId, ...googleUniverse }),
    );
    const file = (await storage).bucket(bucket).file(object);
    // A stream tells of a missing object only when it is read; asking first gives a clear answer.
    const [exists] = await file.exists();
    if (!exists) throw new ObjectMissing(`gs://${bucket}/${object} does not exist or may not be read`);
    // The bytes are as they were stored; whether they are gzip is for the reader to see.
    return file.createReadStream({ decompress: false });
  };
}
