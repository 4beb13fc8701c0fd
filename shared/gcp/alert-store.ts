import type { Firestore, Transaction } from '@google-cloud/firestore';
import { alertSchema } from '../contracts/alert-documents.ts';
import type { Alert, AlertKind, AlertSeverity } from '../contracts/alert-documents.ts';
import { collectionGroups, paths } from '../contracts/documents.ts';
import type { OutboxMessage } from '../contracts/documents.ts';
import type { Envelope } from '../contracts/topics.ts';
import { openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';
import type { Outbox } from './outbox.ts';

/** Trouble as whoever sees it tells it. */
export type AlertFacts = Pick<Alert, 'tenantId' | 'kind' | 'severity' | 'summary' | 'detail'>;

/** An open alert that is seen again is written no more often than this, unless what it says has changed. */
const seenAgainEveryMs = 60_000;
/** Trouble that is back so soon was never over: it is not told again before this has passed. */
const flapMs = 15 * 60_000;
/** Still seen after so long, an alert is told once more, as a page. */
const escalateAfterMs: Readonly<Record<AlertSeverity, number>> = { page: 4 * 3_600_000, notice: 72 * 3_600_000 };

/**
 * Alerts per tenant and kind. Seeing trouble a thousand times raises one alert; that it is over resolves it; its coming
 * back raises the next occurrence, told at once or, when it flaps, once it stays. What lasts is told once more as a page. The message that says so is in the outbox in the same transaction, so it leaves once
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
        const next = isOpen ? seenAgain(known, facts, at) : returned(known, facts, at);
        if (next.write === 'set') transaction.set(reference, next.alert);
        if (next.write === 'update') transaction.update(reference, next.changes);
        if (next.tell === null) return [];
        return [this.#outbox.add(transaction, newsOf(next.tell, next.alert, at, traceparent), reference.path)];
      },
      resolve: (by, traceparent) => {
        if (!isOpen) return [];
        transaction.update(reference, { resolvedAt: at, resolvedBy: by });
        // Nobody heard of it, so nobody is told that it is over.
        if (known.toldAt === null) return [];
        return [this.#outbox.add(transaction, newsOf('resolved', known, at, traceparent), reference.path)];
      },
    };
  }

  /**
   * Keeps a kind of alert quiet for a tenant until an instant, or (null) no longer. It goes on being seen and shown; what is
   * still true afterwards is told then. Audited. False: this tenant never had such an alert.
   */
  async snooze(
    tenantId: string,
    kind: AlertKind,
    by: string,
    snooze: { readonly until: string; readonly reason: string } | null,
  ): Promise<boolean> {
    return this.#db.runTransaction(async (transaction) => {
      const reference = this.#db.doc(paths.alert(tenantId, kind));
      const known = readDocument(await transaction.get(reference), alertSchema);
      if (known === undefined) return false;
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'tenant');
      const at = this.#now().toISOString();
      transaction.update(reference, { snooze: snooze === null ? null : { ...snooze, by } });
      const action = snooze === null ? 'alert-snooze-ended' : 'alert-snoozed';
      audit.append({ at, actor: by, action, subject: kind, detail: { ...snooze } });
      return true;
    });
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

type News = 'raised' | 'escalated' | 'resolved';

/** What raising an alert comes to: what is written, and what is told of it. */
type Raised =
  | { readonly write: 'set'; readonly alert: Alert; readonly tell: News | null }
  | { readonly write: 'update'; readonly alert: Alert; readonly changes: Partial<Alert>; readonly tell: News | null }
  | { readonly write: 'nothing'; readonly alert: Alert; readonly tell: null };

const isSnoozed = (alert: Alert | undefined, at: string): boolean => (alert?.snooze?.until ?? '') > at;

/** Not seen before, or over and back. */
function returned(known: Alert | undefined, facts: AlertFacts, at: string): Raised {
  const overSince = known?.resolvedAt ?? null;
  const quietMs = overSince === null ? 0 : Date.parse(overSince) + flapMs - Date.parse(at);
  const quietUntil = quietMs > 0 ? new Date(Date.parse(at) + quietMs).toISOString() : null;
  const isTold = quietUntil === null && !isSnoozed(known, at);
  const alert: Alert = {
    ...facts,
    occurrence: (known?.occurrence ?? 0) + 1,
    since: at,
    lastSeenAt: at,
    resolvedAt: null,
    resolvedBy: null,
    toldAt: isTold ? at : null,
    quietUntil,
    escalatedAt: null,
    snooze: known?.snooze ?? null,
  };
  return { write: 'set', alert, tell: isTold ? 'raised' : null };
}

/** Open, and still true: kept up to date, told when it no longer has to be quiet, told once more when it lasts. */
function seenAgain(known: Alert, facts: AlertFacts, at: string): Raised {
  const { detail, summary } = facts;
  const isQuiet = isSnoozed(known, at) || (known.quietUntil ?? '') > at;
  const isLasting = Date.parse(at) - Date.parse(known.since) >= escalateAfterMs[facts.severity];
  const tell =
    isQuiet || (known.toldAt !== null && known.escalatedAt !== null)
      ? null
      : known.toldAt === null
        ? 'raised'
        : isLasting
          ? 'escalated'
          : null;
  const severity = known.escalatedAt !== null || tell === 'escalated' ? 'page' : facts.severity;
  const told: Partial<Alert> = tell === 'raised' ? { toldAt: at } : tell === 'escalated' ? { escalatedAt: at } : {};
  const changes: Partial<Alert> = { severity, summary, detail, lastSeenAt: at, ...told };
  const alert: Alert = { ...known, ...changes };
  const isSame =
    JSON.stringify([severity, summary, detail]) === JSON.stringify([known.severity, known.summary, known.detail]);
  const isFresh = Date.parse(at) - Date.parse(known.lastSeenAt) < seenAgainEveryMs;
  return tell === null && isSame && isFresh
    ? { write: 'nothing', alert, tell }
    : { write: 'update', alert, changes, tell };
}

function newsOf(
  state: News,
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
