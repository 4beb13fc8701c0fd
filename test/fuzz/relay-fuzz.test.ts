import { expect, test } from 'vitest';
import { fuzzRelay } from './relay-fuzz.ts';

test('20,000 mutated requests: no 5xx, nothing thrown, nothing personal or secret in queue, logs or answers', async () => {
  const { violations, statuses, queuedEvents, held, overHttp } = await fuzzRelay({ runs: 20_000, seed: 17 });
  expect(violations).toEqual([]);
  // And the fuzzer reached what it is meant to reach.
  expect([queuedEvents > 1_000, held > 100, overHttp > 300]).toEqual([true, true, true]);
  expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 400, 401, 404, 405, 429]));
});
