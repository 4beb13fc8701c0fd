import { describe, expect, test } from 'vitest';
import type { Warning } from '../identifiers/finding.ts';
import { plainIdentity } from './personal-data.ts';
import { plainCopy } from './plain-copy.ts';
import { cleanUrl } from './source-url.ts';

const nobody = plainIdentity({});
const ayse = plainIdentity({ fn: 'Ayşe', ln: 'YILMAZ', ph: '0532 123 45 67', em: 'ayse@x.com' });

function copied(value: object, identity = nobody) {
  const warnings: Warning[] = [];
  return {
    copy: plainCopy('custom_data', value, identity, warnings),
    warnings: warnings.map(({ key, code }) => `${key} ${code}`),
  };
}

describe('custom_data', () => {
  test('of a shop goes through whole', () => {
    const basket = {
      currency: 'TRY',
      value: 129.9,
      content_ids: ['8690000000017', 8690000000017],
      contents: [{ id: 'a', quantity: 2, item_price: 10.5, title: 'Tea @ home, +20% more', brand: null }],
      content_name: 'Phone case 2026-01-01 12:00:00',
      order_id: '2026110000123',
      search_string: 'iphone 15 pro max 256',
      phone_model: 'Galaxy S24',
      city: 'İzmir',
      new_customer: true,
    };
    expect(copied(basket)).toEqual({ copy: basket, warnings: [] });
  });

  test.each([
    [{ email: 'x' }, 'email'],
    [{ 'E-Mail': 'x' }, 'E-Mail'],
    [{ em: 'x' }, 'em'],
    [{ first_name: 'Ada' }, 'first_name'],
    [{ customerName: 'Ada' }, 'customerName'],
    [{ note: 'write to ada@example.co.uk please' }, 'note'],
    [{ note: 'ada%40example.com' }, 'note'],
    [{ note: '+90 (532) 123-45-67' }, 'note'],
    [{ contact_phone_2: '0532 123 45 67' }, 'contact_phone_2'],
    [{ contact_phone_2: 5321234567 }, 'contact_phone_2'],
    [{ 'ada@example.com': 1 }, '(unprintable)'],
  ])('%j is taken out', (value, key) => {
    expect(copied(value)).toEqual({ copy: {}, warnings: [`custom_data.${key} personal_data`] });
  });

  test("this person's own name and number are found under any key and in any spelling", () => {
    const value = {
      a: 'Ayşe Yılmaz',
      b: 'teslimat: AYSE YILMAZ, 3. kat',
      c: 'yilmaz, ayşe',
      d: 'ayse',
      e: '532 123 45 67',
      f: 905321234567,
      g: 'tea',
      h: 'Ayşe kadın çorabı',
    };
    expect(copied(value, ayse).copy).toEqual({ g: 'tea', h: 'Ayşe kadın çorabı' });
  });

  test('a name inside a longer word is not the name', () => {
    expect(copied({ note: 'a tea bag' }, plainIdentity({ fn: 'A', ln: 'B' })).copy).toEqual({ note: 'a tea bag' });
  });

  test('a hashed identity finds nothing and breaks nothing', () => {
    const hashed = plainIdentity({ fn: 'a'.repeat(64), ph: ['b'.repeat(64), 7, null], ln: { a: 1 } });
    expect(copied({ note: 'tea' }, hashed).copy).toEqual({ note: 'tea' });
  });

  test('nested personal data is taken out with its path, siblings stay', () => {
    const { copy, warnings } = copied({ contents: [{ id: 'a', email: 'x' }, 'ada@x.com', { id: 'b' }] });
    expect(copy).toEqual({ contents: [{ id: 'a' }, { id: 'b' }] });
    expect(warnings).toEqual(['custom_data.contents.[].email personal_data', 'custom_data.contents.[] personal_data']);
  });
});

describe('hostile custom_data', () => {
  test('prototype keys reach no prototype', () => {
    const { copy } = copied(JSON.parse('{"__proto__":{"x":1},"a":{"__proto__":{"y":1},"constructor":"c"}}') as object);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(JSON.stringify(copy)).toBe('{"a":{"constructor":"c"}}');
    expect('x' in {}).toBe(false);
  });

  test('depth, number of values, length of keys and texts are bounded, and so are the warnings', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 10_000; level++) deep = [deep];
    expect(copied({ deep, a: 1 })).toEqual({
      copy: { deep: [[[[[]]]]], a: 1 },
      warnings: ['custom_data.deep.[].[].[].[].[] too_deep'],
    });

    const wide = copied({ list: Array.from({ length: 1_000_000 }, () => 1) });
    expect((wide.copy['list'] as unknown[]).length).toBeLessThan(5_001);
    expect(wide.warnings).toEqual(['custom_data.list.[] too_many_values']);

    expect(copied({ ['k'.repeat(101)]: 1, text: 'x'.repeat(4_097) }).copy).toEqual({});
    expect(copied({ list: Array.from({ length: 4_000 }, () => 'a@x.com') }).warnings).toHaveLength(20);
  });
});

describe('URLs', () => {
  test.each([
    [
      'https://www.example.com/a?b=c&utm_source=fb&fbclid=Ab_C#top',
      'https://www.example.com/a?b=c&utm_source=fb&fbclid=Ab_C#top',
    ],
    ['https://x.com/a%20b?q=%C3%A7ay&&empty=', 'https://x.com/a%20b?q=%C3%A7ay&&empty='],
    ['www.example.com/p', 'https://www.example.com/p'],
    ['HTTPS://X.com', 'HTTPS://X.com'],
    ['https://tiktok.example/@shop', 'https://tiktok.example/@shop'],
  ])('%s stays %s', (written, url) => expect(cleanUrl(written, nobody)).toEqual({ url, removed: 0 }));

  test.each([
    ['https://x.com/?email=a&b=1', 'https://x.com/?b=1'],
    ['https://x.com/?E-Mail=a', 'https://x.com/'],
    ['https://x.com/?user%5Bemail%5D=a&b=1', 'https://x.com/?b=1'],
    ['https://x.com/?b=1&q=ada%40x.com', 'https://x.com/?b=1'],
    ['https://x.com/?b=1&fbclid=ada%40x.com', 'https://x.com/?b=1'],
    ['https://x.com/?q=%2B90%20532%20123%2045%2067', 'https://x.com/'],
    ['https://x.com/?access_token=s3cret&b=1', 'https://x.com/?b=1'],
    ['https://x.com/?key=wc_order_1', 'https://x.com/'],
    ['https://ada:s3cret@x.com/a', 'https://x.com/a'],
    ['https://x.com/unsubscribe/ada@x.com/now', 'https://x.com/unsubscribe/-/now'],
    ['https://x.com/a#access_token=1', 'https://x.com/a'],
    ['https://x.com/?n=Ay%C5%9Fe+Yilmaz', 'https://x.com/'],
  ])('%s becomes %s', (written, url) => expect(cleanUrl(written, ayse)).toEqual({ url, removed: 1 }));

  test('an endless query is cut, an endless path is no URL', () => {
    expect(cleanUrl(`https://x.com/?${'a=1&'.repeat(5_000)}`, nobody)).toEqual({ url: 'https://x.com/', removed: 1 });
    expect(cleanUrl(`https://x.com/${'a'.repeat(5_000)}`, nobody)).toBeUndefined();
  });

  test.each(['', 'x', 'javascript:alert(1)', 'file:///etc/passwd', 'android-app://com.x', 'https://', 'a@x.com'])(
    '%s is no web address',
    (written) => expect(cleanUrl(written, nobody)).toBeUndefined(),
  );
});
