import { expect, test } from 'vitest';
import {
  proveActions,
  proveDeprecations,
  proveJobs,
  proveKeys,
  proveMoney,
  proveRestatement,
  proveZones,
} from './proofs.ts';
import type { Proof } from './proofs.ts';

/** Small copies of the proofs that `npm run report:…` makes at full size. */
test.each<[string, () => Promise<Proof> | Proof]>([
  ['the warehouse is what Meta knows, after every one of 32 daily restatements', () => proveRestatement(1, 32)],
  ['every level with every breakdown has its own keys, nulls included', () => proveKeys(4)],
  ['report runs come to their end at 10 % failures, within 1.3 times the fewest calls', () => proveJobs(120, 10)],
  ['nothing that Meta ended is asked for, and a field that ends is noticed', proveDeprecations],
  ['the days add up to the total in every kind of currency', proveMoney],
  ['today and the 37 months are the account’s own in 30 zones', proveZones],
  ['2,000 orders are counted once under all their aliases', () => proveActions(2_000)],
])('%s', async (_, prove) => {
  const { figures, isMet } = await prove();
  expect(isMet, JSON.stringify(figures)).toBe(true);
});
