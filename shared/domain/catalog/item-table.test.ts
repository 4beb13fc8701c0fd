import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deletionOf, packEntry, unpackEntries } from './batch-entries.ts';
import type { BatchEntry } from './batch-entries.ts';
import { groupHashOf, holdsGroup, ItemTable } from './item-table.ts';
import type { ItemFacts } from './item-table.ts';

const facts = (content: string, more: Partial<ItemFacts> = {}): ItemFacts => ({
  hash: createHash('sha256').update(content).digest().subarray(0, 8),
  priceHundredths: 1_990,
  currency: 'TRY',
  isInStock: true,
  fieldMask: 2 ** 40 + 5,
  groupHash: 2 ** 32 - 1,
  ...more,
});

const ids = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const commands = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('set' as const), id: ids, content: fc.string(), isRejected: fc.boolean() }),
    fc.record({ do: fc.constant('delete' as const), id: ids }),
    fc.record({ do: fc.constant('see' as const), id: ids }),
  ),
  { maxLength: 120 },
);

describe('the table of items', () => {
  it('knows what a map would know, whatever is done to it, and after it was written and read', () => {
    fc.assert(
      fc.property(commands, fc.integer({ min: 60, max: 500 }), (list, shardBytes) => {
        const table = new ItemTable(2);
        const truth = new Map<string, { content: string; isRejected: boolean }>();
        const seen = new Set<string>();
        const answers: [string, string][] = [];
        for (const command of list) {
          if (command.do === 'set') {
            table.set(command.id, facts(command.content, { isRejected: command.isRejected }));
            truth.set(command.id, command);
          } else if (command.do === 'delete') {
            table.delete(command.id);
            truth.delete(command.id);
          } else {
            const known = truth.has(command.id) ? 'known' : 'new';
            answers.push([table.see(command.id), seen.has(command.id) ? 'again' : known]);
            seen.add(command.id);
          }
        }
        for (const [answer, expected] of answers) expect(answer).toBe(expected);
        expect([...table.unseen()].toSorted()).toEqual([...truth.keys()].filter((id) => !seen.has(id)).toSorted());
        const read = ItemTable.from([...table.shards(shardBytes)], 1);
        for (const each of [table, read]) {
          expect(each.size).toBe(truth.size);
          expect([...each.ids()].toSorted()).toEqual([...truth.keys()].toSorted());
          expect(each.countRejected()).toBe([...truth.values()].filter(({ isRejected }) => isRejected).length);
          for (const [id, { content }] of truth) {
            const ref = each.find(id);
            expect(ref !== undefined && each.hasHash(ref, facts(content).hash)).toBe(true);
            expect(ref !== undefined && each.hasHash(ref, facts(`${content}!`).hash)).toBe(false);
          }
        }
        // What was only seen is not remembered.
        const onlySeen = [...seen].filter((id) => !truth.has(id));
        expect(onlySeen.filter((id) => read.find(id) !== undefined)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('gives back price, currency and fields as they were set', () => {
    const table = new ItemTable();
    table.set('A', facts('x', { priceHundredths: 2 ** 45 + 1, currency: 'EUR', fieldMask: 2 ** 47 + 1 }));
    table.set('A', facts('y', { priceHundredths: 7, currency: 'USD', fieldMask: 9 }));
    const ref = table.find('A') ?? -1;
    expect([table.priceHundredths(ref), table.currency(ref), table.fieldMask(ref), table.size]).toEqual([
      7,
      'USD',
      9,
      1,
    ]);
  });

  it('knows the groups of its items, also after it was written and read', () => {
    const table = new ItemTable();
    for (let n = 0; n < 300; n += 1) table.set(`A${n}`, facts('x', { groupHash: groupHashOf(`G${n % 100}`) }));
    table.set('single', facts('x', { groupHash: groupHashOf(undefined) }));
    table.set('refused', facts('x', { groupHash: groupHashOf('refused-group'), isRejected: true }));
    table.set('gone', facts('x', { groupHash: groupHashOf('gone-group') }));
    table.delete('gone');
    const groups = ItemTable.from([...table.shards(1_000)], 1).groupHashes();
    const asked = ['G0', 'G42', 'G99', 'G100', 'A1', 'refused-group', 'gone-group', ''];
    expect(asked.filter((id) => holdsGroup(groups, id))).toEqual(['G0', 'G42', 'G99']);
    expect(holdsGroup(new ItemTable().groupHashes(), 'G0')).toBe(false);
  });

  it('refuses bytes that are no shard, and ids no item may have', () => {
    expect(() => ItemTable.from([Buffer.from('nonsense that is long enough to look at')], 1)).toThrow(RangeError);
    expect(() => new ItemTable().see('')).toThrow(RangeError);
    expect(() => new ItemTable().see('x'.repeat(101))).toThrow(RangeError);
  });
});

it('batch entries come out of their bytes as they went in', () => {
  const entries: BatchEntry[] = [
    { method: 'create', row: 2, id: 'SKU-1', facts: facts('a') },
    { method: 'update', row: 4_000_000_000, id: 'ürün/ş 😀', facts: facts('b', { currency: 'USD', isInStock: false }) },
    deletionOf('gone'),
  ];
  const read = [...unpackEntries(Buffer.concat(entries.map(packEntry)))];
  expect(read.map(({ id, method, row }) => ({ id, method, row }))).toEqual(
    entries.map(({ id, method, row }) => ({ id, method, row })),
  );
  expect(read[1]?.facts).toMatchObject({
    currency: 'USD',
    isInStock: false,
    priceHundredths: 1_990,
    fieldMask: 2 ** 40 + 5,
    groupHash: 2 ** 32 - 1,
  });
  expect(Buffer.from(read[0]?.facts.hash ?? []).equals(Buffer.from(facts('a').hash))).toBe(true);
});
