/** What only the embedded Firestore offers. What it shares with Google's is in `test/contracts/firestore.contract.test.ts`. */
import { Firestore, Timestamp } from '@google-cloud/firestore';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GrpcCode } from '../grpc-service.ts';
import { databaseId } from '../../../../shared/contracts/documents.ts';
import { type EmbeddedFirestore, startEmbeddedFirestore } from './embedded-firestore.ts';

let embedded: EmbeddedFirestore;
let db: Firestore;
let nowMs = Date.UTC(2026, 0, 1);

/** So long that a busy machine never makes a lock look idle. */
const patientMs = 60_000;

beforeEach(() => start(patientMs));

async function start(lockIdleMs: number): Promise<void> {
  embedded = await startEmbeddedFirestore({
    indexes: 'every',
    ttl: [{ collectionGroup: 'ledger', field: 'expireAt' }],
    nowMs: () => nowMs,
    lockIdleMs,
  });
  db = client('kobi-local');
}

afterEach(async () => {
  await db.terminate();
  await embedded.close();
});

function client(projectId: string): Firestore {
  const customHeaders = { Authorization: 'Bearer owner' };
  return new Firestore({ projectId, databaseId, host: embedded.host, ssl: false, customHeaders });
}

describe('looking in from a test', () => {
  it('dump shows every document of every project as plain JSON', async () => {
    await db.doc('tenants/t1').set({ at: new Timestamp(1, 5000), bytes: Buffer.from('a'), list: [null, { n: 1.5 }] });
    await db.doc('tenants/t1/runs/r1').set({ big: Number.MAX_SAFE_INTEGER, nan: Number.NaN });
    const other = client('another-project');
    await other.doc('a/b').set({ n: 1 });
    await other.terminate();
    const dump = embedded.dump();
    expect(dump).toEqual({
      'tenants/t1': { at: '1970-01-01T00:00:01.000005Z', bytes: 'YQ==', list: [null, { n: 1.5 }] },
      'tenants/t1/runs/r1': { big: Number.MAX_SAFE_INTEGER, nan: 'NaN' },
      'projects/another-project/databases/meta-ads/documents/a/b': { n: 1 },
    });
    expect(JSON.parse(JSON.stringify(dump))).toEqual(dump);
  });

  it('clear empties the database, and a listener sees the documents go', async () => {
    await db.doc('a/1').set({ n: 1 });
    const gone = Promise.withResolvers<void>();
    const seen = Promise.withResolvers<void>();
    const stop = db.collection('a').onSnapshot((snapshot) => (snapshot.empty ? gone : seen).resolve());
    await seen.promise;
    embedded.clear();
    await gone.promise;
    stop();
    expect(embedded.dump()).toEqual({});
  });

  it('update times rise even while the clock stands still', async () => {
    const first = await db.doc('a/1').set({ n: 1 });
    const second = await db.doc('a/1').set({ n: 2 });
    expect(first.writeTime.toMillis()).toBe(nowMs);
    expect(second.writeTime.valueOf() > first.writeTime.valueOf()).toBe(true);
  });
});

describe('time to live', () => {
  it('expire deletes the documents of the group whose time has come, and no others', async () => {
    const due = Timestamp.fromMillis(nowMs);
    const later = Timestamp.fromMillis(nowMs + 1);
    await db.doc('ledger/due').set({ expireAt: due });
    await db.doc('tenants/t1/ledger/due').set({ expireAt: due });
    await db.doc('ledger/later').set({ expireAt: later });
    await db.doc('ledger/never').set({ expireAt: 'not a time' });
    await db.doc('other/due').set({ expireAt: due });
    expect(embedded.expire(new Date(nowMs))).toBe(2);
    expect(Object.keys(embedded.dump()).sort()).toEqual(['ledger/later', 'ledger/never', 'other/due']);
    expect(embedded.expire(new Date(nowMs))).toBe(0);
  });
});

describe('planted faults', () => {
  it('a commit that fails before it is applied writes nothing; the one after it succeeds', async () => {
    embedded.faults.next({ method: 'commit', code: GrpcCode.FAILED_PRECONDITION });
    await expect(db.doc('a/1').create({ n: 1 })).rejects.toMatchObject({ code: GrpcCode.FAILED_PRECONDITION });
    expect(embedded.dump()).toEqual({});
    await db.doc('a/1').create({ n: 1 });
    expect(embedded.faults.pending).toBe(0);
  });

  it('a commit whose answer is lost is applied', async () => {
    embedded.faults.next({ method: 'commit', code: GrpcCode.DEADLINE_EXCEEDED, applied: true });
    await expect(db.doc('a/1').create({ n: 1 })).rejects.toMatchObject({ code: GrpcCode.DEADLINE_EXCEEDED });
    expect(embedded.dump()).toEqual({ 'a/1': { n: 1 } });
  });

  it('a fault with a condition waits for the request it is meant for', async () => {
    const isB = (request: object): boolean => JSON.stringify(request).includes('/documents/b/');
    embedded.faults.next({ method: 'commit', code: GrpcCode.PERMISSION_DENIED, when: isB });
    await db.doc('a/1').set({ n: 1 });
    await expect(db.doc('b/1').set({ n: 1 })).rejects.toMatchObject({ code: GrpcCode.PERMISSION_DENIED });
  });

  it('a read can be made to fail', async () => {
    embedded.faults.next({ method: 'batchGetDocuments', code: GrpcCode.PERMISSION_DENIED });
    await expect(db.doc('a/1').get()).rejects.toMatchObject({ code: GrpcCode.PERMISSION_DENIED });
  });
});

describe('locks', () => {
  it('a transaction reads what the one before it wrote, without being repeated', async () => {
    let attempts = 0;
    const increment = (): Promise<void> =>
      db.runTransaction(async (transaction) => {
        attempts += 1;
        const snapshot = await transaction.get(db.doc('a/1'));
        transaction.set(db.doc('a/1'), { n: Number(snapshot.get('n') ?? 0) + 1 });
      });
    await Promise.all(Array.from({ length: 20 }, increment));
    expect([attempts, embedded.dump()]).toEqual([20, { 'a/1': { n: 20 } }]);
  });

  it('a write on its own waits for the transaction that read the document', async () => {
    let write: Promise<unknown> = Promise.resolve();
    await db.runTransaction(async (transaction) => {
      await transaction.get(db.doc('a/1'));
      write = db.doc('a/1').set({ by: 'write' });
      transaction.set(db.doc('a/1'), { by: 'transaction' });
    });
    await write;
    // Had it not waited, the transaction would have written last.
    expect(embedded.dump()).toEqual({ 'a/1': { by: 'write' } });
  });
});

describe('locks that are given up after 50 ms of idleness', () => {
  beforeEach(async () => {
    await db.terminate();
    await embedded.close();
    await start(50);
  });

  it('a client that dies within a transaction does not hold up the others for long', async () => {
    const dead = client('kobi-local');
    const reading = Promise.withResolvers<void>();
    void dead.runTransaction(async (transaction) => {
      await transaction.get(db.doc('a/1'));
      reading.resolve();
      await new Promise(() => undefined);
    });
    await reading.promise;
    await db.runTransaction(async (transaction) => {
      await transaction.get(db.doc('a/1'));
      transaction.set(db.doc('a/1'), { by: 'living' });
    });
    expect(embedded.dump()).toEqual({ 'a/1': { by: 'living' } });
    await dead.terminate();
  });

  it('a transaction that lost its lock while idle is refused at commit with ABORTED', async () => {
    let attempts = 0;
    const late = db.runTransaction(
      async (transaction) => {
        attempts += 1;
        await transaction.get(db.doc('a/1'));
        await db.doc('a/1').set({ by: 'other' });
        transaction.set(db.doc('a/1'), { by: 'late' });
      },
      { maxAttempts: 1 },
    );
    await expect(late).rejects.toMatchObject({ code: GrpcCode.ABORTED });
    expect([attempts, embedded.dump()]).toEqual([1, { 'a/1': { by: 'other' } }]);
  });
});

it('closing does not hang on open listeners', async () => {
  const first = Promise.withResolvers<void>();
  const stop = db.collection('a').onSnapshot(
    () => first.resolve(),
    () => undefined,
  );
  await first.promise;
  await expect(embedded.close()).resolves.toBeUndefined();
  stop();
});
