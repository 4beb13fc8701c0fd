import type { Firestore, Transaction } from '@google-cloud/firestore';
import { alertSchema } from '../contracts/alert-documents.ts';
import type { Alert, AlertKind } from '../contracts/alert-documents.ts';
import { collectionGroups, paths } from '../contracts/documents.ts';
import type { OutboxMessage } from '../contracts/documents.ts';
import type { Envelope } from '../contracts/topics.ts';
import { readDocument } from './firestore.ts';
import type { Outbox } from './outbox.ts';

/** Trouble as whoever sees it tells it. */
export type AlertFacts = Pick<Alert, 'tenantId' | 'kind' | 'severity' | 'summary' | 'detail'>;

/** An open alert that is seen again is written no more often than this, unless what it says has changed. */
const seenAgainEveryMs = 60_000;

/**
 * Alerts per tenant and kind. Seeing trouble a thousand times raises one alert; that it is over resolves it; its coming
 * back raises the next occurrence. The message that says so is in the outbox in the same transaction, so it leaves once
 * for each occurrence, also after a crash.
 *
 * Both calls return the messages to hand to `Outbox.deliver` after the transaction; none when there is nothing to say.
 */
export class AlertStore {
  readonly #db: Firestore;
  readonly #outbox: Pick<Outbox, 'add'>;
  readonly #now: () => Date;

  constructor(options: { db: Firestore; outbox: Pick<Outbox, 'add'>; now: () => Date }) {
    this.#db = options.db;
    this.#outbox = options.outbox;
    this.#now = options.now;
  }

  /** Raises an alert, or notes that an open one is still true (its summary and detail are kept up to date). */
  async raise(facts: AlertFacts, traceparent: string): Promise<OutboxMessage[]> {
    return this.#db.runTransaction(async (transaction) => {
      const write = await this.open(transaction, facts.tenantId, facts.kind);
      return write.raise(facts, traceparent);
    });
  }

  /** Resolves the alert if it is open. `by` is a person's address, or `auto`. */
  async resolve(tenantId: string, kind: AlertKind, by: string, traceparent: string): Promise<OutboxMessage[]> {
    return this.#db.runTransaction(async (transaction) => {
      const write = await this.open(transaction, tenantId, kind);
      return write.resolve(by, traceparent);
    });
  }

  /**
   * Reads one alert inside the caller's transaction, to be raised or resolved together with the state it is about. This
   * reads, so it comes before the first write of the transaction.
   */
  async open(transaction: Transaction, tenantId: string, kind: AlertKind): Promise<OpenAlert> {
    const reference = this.#db.doc(paths.alert(tenantId, kind));
    const known = readDocument(await transaction.get(reference), alertSchema);
    const at = this.#now().toISOString();
    const isOpen = known !== undefined && known.resolvedAt === null;
    return {
      raise: (facts, traceparent) => {
        if (isOpen) {
          const { severity, summary, detail } = facts;
          const isSame =
            JSON.stringify([severity, summary, detail]) ===
            JSON.stringify([known.severity, known.summary, known.detail]);
          const isFresh = Date.parse(at) - Date.parse(known.lastSeenAt) < seenAgainEveryMs;
          if (!isSame || !isFresh) transaction.update(reference, { severity, summary, detail, lastSeenAt: at });
          return [];
        }
        const alert: Alert = {
          ...facts,
          occurrence: (known?.occurrence ?? 0) + 1,
          since: at,
          lastSeenAt: at,
          resolvedAt: null,
          resolvedBy: null,
        };
        transaction.set(reference, alert);
        return [this.#outbox.add(transaction, newsOf('raised', alert, at, traceparent), reference.path)];
      },
      resolve: (by, traceparent) => {
        if (!isOpen) return [];
        transaction.update(reference, { resolvedAt: at, resolvedBy: by });
        return [this.#outbox.add(transaction, newsOf('resolved', known, at, traceparent), reference.path)];
      },
    };
  }

  /** Every alert a tenant has or had, by kind. */
  async ofTenant(tenantId: string): Promise<Alert[]> {
    const rows = await this.#db.collection(paths.alerts(tenantId)).get();
    return rows.docs.flatMap((row) => readDocument(row, alertSchema) ?? []);
  }

  /** Open alerts of all tenants, oldest first; at most `limit`. */
  async allOpen(limit: number): Promise<Alert[]> {
    const rows = await this.#db
      .collectionGroup(collectionGroups.alerts)
      .where('resolvedAt', '==', null)
      .orderBy('since')
      .limit(limit)
      .get();
    return rows.docs.flatMap((row) => readDocument(row, alertSchema) ?? []);
  }
}

/** One alert inside a transaction, read and not yet written. */
export interface OpenAlert {
  raise(facts: AlertFacts, traceparent: string): OutboxMessage[];
  resolve(by: string, traceparent: string): OutboxMessage[];
}

function newsOf(
  state: 'raised' | 'resolved',
  { tenantId, kind, severity, summary, occurrence, since }: Alert,
  at: string,
  traceparent: string,
): Envelope<'alert-changed'> {
  return {
    eventId: `${tenantId}:alert-${state}:${kind}:${occurrence}`,
    type: 'alert-changed',
    version: 1,
    tenantId,
    at,
    traceparent,
    data: { state, kind, severity, summary: summary.slice(0, 1_000), occurrence, since },
  };
}
