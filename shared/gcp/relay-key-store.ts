import type { Firestore } from '@google-cloud/firestore';
import { collections, paths } from '../contracts/documents.ts';
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

  /** Keeps the key's hash for the tenant. `events` are the names it may send; null: all that the tenant may. */
  async issue(
    tenantId: string,
    { purpose, events }: { readonly purpose: RelayKeyPurpose; readonly events: readonly string[] | null },
    parts: RelayKeyParts,
    actor: string,
  ): Promise<RelayKey> {
    const at = this.#now().toISOString();
    const { relayKeyId, sha256 } = parts;
    const key: RelayKey = {
      relayKeyId,
      tenantId,
      purpose,
      sha256,
      createdAt: at,
      createdBy: actor,
      events: events === null ? null : [...events],
      notAfter: null,
      revokedAt: null,
    };
    await this.#db.runTransaction(async (transaction) => {
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'relay-keys');
      transaction.create(this.#db.doc(paths.relayKey(relayKeyId)), key);
      audit.append({
        at,
        actor,
        action: 'relay-key-issued',
        subject: relayKeyId,
        detail: { purpose, events: key.events },
      });
    });
    return key;
  }

  /** The tenant's keys, newest first. */
  async list(tenantId: string): Promise<RelayKey[]> {
    const page = await this.#db.collection(collections.relayKeys).where('tenantId', '==', tenantId).get();
    return page.docs
      .flatMap((snapshot) => readDocument(snapshot, relayKeySchema) ?? [])
      .toSorted((left, right) => right.createdAt.localeCompare(left.createdAt));
  }

  /**
   * Makes `parts` the successor of a key, with the same purpose and events: it works at once, and the old one until
   * `notAfter`, or an earlier end it already had. Undefined when this tenant has no such key; `ended` when it no longer
   * works and so has nothing to hand over.
   */
  async rotate(
    tenantId: string,
    relayKeyId: string,
    notAfter: string,
    parts: RelayKeyParts,
    actor: string,
  ): Promise<{ readonly old: RelayKey; readonly successor: RelayKey } | 'ended' | undefined> {
    const at = this.#now().toISOString();
    const oldReference = this.#db.doc(paths.relayKey(relayKeyId));
    return this.#db.runTransaction(async (transaction) => {
      const old = readDocument(await transaction.get(oldReference), relayKeySchema);
      if (old?.tenantId !== tenantId) return undefined;
      if (old.revokedAt !== null || (old.notAfter !== null && old.notAfter <= at)) return 'ended';
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'relay-keys');
      const ending = { ...old, notAfter: old.notAfter !== null && old.notAfter < notAfter ? old.notAfter : notAfter };
      const successor: RelayKey = {
        ...old,
        relayKeyId: parts.relayKeyId,
        sha256: parts.sha256,
        createdAt: at,
        createdBy: actor,
        notAfter: null,
      };
      transaction.update(oldReference, { notAfter: ending.notAfter });
      transaction.create(this.#db.doc(paths.relayKey(parts.relayKeyId)), successor);
      const detail = { successor: parts.relayKeyId, notAfter: ending.notAfter };
      audit.append({ at, actor, action: 'relay-key-rotated', subject: relayKeyId, detail });
      return { old: ending, successor };
    });
  }

  /**
   * Ends the key; ending it again changes nothing. Undefined when this tenant has no such key. Readers may go on
   * accepting it for as long as they cache keys, which is five seconds.
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
