import type { Firestore } from '@google-cloud/firestore';
import { fallbackSlotsSchema, paths, platformAudit, readinessSchema } from '../contracts/documents.ts';
import type { Readiness } from '../contracts/documents.ts';
import { gates, readinessItemNames } from '../domain/readiness.ts';
import type { Gate, ReadinessFindings } from '../domain/readiness.ts';
import { openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';

const nothingKnown: Readiness = { pre2: false, pre8: false, pre10: false };

/** `platform/readiness`: what Meta said, and what a person at Kobi said where Meta cannot tell. */
export class ReadinessStore {
  readonly #db: Firestore;
  readonly #now: () => Date;

  constructor(db: Firestore, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  /** A platform nobody has described yet is ready for nothing. */
  async read(): Promise<Readiness> {
    return readDocument(await this.#db.doc(paths.readiness()).get(), readinessSchema) ?? nothingKnown;
  }

  /** The tenants that hold a slot on the parent business. */
  async slotsInUse(): Promise<string[]> {
    const found = readDocument(await this.#db.doc(paths.fallbackSlots()).get(), fallbackSlotsSchema);
    return (found?.slots ?? []).map(({ tenantId }) => tenantId);
  }

  /** What a person says, with the reason in the audit trail. What Meta can tell is taken from Meta at the next check. */
  async set(gatesSet: Partial<Record<Gate, boolean>>, reason: string, actor: string): Promise<Readiness> {
    const at = this.#now().toISOString();
    return this.#change(actor, 'readiness-set', { reason }, (before) => {
      const items = { ...before.items };
      for (const gate of gates) {
        const isReady = gatesSet[gate];
        if (isReady === undefined || isReady === before[gate]) continue;
        items[gate] = { state: isReady ? 'ready' : 'missing', by: actor, since: at, detail: reason };
      }
      return { ...before, ...gatesSet, items };
    });
  }

  /** What Meta said. An item that Meta could not tell keeps what was known; PRE-10 is never changed by it. */
  async record(findings: ReadinessFindings): Promise<Readiness> {
    const at = this.#now().toISOString();
    return this.#change('readiness-check', 'readiness-found', {}, (before) => {
      const items = { ...before.items };
      const flags = { pre2: before.pre2, pre8: before.pre8, pre10: before.pre10 };
      for (const item of readinessItemNames) {
        const { state, detail } = findings[item];
        const known = items[item];
        if (state === 'unknown') continue;
        if (item === 'pre10') {
          // Only ever a doubt about what a person set: Meta's yes does not exist, and its no stops nothing that works.
          if (known !== undefined) items.pre10 = { ...known, detail };
          continue;
        }
        if (item === 'pre2' || item === 'pre8') flags[item] = state === 'ready';
        const since = known?.state === state ? known.since : at;
        items[item] = { state, by: 'meta', since, detail };
      }
      return { ...flags, items, checkedAt: at };
    });
  }

  async #change(
    actor: string,
    action: string,
    why: Record<string, unknown>,
    change: (before: Readiness) => Readiness,
  ): Promise<Readiness> {
    const at = this.#now().toISOString();
    const reference = this.#db.doc(paths.readiness());
    return this.#db.runTransaction(async (transaction) => {
      const before = readDocument(await transaction.get(reference), readinessSchema) ?? nothingKnown;
      const audit = await openAuditStream(transaction, this.#db, platformAudit, 'readiness');
      const after = change(before);
      transaction.set(reference, after);
      const changed = gates.filter((gate) => before[gate] !== after[gate]);
      if (changed.length > 0 || actor !== 'readiness-check') {
        const was = Object.fromEntries(changed.map((gate) => [gate, before[gate]]));
        const is = Object.fromEntries(changed.map((gate) => [gate, after[gate]]));
        audit.append({ at, actor, action, subject: 'readiness', detail: { ...why, was, is } });
      }
      return after;
    });
  }
}
