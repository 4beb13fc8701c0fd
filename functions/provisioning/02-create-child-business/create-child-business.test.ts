import { afterEach, describe, expect, it } from 'vitest';
import { startStepWorld } from '../../../test/provisioning/step-world.ts';
import type { StepWorld } from '../../../test/provisioning/step-world.ts';
import { createChildBusinessStep } from './create-child-business.ts';

let world: StepWorld;
afterEach(() => world.close());

const children = (): { name: string; externalId: string | undefined }[] =>
  world.simulator.store
    .all('business')
    .filter(({ parentId }) => parentId !== undefined)
    .map(({ name, externalId }) => ({ name, externalId }));

describe('create-child-business', () => {
  it('creates one business, named and keyed as the document says', async () => {
    world = await startStepWorld();
    await world.prepare('create-child-business');
    expect(children()).toEqual([{ name: 'kobi_acme-shop_meta', externalId: 'kobi_acme-shop_meta' }]);
  });

  it('adopts the business that an earlier attempt created', async () => {
    world = await startStepWorld();
    await world.prepare('create-child-business');
    const { products } = await world.run('create-child-business', createChildBusinessStep);
    expect(children()).toHaveLength(1);
    expect(world.created).toEqual(['child-business']);
    expect(products.childBusinessId).toMatch(/^\d+$/);
  });

  it.each(['3974', '1690090', '1690091'] as const)(
    "takes the tenant's public name when Meta refuses ours with %s, and is still found by the external id",
    async (business_name_rejects_underscore) => {
      world = await startStepWorld({ switches: { business_name_rejects_underscore } });
      await world.prepare('create-child-business');
      await world.run('create-child-business', createChildBusinessStep);
      expect(children()).toEqual([{ name: 'Acme Shop', externalId: 'kobi_acme-shop_meta' }]);
    },
  );

  it('reads the error number wherever Meta puts it', async () => {
    world = await startStepWorld({
      switches: { business_name_rejects_underscore: '1690090', business_error_placement: 'code' },
    });
    await world.prepare('create-child-business');
    expect(children()).toMatchObject([{ name: 'Acme Shop' }]);
  });

  it('waits on Meta while 2-Tier access (PRE-10) is not granted, and calls nobody', async () => {
    world = await startStepWorld();
    await world.prepare('record-consent');
    const callsBefore = world.simulator.log.entries().length;
    world.readiness.pre10 = false;
    await expect(world.run('create-child-business', createChildBusinessStep)).rejects.toMatchObject({
      outcome: { kind: 'waiting', wait: { on: 'meta', for: 'PRE-10' } },
    });
    expect(world.simulator.log.entries()).toHaveLength(callsBefore);
  });
});
