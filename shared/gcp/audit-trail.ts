import { createHash } from 'node:crypto';
import type { Firestore, Transaction } from '@google-cloud/firestore';
import { auditEntrySchema, auditHeadSchema, paths } from '../contracts/documents.ts';
import type { AuditEntry, AuditHead } from '../contracts/documents.ts';
import { canonicalJson } from '../domain/canonical.ts';
import type { Json } from '../domain/canonical.ts';
import { readDocument } from './firestore.ts';

/** What happened, as the caller tells it. */
export type AuditFacts = Pick<AuditEntry, 'at' | 'actor' | 'action' | 'subject' | 'detail'>;

/** The end of one stream inside a transaction. */
export interface AuditStream {
  /** Adds an entry after the last one, in the caller's transaction. */
  append(facts: AuditFacts): void;
}

const beforeTheFirst: AuditHead = { seq: 0, hash: '' };

/**
 * Opens a stream of a tenant's audit trail at its end. Streams keep entries that are written at the same time (two steps,
 * an operator) out of each other's way; within one, every entry holds the hash of the one before.
 *
 * This reads, so it comes before the first write of the transaction.
 */
export async function openAuditStream(
  transaction: Transaction,
  db: Firestore,
  tenantId: string,
  stream: string,
): Promise<AuditStream> {
  const headRef = db.doc(paths.auditHead(tenantId, stream));
  let head = readDocument(await transaction.get(headRef), auditHeadSchema) ?? beforeTheFirst;
  return {
    append(facts) {
      const unsigned = { ...facts, stream, seq: head.seq + 1, previous: head.hash };
      const entry: AuditEntry = { ...unsigned, hash: hashOf(tenantId, unsigned) };
      transaction.create(db.doc(paths.auditEntry(tenantId, stream, entry.seq)), entry);
      head = { seq: entry.seq, hash: entry.hash };
      transaction.set(headRef, head);
    },
  };
}

/**
 * Recomputes every stream of a tenant. Returns what does not hold: an entry that was edited, removed, inserted or moved,
 * or an end that was cut off. Empty: the trail is as it was written.
 */
export async function verifyAuditTrail(db: Firestore, tenantId: string): Promise<string[]> {
  const [rows, heads] = await Promise.all([
    db.collection(paths.audit(tenantId)).get(),
    db.collection(paths.auditHeads(tenantId)).get(),
  ]);
  const streams = new Map<string, AuditEntry[]>(heads.docs.map((row) => [row.id, []]));
  for (const row of rows.docs) {
    const entry = readDocument(row, auditEntrySchema);
    if (entry !== undefined) streams.set(entry.stream, [...(streams.get(entry.stream) ?? []), entry]);
  }
  const problems: string[] = [];
  for (const [stream, entries] of streams) {
    let expected = beforeTheFirst;
    for (const entry of entries.toSorted((left, right) => left.seq - right.seq)) {
      const { hash, ...unsigned } = entry;
      if (entry.seq !== expected.seq + 1) problems.push(`${stream}: entry ${expected.seq + 1} is missing`);
      else if (entry.previous !== expected.hash)
        problems.push(`${stream}: entry ${entry.seq} does not follow its predecessor`);
      if (hash !== hashOf(tenantId, unsigned)) problems.push(`${stream}: entry ${entry.seq} was changed`);
      expected = { seq: entry.seq, hash };
    }
    const row = heads.docs.find(({ id }) => id === stream);
    const head = row && readDocument(row, auditHeadSchema);
    if (head?.seq !== expected.seq || head.hash !== expected.hash)
      problems.push(`${stream}: its end was cut off or moved`);
  }
  return problems;
}

function hashOf(tenantId: string, unsigned: Omit<AuditEntry, 'hash'>): string {
  return createHash('sha256')
    .update(canonicalJson({ tenantId, ...unsigned } as unknown as Json))
    .digest('hex');
}
