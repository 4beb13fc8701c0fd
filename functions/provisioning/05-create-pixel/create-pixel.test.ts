import { afterEach, describe, expect, it } from 'vitest';
import { startStepWorld } from '../../../test/provisioning/step-world.ts';
import type { StepWorld } from '../../../test/provisioning/step-world.ts';
import { secretName } from '../../../shared/domain/naming.ts';
import { parseRelayKey } from '../../../shared/domain/relay-key.ts';
import { createPixelStep } from './create-pixel.ts';

let world: StepWorld;
afterEach(() => world.close());

describe('create-pixel', () => {
  it('opens the relay for the dataset, and keeps of the key only its hash outside Secret Manager', async () => {
    world = await startStepWorld();
    await world.prepare('create-ad-account');
    const { products, writes = [] } = await world.run('create-pixel', createPixelStep);
    const key = world.secrets.get(secretName.relayKey(world.tenant.tenantId)) ?? '';
    expect(writes.map(({ path }) => path)).toEqual([
      `datasets/${products.datasetId}`,
      `relayKeys/${products.relayKeyId}`,
    ]);
    expect(writes[1]?.data).toMatchObject({ sha256: parseRelayKey(key)?.sha256, purpose: 'server', revokedAt: null });
    expect(JSON.stringify(writes)).not.toContain(key);
  });

  it('run again, makes no second pixel and no second key', async () => {
    world = await startStepWorld();
    await world.prepare('create-pixel');
    const key = world.secrets.get(secretName.relayKey(world.tenant.tenantId));
    await world.run('create-pixel', createPixelStep);
    expect(world.simulator.store.all('pixel')).toHaveLength(1);
    expect(world.secrets.get(secretName.relayKey(world.tenant.tenantId))).toBe(key);
  });
});
