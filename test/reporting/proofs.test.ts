import { expect, test } from 'vitest';
import { proveActions, proveDeprecations, proveZones } from './asked-proofs.ts';
import { proveJobs } from './jobs-proof.ts';
import type { Proof } from './proof-world.ts';
import { proveKeys, proveMoney, proveRestatement } from './stored-proofs.ts';
import { idealMinutes, proveThrottle } from './throttle-proof.ts';

/** Small copies of the proofs that `npm run report:…` makes at full size. */
test.each<[string, () => Promise<Proof> | Proof]>([
  ['the warehouse is what Meta knows, after every one of 32 daily restatements', () => proveRestatement(1, 32)],
  ['every level with every breakdown has its own keys, nulls included', () => proveKeys(4)],
  ['report runs come to their end at 10 % failures, within 1.3 times the fewest calls', () => proveJobs(120, 10)],
  [
    'the least budget Meta gives is never used beyond 95 %, and one refused call costs its time only',
    () => proveThrottle({ callsPerHour: 600, pageRows: 4, campaigns: [11] }),
  ],
  ['nothing that Meta ended is asked for, and a field that ends is noticed', proveDeprecations],
  ['the days add up to the total in every kind of currency', proveMoney],
  ['today and the 37 months are the account’s own in 30 zones', proveZones],
  ['2,000 orders are counted once under all their aliases', () => proveActions(2_000)],
])('%s', async (_, prove) => {
  const { figures, isMet } = await prove();
  expect(isMet, JSON.stringify(figures)).toBe(true);
});

test('the ideal scheduler, against which time is measured, waits for whole hours only, and for the time to regain access once', () => {
  const after = (calls: number, refusedAt = Infinity): number =>
    Math.round(idealMinutes({ calls, refusedAt, callsPerHour: 600 }));
  expect([570, 571, 1_140, 1_141].map((calls) => after(calls))).toEqual([1, 60, 60, 120]);
  // Refused in an hour it would have waited out anyway, or in the last one.
  expect([after(1_141, 500), after(1_141, 1_140)]).toEqual([120, 137]);
});
