import { describe, expect, it } from 'vitest';
import { compareContentIds, describeMismatch } from './content-id-form.ts';
import type { SeenContentId } from './content-id-form.ts';

const products = Array.from({ length: 300 }, (_, index) => `SKU-${String(index + 1)}`);
const compare = (
  eventIds: readonly string[],
  ids: readonly string[] = products,
  { groups = [], type = 'product' }: { groups?: readonly string[]; type?: SeenContentId['type'] } = {},
) =>
  compareContentIds(
    eventIds.map((id) => ({ id, type })),
    { isProduct: (id) => ids.includes(id), isGroup: (id) => groups.includes(id), productIds: ids },
  );
const groups = Array.from({ length: 20 }, (_, index) => `SKU-G${String(index + 1)}`);
const numbers = (count = 20): string[] => Array.from({ length: count }, (_, index) => String(index + 1));

describe('content ids that match no product', () => {
  it.each([
    ['a prefix is missing', numbers(), products, 'prefix-missing', '“SKU-”'],
    ['a prefix is added', numbers().map((id) => `shopify_TR_${id}`), numbers(50), 'prefix-added', '“shopify_TR_”'],
    [
      'a suffix is missing',
      numbers().map((id) => `P${id}`),
      numbers(50).map((id) => `P${id}-tr`),
      'suffix-missing',
      '“-tr”',
    ],
    ['a suffix is added', products.slice(0, 20).map((id) => `${id}-variant`), products, 'suffix-added', '“-variant”'],
    [
      'the case differs',
      products.slice(0, 20).map((id) => id.toLowerCase()),
      products,
      'letter-case',
      'upper and lower case',
    ],
    ['zeros are lost', numbers(), numbers(50).map((id) => id.padStart(8, '0')), 'leading-zeros', 'leading zeros'],
    ['spaces are around', products.slice(0, 20).map((id) => ` ${id} `), products, 'spaces', 'spaces'],
  ] as const)('%s: it is named', (_what, eventIds, ids, kind, words) => {
    const { matched, mismatch, seen } = compare(eventIds, ids);
    expect({ matched, seen }).toEqual({ matched: 0, seen: 20 });
    expect(mismatch).toMatchObject({ explained: 20, form: { kind } });
    expect(mismatch && describeMismatch(mismatch).fix).toContain(words);
    expect(mismatch && describeMismatch(mismatch).what).toContain(eventIds[0]);
  });

  it.each([
    ['groups’ ids said to be products', groups, 'product', 'group-as-product'],
    ['products’ ids said to be groups', products.slice(0, 20), 'product_group', 'product-as-group'],
  ] as const)('that are %s are told apart from ids in another form', (_what, eventIds, type, kind) => {
    const { matched, mismatch } = compare(eventIds, products, { groups, type });
    expect({ matched, mismatch }).toMatchObject({ matched: 0, mismatch: { form: { kind } } });
    expect(mismatch && describeMismatch(mismatch).what).toContain(`“${eventIds[0]}” with content_type “${type}”`);
  });

  it('of groups match as groups, and where no content_type is said also as they are', () => {
    expect(compare(groups, products, { groups, type: 'product_group' })).toMatchObject({ matched: 20, mismatch: null });
    expect(compare([...groups, 'SKU-1'], products, { groups, type: null })).toMatchObject({ matched: 21 });
  });

  it('that are simply other products are not explained away', () => {
    expect(compare(Array.from({ length: 20 }, (_, index) => `Z${String(index * 7919)}q`)).mismatch).toBeNull();
  });

  it('nothing is wrong with ids that match', () => {
    expect(compare(products.slice(0, 20))).toEqual({ seen: 20, matched: 20, mismatch: null });
    expect(compare([])).toEqual({ seen: 0, matched: 0, mismatch: null });
  });
});
