import type { DocumentReference, Firestore, Transaction } from '@google-cloud/firestore';
import { paths } from '../contracts/documents.ts';
import { secretInUseSchema, tokenSchema } from '../contracts/token-documents.ts';
import type { RetiringVersion, TokenRecord, TokenVerdict } from '../contracts/token-documents.ts';
import { secretName } from '../domain/naming.ts';
import { openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';

/** The right to replace one tenant's system token, until the lease ends or another takes it over. */
export interface HeldLease {
  readonly kind: 'held';
  readonly tenantId: string;
  readonly owner: string;
  readonly fence: number;
  /** As it was when the lease was taken. */
  readonly record: TokenRecord;
}

export type Acquired =
  | HeldLease
  /** Another version than the one to replace is in use already: there is nothing to do. */
  | { readonly kind: 'have'; readonly version: string }
  | { readonly kind: 'busy'; readonly until: string };

/** The lease was taken over meanwhile; what this process still wanted to write is refused. */
export class TokenLeaseLost extends Error {
  override readonly name = 'TokenLeaseLost';
}

export interface TokenLeaseOptions {
  readonly db: Firestore;
  readonly now: () => Date;
  /** Longer than a mint takes, and no longer than a tenant may do without a new token. */
  readonly leaseMs?: number;
  /** How long a replaced version stays readable for those who read its number before the switch. */
  readonly graceMs?: number;
  /** How long a replaced version can still be brought back by a person. */
  readonly keepMs?: number;
}

export const tokenLeaseMs = 60_000;
const hourMs = 60 * 60_000;
const auditStream = 'tokens';

/**
 * `tokens/{tenant}`: who may replace the system token just now, and which version is in use. The switch is one
 * transaction over this document and the one that readers watch, so a reader never sees a version that was not verified,
 * and a process that lost its lease changes nothing.
 */
export class TokenLease {
  readonly #db: Firestore;
  readonly #now: () => Date;
  readonly #leaseMs: number;
  readonly #graceMs: number;
  readonly #keepMs: number;

  constructor({ db, now, leaseMs = tokenLeaseMs, graceMs = hourMs, keepMs = 7 * 24 * hourMs }: TokenLeaseOptions) {
    this.#db = db;
    this.#now = now;
    this.#leaseMs = leaseMs;
    this.#graceMs = graceMs;
    this.#keepMs = keepMs;
  }

  async read(tenantId: string): Promise<TokenRecord | undefined> {
    return readDocument(await this.#doc(tenantId).get(), tokenSchema);
  }

  /**
   * Takes the lease to replace the version that the caller saw in use (null: it saw none). Of all callers that saw the
   * same version, one at a time holds it, and once the version is another one, nobody does. Whoever only waits for
   * another's mint reads, so that many waiting do not stand in the way of the holder's transactions.
   */
  async acquire(tenantId: string, owner: string, replacing: string | null): Promise<Acquired> {
    const now = this.#now();
    const nothingToDo = (known: TokenRecord | undefined): Acquired | undefined => {
      if (known === undefined) return undefined;
      const { lease, version } = known;
      if (version !== null && version !== replacing) return { kind: 'have', version };
      const isAnothers = lease !== null && lease.owner !== owner && lease.until > now.toISOString();
      return isAnothers ? { kind: 'busy', until: lease.until } : undefined;
    };
    const seen = nothingToDo(await this.read(tenantId));
    if (seen !== undefined) return seen;
    return this.#db.runTransaction(async (transaction): Promise<Acquired> => {
      const known = await this.#get(transaction, tenantId);
      const nothing = nothingToDo(known);
      if (nothing !== undefined) return nothing;
      const record: TokenRecord = {
        ...(known ?? emptyRecord(tenantId)),
        fence: (known?.fence ?? 0) + 1,
        lease: { owner, until: new Date(now.getTime() + this.#leaseMs).toISOString() },
      };
      transaction.set(this.#doc(tenantId), record);
      return { kind: 'held', tenantId, owner, fence: record.fence, record };
    });
  }

  /** Gives the lease back unfinished. No error when it is already another's. */
  async release(held: HeldLease): Promise<void> {
    await this.#db.runTransaction(async (transaction) => {
      const record = await this.#get(transaction, held.tenantId);
      if (record?.fence === held.fence) transaction.update(this.#doc(held.tenantId), { lease: null });
    });
  }

  /** @throws TokenLeaseLost */
  async assertHeld(held: HeldLease): Promise<void> {
    await this.#db.runTransaction(async (transaction) => void (await this.#owned(transaction, held)));
  }

  /**
   * Makes readers use this verified version from now on, puts the replaced one into retirement and ends the lease, all at
   * once. @throws TokenLeaseLost, having changed nothing
   */
  async switchTo(
    held: HeldLease,
    next: { readonly version: string; readonly childBusinessId: string; readonly verdict: TokenVerdict },
  ): Promise<void> {
    const now = this.#now();
    await this.#db.runTransaction(async (transaction) => {
      // The answer to our own commit may get lost, and Google's client then tries again: that version is ours alone.
      if ((await this.#get(transaction, held.tenantId))?.version === next.version) return;
      const record = await this.#owned(transaction, held);
      // Whoever added it has given it up since we looked, and destroys it.
      if (record.retiring.some(({ version }) => version === next.version)) {
        throw new TokenLeaseLost(`tokens of ${held.tenantId}: version ${next.version} was given up by its maker`);
      }
      const inUse = await this.#revision(transaction, held.tenantId);
      const audit = await openAuditStream(transaction, this.#db, held.tenantId, auditStream);
      const replaced = record.version;
      transaction.set(this.#doc(held.tenantId), {
        ...record,
        lease: null,
        version: next.version,
        childBusinessId: next.childBusinessId,
        verdict: next.verdict,
        wait: null,
        retiring: [
          ...record.retiring,
          ...(replaced === null || replaced === next.version ? [] : [this.#retirementOf(replaced, now)]),
        ],
      } satisfies TokenRecord);
      inUse.set(next.version, now);
      audit.append({
        at: now.toISOString(),
        actor: 'token-mint',
        action: 'token-switched',
        subject: secretName.systemToken(held.tenantId),
        detail: { version: next.version, replaced, expiresAt: next.verdict.expiresAt },
      });
    });
  }

  /**
   * Before whoever added a version and lost the lease destroys it: false when it is in use, because the next holder found
   * it sound; after true nobody can come to use it.
   */
  async giveUp(tenantId: string, version: string): Promise<boolean> {
    return this.#db.runTransaction(async (transaction) => {
      const record = await this.#get(transaction, tenantId);
      if (record === undefined) return true;
      if (record.version === version) return false;
      if (record.retiring.some((row) => row.version === version)) return true;
      const row = { ...this.#retirementOf(version, this.#now()), disabled: true };
      transaction.update(this.#doc(tenantId), { retiring: [...record.retiring, row] });
      return true;
    });
  }

  /** Ends the grace of a version at once, because a third would be one too many. @throws TokenLeaseLost */
  async cutShort(held: HeldLease, version: string): Promise<void> {
    await this.#db.runTransaction(async (transaction) => {
      const record = await this.#owned(transaction, held);
      const known = record.retiring.find((row) => row.version === version) ?? this.#retirementOf(version, this.#now());
      const others = record.retiring.filter((row) => row.version !== version);
      transaction.update(this.#doc(held.tenantId), { retiring: [...others, { ...known, disabled: true }] });
    });
  }

  /** Marks what is due for disabling, and says which versions are now to be disabled and which destroyed. */
  async dueToRetire(tenantId: string): Promise<{ readonly disable: string[]; readonly destroy: string[] }> {
    const at = this.#now().toISOString();
    return this.#db.runTransaction(async (transaction) => {
      const record = await this.#get(transaction, tenantId);
      if (record === undefined || record.retiring.length === 0) return { disable: [], destroy: [] };
      const retiring = record.retiring.map((row) => ({ ...row, disabled: row.disabled || row.disableAfter <= at }));
      if (retiring.some(({ disabled }, index) => disabled !== record.retiring[index]?.disabled)) {
        transaction.update(this.#doc(tenantId), { retiring });
      }
      const off = retiring.filter(({ disabled }) => disabled);
      return {
        disable: off.filter(({ destroyAfter }) => destroyAfter > at).map(({ version }) => version),
        destroy: off.filter(({ destroyAfter }) => destroyAfter <= at).map(({ version }) => version),
      };
    });
  }

  /** Takes versions that no longer exist off the list. */
  async retired(tenantId: string, versions: readonly string[]): Promise<void> {
    if (versions.length === 0) return;
    await this.#db.runTransaction(async (transaction) => {
      const record = await this.#get(transaction, tenantId);
      const retiring = record?.retiring.filter(({ version }) => !versions.includes(version));
      if (retiring !== undefined) transaction.update(this.#doc(tenantId), { retiring });
    });
  }

  /**
   * Records what a check found, unless another version is in use by now: then the finding is about a token nobody uses,
   * and the answer is false. A wait for the same thing keeps the time it began.
   */
  async recordCheck(
    tenantId: string,
    checked: { readonly version: string } & Partial<Pick<TokenRecord, 'verdict' | 'wait'>>,
  ): Promise<boolean> {
    return this.#db.runTransaction(async (transaction) => {
      const record = await this.#get(transaction, tenantId);
      if (record === undefined || record.version !== checked.version) return false;
      const { verdict = record.verdict, wait = null } = checked;
      transaction.update(this.#doc(tenantId), { verdict, wait: goingOn(record.wait, wait) });
      return true;
    });
  }

  /** Records what is known of the client's own token; null once there is none. */
  async recordUser(tenantId: string, user: TokenRecord['user']): Promise<void> {
    await this.#db.runTransaction(async (transaction) => {
      const record = await this.#get(transaction, tenantId);
      if (record === undefined && user === null) return;
      const wait = goingOn(record?.user?.wait ?? null, user?.wait ?? null);
      transaction.set(this.#doc(tenantId), {
        ...(record ?? emptyRecord(tenantId)),
        user: user && { ...user, wait },
      } satisfies TokenRecord);
    });
  }

  #retirementOf(version: string, now: Date): RetiringVersion {
    return {
      version,
      disableAfter: new Date(now.getTime() + this.#graceMs).toISOString(),
      destroyAfter: new Date(now.getTime() + this.#keepMs).toISOString(),
      disabled: false,
    };
  }

  async #revision(
    transaction: Transaction,
    tenantId: string,
  ): Promise<{ readonly set: (version: string, now: Date) => void }> {
    const secretId = secretName.systemToken(tenantId);
    const reference = this.#db.doc(paths.secretInUse(secretId));
    const known = readDocument(await transaction.get(reference), secretInUseSchema);
    return {
      set: (version, now) => {
        const revision = (known?.revision ?? 0) + 1;
        transaction.set(reference, { secretId, version, revision, changedAt: now.toISOString() });
      },
    };
  }

  async #owned(transaction: Transaction, held: HeldLease): Promise<TokenRecord> {
    const record = await this.#get(transaction, held.tenantId);
    if (record === undefined || record.fence !== held.fence || record.lease === null) {
      throw new TokenLeaseLost(`tokens of ${held.tenantId}: fence ${held.fence} is no longer the newest`);
    }
    return record;
  }

  async #get(transaction: Transaction, tenantId: string): Promise<TokenRecord | undefined> {
    return readDocument(await transaction.get(this.#doc(tenantId)), tokenSchema);
  }

  #doc(tenantId: string): DocumentReference {
    return this.#db.doc(paths.token(tenantId));
  }
}

/** The wait, begun when the one before began if that was for the same thing. */
function goingOn(before: TokenRecord['wait'], wait: TokenRecord['wait']): TokenRecord['wait'] {
  return wait !== null && before?.for === wait.for ? { ...wait, since: before.since } : wait;
}

/** What is known of a tenant before its first mint. */
export function emptyRecord(tenantId: string): TokenRecord {
  return {
    tenantId,
    fence: 0,
    lease: null,
    childBusinessId: null,
    version: null,
    verdict: null,
    retiring: [],
    wait: null,
    user: null,
  };
}
