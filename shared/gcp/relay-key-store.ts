import type { Firestore } from '@google-cloud/firestore';
import { paths } from '../contracts/documents.ts';
import { relayKeySchema } from '../contracts/relay-documents.ts';
import type { RelayKey, RelayKeyPurpose } from '../contracts/relay-documents.ts';
import type { RelayKeyParts } from '../domain/relay-key.ts';
import { openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';

/** Relay keys that operators issue and revoke. Only hashes are kept: a key is shown once and cannot be read again. */
export class RelayKeyStore {
  readonly #db: Firestore;
  readonly #now: () => Date;

  constructor(db: Firestore, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  /** Keeps the key's hash for the tenant. */
  async issue(tenantId: string, purpose: RelayKeyPurpose, parts: RelayKeyParts, actor: string): Promise<RelayKey> {
    const at = this.#now().toISOString();
    const { relayKeyId, sha256 } = parts;
    const key: RelayKey = {
      relayKeyId,
      tenantId,
      purpose,
      sha256,
      createdAt: at,
      createdBy: actor,
      events: null,
      notAfter: null,
      revokedAt: null,
    };
    await this.#db.runTransaction(async (transaction) => {
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'relay-keys');
      transaction.create(this.#db.doc(paths.relayKey(relayKeyId)), key);
      audit.append({ at, actor, action: 'relay-key-issued', subject: relayKeyId, detail: { purpose } });
    });
    return key;
  }

  /**
   * Ends the key; ending it again changes nothing. Undefined when this tenant has no such key. Readers may go on
   * accepting it for as long as they cache keys.
   */
  async revoke(tenantId: string, relayKeyId: string, actor: string): Promise<RelayKey | undefined> {
    const at = this.#now().toISOString();
    const reference = this.#db.doc(paths.relayKey(relayKeyId));
    return this.#db.runTransaction(async (transaction) => {
      const key = readDocument(await transaction.get(reference), relayKeySchema);
      if (key?.tenantId !== tenantId) return undefined;
      if (key.revokedAt !== null) return key;
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'relay-keys');
      transaction.update(reference, { revokedAt: at });
      audit.append({ at, actor, action: 'relay-key-revoked', subject: relayKeyId, detail: { purpose: key.purpose } });
      return { ...key, revokedAt: at };
    });
  }
}
