import { createHash, randomBytes } from 'node:crypto';
import type { Firestore, QueryDocumentSnapshot, Transaction } from '@google-cloud/firestore';
import { auditEntrySchema, auditHeadSchema, paths } from '../contracts/documents.ts';
import type { AuditEntry, AuditHead } from '../contracts/documents.ts';
import { canonicalJson } from '../domain/canonical.ts';
import type { Json } from '../domain/canonical.ts';
import { readDocument } from './firestore.ts';

/** What happened, as the caller tells it. */
export interface AuditFacts {
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** The end of one stream inside a transaction. */
export interface AuditStream {
  /** Adds an entry after the last one, in the caller's transaction. */
  append(facts: AuditFacts): void;
}

const beforeTheFirst: AuditHead = { seq: 0, hash: '' };
/** Says which entries lost their content; never erased itself. */
const erasureStream = 'erasure';
const entriesPerErasure = 200;

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
    append({ at, action, actor, subject, detail }) {
      const content = { actor, subject, detail: { ...detail }, salt: randomBytes(16).toString('hex') };
      const signed = { stream, seq: head.seq + 1, previous: head.hash, at, action, contentHash: sha256(content) };
      const entry: AuditEntry = { ...signed, hash: sha256({ tenantId, ...signed }), ...content };
      transaction.create(db.doc(paths.auditEntry(tenantId, stream, entry.seq)), entry);
      head = { seq: entry.seq, hash: entry.hash };
      transaction.set(headRef, head);
    },
  };
}

/**
 * Takes who, what and why out of the entries that `which` chooses, and writes down that it did; the hashes stay, and the
 * trail goes on to verify. Done again after a crash, it goes on where it was. Returns how many entries were erased.
 */
export async function eraseAuditContent(
  db: Firestore,
  tenantId: string,
  erasure: { readonly at: string; readonly actor: string; readonly why: string },
  which: (entry: AuditEntry) => boolean,
): Promise<number> {
  const rows = (await db.collection(paths.audit(tenantId)).get()).docs.filter((row) => {
    const entry = readDocument(row, auditEntrySchema);
    return entry !== undefined && entry.detail !== null && entry.stream !== erasureStream && which(entry);
  });
  for (let from = 0; from < rows.length; from += entriesPerErasure) {
    const some = rows.slice(from, from + entriesPerErasure);
    await db.runTransaction(async (transaction) => {
      const audit = await openAuditStream(transaction, db, tenantId, erasureStream);
      for (const { ref } of some) transaction.update(ref, { actor: null, subject: null, detail: null, salt: null });
      const { actor, at, why } = erasure;
      const detail = { why, entries: some.map(({ id }) => id) };
      audit.append({ at, actor, action: 'content-erased', subject: tenantId, detail });
    });
  }
  return rows.length;
}

/**
 * Recomputes every stream of a tenant. Returns what does not hold: an entry that was edited, removed, inserted or moved,
 * an end that was cut off, or content that is gone without an erasure that says so. Empty: the trail is as it was written.
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
  const erased = new Set((streams.get(erasureStream) ?? []).flatMap(({ detail }) => detail?.['entries'] ?? []));
  const problems: string[] = [];
  for (const [stream, entries] of streams) {
    let expected = beforeTheFirst;
    for (const entry of entries.toSorted((left, right) => left.seq - right.seq)) {
      if (entry.seq !== expected.seq + 1) problems.push(`${stream}: entry ${expected.seq + 1} is missing`);
      else if (entry.previous !== expected.hash)
        problems.push(`${stream}: entry ${entry.seq} does not follow its predecessor`);
      const problem = problemOf(tenantId, entry, erased.has(idOf(tenantId, entry)));
      if (problem !== undefined) problems.push(`${stream}: entry ${entry.seq} ${problem}`);
      expected = { seq: entry.seq, hash: entry.hash };
    }
    const row: QueryDocumentSnapshot | undefined = heads.docs.find(({ id }) => id === stream);
    const head = row && readDocument(row, auditHeadSchema);
    if (head?.seq !== expected.seq || head.hash !== expected.hash)
      problems.push(`${stream}: its end was cut off or moved`);
  }
  return problems;
}

function problemOf(tenantId: string, entry: AuditEntry, isErased: boolean): string | undefined {
  const { actor, detail, hash, salt, subject, ...signed } = entry;
  if (hash !== sha256({ tenantId, ...signed })) return 'was changed';
  if (detail === null) return isErased ? undefined : 'lost its content, and no erasure says so';
  return signed.contentHash === sha256({ actor, subject, detail, salt }) ? undefined : 'was changed';
}

function idOf(tenantId: string, { seq, stream }: AuditEntry): string {
  return paths.auditEntry(tenantId, stream, seq).split('/').at(-1) ?? '';
}

function sha256(value: object): string {
  return createHash('sha256')
    .update(canonicalJson(value as unknown as Json))
    .digest('hex');
}
