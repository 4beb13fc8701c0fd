/**
 * Stops sending for a tenant whose token, permissions or standing Meta refuses, until somebody has acted: one call an
 * hour, over all instances, finds out whether they have.
 */
import type { Firestore } from '@google-cloud/firestore';
import { paths } from '../contracts/documents.ts';
import { relayBreakerSchema } from '../contracts/relay-documents.ts';
import type { RelayBreaker as BreakerDocument } from '../contracts/relay-documents.ts';
import { openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';

/** How long between two calls that find out whether a tenant's trouble is over. */
export const probeEveryMs = 60 * 60_000;
/** What comes while a probe is under way waits this long for its answer, not for the next hour. */
const probeTakesMs = 30_000;

export type BreakerAnswer =
  | { readonly kind: 'closed' }
  /** The caller, and no other on any instance, may make the one call of this hour. */
  | { readonly kind: 'probe' }
  /** Nothing may be sent before then. */
  | { readonly kind: 'held'; readonly untilMs: number; readonly reason: string }
  /** The tenant was offboarded: events that are still on their way are let go. */
  | { readonly kind: 'gone' };

export interface RelayBreaker {
  /** Whether events of the tenant may be sent now. Rejects when Firestore cannot say and nothing is remembered. */
  ask(tenantId: string): Promise<BreakerAnswer>;
  /**
   * Stops the tenant. True for the one call that did, of however many saw the same trouble: that one tells a person.
   *
   * @param actor what found the trouble, for the audit
   */
  open(
    tenantId: string,
    trouble: { readonly reason: string; readonly advice: string },
    actor: string,
  ): Promise<boolean>;
  /**
   * Lets the tenant's events flow again: after a probe went through, or at once when its token was replaced. Instances
   * that remember it open notice within `rememberOpenMs`. Does nothing, and says false, when it is not open.
   *
   * @param actor who or what found it mended, for the audit
   */
  close(tenantId: string, actor: string): Promise<boolean>;
}

export interface RelayBreakerOptions {
  readonly now: () => Date;
  /** How long "not open" is believed: costs a read per tenant and instance this often. */
  readonly rememberClosedMs?: number;
  readonly rememberOpenMs?: number;
}

/** The reason of a breaker that never closes: the tenant is gone, and its events are let go. */
export const offboardedReason = 'offboarded';

const auditStream = 'relay-breaker';
const mostTenantsRemembered = 10_000;

export function createRelayBreaker(db: Firestore, options: RelayBreakerOptions): RelayBreaker {
  const { now, rememberClosedMs = 30_000, rememberOpenMs = 5_000 } = options;
  const remembered = new Map<string, { readonly document: BreakerDocument | undefined; readonly readAtMs: number }>();
  const reading = new Map<string, Promise<BreakerDocument | undefined>>();

  const remember = (tenantId: string, document: BreakerDocument | undefined): void => {
    if (remembered.size >= mostTenantsRemembered) remembered.clear();
    remembered.set(tenantId, { document, readAtMs: now().getTime() });
  };

  const read = async (tenantId: string): Promise<BreakerDocument | undefined> => {
    const document = readDocument(await db.doc(paths.relayBreaker(tenantId)).get(), relayBreakerSchema);
    remember(tenantId, document);
    return document;
  };

  /** Callers of one tenant at the same time share one read. */
  const known = async (tenantId: string): Promise<BreakerDocument | undefined> => {
    const memory = remembered.get(tenantId);
    if (memory !== undefined) {
      const believedMs = memory.document === undefined ? rememberClosedMs : rememberOpenMs;
      if (now().getTime() - memory.readAtMs < believedMs) return memory.document;
    }
    const shared = reading.get(tenantId) ?? read(tenantId).finally(() => reading.delete(tenantId));
    reading.set(tenantId, shared);
    return shared;
  };

  /** Moves the next probe an hour on and says whether this caller was the one to do so. */
  const takeProbe = async (tenantId: string): Promise<BreakerAnswer> => {
    const reference = db.doc(paths.relayBreaker(tenantId));
    return db.runTransaction(async (transaction): Promise<BreakerAnswer> => {
      const document = readDocument(await transaction.get(reference), relayBreakerSchema);
      if (document === undefined) {
        remember(tenantId, undefined);
        return { kind: 'closed' };
      }
      const nowMs = now().getTime();
      const untilMs = heldUntilMs(document, nowMs);
      if (untilMs > nowMs) {
        remember(tenantId, document);
        return { kind: 'held', untilMs, reason: document.reason };
      }
      const probe = {
        probeAt: new Date(nowMs + probeEveryMs).toISOString(),
        probingUntil: new Date(nowMs + probeTakesMs).toISOString(),
      };
      transaction.update(reference, probe);
      remember(tenantId, { ...document, ...probe });
      return { kind: 'probe' };
    });
  };

  return {
    async ask(tenantId) {
      const document = await known(tenantId);
      if (document === undefined) return { kind: 'closed' };
      if (document.reason === offboardedReason) return { kind: 'gone' };
      const untilMs = heldUntilMs(document, now().getTime());
      return untilMs > now().getTime() ? { kind: 'held', untilMs, reason: document.reason } : takeProbe(tenantId);
    },

    async open(tenantId, { reason, advice }, actor) {
      const at = now();
      const reference = db.doc(paths.relayBreaker(tenantId));
      return db.runTransaction(async (transaction) => {
        const before = readDocument(await transaction.get(reference), relayBreakerSchema);
        if (before !== undefined) {
          remember(tenantId, before);
          return false;
        }
        const audit = await openAuditStream(transaction, db, tenantId, auditStream);
        const document: BreakerDocument = {
          tenantId,
          reason,
          advice,
          openedAt: at.toISOString(),
          probeAt: new Date(at.getTime() + probeEveryMs).toISOString(),
        };
        transaction.set(reference, document);
        audit.append({
          at: at.toISOString(),
          actor,
          action: 'relay-held',
          subject: tenantId,
          detail: { reason, advice },
        });
        remember(tenantId, document);
        return true;
      });
    },

    async close(tenantId, actor) {
      const reference = db.doc(paths.relayBreaker(tenantId));
      return db.runTransaction(async (transaction) => {
        const before = readDocument(await transaction.get(reference), relayBreakerSchema);
        const isGone = before?.reason === offboardedReason;
        remember(tenantId, isGone ? before : undefined);
        if (before === undefined || isGone) return false;
        const audit = await openAuditStream(transaction, db, tenantId, auditStream);
        transaction.delete(reference);
        const { reason, openedAt } = before;
        const at = now().toISOString();
        audit.append({ at, actor, action: 'relay-resumed', subject: tenantId, detail: { reason, openedAt } });
        return true;
      });
    },
  };
}

function heldUntilMs({ probeAt, probingUntil }: BreakerDocument, nowMs: number): number {
  const answerMs = probingUntil === undefined ? 0 : Date.parse(probingUntil);
  return answerMs > nowMs ? answerMs : Date.parse(probeAt);
}
