/**
 * The demo on the whole local stack while Pub/Sub delivers every message three times, newest first: the real push
 * deliveries, the real functions, concurrently.
 */
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { metaCensus } from '../faults/simulated-client.ts';
import { feedServiceOf } from '../local/demo-catalog.ts';
import { runDemo } from '../local/demo.ts';
import type { DemoSummary } from '../local/demo.ts';
import { DemoPrinter } from '../local/demo-printer.ts';
import { startStack } from '../local/stack.ts';
import type { Stack } from '../local/stack.ts';

let stack: Stack;
let summary: DemoSummary;

beforeAll(async () => {
  stack = await startStack({ port: 0, simulatorPort: 0 });
  stack.google.pubsub?.setChaos({ deliverTimes: 3, order: 'reverse' });
  summary = await runDemo({
    url: stack.url,
    simulator: stack.simulator,
    feedService: feedServiceOf(stack),
    print: new DemoPrinter(new PassThrough()),
  });
}, 60_000);

afterAll(() => stack.close());

test('a tenant goes live, and Meta has one object of each kind', async () => {
  expect(summary.status).toBe('live');
  expect(await metaCensus(stack.graphUrl)).toEqual({
    childBusinesses: 1,
    systemUsers: 1,
    creditAllocations: 1,
    adAccounts: 1,
    pixels: 1,
    catalogs: 1,
    spendCaps: ['9000000'],
  });
});
