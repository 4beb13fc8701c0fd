import type { Firestore } from '@google-cloud/firestore';
import { paths, readinessSchema } from '../contracts/documents.ts';
import type { Readiness } from '../contracts/documents.ts';
import { readDocument } from './firestore.ts';

/** Reads `platform/readiness`. A platform nobody has described yet is ready for nothing. */
export function createReadinessReader(db: Firestore): () => Promise<Readiness> {
  return async () =>
    readDocument(await db.doc(paths.readiness()).get(), readinessSchema) ?? { pre2: false, pre8: false, pre10: false };
}
