import type { Firestore, Transaction } from '@google-cloud/firestore';
import { paths } from '../contracts/documents.ts';
import { secretInUseSchema, tokenSchema } from '../contracts/token-documents.ts';
import type { TokenRecord } from '../contracts/token-documents.ts';
import { secretName } from '../domain/naming.ts';
import { openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';

/** What a change of its versions means for a tenant's system token. */
export type TokenChange =
  /** The version in use still is, or no version was ever chosen. */
  | 'unchanged'
  /** The version in use is gone; readers use another one now, which the next check verifies. */
  | 'fell-back'
  /** The version in use was gone and is there again. */
  | 'back'
  /** Nothing is left that a reader could use. */
  | 'none-left';

/** What a tenant waits for whose system token has no usable version; another word than for a token Meta refuses. */
const awaited = 'token-version';
const auditStream = 'tokens';

/**
 * Makes changes of secrets known to readers: every change raises the secret's revision, and every reader that remembers an
 * older one reads again. Doing it once more than needed costs a read, so a message may come twice and in any order.
 */
export class SecretChanges {
  readonly #db: Firestore;
  readonly #now: () => Date;

  constructor(db: Firestore, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  /** Tells every reader of the secret to read again. */
  async note(secretId: string): Promise<void> {
    await this.#db.runTransaction(async (transaction) => (await this.#revision(transaction, secretId)).raise());
  }

  /**
   * The same for a tenant's system token, and holds the version in use against those that are enabled (newest first).
   * While a mint is under way, what is newer than the version in use is not yet verified and not fallen back to.
   */
  async noteSystemToken(tenantId: string, enabled: readonly string[]): Promise<TokenChange> {
    const now = this.#now();
    const at = now.toISOString();
    const reference = this.#db.doc(paths.token(tenantId));
    return this.#db.runTransaction(async (transaction): Promise<TokenChange> => {
      const record = readDocument(await transaction.get(reference), tokenSchema);
      const revision = await this.#revision(transaction, secretName.systemToken(tenantId));
      const audit = await openAuditStream(transaction, this.#db, tenantId, auditStream);
      const entry = (action: string, version: string | null): void =>
        audit.append({
          at,
          actor: 'token-fanout',
          action,
          subject: secretName.systemToken(tenantId),
          detail: { version, replaced: record?.version ?? null },
        });
      const isWaiting = record?.wait?.for === awaited;
      if (record === undefined || record.version === null || enabled.includes(record.version)) {
        revision.raise();
        if (!isWaiting) return 'unchanged';
        transaction.update(reference, { verdict: null, wait: null });
        entry('token-back', record.version);
        return 'back';
      }
      const other = enabled.find((version) => isUsable(record, version, at));
      if (other === undefined) {
        revision.raise();
        if (isWaiting) return 'none-left';
        const what =
          `The system token of ${tenantId} has no usable version left: enable one of ` +
          `${secretName.systemToken(tenantId)}, or retry the step create-system-user, which mints another.`;
        transaction.update(reference, {
          ...(record.verdict !== null && { verdict: { ...record.verdict, state: 'dead' } }),
          wait: { on: 'kobi', for: awaited, what, since: at, expiresAt: null },
        });
        entry('token-lost', null);
        return 'none-left';
      }
      revision.raise(other);
      transaction.update(reference, {
        version: other,
        retiring: record.retiring.filter(({ version }) => version !== other),
        verdict: null,
        wait: null,
      });
      entry('token-fell-back', other);
      return 'fell-back';
    });
  }

  async #revision(transaction: Transaction, secretId: string): Promise<{ readonly raise: (version?: string) => void }> {
    const reference = this.#db.doc(paths.secretInUse(secretId));
    const known = readDocument(await transaction.get(reference), secretInUseSchema);
    return {
      raise: (version) =>
        void transaction.set(reference, {
          secretId,
          version: version ?? known?.version ?? null,
          revision: (known?.revision ?? 0) + 1,
          changedAt: this.#now().toISOString(),
        }),
    };
  }
}

function isUsable({ lease, retiring, version: inUse }: TokenRecord, version: string, at: string): boolean {
  if (retiring.some((row) => row.version === version && row.disabled)) return false;
  const isMinting = lease !== null && lease.until > at;
  return !isMinting || Number(version) < Number(inUse);
}
