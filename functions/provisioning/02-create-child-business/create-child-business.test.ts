import { afterEach, describe, expect, it } from 'vitest';
import { userTokenOf } from '../../../test/faults/simulated-client.ts';
import { GraphCaller } from '../../../test/simulator/graph-caller.ts';
import { seed } from '../../../test/simulator/seed.ts';
import type { Switches } from '../../../test/simulator/switches.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';
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
  it('waits on Kobi once an app in Development mode has made its two child businesses', async () => {
    world = await startStepWorld({ switches: { app_mode: 'development' } });
    const parent = world.simulator.store.get('business', seed.parentBusinessId);
    parent.childIds.push('1', '2');
    await world.prepare('record-consent');
    await expect(world.run('create-child-business', createChildBusinessStep)).rejects.toMatchObject({
      outcome: { wait: { on: 'kobi', for: 'live-mode' } },
    });
  });

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

/** A child business that the client's person has from before, as `name` and under `externalId` if it has one. */
async function existingChild(name: string, externalId?: string): Promise<string> {
  const meta = new GraphCaller(world.simulator.url);
  const token = await userTokenOf(world.simulator.url);
  const { id } = await meta.done<{ id: string }>(
    meta.post(`/${seed.parentBusinessId}/owned_businesses`, token, {
      name,
      vertical: 'OTHER',
      child_business_external_id: externalId,
    }),
  );
  return id;
}

const waitOf = async (): Promise<Waiting['outcome']['wait']> => {
  const thrown: unknown = await world
    .run('create-child-business', createChildBusinessStep)
    .catch((error: unknown) => error);
  if (!(thrown instanceof Waiting)) throw new Error('it does not wait', { cause: thrown });
  return thrown.outcome.wait;
};

const placements = ['subcode', 'code'] as const;

describe.each(placements)('a business that exists already, with Meta’s number as %s', (business_error_placement) => {
  const start = async (switches: Partial<Switches>): Promise<void> => {
    world = await startStepWorld({ switches: { business_error_placement } });
    await world.prepare('record-consent');
    Object.assign(world.simulator.context.switches, switches);
  };

  it.each<[string, Partial<Switches>]>([
    ['1690165', { one_child_per_user: '1690165' }],
    ['1752089', { one_child_per_user: '1752089' }],
    ['3947', { business_name_unique_per_user: true }],
    ['1690062', { business_name_unique: true }],
  ])('is adopted when it bears our name, and no second one is made (%s)', async (_number, switches) => {
    await start({});
    const ours = await existingChild('kobi_acme-shop_meta');
    Object.assign(world.simulator.context.switches, switches);
    const { products } = await world.run('create-child-business', createChildBusinessStep);
    expect(products).toEqual({ childBusinessId: ours });
    expect(children()).toHaveLength(1);
  });

  it('is adopted when it holds our Page as its main Page (1690232)', async () => {
    await start({});
    await world.run('create-child-business', createChildBusinessStep);
    const [child] = world.simulator.store.all('business').filter(({ parentId }) => parentId !== undefined);
    // Made by an attempt before external ids were sent.
    world.simulator.store.externalIds.clear();
    Object.assign(world.simulator.context.switches, { child_primary_page_unique: true });
    const { products } = await world.run('create-child-business', createChildBusinessStep);
    expect(products.childBusinessId).toBe(child?.id);
    expect(children()).toHaveLength(1);
  });

  it.each(['1690165', '1752089'] as const)(
    "of the same person for another tenant is never taken: the client's other admin must connect (%s)",
    async (one_child_per_user) => {
      await start({});
      await existingChild('kobi_other-shop_meta', 'kobi_other-shop_meta');
      Object.assign(world.simulator.context.switches, { one_child_per_user });
      const wait = await waitOf();
      expect(wait).toMatchObject({ on: 'client', for: 'another-person' });
      expect(wait.what).not.toContain('other-shop');
      expect(children()).toHaveLength(1);
    },
  );

  it('that Meta claims but does not list is for Kobi to look up and adopt (1690165)', async () => {
    await start({});
    world.simulator.faults.plant({
      method: 'POST',
      path: '/{id}/owned_businesses',
      error: business_error_placement === 'code' ? { code: 1690165 } : { code: 100, subcode: 1690165 },
    });
    const wait = await waitOf();
    expect(wait).toMatchObject({ on: 'kobi', for: 'existing-child-business' });
    expect(wait.what).toContain('POST /tenants/acme-shop/steps/create-child-business/adopt');
  });

  it('and whose main Page is this one makes the client choose another Page (1690232)', async () => {
    await start({});
    const meta = new GraphCaller(world.simulator.url);
    const token = await userTokenOf(world.simulator.url);
    const shared = { shared_page_id: seed.page.id, page_permitted_tasks: '["ADVERTISE","ANALYZE"]' };
    await meta.done(
      meta.post(`/${seed.parentBusinessId}/owned_businesses`, token, { name: 'Other', vertical: 'OTHER', ...shared }),
    );
    Object.assign(world.simulator.context.switches, { child_primary_page_unique: true });
    expect(await waitOf()).toMatchObject({ on: 'client', for: 'another-page' });
  });

  it.each<[string, Partial<Switches>]>([
    ['3947', { business_name_unique_per_user: true }],
    ['1690062', { business_name_unique: true }],
  ])('under the public name too leads to a third name (%s)', async (_number, switches) => {
    await start({});
    await existingChild('Acme Shop', 'someone-else');
    Object.assign(world.simulator.context.switches, { ...switches, business_name_rejects_underscore: '3974' });
    await world.run('create-child-business', createChildBusinessStep);
    expect(children()).toContainEqual({ name: 'Acme Shop Kobi', externalId: 'kobi_acme-shop_meta' });
  });
});

describe('create-child-business, refused for what only a person can change', () => {
  it('waits for Kobi to name the tenant otherwise when every name is taken', async () => {
    world = await startStepWorld();
    await world.prepare('record-consent');
    world.simulator.faults.plant({
      method: 'POST',
      path: '/{id}/owned_businesses',
      times: 0,
      error: { code: 3947, message: 'taken' },
    });
    const wait = await waitOf();
    expect(wait).toMatchObject({ on: 'kobi', for: 'business-name' });
    expect(wait.what).toContain('kobi_acme-shop_meta, Acme Shop, Acme Shop Kobi');
  });

  it.each(placements)(
    'creates the business without the Page when the person is not its admin (1690138 as %s), for partner-invite to bring in',
    async (business_error_placement) => {
      world = await startStepWorld({ switches: { business_error_placement } });
      await world.prepare('record-consent');
      world.simulator.store.get('user', seed.user.id).pageTasks.set(seed.page.id, ['ADVERTISE', 'ANALYZE']);
      await world.run('create-child-business', createChildBusinessStep);
      expect(children()).toHaveLength(1);
      expect(world.simulator.store.all('business').flatMap(({ clientPageIds }) => [...clientPageIds])).toEqual([]);
    },
  );

  it('waits for an admin of the Page when Meta makes no business without one', async () => {
    world = await startStepWorld({ switches: { child_business_requires_page: true } });
    await world.prepare('record-consent');
    world.simulator.store.get('user', seed.user.id).pageTasks.set(seed.page.id, ['ADVERTISE', 'ANALYZE']);
    expect(await waitOf()).toMatchObject({ on: 'client', for: 'page-admin' });
  });

  it('tells Kobi, not the client, that the app must belong to the parent business (1690192)', async () => {
    world = await startStepWorld({ switches: { app_owned_by_parent: false } });
    await world.prepare('record-consent');
    expect(await waitOf()).toMatchObject({ on: 'kobi', for: 'app-not-owned' });
  });

  it('looks again later when Meta knows the external id but does not show its business yet', async () => {
    world = await startStepWorld({ switches: { external_id_unique: true } });
    await world.prepare('create-child-business');
    world.simulator.faults.plant({ method: 'GET', path: '/{id}/owned_businesses', finderBlindMs: 60_000, times: 0 });
    await expect(world.run('create-child-business', createChildBusinessStep)).rejects.toMatchObject({
      outcome: { kind: 'retry' },
    });
    expect(children()).toHaveLength(1);
  });
});
