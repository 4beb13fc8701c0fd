import { expect, test } from 'vitest';
import { traceparentOf } from './trace.ts';

test('a caller without a valid trace gets a new one, each time another', () => {
  const given = [undefined, '', 'garbage', `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`];
  const traces = Array.from({ length: 2_000 }, (_, index) => traceparentOf(given[index % given.length]));
  for (const trace of traces) expect(trace).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  expect(new Set(traces.map((trace) => trace.slice(3, 35))).size).toBe(2_000);
  expect(new Set(traces.map((trace) => trace.slice(36, 52))).size).toBe(2_000);
});

test("a caller's own trace is kept, but not its wish to have it recorded", () => {
  const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-0`;
  expect(traceparentOf(`${trace}0`)).toBe(`${trace}0`);
  expect(traceparentOf(`${trace}1`)).toBe(`${trace}0`);
});
