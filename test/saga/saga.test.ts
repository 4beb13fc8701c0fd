/** The saga's proofs in small; `npm run saga:matrix`, `saga:chaos` and `saga:mutants` are the whole of them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { startInProcessServices } from '../faults/in-process-services.ts';
import type { InProcessServices } from '../faults/in-process-services.ts';
import { runChaos } from './chaos.ts';
import { goldenReference, readGolden, resumeGolden } from './golden.ts';
import { runMatrix } from './matrix.ts';
import { mutants } from './mutants.ts';

let services: InProcessServices;
beforeAll(async () => {
  services = await startInProcessServices();
});
afterAll(() => services.close());

describe('the costliest step, opening the ad account', () => {
  it('struck at each of the sixteen points comes to the same end, with one object of each kind', async () => {
    const cells = await runMatrix(services, { steps: ['create-ad-account'], deliveries: ['once'] });
    expect(cells.filter(({ outcome }) => outcome === 'violated')).toEqual([]);
    expect(cells.filter(({ outcome }) => outcome === 'held')).toHaveLength(16);
  }, 60_000);
});

test('random onboardings under random faults, in random order with copies, come to the end of a run without faults', async () => {
  const { struck, violations } = await runChaos(services, { seed: 1, first: 0, runs: 12, faultShare: 0.2 });
  expect(violations).toEqual([]);
  expect(Object.keys(struck).length).toBeGreaterThan(2);
}, 60_000);

test('documents as version 1 stored them, at every third moment of an onboarding, come to the same end', async () => {
  const golden = await readGolden(1);
  const reference = await goldenReference(services);
  expect(golden.moments.length).toBeGreaterThan(30);
  for (let moment = 0; moment < golden.moments.length; moment += 3) {
    expect(await resumeGolden(services, golden, moment, reference), golden.moments[moment]?.at).toEqual([]);
  }
}, 60_000);

test('the audit trail names Meta’s trace of the call that made or found each object', async () => {
  const world = await services.connectedWorld('acme-shop');
  await world.run('acme-shop', { times: 1, reversed: false });
  const entries = await services.db.collection('tenants/acme-shop/audit').where('action', '==', 'created').get();
  const made = entries.docs.map(
    (row) => [String(row.get('subject')), row.get('detail.fbtrace_ids') as string[]] as const,
  );
  const atMeta = made.filter(([subject]) => ['child-business', 'ad-account', 'pixel', 'catalog'].includes(subject));
  expect(atMeta).toHaveLength(4);
  for (const [, traces] of atMeta) expect(traces.at(-1)).toMatch(/^ASIM/);
  await world.close();
});

test.each(mutants)('the mutant $name still finds the one place that it takes out', async ({ file, find }) => {
  const source = await readFile(join(import.meta.dirname, '../..', file), 'utf8');
  expect(source.split(find)).toHaveLength(2);
});
