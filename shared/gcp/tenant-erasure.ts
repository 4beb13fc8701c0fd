import { FieldValue } from '@google-cloud/firestore';
import type { DocumentReference, Firestore, Query } from '@google-cloud/firestore';
import { collections, outboxMessageSchema, paths } from '../contracts/documents.ts';
import { erasureRules } from '../contracts/erasure.ts';
import type { ErasureRule } from '../contracts/erasure.ts';
import { replaySchema } from '../contracts/replay-documents.ts';
import { teardownIdOf } from '../contracts/teardown-documents.ts';
import { eraseAuditContent } from './audit-trail.ts';
import { readDocument } from './firestore.ts';

const writesPerCommit = 400;

/**
 * Erases a tenant from Firestore, rule by rule of {@link erasureRules}: its documents go, its audit trail keeps nothing
 * but hashes. Safe to repeat, and to go on with after a crash. Returns how many documents went.
 */
export async function eraseTenantDocuments(
  db: Firestore,
  tenantId: string,
  { actor, at }: { readonly actor: string; readonly at: string },
): Promise<{ readonly documents: number; readonly auditEntries: number }> {
  const doomed = new Map<string, DocumentReference>();
  const add = (references: readonly DocumentReference[]): void => {
    for (const reference of references) doomed.set(reference.path, reference);
  };
  for (const rule of Object.values<ErasureRule>(erasureRules)) {
    if (rule.kind === 'by-id') {
      const snapshots = await db.getAll(...rule.paths(tenantId).map((path) => db.doc(path)));
      add(snapshots.filter(({ exists }) => exists).map(({ ref }) => ref));
    }
    if (rule.kind === 'by-tenant-id') {
      const roots = await referencesOf(db.collection(rule.collection).where('tenantId', '==', tenantId));
      for (const below of rule.below ?? []) {
        for (const root of roots) add(await referencesOf(root.collection(below)));
      }
      add(roots);
    }
    if (rule.kind === 'below-tenant') {
      let parents: DocumentReference[] = [db.doc(paths.tenant(tenantId))];
      for (const level of rule.levels) {
        const found = await Promise.all(parents.map((parent) => referencesOf(parent.collection(level))));
        parents = found.flat();
        add(parents);
      }
    }
  }
  add(await messagesOf(db, tenantId));
  add(await undoneRunsOf(db, tenantId));
  await forgetInReplays(db, tenantId);
  const auditEntries = await eraseAuditContent(
    db,
    tenantId,
    { at, actor, why: 'the tenant was offboarded' },
    () => true,
  );
  await deleteAll(db, [...doomed.values()]);
  return { documents: doomed.size, auditEntries };
}

async function referencesOf(query: Query): Promise<DocumentReference[]> {
  return (await query.get()).docs.map(({ ref }) => ref);
}

/** Messages not published yet, but those that run teardowns: they hold ids only and bring the erasure to its end. */
async function messagesOf(db: Firestore, tenantId: string): Promise<DocumentReference[]> {
  const ofTenant = db
    .collection(collections.outbox)
    .where('source', '>=', paths.tenant(tenantId))
    .where('source', '<', `${paths.tenant(tenantId)}\uf8ff`);
  return (await ofTenant.get()).docs
    .filter((row) => {
      const source = readDocument(row, outboxMessageSchema)?.source ?? '';
      return source === paths.tenant(tenantId) || source.startsWith(`${paths.tenant(tenantId)}/`);
    })
    .map(({ ref }) => ref);
}

/** Teardowns of cancelled runs; the offboarding's own stays, as the proof that there was one. */
async function undoneRunsOf(db: Firestore, tenantId: string): Promise<DocumentReference[]> {
  const own = paths.teardown(teardownIdOf('offboarding', tenantId, null));
  const all = await referencesOf(db.collection('teardowns').where('tenantId', '==', tenantId));
  return all.filter(({ path }) => path !== own);
}

/** A replay may be of several tenants: it loses this one, and goes when it was chosen for this one only. */
async function forgetInReplays(db: Firestore, tenantId: string): Promise<void> {
  const rows = await db.collection('replays').where('tenantIds', 'array-contains', tenantId).get();
  for (const row of rows.docs) {
    const replay = readDocument(row, replaySchema);
    const isOurs = replay?.tenantIds.every((id) => id === tenantId) ?? true;
    if (isOurs) await row.ref.delete();
    else await row.ref.update({ tenantIds: FieldValue.arrayRemove(tenantId) });
  }
}

async function deleteAll(db: Firestore, references: readonly DocumentReference[]): Promise<void> {
  for (let from = 0; from < references.length; from += writesPerCommit) {
    const batch = db.batch();
    for (const reference of references.slice(from, from + writesPerCommit)) batch.delete(reference);
    await batch.commit();
  }
}
