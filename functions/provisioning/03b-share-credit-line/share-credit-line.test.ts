import { afterEach, describe, expect, it } from 'vitest';
import { startStepWorld } from '../../../test/provisioning/step-world.ts';
import type { StepWorld } from '../../../test/provisioning/step-world.ts';
import { shareCreditLineStep } from './share-credit-line.ts';

let world: StepWorld;
afterEach(() => world.close());

describe('share-credit-line', () => {
  it('shares once, however often it runs', async () => {
    world = await startStepWorld();
    await world.prepare('create-child-business');
    const first = await world.run('share-credit-line', shareCreditLineStep);
    const second = await world.run('share-credit-line', shareCreditLineStep);
    expect(second).toEqual(first);
    expect(world.simulator.store.all('credit_allocation')).toHaveLength(1);
  });

  it('waits on Kobi while the parent has no credit line (PRE-2)', async () => {
    world = await startStepWorld();
    await world.prepare('create-child-business');
    world.readiness.pre2 = false;
    await expect(world.run('share-credit-line', shareCreditLineStep)).rejects.toMatchObject({
      outcome: { kind: 'waiting', wait: { on: 'kobi', for: 'PRE-2' } },
    });
  });
});
