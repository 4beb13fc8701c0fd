import { type Database, lastSegment, parentOf } from './database.ts';
import { parseFieldPath, readField } from './field-path.ts';

/** A collection group whose documents expire at the time their field holds (a Firestore TTL policy). */
export type TtlPolicy = { readonly collectionGroup: string; readonly field: string };

/** Deletes the documents whose TTL field lies at or before `now`; answers how many. */
export function expireDocuments(databases: Iterable<Database>, policies: readonly TtlPolicy[], now: Date): number {
  let expired = 0;
  for (const database of databases) {
    const writes = [...database.all()]
      .filter((document) =>
        policies.some(({ collectionGroup, field }) => {
          if (lastSegment(parentOf(document.path)) !== collectionGroup) return false;
          const value = readField(document.fields, parseFieldPath(field));
          if (value?.valueType !== 'timestampValue') return false;
          const { seconds, nanos } = value.timestampValue;
          return Number(seconds) * 1000 + nanos / 1e6 <= now.getTime();
        }),
      )
      .map((document) => ({ operation: 'delete' as const, delete: `${database.documentsRoot}/${document.path}` }));
    if (writes.length > 0) database.commit(writes);
    expired += writes.length;
  }
  return expired;
}
