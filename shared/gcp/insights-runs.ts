import type { DocumentReference, Firestore, Transaction } from '@google-cloud/firestore';
import { paths } from '../contracts/documents.ts';
import type { OutboxMessage } from '../contracts/documents.ts';
import { insightsRunSchema } from '../contracts/report-documents.ts';
import type { InsightsRun } from '../contracts/report-documents.ts';
import { readDocument } from './firestore.ts';
import type { Outbox } from './outbox.ts';

/** One account's reports for one of its days. */
export interface InsightsRunRef {
  readonly tenantId: string;
  readonly adAccountId: string;
  readonly day: string;
}

export type AcquiredRun =
  | { readonly kind: 'held'; readonly run: InsightsRun }
  /** Another delivery of the message is at it. */
  | { readonly kind: 'busy'; readonly until: string }
  /** It is finished, or a newer day has taken its place: nothing to do. */
  | { readonly kind: 'over' };

/** Another took the run over; what this process still wanted to write is refused. */
export class InsightsRunLost extends Error {
  override readonly name = 'InsightsRunLost';
}

/**
 * Whether a run of its own day is to be opened again: it ended badly, or whatever brought it back has got lost. One that is
 * taken up again and again is left alone: a large account's rows may take many hours of its budget.
 */
export function isOpenAgain({ state, openedAt, takenUpAt }: InsightsRun, now: Date): boolean {
  if (state === 'running') return now.getTime() - Date.parse(takenUpAt ?? openedAt) > abandonedAfterMs;
  return state !== 'done';
}

const abandonedAfterMs = 6 * 60 * 60_000;
/** Longer than a message may be worked on (the function's timeout). */
const leaseMs = 570_000;

/**
 * `tenants/{tenant}/insightsRuns/{account}`: the account's reports of the day. Opened at most once a day with the message
 * that starts the work in the same transaction; worked on by one delivery at a time; every write is refused that comes
 * from a delivery which was overtaken.
 */
export class InsightsRuns {
  readonly #db: Firestore;
  readonly #outbox: Pick<Outbox, 'add'>;
  readonly #now: () => Date;

  constructor(options: { db: Firestore; outbox: Pick<Outbox, 'add'>; now: () => Date }) {
    this.#db = options.db;
    this.#outbox = options.outbox;
    this.#now = options.now;
  }

  async read({
    tenantId,
    adAccountId,
  }: Pick<InsightsRunRef, 'tenantId' | 'adAccountId'>): Promise<InsightsRun | undefined> {
    return readDocument(await this.#doc(tenantId, adAccountId).get(), insightsRunSchema);
  }

  /** Every account of the tenant that reports. */
  async ofTenant(tenantId: string): Promise<InsightsRun[]> {
    const rows = await this.#db.collection(paths.insightsRuns(tenantId)).get();
    return rows.docs.flatMap((row) => readDocument(row, insightsRunSchema) ?? []);
  }

  /**
   * Opens the run of a day, or a waiting or failed one of that day again (`attempt` tells these messages apart). Returns
   * the messages to deliver: none when the day is done or under way.
   */
  async open(
    ref: InsightsRunRef,
    facts: Pick<InsightsRun, 'isCollaborative' | 'operator' | 'timeZone' | 'currency'>,
    attempt: string,
    traceparent: string,
  ): Promise<OutboxMessage[]> {
    return this.#db.runTransaction(async (transaction) => {
      const reference = this.#doc(ref.tenantId, ref.adAccountId);
      const known = await this.#get(transaction, reference);
      const isThisDay = known?.day === ref.day;
      if (known !== undefined && known.day > ref.day) return [];
      if (isThisDay && !isOpenAgain(known, this.#now())) return [];
      const at = this.#now().toISOString();
      // Whoever waited, or was forgotten, goes on where he was. Of a failed run what was read may be why it failed.
      const goesOn = isThisDay && (known.state === 'waiting' || known.state === 'running');
      transaction.set(reference, {
        ...ref,
        ...facts,
        ...(goesOn && { timeZone: known.timeZone, currency: known.currency }),
        state: 'running',
        // What was stored of the day stays stored.
        jobs: goesOn ? known.jobs : null,
        troubles: 0,
        fence: (known?.fence ?? 0) + 1,
        lease: null,
        wait: null,
        reason: null,
        openedAt: at,
        takenUpAt: null,
        finishedAt: null,
        completeDay: known?.completeDay ?? null,
      } satisfies InsightsRun);
      const { tenantId, adAccountId, day } = ref;
      const envelope = {
        eventId: `${tenantId}:insights-account:${adAccountId}:${attempt}`,
        type: 'insights-account' as const,
        version: 1 as const,
        tenantId,
        at,
        traceparent,
        data: { adAccountId, day },
      };
      return [this.#outbox.add(transaction, envelope, reference.path)];
    });
  }

  async acquire(ref: InsightsRunRef, owner: string): Promise<AcquiredRun> {
    const now = this.#now();
    return this.#db.runTransaction(async (transaction): Promise<AcquiredRun> => {
      const reference = this.#doc(ref.tenantId, ref.adAccountId);
      const known = await this.#get(transaction, reference);
      if (known === undefined || known.day !== ref.day || known.state !== 'running') return { kind: 'over' };
      if (known.lease !== null && known.lease.until > now.toISOString()) {
        return { kind: 'busy', until: known.lease.until };
      }
      const run: InsightsRun = {
        ...known,
        fence: known.fence + 1,
        takenUpAt: now.toISOString(),
        lease: { owner, until: new Date(now.getTime() + leaseMs).toISOString() },
      };
      transaction.set(reference, run);
      return { kind: 'held', run };
    });
  }

  /** Writes progress under the fence of `run`. @throws InsightsRunLost, having changed nothing */
  async save(run: InsightsRun, changes: Partial<InsightsRun>): Promise<InsightsRun> {
    return this.#db.runTransaction(async (transaction) => {
      const reference = this.#doc(run.tenantId, run.adAccountId);
      const known = await this.#get(transaction, reference);
      if (known?.fence !== run.fence || known.lease === null) {
        throw new InsightsRunLost(`reports of ${run.adAccountId}: fence ${run.fence} is no longer the newest`);
      }
      const next: InsightsRun = { ...known, ...changes };
      transaction.set(reference, next);
      return next;
    });
  }

  async #get(transaction: Transaction, reference: DocumentReference): Promise<InsightsRun | undefined> {
    return readDocument(await transaction.get(reference), insightsRunSchema);
  }

  #doc(tenantId: string, adAccountId: string): DocumentReference {
    return this.#db.doc(paths.insightsRun(tenantId, adAccountId));
  }
}
