import type { Firestore } from '@google-cloud/firestore';
import { paths } from '../contracts/documents.ts';
import { secretInUseSchema } from '../contracts/token-documents.ts';
import type { SecretInUse } from '../contracts/token-documents.ts';
import { readDocument } from './firestore.ts';

/**
 * Reads `secretsInUse/{secretId}`, what every reader of a secret holds its memory against. Instances cannot be addressed
 * one by one (a push reaches a single one), so each asks: one document read per secret and instance every two seconds,
 * only while the secret is being used.
 */
export function createSecretsInUse(db: Firestore): (secretId: string) => Promise<SecretInUse | undefined> {
  return async (secretId) => readDocument(await db.doc(paths.secretInUse(secretId)).get(), secretInUseSchema);
}
