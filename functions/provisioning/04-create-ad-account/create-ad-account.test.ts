import { afterEach, describe, expect, it } from 'vitest';
import { startStepWorld } from '../../../test/provisioning/step-world.ts';
import type { StepWorld } from '../../../test/provisioning/step-world.ts';
import { createAdAccountStep } from './create-ad-account.ts';

let world: StepWorld;
afterEach(() => world.close());

describe('create-ad-account', () => {
  it('caps spend at what the plan allows: 15 000 TRY is written as 15000 and reads as 1500000', async () => {
    world = await startStepWorld({ tenant: { planId: 'starter', currency: 'TRY' } });
    await world.prepare('create-ad-account');
    const [account] = world.simulator.store.all('ad_account');
    expect(account).toMatchObject({ name: 'kobi_acme-shop_meta', currency: 'TRY', spendCapMinor: 1_500_000n });
    const written = world.simulator.log.entries().filter(({ params }) => 'spend_cap' in params);
    expect(written.map(({ params }) => params['spend_cap'])).toEqual(['15000']);
  });

  it('run again, opens no second account and changes no cap', async () => {
    world = await startStepWorld();
    await world.prepare('create-ad-account');
    const created = [...world.created];
    await world.run('create-ad-account', createAdAccountStep);
    expect(world.created).toEqual(created);
    expect(world.simulator.store.all('ad_account')).toHaveLength(1);
  });

  it('puts a cap right that differs from the plan', async () => {
    world = await startStepWorld();
    await world.prepare('create-ad-account');
    const [account] = world.simulator.store.all('ad_account');
    if (account) account.spendCapMinor = 15_000n;
    await world.run('create-ad-account', createAdAccountStep);
    expect(world.simulator.store.all('ad_account')[0]?.spendCapMinor).toBe(1_500_000n);
  });

  it('waits on Meta while the shared credit line is not visible in the child business', async () => {
    world = await startStepWorld();
    await world.prepare('create-system-user');
    await expect(world.run('create-ad-account', createAdAccountStep)).rejects.toMatchObject({
      outcome: { kind: 'waiting', wait: { on: 'meta', for: 'shared-credit-line' } },
    });
    expect(world.simulator.store.all('ad_account')).toHaveLength(0);
  });
});
