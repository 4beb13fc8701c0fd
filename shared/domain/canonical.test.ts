import { expect, test } from 'vitest';
import { canonicalJson } from './canonical.ts';

test('the order of keys makes no difference, the order of a list does', () => {
  expect(canonicalJson({ b: 1, a: { d: [1, 'x'], c: null } })).toBe('{"a":{"c":null,"d":[1,"x"]},"b":1}');
  expect(canonicalJson({ a: { c: null, d: [1, 'x'] }, b: 1 })).toBe(
    canonicalJson({ b: 1, a: { d: [1, 'x'], c: null } }),
  );
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
});

test('text and number, key and value, stay apart', () => {
  expect(canonicalJson({ a: '1' })).not.toBe(canonicalJson({ a: 1 }));
  expect(canonicalJson({ 'a":1,"b': 2 })).not.toBe(canonicalJson({ a: 1, b: 2 }));
});
