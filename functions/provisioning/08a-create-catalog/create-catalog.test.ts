import { afterEach, expect, it } from 'vitest';
import { startStepWorld } from '../../../test/provisioning/step-world.ts';
import type { StepWorld } from '../../../test/provisioning/step-world.ts';
import { createCatalogStep } from './create-catalog.ts';

let world: StepWorld;
afterEach(() => world.close());

it.each([false, true])(
  'one catalog, connected to the pixel, however often it runs (Meta wants the assignment: %s)',
  async (catalog_assignment_required) => {
    world = await startStepWorld({ switches: { catalog_assignment_required } });
    await world.prepare('create-pixel');
    await world.run('create-catalog', createCatalogStep);
    await world.run('create-catalog', createCatalogStep);
    const catalogs = world.simulator.store.all('catalog');
    expect(catalogs).toHaveLength(1);
    expect(JSON.stringify([...(catalogs[0]?.eventSourceIds ?? [])])).toContain(
      world.simulator.store.all('pixel')[0]?.id,
    );
  },
);
