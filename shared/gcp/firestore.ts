import { Firestore } from '@google-cloud/firestore';
import * as v from 'valibot';
import { databaseId } from '../contracts/documents.ts';
import { googleUniverse } from './universe.ts';

/**
 * The one Firestore client of a process. `FIRESTORE_EMULATOR_HOST` is honoured by Google's client itself. A property
 * that is `undefined` is a bug of ours and is refused.
 */
export function connectFirestore(projectId: string): Firestore {
  return new Firestore({ projectId, databaseId, ...googleUniverse });
}

/**
 * Reads a document through its schema, so that inside the program types are trusted.
 *
 * @throws when the stored document is not of that shape; the message names path and field, never a value.
 */
export function readDocument<Schema extends v.GenericSchema>(
  snapshot: FirebaseFirestore.DocumentSnapshot,
  schema: Schema,
): v.InferOutput<Schema> | undefined {
  if (!snapshot.exists) return undefined;
  const result = v.safeParse(schema, withDates(snapshot.data()));
  if (result.success) return result.output;
  const fields = result.issues.map((issue) => v.getDotPath(issue) ?? '(document)').join(', ');
  throw new Error(`${snapshot.ref.path} does not have the shape its schema asks for: ${fields}`);
}

/** Top-level timestamps become `Date`: our schemas know `expireAt` as one, and no other field is a timestamp. */
function withDates(data: FirebaseFirestore.DocumentData | undefined): unknown {
  if (data === undefined) return undefined;
  const expireAt: unknown = data['expireAt'];
  return expireAt !== null && typeof expireAt === 'object' && 'toDate' in expireAt
    ? { ...data, expireAt: (expireAt as FirebaseFirestore.Timestamp).toDate() }
    : data;
}
