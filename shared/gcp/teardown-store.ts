import type { Firestore, Transaction } from '@google-cloud/firestore';
import { fallbackSlotsSchema, paths, runSchema, stepSchema, tenantSchema } from '../contracts/documents.ts';
import type { Run, StepRecord, Tenant } from '../contracts/documents.ts';
import { teardownSchema } from '../contracts/teardown-documents.ts';
import type { ActionRecord, Leftover, Teardown, TeardownObjects } from '../contracts/teardown-documents.ts';
import type { TeardownActionName } from '../domain/teardown.ts';
import { openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';
import { FenceLost } from './step-store.ts';

export type TeardownClaim =
  | { readonly kind: 'claimed'; readonly teardown: Teardown }
  | { readonly kind: 'busy'; readonly until: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'missing' };

/** How an action ended, or did not. */
export interface ActionChange {
  readonly record: ActionRecord;
  readonly left?: readonly Leftover[];
  readonly objects?: TeardownObjects;
}

/** What the tenant's runs say of themselves. */
export interface RunFacts {
  readonly tenant: Tenant | undefined;
  readonly runs: readonly { readonly run: Run; readonly steps: readonly StepRecord[] }[];
}

/** Teardowns under a lease with a fence, as steps are: one worker at a time, and a zombie's writes are refused. */
export class TeardownStore {
  readonly #db: Firestore;
  readonly #now: () => Date;
  readonly #leaseMs: number;

  constructor(options: { db: Firestore; now: () => Date; leaseMs: number }) {
    this.#db = options.db;
    this.#now = options.now;
    this.#leaseMs = options.leaseMs;
  }

  async read(teardownId: string): Promise<Teardown | undefined> {
    return readDocument(await this.#db.doc(paths.teardown(teardownId)).get(), teardownSchema);
  }

  async claim(teardownId: string, owner: string): Promise<TeardownClaim> {
    const now = this.#now();
    return this.#db.runTransaction(async (transaction): Promise<TeardownClaim> => {
      const reference = this.#db.doc(paths.teardown(teardownId));
      const known = readDocument(await transaction.get(reference), teardownSchema);
      if (known === undefined) return { kind: 'missing' };
      if (known.state === 'done') return { kind: 'done' };
      if (known.lease !== null && known.lease.until > now.toISOString()) {
        return { kind: 'busy', until: known.lease.until };
      }
      const until = new Date(now.getTime() + this.#leaseMs).toISOString();
      const teardown: Teardown = { ...known, fence: known.fence + 1, lease: { owner, until } };
      transaction.set(reference, teardown);
      return { kind: 'claimed', teardown };
    });
  }

  /** Records what became of one action; a thing that is left is listed once. @throws FenceLost */
  async record(claimed: Teardown, action: TeardownActionName, change: ActionChange): Promise<Teardown> {
    return this.#update(claimed, (known) => ({
      actions: { ...known.actions, [action]: change.record },
      ...(change.objects && { objects: change.objects }),
      left: [
        ...known.left.filter((old) => !change.left?.some(({ id, object }) => id === old.id && object === old.object)),
        ...(change.left ?? []),
      ],
    }));
  }

  /** Gives the lease back, unfinished. @throws FenceLost */
  async release(claimed: Teardown): Promise<void> {
    await this.#update(claimed, () => ({ lease: null }));
  }

  /**
   * Ends it. A slot on the parent business that never came to an ad account is free again; Meta goes on counting the
   * others. @throws FenceLost
   */
  async finish(claimed: Teardown): Promise<void> {
    const { kind, teardownId, tenantId } = claimed;
    const at = this.#now().toISOString();
    await this.#db.runTransaction(async (transaction) => {
      const known = await this.#owned(transaction, claimed);
      const slotsRef = this.#db.doc(paths.fallbackSlots());
      const { slots } = readDocument(await transaction.get(slotsRef), fallbackSlotsSchema) ?? { slots: [] };
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'teardown');
      const kept = slots.filter((slot) => slot.tenantId !== tenantId);
      if (kept.length < slots.length && hasNoAccountOnParent(known)) transaction.set(slotsRef, { slots: kept });
      const done: Teardown = { ...known, state: 'done', lease: null, finishedAt: at };
      transaction.set(this.#db.doc(paths.teardown(teardownId)), done);
      const [actor, action] = kind === 'undo' ? ['undo-run', 'run-undone'] : ['offboard-tenant', 'tenant-offboarded'];
      const left = known.left.map(({ id, object }) => `${object} ${id}`);
      audit.append({ at, actor, action, subject: teardownId, detail: { left } });
    });
  }

  /** The tenant and all its runs with their steps, newest run first. */
  async facts(tenantId: string): Promise<RunFacts> {
    const tenantRef = this.#db.doc(paths.tenant(tenantId));
    const [tenant, runs] = await Promise.all([tenantRef.get(), tenantRef.collection('runs').get()]);
    const read = await Promise.all(
      runs.docs.map(async (row) => ({
        run: readDocument(row, runSchema),
        steps: (await row.ref.collection('steps').get()).docs.flatMap((step) => readDocument(step, stepSchema) ?? []),
      })),
    );
    return {
      tenant: readDocument(tenant, tenantSchema),
      runs: read
        .flatMap(({ run, steps }) => (run === undefined ? [] : [{ run, steps }]))
        .toSorted((left, right) => right.run.startedAt.localeCompare(left.run.startedAt)),
    };
  }

  async #update(claimed: Teardown, change: (known: Teardown) => Partial<Teardown>): Promise<Teardown> {
    return this.#db.runTransaction(async (transaction) => {
      const known = await this.#owned(transaction, claimed);
      const changed: Teardown = { ...known, ...change(known) };
      transaction.set(this.#db.doc(paths.teardown(claimed.teardownId)), changed);
      return changed;
    });
  }

  async #owned(transaction: Transaction, claimed: Teardown): Promise<Teardown> {
    const reference = this.#db.doc(paths.teardown(claimed.teardownId));
    const known = readDocument(await transaction.get(reference), teardownSchema);
    if (known?.fence !== claimed.fence || known.lease === null) {
      throw new FenceLost(`${claimed.teardownId}: fence ${claimed.fence} is no longer the newest`);
    }
    return known;
  }
}

/** Surely none: where looking for them was given up, there may be one. */
function hasNoAccountOnParent({ objects }: Teardown): boolean {
  return objects !== null && objects.adAccounts.every(({ operator }) => operator !== 'fallback');
}
