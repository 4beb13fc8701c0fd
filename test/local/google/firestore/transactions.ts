/**
 * Pessimistic transactions: what a transaction reads is locked for it until it commits, rolls back or falls idle, so a
 * second one that reads the same document waits and then sees the first one's result; nothing is lost and nothing need be
 * retried. Queries lock the documents they found and are run again at commit, where a document that came or went answers ABORTED.
 * A transaction that loses its locks (two waiting for each other, or an idle one) reads on unlocked and learns it at commit: the
 * client repeats an aborted commit as a whole, but an aborted read only as that read, which could never succeed.
 * Source: documentation page "Transaction serializability and isolation" (server client libraries). Stricter than Google in
 * one point: read locks are exclusive, which spares the ABORTED that two readers of one document give each other there.
 */
import { randomBytes } from 'node:crypto';
import { GrpcCode, GrpcError } from '../grpc-service.ts';
import type { StoredDocument } from './writes.ts';

export type Transaction = {
  readonly id: string;
  readonly locks: Set<string>;
  /** Each query read so far: how to run it again, and what it found. */
  readonly reads: { again: () => readonly StoredDocument[]; found: readonly StoredDocument[] }[];
  aborted: boolean;
  /** Calls of this transaction under way; while there is one it is not idle. */
  calls: number;
  activeAtMs: number;
  waitingOn: string | undefined;
};

type Waiter = { readonly by: Transaction | undefined; readonly grant: () => void };
type Lock = { holder: Transaction; readonly queue: Waiter[]; timer: NodeJS.Timeout | undefined };

/** Firestore ends a transaction that was idle this long. */
const EXPIRY_MS = 60_000;

export class Transactions {
  readonly #open = new Map<string, Transaction>();
  readonly #locks = new Map<string, Lock>();
  readonly #lockIdleMs: number;

  /** `lockIdleMs`: a lock is taken from a transaction that someone waits for and that has made no call for this long (its client may be dead). */
  constructor(lockIdleMs: number) {
    this.#lockIdleMs = lockIdleMs;
  }

  begin(): Transaction {
    this.#forgetExpired();
    const transaction: Transaction = {
      id: randomBytes(12).toString('base64'),
      locks: new Set(),
      reads: [],
      aborted: false,
      calls: 0,
      activeAtMs: performance.now(),
      waitingOn: undefined,
    };
    this.#open.set(transaction.id, transaction);
    return transaction;
  }

  /** Runs one call of a transaction. Rejects with INVALID_ARGUMENT when the transaction is over or unknown. */
  async during<Result>(id: Buffer, call: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    const transaction = this.#open.get(id.toString('base64'));
    if (!transaction) throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'The transaction is unknown or closed.');
    transaction.calls += 1;
    try {
      return await call(transaction);
    } finally {
      transaction.calls -= 1;
      transaction.activeAtMs = performance.now();
    }
  }

  /**
   * Locks documents for a transaction, waiting for those held by others. Resolves to whether it had to wait: what was read
   * before may then be stale. A transaction for which waiting could never end is aborted and locks nothing more.
   */
  async lock(transaction: Transaction, paths: Iterable<string>): Promise<boolean> {
    let waited = false;
    for (const path of [...new Set(paths)].sort()) {
      if (transaction.aborted) return false;
      const lock = this.#locks.get(path);
      if (!lock) {
        this.#locks.set(path, { holder: transaction, queue: [], timer: undefined });
        transaction.locks.add(path);
      } else if (lock.holder !== transaction) {
        if (this.#wouldDeadlock(transaction, lock)) {
          this.abort(transaction);
          return false;
        }
        waited = true;
        transaction.waitingOn = path;
        await new Promise<void>((resolve) => this.#queue(path, lock, { by: transaction, grant: resolve }));
        transaction.waitingOn = undefined;
      }
    }
    return waited;
  }

  /** Runs a write that belongs to no transaction at a moment when none holds any of its documents; it cannot be interfered with. */
  whenFree<Result>(paths: readonly string[], write: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      const attempt = (): void => {
        for (const path of paths) {
          const lock = this.#locks.get(path);
          if (!lock) continue;
          this.#queue(path, lock, { by: undefined, grant: attempt });
          return;
        }
        try {
          resolve(write());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      attempt();
    });
  }

  /** Ends a transaction and hands its locks on. Ending one twice does nothing. */
  end(transaction: Transaction): void {
    this.#open.delete(transaction.id);
    this.#release(transaction);
  }

  endById(id: Buffer): void {
    const transaction = this.#open.get(id.toString('base64'));
    if (transaction) this.end(transaction);
  }

  /** Takes a transaction's locks away; its commit will answer ABORTED. */
  abort(transaction: Transaction): void {
    transaction.aborted = true;
    this.#release(transaction);
  }

  abortAll(): void {
    for (const transaction of this.#open.values()) this.abort(transaction);
  }

  #queue(path: string, lock: Lock, waiter: Waiter): void {
    lock.queue.push(waiter);
    this.#watchIdle(path, lock);
  }

  /** Wall time on purpose, whatever clock the stack runs on: this is about a dead client, not about the product's time. */
  #watchIdle(path: string, lock: Lock): void {
    if (lock.timer) return;
    const holder = lock.holder;
    const idleMs = holder.calls > 0 ? 0 : performance.now() - holder.activeAtMs;
    lock.timer = setTimeout(
      () => {
        lock.timer = undefined;
        if (this.#locks.get(path) !== lock || lock.queue.length === 0) return;
        const idle = lock.holder.calls === 0 && performance.now() - lock.holder.activeAtMs >= this.#lockIdleMs;
        if (idle) this.abort(lock.holder);
        if (this.#locks.get(path) === lock && lock.queue.length > 0) this.#watchIdle(path, lock);
      },
      Math.max(1, this.#lockIdleMs - idleMs),
    );
    lock.timer.unref();
  }

  #release(transaction: Transaction): void {
    for (const path of transaction.locks) {
      const lock = this.#locks.get(path);
      if (lock?.holder === transaction) this.#handOn(path, lock);
    }
    transaction.locks.clear();
  }

  /** Those who wait are served in turn: a write on its own at once, a transaction by giving it the lock. */
  #handOn(path: string, lock: Lock): void {
    this.#locks.delete(path);
    for (let next = lock.queue.shift(); next; next = lock.queue.shift()) {
      if (next.by && !next.by.aborted) {
        lock.holder = next.by;
        next.by.locks.add(path);
        this.#locks.set(path, lock);
        next.grant();
        return;
      }
      next.grant();
    }
    clearTimeout(lock.timer);
  }

  #wouldDeadlock(transaction: Transaction, lock: Lock): boolean {
    let current: Lock | undefined = lock;
    while (current) {
      if (current.holder === transaction) return true;
      current = current.holder.waitingOn === undefined ? undefined : this.#locks.get(current.holder.waitingOn);
    }
    return false;
  }

  #forgetExpired(): void {
    for (const transaction of this.#open.values()) {
      if (transaction.calls > 0 || performance.now() - transaction.activeAtMs < EXPIRY_MS) return;
      this.end(transaction);
    }
  }
}

/** To be asked at commit. Throws ABORTED for a transaction that has lost its locks. */
export function assertNotAborted(transaction: Transaction): void {
  if (transaction.aborted)
    throw new GrpcError(GrpcCode.ABORTED, 'Too much contention on these documents. Please try again.');
}

/** Whether a query still finds what it found: the same documents, in the same versions. */
export function sameDocuments(a: readonly StoredDocument[], b: readonly StoredDocument[]): boolean {
  return a.length === b.length && a.every((document, index) => document === b[index]);
}
