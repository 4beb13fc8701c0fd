import { describe, expect, it } from 'vitest';
import { checkItem } from '../../../test/simulator/item-rules.ts';
import type { ItemField } from './item-fields.ts';
import { fieldOf } from './item-fields.ts';
import { jsonClearing, judgeItem } from './judge-item.ts';
import { readPrice } from './price.ts';

const good: Partial<Record<ItemField, string | string[]>> = {
  id: 'SKU-1',
  title: 'Havlu',
  description: 'Yumuşak',
  availability: 'in_stock',
  price: '10 try',
  link: 'https://shop.example/p?a=1&b=ş',
  image_link: 'https://shop.example/1.jpg',
  brand: 'Acme',
};
const judged = (changes: Partial<Record<ItemField, string | string[]>> = {}) =>
  judgeItem(new Map(Object.entries({ ...good, ...changes })) as Map<ItemField, string | string[]>);
const sent = (changes: Partial<Record<ItemField, string | string[]>> = {}): Record<string, unknown> | undefined => {
  const { item } = judged(changes);
  return item && (JSON.parse(item.json) as Record<string, unknown>);
};

describe('prices', () => {
  it.each([
    ['10.00 TRY', '10.00 TRY', 1_000],
    ['10 TRY', '10.00 TRY', 1_000],
    ['TRY 10.5', '10.50 TRY', 1_050],
    ['0010.500 try', '10.50 TRY', 1_050],
    ['1234567.89USD', '1234567.89 USD', 123_456_789],
    ['1.234 KWD', '1.234 KWD', 123],
    ['0 EUR', '0.00 EUR', 0],
  ])('%s is %s', (written, text, hundredths) => expect(readPrice(written)).toMatchObject({ text, hundredths }));

  it.each([
    '10,00 TRY',
    '1,234.00 TRY',
    '10.00',
    'TRY',
    '₺10',
    '10.00 TL',
    '-5 TRY',
    '1e3 TRY',
    'NaN TRY',
    '10.00.00 TRY',
    '',
  ])('%s is none, and not guessed at', (written) => expect(readPrice(written)).toBeUndefined());
});

describe('an item', () => {
  it('is sent in Meta’s spelling: Google’s underscores, a missing condition, numbers as numbers', () => {
    expect(
      sent({ custom_number_0: '07', additional_image_link: 'https://a.example/1.jpg, https://a.example/2.jpg' }),
    ).toEqual({
      ...good,
      availability: 'in stock',
      condition: 'new',
      price: '10.00 TRY',
      custom_number_0: 7,
      additional_image_link: ['https://a.example/1.jpg', 'https://a.example/2.jpg'],
    });
  });

  it('is the same text however its source writes the same', () => {
    expect(judged({ price: '10.00 TRY', availability: 'IN STOCK' }).item?.json).toBe(judged().item?.json);
  });

  it.each([
    ['id', ''],
    ['id', 'x'.repeat(101)],
    ['title', 'x'.repeat(201)],
    ['description', ''],
    ['availability', 'maybe'],
    ['condition', 'shiny'],
    ['price', '0.00 TRY'],
    ['link', 'shop.example/p'],
    ['image_link', 'ftp://shop.example/1.jpg'],
    ['brand', ''],
  ] as const)('without a good %s (%s) is refused, with the field and what is valid', (field, value) => {
    const { item, problems } = judged({ [field]: value });
    expect(item).toBeUndefined();
    expect(problems[0]?.field).toBe(field);
    expect(problems[0]?.expected).not.toBe('');
  });

  it.each([
    ['sale_price', '11.00 TRY'],
    ['sale_price', '5.00 USD'],
    ['gtin', '12'],
    ['gender', 'x'],
    ['custom_number_1', '-1'],
    ['custom_label_0', 'x'.repeat(101)],
    ['expiration_date', 'tomorrow'],
    ['mobile_link', 'nowhere'],
  ] as const)('with a bad %s (%s) goes without it', (field, value) => {
    const { item, problems } = judged({ [field]: value });
    expect(problems).toMatchObject([{ field, code: 'invalid' }]);
    expect(item?.json).not.toContain(`"${field}"`);
  });

  it('that we send is one the simulator of Meta takes, whatever optional field it has', () => {
    const everything = {
      condition: 'used_good',
      sale_price: '9.00 TRY',
      sale_price_effective_date: '2026-11-01T00:00+03:00/2026-12-01T00:00+03:00',
      item_group_id: 'G',
      google_product_category: '2271',
      product_type: 'Home > Towels',
      gtin: '4006381333931',
      gender: 'unisex',
      age_group: 'adult',
      custom_label_4: 'x',
      custom_number_4: '4294967295',
      quantity_to_sell_on_facebook: '5',
      internal_label: 'a,b',
      rich_text_description: '<b>x</b>',
      expiration_date: '2027-01-01',
    };
    expect(judged(everything).problems).toEqual([]);
    expect(checkItem(sent(everything) ?? {})).toEqual({ errors: [], warnings: [] });
  });

  it('that lost fields empties them in its update', () => {
    const before = judged({
      sale_price: '9.00 TRY',
      additional_image_link: 'https://a.example/1.jpg',
      color: 'red',
    }).item;
    const after = judged({ color: 'blue' }).item;
    if (before === undefined || after === undefined) throw new Error('both are good');
    expect(JSON.parse(jsonClearing(after, before.fieldMask))).toMatchObject({
      color: 'blue',
      sale_price: '',
      additional_image_link: [],
    });
    expect(jsonClearing(after, after.fieldMask)).toBe(after.json);
  });
});

it.each([
  ['g:image_link', 'image_link'],
  ['Image Link', 'image_link'],
  ['sale-price', 'sale_price'],
  ['retailer_id', 'id'],
  ['constructor', undefined],
  ['shipping', undefined],
])('the column %s is %s', (column, field) => expect(fieldOf(column)).toBe(field));
