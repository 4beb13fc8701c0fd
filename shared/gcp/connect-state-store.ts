import { hash } from 'node:crypto';
import type { Firestore, Transaction } from '@google-cloud/firestore';
import { connectStateSchema, paths } from '../contracts/documents.ts';
import type { ConnectState } from '../contracts/documents.ts';
import { sameSha256 } from '../domain/relay-key.ts';
import { readDocument } from './firestore.ts';

/** How long a person may take in Facebook's dialog, or to choose a Page. */
export const connectStateLifeMs = 15 * 60 * 1000;

/** A state as it came back, with the browser's cookie. Both are texts nobody else knows; only their hashes are kept. */
export interface ConnectStateProof {
  readonly state: string;
  readonly browser: string;
}

/** Whether a state may be used now. `foreign`: it was given to another browser. */
export type StateVerdict =
  | { readonly kind: 'ok'; readonly tenantId: string }
  | { readonly kind: 'used'; readonly tenantId: string }
  | { readonly kind: 'unknown' | 'expired' | 'foreign' };

/**
 * OAuth states: each is bound to one tenant and one browser, lives 15 minutes and works once (RFC 6749 section 10.12).
 * Firestore's TTL removes them later; until then `expireAt` is checked here, because TTL deletion may be a day late.
 */
export class ConnectStateStore {
  readonly #db: Firestore;
  readonly #now: () => Date;

  constructor(db: Firestore, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  /** Keeps a new state for this tenant and browser. */
  async open(tenantId: string, proof: ConnectStateProof): Promise<void> {
    const now = this.#now();
    const document: ConnectState = {
      tenantId,
      browserHash: sha256(proof.browser),
      createdAt: now.toISOString(),
      usedAt: null,
      expireAt: new Date(now.getTime() + connectStateLifeMs),
    };
    await this.#db.doc(paths.connectState(sha256(proof.state))).create(document);
  }

  /** Uses the state up, if it may be used. Another browser's attempt leaves it untouched. */
  async consume(proof: ConnectStateProof): Promise<StateVerdict> {
    return this.#db.runTransaction((transaction) => consumeInTransaction(transaction, this.#db, proof, this.#now()));
  }
}

/** The same inside a caller's transaction; it reads, so it must come before the caller's writes. */
export async function consumeInTransaction(
  transaction: Transaction,
  db: Firestore,
  proof: ConnectStateProof,
  now: Date,
): Promise<StateVerdict> {
  const reference = db.doc(paths.connectState(sha256(proof.state)));
  const known = readDocument(await transaction.get(reference), connectStateSchema);
  if (known === undefined) return { kind: 'unknown' };
  if (!sameSha256(known.browserHash, sha256(proof.browser))) return { kind: 'foreign' };
  if (known.usedAt !== null) return { kind: 'used', tenantId: known.tenantId };
  if (known.expireAt <= now) return { kind: 'expired' };
  transaction.update(reference, { usedAt: now.toISOString() });
  return { kind: 'ok', tenantId: known.tenantId };
}

function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}
