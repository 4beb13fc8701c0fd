import type { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startEmbeddedFirestore } from '../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../test/local/google/firestore/embedded-firestore.ts';
import { paths } from '../contracts/documents.ts';
import { eraseAuditContent, openAuditStream, verifyAuditTrail } from './audit-trail.ts';
import { connectFirestore } from './firestore.ts';

let emulator: EmbeddedFirestore;
let db: Firestore;

beforeAll(async () => {
  emulator = await startEmbeddedFirestore({ projectId: 'kobi-audit' });
  process.env['FIRESTORE_EMULATOR_HOST'] = emulator.host;
  db = connectFirestore('kobi-audit');
});

afterAll(async () => {
  await db.terminate();
  await emulator.close();
});

const append = (stream: string, action: string, tenantId = 'acme'): Promise<void> =>
  db.runTransaction(async (transaction) => {
    const audit = await openAuditStream(transaction, db, tenantId, stream);
    const detail = { nested: { b: 1, a: [1, 2] } };
    audit.append({ at: '2026-11-23T10:00:00.000Z', actor: 'operator', action, subject: 'thing', detail });
  });

beforeEach(async () => {
  emulator.clear();
  for (const action of ['one', 'two', 'three']) await append('tenant', action);
  await append('run-1.create-pixel', 'created');
});

const entry = (seq: number): string => paths.auditEntry('acme', 'tenant', seq);

describe('the audit trail', () => {
  it('verifies as it was written', async () => {
    expect(await verifyAuditTrail(db, 'acme')).toEqual([]);
  });

  it('keeps its order when twenty writers append at once', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => append('tenant', `at once ${index}`)));
    expect(await verifyAuditTrail(db, 'acme')).toEqual([]);
    expect((await db.collection(paths.audit('acme')).get()).size).toBe(24);
  });

  it.each([
    ['an edited word', () => db.doc(entry(2)).update({ actor: 'somebody else' }), 'entry 2 was changed'],
    ['an edited detail', () => db.doc(entry(2)).update({ 'detail.nested.b': 2 }), 'entry 2 was changed'],
    ['a removed entry', () => db.doc(entry(2)).delete(), 'entry 2 is missing'],
    ['a cut-off end', () => db.doc(entry(3)).delete(), 'its end was cut off'],
    ['an end moved back', () => db.doc(paths.auditHead('acme', 'tenant')).update({ seq: 2 }), 'its end was cut off'],
    ['a stream without its end', () => db.doc(paths.auditHead('acme', 'tenant')).delete(), 'its end was cut off'],
  ])('shows %s', async (_what, tamper, problem) => {
    await tamper();
    expect((await verifyAuditTrail(db, 'acme')).join()).toContain(problem);
  });

  const erasure = { at: '2026-11-24T10:00:00.000Z', actor: 'offboard-tenant', why: 'offboarded' };

  it('verifies after its content was erased, and holds nothing of it any more', async () => {
    expect(await eraseAuditContent(db, 'acme', erasure, () => true)).toBe(4);
    expect(await eraseAuditContent(db, 'acme', erasure, () => true)).toBe(0);
    expect(await verifyAuditTrail(db, 'acme')).toEqual([]);
    const kept = JSON.stringify((await db.collection(paths.audit('acme')).get()).docs.map((row) => row.data()));
    expect(kept).not.toMatch(/operator|thing|nested/);
  });

  it('shows content that is gone though no erasure says so, and an erased entry that was edited', async () => {
    await db.doc(entry(2)).update({ actor: null, subject: null, detail: null, salt: null });
    expect((await verifyAuditTrail(db, 'acme')).join()).toContain('entry 2 lost its content');
    await eraseAuditContent(db, 'acme', erasure, ({ seq }) => seq === 3);
    await db.doc(entry(3)).update({ action: 'another' });
    expect((await verifyAuditTrail(db, 'acme')).join()).toContain('entry 3 was changed');
  });

  it('does not take an entry of another tenant', async () => {
    await append('tenant', 'one', 'other');
    const stolen = await db.doc(paths.auditEntry('other', 'tenant', 1)).get();
    await db.doc(entry(1)).set(stolen.data() ?? {});
    expect((await verifyAuditTrail(db, 'acme')).join()).toContain('entry 1 was changed');
  });
});
