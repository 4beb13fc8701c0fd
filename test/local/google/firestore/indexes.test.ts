import { Filter, Firestore, type Query } from '@google-cloud/firestore';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ttlCollectionGroups } from '../../../../shared/contracts/documents.ts';
import { googleUniverse } from '../../../../shared/gcp/universe.ts';
import { type EmbeddedFirestore, startEmbeddedFirestore } from './embedded-firestore.ts';
import { type CompositeIndex, type IndexFile, type IndexField, productIndexes } from './indexes.ts';

const up = (fieldPath: string): IndexField => ({ fieldPath, order: 'ASCENDING' });
const down = (fieldPath: string): IndexField => ({ fieldPath, order: 'DESCENDING' });
const composite = (...fields: IndexField[]): CompositeIndex => ({
  collectionGroup: 'shops',
  queryScope: 'COLLECTION',
  fields,
});
const file: IndexFile = {
  indexes: [
    composite(up('city'), up('opened')),
    composite(up('owner'), up('opened')),
    composite(up('city'), up('name'), down('opened')),
    composite({ fieldPath: 'tags', arrayConfig: 'CONTAINS' }, up('opened')),
  ],
  fieldOverrides: [
    { collectionGroup: 'shops', fieldPath: 'menu', indexes: [] },
    { collectionGroup: 'shops', fieldPath: 'menu.price', indexes: [{ queryScope: 'COLLECTION', order: 'ASCENDING' }] },
    { collectionGroup: 'shops', fieldPath: 'due', indexes: [{ queryScope: 'COLLECTION_GROUP', order: 'ASCENDING' }] },
  ],
};

let embedded: EmbeddedFirestore;
let db: Firestore;
beforeAll(async () => {
  embedded = await startEmbeddedFirestore({ indexes: file });
  db = new Firestore({
    projectId: 'kobi-indexes',
    ...googleUniverse,
    host: embedded.host,
    ssl: false,
    customHeaders: { Authorization: 'Bearer owner' },
  });
});
afterAll(async () => {
  await db.terminate();
  await embedded.close();
});

const shops = (): Query => db.collection('shops');
const answered: readonly [string, () => Query][] = [
  ['a whole collection', () => shops()],
  ['one field, up', () => shops().where('n', '>', 1).orderBy('n')],
  ['one field, down, and the name with it', () => shops().orderBy('n', 'desc').orderBy('__name__', 'desc')],
  ['several equal fields, merged', () => shops().where('a', '==', 1).where('b', 'in', [1, 2]).where('c', '==', null)],
  ['an array beside an equal field, merged', () => shops().where('a', '==', 1).where('tags', 'array-contains', 'x')],
  ['an equal field and an order', () => shops().where('city', '==', 'x').orderBy('opened')],
  [
    'two equal fields and an order, merged from two indexes',
    () => shops().where('city', '==', 'x').where('owner', '==', 'y').where('opened', '>', 1),
  ],
  [
    'an order by a field that is equal anyway',
    () => shops().where('city', '==', 'x').orderBy('city').orderBy('opened'),
  ],
  [
    'two orders behind an equal field',
    () => shops().where('city', '==', 'x').orderBy('name').orderBy('opened', 'desc'),
  ],
  [
    'a disjunction whose parts have their indexes',
    () => shops().where(Filter.or(Filter.where('a', '==', 1), Filter.where('b', '==', 2))),
  ],
  ['a group of collections by an index across them', () => db.collectionGroup('shops').where('due', '<=', 1)],
  ['a field with an index of its own within an exempt map', () => shops().orderBy('menu.price')],
  ['an array and an order', () => shops().where('tags', 'array-contains-any', ['x']).orderBy('opened')],
];
const refused: readonly [string, () => Query, string][] = [
  [
    'another direction',
    () => shops().where('city', '==', 'x').orderBy('opened', 'desc'),
    '"indexes" in terraform/firestore.indexes.json: {"collectionGroup":"shops","queryScope":"COLLECTION","fields":[{"fieldPath":"city","order":"ASCENDING"},{"fieldPath":"opened","order":"DESCENDING"}]}',
  ],
  ['two orders', () => shops().orderBy('name').orderBy('opened', 'desc'), '"indexes"'],
  ['an unequal field beside an equal one', () => shops().where('name', '==', 'x').where('opened', '>', 1), '"indexes"'],
  [
    'an equal field that no index of the order begins with',
    () => shops().where('city', '==', 'x').where('name', '==', 'y').where('street', '==', 'z').orderBy('opened'),
    'street',
  ],
  ['a field that is exempt', () => shops().where('menu', '==', 'x'), '"fieldOverrides"'],
  ['a field within an exempt map', () => shops().where('menu.soup', '==', 'x'), 'menu.soup'],
  [
    'a field indexed across collections only',
    () => shops().where('due', '<=', 1),
    '"queryScope":"COLLECTION","order":"ASCENDING"',
  ],
  [
    'a group of collections without an index across them',
    () => db.collectionGroup('shops').where('n', '==', 1),
    '{"collectionGroup":"shops","fieldPath":"n","indexes":[{"queryScope":"COLLECTION_GROUP","order":"ASCENDING"}]}',
  ],
  [
    'a disjunction with one part that has none',
    () => shops().where(Filter.or(Filter.where('a', '==', 1), Filter.where('menu', '==', 2))),
    'menu',
  ],
];

describe('a query is answered from the indexes there are:', () => {
  test.each(answered)('%s', async (_what, query) => {
    await expect(query().get()).resolves.toBeDefined();
  });
});

describe('a query without its index fails as in Firestore, naming the index:', () => {
  test.each(refused)('%s', async (_what, query, named) => {
    await expect(query().get()).rejects.toMatchObject({ code: 9, message: expect.stringContaining(named) });
  });

  test('counting', async () => {
    await expect(shops().where('menu', '==', 1).count().get()).rejects.toMatchObject({ code: 9 });
  });
});

describe('the product’s index file', () => {
  const { indexes, fieldOverrides } = productIndexes();

  test('lets expire exactly the collections that the contracts name, and indexes their expiry nowhere', () => {
    const expiring = fieldOverrides.filter(({ ttl }) => ttl === true);
    expect(expiring.map(({ collectionGroup }) => collectionGroup).sort()).toEqual([...ttlCollectionGroups].sort());
    for (const override of expiring) expect(override).toMatchObject({ fieldPath: 'expireAt', indexes: [] });
  });

  test('names nothing twice', () => {
    const keys = [
      ...indexes,
      ...fieldOverrides.map(({ collectionGroup, fieldPath }) => ({ collectionGroup, fieldPath })),
    ];
    expect(new Set(keys.map((key) => JSON.stringify(key))).size).toBe(keys.length);
  });

  test('keeps the keys of the delivery ledger indexed, which every delivery asks for', () => {
    expect(
      fieldOverrides.filter((each) => each.collectionGroup === 'deliveryLedger' && each.fieldPath === 'keys'),
    ).toEqual([]);
  });
});
