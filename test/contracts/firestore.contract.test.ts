/**
 * What the product relies on from Firestore, through the real client over gRPC: against the embedded Firestore, and against
 * Google's own emulator where one is installed. What only the embedded one offers (planted faults, expiry, dump, taking locks
 * from a dead client) is in `test/local/google/firestore/embedded-firestore.test.ts`.
 */
import { randomUUID } from 'node:crypto';
import {
  AggregateField,
  type CollectionReference,
  type DocumentSnapshot,
  FieldPath,
  FieldValue,
  Filter,
  Firestore,
  type QuerySnapshot,
  Timestamp,
} from '@google-cloud/firestore';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startEmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';
import { findGoogleEmulator } from './google-emulators.ts';

type Backend = { host: string; close(): Promise<void> };

const ALREADY_EXISTS = 6;
const FAILED_PRECONDITION = 9;
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;

const google = await findGoogleEmulator('firestore');

describe('Firestore: embedded', () => {
  // Google's emulator asks for no index either.
  guarantees(() => startEmbeddedFirestore({ indexes: 'every' }));
});

describe.skipIf('reason' in google)(
  `Firestore: Google emulator${'reason' in google ? ` (${google.reason})` : ''}`,
  () => {
    guarantees(() => ('host' in google ? Promise.resolve(google) : Promise.reject(new Error(google.reason))));
  },
);

function guarantees(start: () => Promise<Backend>): void {
  let backend: Backend;
  let db: Firestore;
  let col: CollectionReference;

  beforeAll(async () => {
    backend = await start();
    // Google's emulator may outlive a run; a project of its own makes every run a fresh one.
    db = new Firestore({
      projectId: `kobi-contract-${randomUUID().slice(0, 8)}`,
      host: backend.host,
      ssl: false,
      customHeaders: { Authorization: 'Bearer owner' },
    });
  });

  afterAll(async () => {
    await db.terminate();
    await backend.close();
  });

  beforeEach(() => {
    col = db.collection(`c${randomUUID().slice(0, 8)}`);
  });

  const ids = (snapshot: QuerySnapshot): string[] => snapshot.docs.map((doc) => doc.id);
  const seed = async (documents: Record<string, object>): Promise<void> => {
    const batch = db.batch();
    for (const [id, data] of Object.entries(documents)) batch.create(col.doc(id), data);
    await batch.commit();
  };

  describe('documents', () => {
    it('a document reads back as written, every type included', async () => {
      const written = {
        text: 'İstanbul 🕌',
        whole: 42,
        large: Number.MAX_SAFE_INTEGER,
        fraction: 0.1,
        notANumber: Number.NaN,
        yes: true,
        nothing: null,
        at: new Timestamp(1_700_000_000, 123_456_000),
        bytes: Buffer.from([0, 255]),
        list: [1, 'two', { three: [3] }],
        emptyList: [],
        map: { 'dotted.key': { deep: 'value' }, empty: {} },
        ref: col.doc('other'),
        constructor: 'a name of Object.prototype',
      };
      await col.doc('a').set(written);
      expect((await col.doc('a').get()).data()).toEqual(written);
    });

    it('a missing document reads as missing, with a read time', async () => {
      const missing = await col.doc('none').get();
      expect(missing.exists).toBe(false);
      expect(missing.readTime.toMillis()).toBeGreaterThan(0);
    });

    it('create refuses a document that exists with ALREADY_EXISTS and leaves it as it was', async () => {
      await col.doc('a').create({ n: 1 });
      await expect(col.doc('a').create({ n: 2 })).rejects.toMatchObject({ code: ALREADY_EXISTS });
      expect((await col.doc('a').get()).get('n')).toBe(1);
    });

    it('of ten creates at once exactly one succeeds', async () => {
      const attempts = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => col.doc('a').create({ n })));
      expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    it('update refuses a document that does not exist with NOT_FOUND', async () => {
      await expect(col.doc('a').update({ n: 1 })).rejects.toMatchObject({ code: NOT_FOUND });
    });

    it('update changes only the named fields, below maps too, and deletes those marked for it', async () => {
      await col.doc('a').set({ keep: 1, map: { keep: 2, change: 3, drop: 4 }, drop: 5 });
      await col
        .doc('a')
        .update({ 'map.change': 30, 'map.drop': FieldValue.delete(), drop: FieldValue.delete(), new: 6 });
      expect((await col.doc('a').get()).data()).toEqual({ keep: 1, map: { keep: 2, change: 30 }, new: 6 });
    });

    it('update reaches a field whose name holds dots and backquotes', async () => {
      await col.doc('a').set({ 'a.b`c': 1, other: 2 });
      await col.doc('a').update(new FieldPath('a.b`c'), 10);
      expect((await col.doc('a').get()).data()).toEqual({ 'a.b`c': 10, other: 2 });
    });

    it('set replaces the whole document; with merge it keeps what it does not name', async () => {
      await col.doc('a').set({ a: 1, map: { x: 1 } });
      await col.doc('a').set({ b: 2, map: { y: 2 } }, { merge: true });
      expect((await col.doc('a').get()).data()).toEqual({ a: 1, b: 2, map: { x: 1, y: 2 } });
      await col.doc('a').set({ c: 3 });
      expect((await col.doc('a').get()).data()).toEqual({ c: 3 });
    });

    it('set with merge makes a document that was not there', async () => {
      await col.doc('a').set({ map: { x: 1 } }, { merge: true });
      expect((await col.doc('a').get()).data()).toEqual({ map: { x: 1 } });
    });

    it('set with mergeFields writes those fields and no others', async () => {
      await col.doc('a').set({ a: 1, b: 1 });
      await col.doc('a').set({ a: 2, b: 2 }, { mergeFields: ['b'] });
      expect((await col.doc('a').get()).data()).toEqual({ a: 1, b: 2 });
    });

    it('delete of a missing document succeeds, unless it must exist', async () => {
      await col.doc('a').delete();
      await expect(col.doc('a').delete({ exists: true })).rejects.toMatchObject({ code: NOT_FOUND });
    });

    it('getAll answers in the order asked, missing ones included, with only the fields asked for', async () => {
      await seed({ a: { x: 1, y: 1 }, c: { x: 3, y: 3 } });
      const found = await db.getAll(col.doc('c'), col.doc('b'), col.doc('a'), { fieldMask: ['x'] });
      expect(found.map((doc) => [doc.id, doc.data()])).toEqual([
        ['c', { x: 3 }],
        ['b', undefined],
        ['a', { x: 1 }],
      ]);
    });

    it('a document over 1 MiB is refused with INVALID_ARGUMENT; one just under is kept', async () => {
      await expect(col.doc('a').set({ text: 'x'.repeat(1_048_576) })).rejects.toMatchObject({ code: INVALID_ARGUMENT });
      const largest = 'x'.repeat(1_048_000);
      await col.doc('a').set({ text: largest });
      expect((await col.doc('a').get()).get('text')).toBe(largest);
    });

    it('a timestamp is kept to the microsecond and rounded down', async () => {
      await col.doc('a').set({ at: new Timestamp(1_700_000_000, 123_456_789), list: [new Timestamp(1, 999)] });
      const snapshot = await col.doc('a').get();
      expect(snapshot.get('at')).toEqual(new Timestamp(1_700_000_000, 123_456_000));
      expect(snapshot.get('list')).toEqual([new Timestamp(1, 0)]);
    });

    it('a reserved field name is refused with INVALID_ARGUMENT', async () => {
      await expect(col.doc('a').set({ map: { __name__: 1 } })).rejects.toMatchObject({ code: INVALID_ARGUMENT });
    });

    it('a list directly within a list is refused with INVALID_ARGUMENT', async () => {
      await expect(col.doc('a').set({ list: [[1]] })).rejects.toMatchObject({ code: INVALID_ARGUMENT });
    });

    it('an id reserved by Firestore is refused with INVALID_ARGUMENT', async () => {
      await expect(col.doc('__reserved__').set({ a: 1 })).rejects.toMatchObject({ code: INVALID_ARGUMENT });
    });
  });

  describe('update times and preconditions', () => {
    it('each write has a later update time than the one before; the create time stays', async () => {
      const first = await col.doc('a').set({ n: 1 });
      const second = await col.doc('a').set({ n: 2 });
      const snapshot = await col.doc('a').get();
      expect(second.writeTime.valueOf() > first.writeTime.valueOf()).toBe(true);
      expect(snapshot.updateTime?.isEqual(second.writeTime)).toBe(true);
      expect(snapshot.createTime?.isEqual(first.writeTime)).toBe(true);
    });

    it('a write that changes nothing keeps the update time', async () => {
      const first = await col.doc('a').set({ n: 1 });
      await col.doc('a').set({ n: 1 });
      expect((await col.doc('a').get()).updateTime?.isEqual(first.writeTime)).toBe(true);
    });

    it('update and delete on an outdated update time are refused with FAILED_PRECONDITION, on the current one they pass', async () => {
      const { writeTime: outdated } = await col.doc('a').set({ n: 1 });
      const { writeTime: current } = await col.doc('a').set({ n: 2 });
      const refused = { code: FAILED_PRECONDITION };
      await expect(col.doc('a').update({ n: 3 }, { lastUpdateTime: outdated })).rejects.toMatchObject(refused);
      await expect(col.doc('a').delete({ lastUpdateTime: outdated })).rejects.toMatchObject(refused);
      const { writeTime: latest } = await col.doc('a').update({ n: 3 }, { lastUpdateTime: current });
      await col.doc('a').delete({ lastUpdateTime: latest });
      expect((await col.doc('a').get()).exists).toBe(false);
    });

    it('a document made again after its deletion has a new create time', async () => {
      const first = await col.doc('a').set({ n: 1 });
      await col.doc('a').delete();
      await col.doc('a').set({ n: 1 });
      expect((await col.doc('a').get()).createTime?.isEqual(first.writeTime)).toBe(false);
    });
  });

  describe('field transforms', () => {
    it('concurrent increments all count', async () => {
      await Promise.all(
        Array.from({ length: 20 }, () => col.doc('a').set({ n: FieldValue.increment(2) }, { merge: true })),
      );
      expect((await col.doc('a').get()).get('n')).toBe(40);
    });

    it('an increment of a fraction makes a fraction; of what is no number, starts from zero', async () => {
      await col.doc('a').set({ whole: 1, text: 'x' });
      await col.doc('a').update({ whole: FieldValue.increment(0.5), text: FieldValue.increment(3) });
      expect((await col.doc('a').get()).data()).toEqual({ whole: 1.5, text: 3 });
    });

    it('arrayUnion adds what is missing once, arrayRemove takes every copy', async () => {
      await col.doc('a').set({ list: [1, 2, 2] });
      await col.doc('a').update({ list: FieldValue.arrayUnion(2, 3, 3, { a: 1 }) });
      expect((await col.doc('a').get()).get('list')).toEqual([1, 2, 2, 3, { a: 1 }]);
      await col.doc('a').update({ list: FieldValue.arrayRemove(2, { a: 1 }) });
      expect((await col.doc('a').get()).get('list')).toEqual([1, 3]);
    });

    it('serverTimestamp is one time throughout a commit', async () => {
      const batch = db.batch();
      batch.set(col.doc('a'), { at: FieldValue.serverTimestamp(), map: { at: FieldValue.serverTimestamp() } });
      batch.set(col.doc('b'), { at: FieldValue.serverTimestamp() });
      await batch.commit();
      const [a, b] = await db.getAll(col.doc('a'), col.doc('b'));
      const at: Timestamp = a?.get('at');
      expect(at).toBeInstanceOf(Timestamp);
      expect(a?.get('map.at').isEqual(at)).toBe(true);
      expect(b?.get('at').isEqual(at)).toBe(true);
    });
  });

  describe('batches', () => {
    it('a batch applies all its writes or none', async () => {
      await col.doc('b').set({ n: 1 });
      const batch = db.batch();
      batch.set(col.doc('a'), { n: 1 });
      batch.create(col.doc('b'), { n: 2 });
      await expect(batch.commit()).rejects.toMatchObject({ code: ALREADY_EXISTS });
      expect((await col.doc('a').get()).exists).toBe(false);
    });

    it('a later write of a batch sees the earlier ones', async () => {
      const batch = db.batch();
      batch.create(col.doc('a'), { n: 1 });
      batch.update(col.doc('a'), { n: FieldValue.increment(1) });
      await batch.commit();
      expect((await col.doc('a').get()).get('n')).toBe(2);
    });

    it('a bulk writer tells each write its own outcome', async () => {
      await col.doc('taken').set({ n: 1 });
      const writer = db.bulkWriter({ throttling: false });
      writer.onWriteError(() => false);
      const outcomes = Promise.allSettled([
        writer.create(col.doc('a'), { n: 1 }),
        writer.create(col.doc('taken'), { n: 2 }),
        writer.update(col.doc('missing'), { n: 2 }),
        writer.delete(col.doc('other')),
      ]);
      await writer.close();
      const codes = (await outcomes).map((each) => (each.status === 'rejected' ? each.reason.code : 0));
      expect(codes).toEqual([0, ALREADY_EXISTS, NOT_FOUND, 0]);
    });
  });

  describe('transactions', () => {
    it('concurrent read-modify-writes of one document lose no update', async () => {
      await col.doc('a').set({ n: 0 });
      const increment = (): Promise<void> =>
        db.runTransaction(
          async (transaction) => {
            const n: number = (await transaction.get(col.doc('a'))).get('n');
            transaction.update(col.doc('a'), { n: n + 1 });
          },
          { maxAttempts: 20 },
        );
      await Promise.all(Array.from({ length: 5 }, increment));
      expect((await col.doc('a').get()).get('n')).toBe(5);
    });

    it('two transactions that find the same document missing do not both create it', async () => {
      const claim = (owner: string): Promise<string> =>
        db.runTransaction(async (transaction) => {
          const snapshot = await transaction.get(col.doc('lease'));
          if (snapshot.exists) return snapshot.get('owner');
          transaction.set(col.doc('lease'), { owner });
          return owner;
        });
      const [first, second] = await Promise.all([claim('one'), claim('two')]);
      expect(first).toBe(second);
    });

    it('two transactions that find nothing by a query do not both add what they missed', async () => {
      const addOnce = (id: string): Promise<void> =>
        db.runTransaction(async (transaction) => {
          const found = await transaction.get(col.where('kind', '==', 'only').limit(1));
          if (found.empty) transaction.create(col.doc(id), { kind: 'only' });
        });
      await Promise.all([addOnce('one'), addOnce('two')]);
      expect((await col.get()).size).toBe(1);
    });

    it('what a transaction throws is thrown on, and nothing of it is written', async () => {
      const boom = new Error('boom');
      const failing = db.runTransaction(async (transaction) => {
        await transaction.get(col.doc('a'));
        transaction.set(col.doc('a'), { n: 1 });
        throw boom;
      });
      await expect(failing).rejects.toBe(boom);
      expect((await col.doc('a').get()).exists).toBe(false);
    });

    it('a failed precondition inside a transaction fails it with its own code', async () => {
      await col.doc('a').set({ n: 1 });
      const failing = db.runTransaction((transaction) => {
        transaction.create(col.doc('a'), { n: 2 });
        return Promise.resolve();
      });
      await expect(failing).rejects.toMatchObject({ code: ALREADY_EXISTS });
    });

    it('transactions crossing over the same two documents both finish, one after the other', async () => {
      await seed({ a: { n: 10 }, b: { n: 10 } });
      const move = (from: string, to: string): Promise<void> =>
        db.runTransaction(
          async (transaction) => {
            const source = await transaction.get(col.doc(from));
            const target = await transaction.get(col.doc(to));
            transaction.update(source.ref, { n: source.get('n') - 1 });
            transaction.update(target.ref, { n: target.get('n') + 1 });
          },
          { maxAttempts: 20 },
        );
      await Promise.all([move('a', 'b'), move('b', 'a'), move('a', 'b')]);
      const [a, b] = await db.getAll(col.doc('a'), col.doc('b'));
      expect([a?.get('n'), b?.get('n')]).toEqual([9, 11]);
    });

    it('a read-only transaction reads documents and queries', async () => {
      await seed({ a: { n: 1 }, b: { n: 2 } });
      const read = await db.runTransaction(
        async (transaction) => {
          const one = await transaction.get(col.doc('a'));
          const all = await transaction.get(col);
          return [one.get('n'), all.size];
        },
        { readOnly: true },
      );
      expect(read).toEqual([1, 2]);
    });
  });

  describe('queries', () => {
    it('equality, ranges and membership find exactly the documents they name', async () => {
      await seed({
        a: { n: 1, tags: ['x'], map: { v: 1 } },
        b: { n: 2, tags: ['x', 'y'], map: { v: 2 } },
        c: { n: 3.5, tags: [] },
        d: { n: 'text' },
        e: { n: null },
        f: {},
      });
      expect(ids(await col.where('n', '==', 2).get())).toEqual(['b']);
      expect(ids(await col.where('n', '==', null).get())).toEqual(['e']);
      expect(ids(await col.where('n', '>', 1).get())).toEqual(['b', 'c']);
      expect(ids(await col.where('n', '>=', 1).where('n', '<', 3.5).get())).toEqual(['a', 'b']);
      expect(ids(await col.where('n', '!=', 2).get())).toEqual(['a', 'c', 'd']);
      expect(ids(await col.where('n', 'in', [1, 'text']).get())).toEqual(['a', 'd']);
      expect(ids(await col.where('n', 'in', [1, null]).get())).toEqual(['a']);
      expect(ids(await col.where('n', 'not-in', [1, 'text']).get())).toEqual(['b', 'c']);
      expect(ids(await col.where('n', 'not-in', [1, null]).get())).toEqual([]);
      expect(ids(await col.where('tags', 'array-contains', 'x').get())).toEqual(['a', 'b']);
      expect(ids(await col.where('tags', 'array-contains-any', ['y', 'z']).get())).toEqual(['b']);
      expect(ids(await col.where('map.v', '==', 2).get())).toEqual(['b']);
      expect(ids(await col.where(FieldPath.documentId(), '>', 'd').get())).toEqual(['e', 'f']);
    });

    it('array-contains finds what was written, changed and deleted since it was first asked', async () => {
      await seed({ a: { tags: ['x'] }, b: { tags: ['y'] } });
      const holdingX = async () => ids(await col.where('tags', 'array-contains', 'x').get());
      const holdingAny = async () => ids(await col.where('tags', 'array-contains-any', ['x', 'z']).get());
      expect(await holdingX()).toEqual(['a']);
      await seed({ c: { tags: ['z'] }, d: { tags: 'x' } });
      await col.doc('b').set({ tags: ['y', 'x', 'z'] });
      expect(await holdingX()).toEqual(['a', 'b']);
      expect(await holdingAny()).toEqual(['a', 'b', 'c']);
      await Promise.all([col.doc('a').update({ tags: ['y'] }), col.doc('b').delete()]);
      expect(await holdingX()).toEqual([]);
      expect(await holdingAny()).toEqual(['c']);
    });

    it('a list of more than 30 values to compare with is refused with INVALID_ARGUMENT', async () => {
      const values = Array.from({ length: 31 }, (_, n) => n);
      await expect(col.where('n', 'in', values).get()).rejects.toMatchObject({ code: INVALID_ARGUMENT });
    });

    it('a number equals its other form', async () => {
      await seed({ a: { n: 2 }, b: { n: 2.5 } });
      await col.doc('a').update({ n: FieldValue.increment(0.5) });
      expect(ids(await col.where('n', '==', 2.5).get())).toEqual(['a', 'b']);
    });

    it('OR finds what either side finds, once', async () => {
      await seed({ a: { n: 1, m: 1 }, b: { n: 2, m: 1 }, c: { n: 3, m: 3 } });
      const query = col.where(Filter.or(Filter.where('n', '==', 1), Filter.where('m', '==', 1)));
      expect(ids(await query.get())).toEqual(['a', 'b']);
    });

    it('order is by field, then by id; documents without the field are left out', async () => {
      await seed({ d: { n: 1 }, c: { n: 2 }, b: { n: 1 }, a: {} });
      expect(ids(await col.orderBy('n').get())).toEqual(['b', 'd', 'c']);
      expect(ids(await col.orderBy('n', 'desc').get())).toEqual(['c', 'd', 'b']);
    });

    it('values of different types sort in Firestore order', async () => {
      await seed({
        map: { v: { a: 1 } },
        list: { v: [1] },
        ref: { v: col.doc('a') },
        bytes: { v: Buffer.from('a') },
        emoji: { v: '🕌' },
        private: { v: '\uFFFD' },
        text: { v: 'a' },
        time: { v: Timestamp.fromMillis(1) },
        number: { v: 7 },
        nan: { v: Number.NaN },
        bool: { v: false },
        none: { v: null },
      });
      const sorted = ids(await col.orderBy('v').get());
      const order = [
        'none',
        'bool',
        'nan',
        'number',
        'time',
        'text',
        'private',
        'emoji',
        'bytes',
        'ref',
        'list',
        'map',
      ];
      expect(sorted).toEqual(order);
    });

    it('limit, offset, limitToLast and cursors page through without gap or repeat', async () => {
      await seed(Object.fromEntries(Array.from({ length: 7 }, (_, n) => [`d${n}`, { n: Math.floor(n / 2) }])));
      const query = col.orderBy('n');
      const pages: string[][] = [];
      let last: DocumentSnapshot | undefined;
      for (;;) {
        const page = await (last ? query.startAfter(last) : query).limit(3).get();
        if (page.empty) break;
        pages.push(ids(page));
        last = page.docs.at(-1);
      }
      expect(pages).toEqual([['d0', 'd1', 'd2'], ['d3', 'd4', 'd5'], ['d6']]);
      expect(ids(await query.limitToLast(2).get())).toEqual(['d5', 'd6']);
      expect(ids(await query.offset(5).get())).toEqual(['d5', 'd6']);
      expect(ids(await query.startAt(1).endBefore(3).get())).toEqual(['d2', 'd3', 'd4', 'd5']);
      expect(ids(await query.startAfter(1).endAt(2).get())).toEqual(['d4', 'd5']);
    });

    it('select returns only the named fields', async () => {
      await seed({ a: { x: 1, y: 2, map: { z: 3, w: 4 } } });
      const snapshot = await col.select('x', 'map.z').get();
      expect(snapshot.docs[0]?.data()).toEqual({ x: 1, map: { z: 3 } });
    });

    it('a collection query leaves out subcollections; a collection group finds every collection of that id', async () => {
      const group = `g${randomUUID().slice(0, 8)}`;
      await col.doc('a').collection(group).doc('one').set({ n: 1 });
      await col.doc('b').collection(group).doc('two').set({ n: 2 });
      await db.collection(group).doc('three').set({ n: 3 });
      expect((await col.get()).size).toBe(0);
      expect(ids(await db.collectionGroup(group).where('n', '>', 1).orderBy('n', 'desc').get())).toEqual([
        'three',
        'two',
      ]);
    });

    it('count, sum and average are over the documents of the query', async () => {
      await seed({ a: { n: 1 }, b: { n: 2 }, c: { n: 'text' }, d: { n: 6 } });
      expect((await col.count().get()).data().count).toBe(4);
      expect((await col.limit(3).count().get()).data().count).toBe(3);
      const aggregate = await col
        .where('n', '>', 1)
        .aggregate({ many: AggregateField.count(), total: AggregateField.sum('n'), mean: AggregateField.average('n') })
        .get();
      expect(aggregate.data()).toEqual({ many: 2, total: 8, mean: 4 });
      const none = await col
        .where('n', '>', 100)
        .aggregate({ mean: AggregateField.average('n') })
        .get();
      expect(none.data()).toEqual({ mean: null });
    });

    it('aggregating a field leaves out, from the count too, the documents that lack it', async () => {
      await seed({ a: { n: 1, m: 1 }, b: { n: 2.5 }, c: { m: 3 } });
      const of = async (...fields: string[]): Promise<object> => {
        const sums = Object.fromEntries(fields.map((field) => [field, AggregateField.sum(field)]));
        return (await col.aggregate({ many: AggregateField.count(), ...sums }).get()).data();
      };
      expect(await of('n')).toEqual({ many: 2, n: 3.5 });
      expect(await of('n', 'm')).toEqual({ many: 1, n: 1, m: 1 });
    });

    it('a query streams its documents and ends', async () => {
      await seed(Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`d${n}`, { n }])));
      let streamed = 0;
      for await (const _ of col.stream()) streamed += 1;
      expect(streamed).toBe(300);
    });
  });

  describe('structure', () => {
    it('listDocuments names documents and those that only hold subcollections', async () => {
      await col.doc('a').set({ n: 1 });
      await col.doc('phantom').collection('sub').doc('x').set({ n: 1 });
      expect((await col.listDocuments()).map((doc) => doc.id)).toEqual(['a', 'phantom']);
    });

    it('listCollections names each collection of a document once', async () => {
      await col.doc('a').collection('one').doc('x').set({ n: 1 });
      await col.doc('a').collection('one').doc('y').set({ n: 1 });
      await col.doc('a').collection('two').doc('x').collection('deep').doc('z').set({ n: 1 });
      expect((await col.doc('a').listCollections()).map((each) => each.id)).toEqual(['one', 'two']);
    });

    it('recursiveDelete takes a document, or a collection, with everything below and nothing beside', async () => {
      await col.doc('A').set({ n: 1 });
      await col.doc('A').collection('sub').doc('x').collection('deep').doc('y').set({ n: 1 });
      await col.doc('A!').collection('sub').doc('x').set({ n: 1 });
      await db.recursiveDelete(col.doc('A'));
      expect((await col.listDocuments()).map((doc) => doc.id)).toEqual(['A!']);
      await db.recursiveDelete(col);
      expect(await col.listDocuments()).toEqual([]);
    });
  });

  describe('listeners', () => {
    it('a document listener sees the document missing, made, changed and deleted', async () => {
      const heard = listener<DocumentSnapshot>((next, failed) => col.doc('a').onSnapshot(next, failed));
      expect((await heard.next()).exists).toBe(false);
      await col.doc('a').set({ n: 1 });
      expect((await heard.next()).get('n')).toBe(1);
      await col.doc('a').update({ n: 2 });
      expect((await heard.next()).get('n')).toBe(2);
      await col.doc('a').delete();
      expect((await heard.next()).exists).toBe(false);
      heard.stop();
    });

    it('a query listener reports what came, changed and went, and stays silent about the rest', async () => {
      await seed({ a: { n: 1 }, b: { n: 5 } });
      const query = col.where('n', '<', 4).orderBy('n');
      const heard = listener<QuerySnapshot>((next, failed) => query.onSnapshot(next, failed));
      const changes = async (): Promise<string[]> =>
        (await heard.next()).docChanges().map((change) => `${change.type} ${change.doc.id}`);
      expect(await changes()).toEqual(['added a']);
      await col.doc('outside').set({ n: 100 });
      await col.doc('c').set({ n: 2 });
      expect(await changes()).toEqual(['added c']);
      await col.doc('a').update({ n: 3 });
      expect(await changes()).toEqual(['modified a']);
      await col.doc('a').update({ n: 9 });
      expect(await changes()).toEqual(['removed a']);
      await col.doc('c').delete();
      expect(await changes()).toEqual(['removed c']);
      heard.stop();
    });

    it('a listener hears one commit as one snapshot', async () => {
      const heard = listener<QuerySnapshot>((next, failed) => col.onSnapshot(next, failed));
      expect((await heard.next()).size).toBe(0);
      await seed({ a: { n: 1 }, b: { n: 2 }, c: { n: 3 } });
      expect(ids(await heard.next())).toEqual(['a', 'b', 'c']);
      heard.stop();
    });
  });
}

/** Turns a listener into something to await: each `next()` is the following snapshot, in order. */
function listener<Snapshot>(
  subscribe: (next: (snapshot: Snapshot) => void, failed: (error: Error) => void) => () => void,
): { next(): Promise<Snapshot>; stop(): void } {
  const arrived: Snapshot[] = [];
  const waiting: PromiseWithResolvers<Snapshot>[] = [];
  const stop = subscribe(
    (snapshot) => {
      const first = waiting.shift();
      if (first) first.resolve(snapshot);
      else arrived.push(snapshot);
    },
    (error) => waiting.shift()?.reject(error),
  );
  return {
    next() {
      const snapshot = arrived.shift();
      if (snapshot !== undefined) return Promise.resolve(snapshot);
      const pending = Promise.withResolvers<Snapshot>();
      waiting.push(pending);
      return pending.promise;
    },
    stop,
  };
}
