import { afterEach, expect, it } from 'vitest';
import { startStepWorld } from '../../../test/provisioning/step-world.ts';
import type { StepWorld } from '../../../test/provisioning/step-world.ts';
import { prepareOfflineEvents } from './prepare-offline-events.ts';

let world: StepWorld;
afterEach(() => world.close());

it('offline events go to the same dataset, and no event set is created', async () => {
  world = await startStepWorld();
  await world.prepare('create-pixel');
  const { products } = await world.run('prepare-offline-events', prepareOfflineEvents);
  expect(products.offlineDatasetId).toBe(world.simulator.store.all('pixel')[0]?.id);
});

it('waits on Meta while the dataset is not consolidated', async () => {
  world = await startStepWorld({ switches: { new_datasets_consolidated: false } });
  await world.prepare('create-pixel');
  await expect(world.run('prepare-offline-events', prepareOfflineEvents)).rejects.toMatchObject({
    outcome: { kind: 'waiting', wait: { on: 'meta', for: 'consolidated-dataset' } },
  });
});
