import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StepRecord } from '../../shared/contracts/documents.ts';
import { paths } from '../../shared/contracts/documents.ts';
import { seed } from '../simulator/seed.ts';
import { startFallbackWorld } from './fallback-world.ts';
import type { FallbackWorld } from './fallback-world.ts';
import type { OnboardingWorld } from './onboarding-world.ts';

let fallback: FallbackWorld;
beforeAll(async () => {
  fallback = await startFallbackWorld();
});
afterAll(() => fallback.close());

const once = { times: 1, reversed: false };
const tenTenants = Array.from({ length: 10 }, (_, index) => `tenant-${index}`);

const ownedByParent = (): string[] =>
  fallback.simulator.store
    .all('ad_account')
    .filter(({ businessId }) => businessId === seed.parentBusinessId)
    .map(({ name }) => name);

async function stepOf(world: OnboardingWorld, tenantId: string, step: string): Promise<StepRecord | undefined> {
  return (await world.steps(tenantId)).find((record) => record.step === step);
}

describe('while PRE-10 is pending', () => {
  it('a tenant goes live on the parent business, every call made with the parent token, nothing of a child made', async () => {
    const world = await fallback.reset();
    await fallback.connect(world, 'first');
    await world.run('first', once);
    const tenant = await world.tenant('first');
    expect(tenant).toMatchObject({
      status: 'live',
      assets: { operator: 'fallback', businessId: seed.parentBusinessId, adAccountId: expect.stringMatching(/^act_/) },
    });
    expect(ownedByParent()).toEqual(['kobi_first_meta']);
    const { nodes } = await fallback.graph.control<{ nodes: Record<string, unknown[]> }>('GET', '/state');
    expect(nodes['business']).toHaveLength(1);
    expect(nodes['system_user']).toHaveLength(1);
    const states = (await world.steps('first')).map(({ step, state }) => `${step} ${state}`);
    expect(states).toEqual(
      expect.arrayContaining([
        'create-child-business skipped',
        'create-system-user skipped',
        'share-credit-line skipped',
        'create-ad-account done',
        'create-pixel done',
        'link-page-and-instagram done',
        'create-catalog done',
        'prepare-offline-events done',
        'finish-run done',
      ]),
    );
    const { entries } = await fallback.graph.control<{ entries: { operation: string; token?: { kind: string } }[] }>(
      'GET',
      '/log',
    );
    const kinds = new Set(entries.map(({ token }) => token?.kind));
    expect(kinds).not.toContain('child');
    const writes = entries.filter(({ operation }) => /^(create|assign|update|connect|authorize)_/.test(operation));
    expect(new Set(writes.map(({ token }) => token?.kind))).toEqual(new Set(['parent']));
    const dataset = await fallback.db.doc(paths.dataset(tenant?.assets?.datasetId ?? '')).get();
    expect(dataset.get('operator')).toBe('fallback');
    await world.close();
  });

  it.each([
    ['Meta would open more than five', { api_account_limit: 25 }],
    ['Meta refuses the sixth', {}],
  ])('of ten tenants that start at once, five get an account and five wait on PRE-10 (%s)', async (_, switches) => {
    const world = await fallback.reset();
    Object.assign(fallback.simulator.context.switches, switches);
    for (const tenantId of tenTenants) await fallback.connect(world, tenantId, { skus: [] });
    await world.deliverAll({ times: 2, reversed: false, concurrent: true });
    expect(ownedByParent()).toHaveLength(5);
    const statuses = await Promise.all(tenTenants.map(async (id) => (await world.tenant(id))?.status));
    expect(statuses.filter((status) => status === 'live')).toHaveLength(5);
    const waits = await Promise.all(tenTenants.map((id) => stepOf(world, id, 'create-child-business')));
    const waiting = waits.filter((record) => record?.state === 'waiting');
    expect(waiting).toHaveLength(5);
    for (const record of waiting) expect(record?.wait).toMatchObject({ on: 'meta', for: 'PRE-10' });
    await world.close();
  });

  it('accounts that Meta counts and Kobi does not are counted: with three of them there, two tenants get one', async () => {
    const world = await fallback.reset();
    for (const name of ['by hand', 'kobi_migrated_meta', 'kobi_offboarded_meta']) {
      const account = { name, currency: 'TRY', timezone_id: 1, end_advertiser: 'NONE', media_agency: 'NONE' };
      await fallback.graph.done(
        fallback.graph.post(`/${seed.parentBusinessId}/adaccount`, seed.parentSystemUserToken, {
          ...account,
          partner: 'NONE',
        }),
      );
    }
    const five = tenTenants.slice(0, 5);
    for (const tenantId of five) await fallback.connect(world, tenantId, { skus: [] });
    await world.deliverAll({ times: 1, reversed: false, concurrent: true });
    expect(ownedByParent()).toHaveLength(5);
    const accounts = await Promise.all(five.map((id) => stepOf(world, id, 'create-ad-account')));
    expect(accounts.filter((record) => record?.state === 'done')).toHaveLength(2);
    const waiting = accounts.filter((record) => record?.state === 'waiting');
    expect(waiting).toHaveLength(3);
    for (const record of waiting) expect(record?.wait).toMatchObject({ on: 'meta', for: 'PRE-10' });
    await world.close();
  });

  it('an account of the parent in bad standing makes the next tenant wait on Kobi, and it goes on once that is solved', async () => {
    const world = await fallback.reset();
    await fallback.connect(world, 'first', { skus: [] });
    await world.deliverAll(once);
    const [account] = fallback.simulator.store.all('ad_account');
    account!.accountStatus = 7;
    await fallback.connect(world, 'second', { skus: [] });
    await world.deliverAll(once);
    expect((await stepOf(world, 'second', 'create-ad-account'))?.wait).toMatchObject({
      on: 'kobi',
      for: 'ad-account-in-bad-standing',
    });
    account!.accountStatus = 1;
    await world.run('second', once);
    expect((await world.tenant('second'))?.status).toBe('live');
    expect(ownedByParent()).toEqual(['kobi_first_meta', 'kobi_second_meta']);
    await world.close();
  });
});

it('once PRE-10 is granted a new tenant takes the 2-Tier path, and with PROVISIONING_PATH=two-tier always did', async () => {
  const world = await fallback.reset('two-tier');
  await fallback.connect(world, 'strict', { skus: [] });
  await world.deliverAll(once);
  expect((await stepOf(world, 'strict', 'create-child-business'))?.wait).toMatchObject({ for: 'PRE-10' });
  await world.close();
  const later = await fallback.reset();
  await fallback.connect(later, 'modern', { skus: [] });
  await fallback.grantPre10();
  await later.run('modern', once);
  expect((await later.tenant('modern'))?.assets).toMatchObject({ operator: 'child' });
  expect(ownedByParent()).toEqual([]);
  await later.close();
});
