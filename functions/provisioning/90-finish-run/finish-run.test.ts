import { afterEach, expect, it } from 'vitest';
import { startStepWorld } from '../../../test/provisioning/step-world.ts';
import type { StepWorld } from '../../../test/provisioning/step-world.ts';
import { finishRun } from './finish-run.ts';

let world: StepWorld;
afterEach(() => world.close());

it('the tenant goes live, its run ends, and the news leaves, all in one transaction', async () => {
  world = await startStepWorld();
  await world.prepare('create-pixel');
  const { writes = [], announce = [] } = await world.run('finish-run', finishRun);
  expect(writes).toMatchObject([
    { path: 'tenants/acme-shop', data: { status: 'live' }, merge: true },
    { path: 'tenants/acme-shop/runs/run-1', data: { state: 'done' }, merge: true },
  ]);
  expect(announce).toMatchObject([
    { type: 'tenant-live', tenantId: 'acme-shop', eventId: 'acme-shop:run-1:tenant-live' },
  ]);
});
