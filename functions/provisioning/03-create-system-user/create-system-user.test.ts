import { afterEach, describe, expect, it } from 'vitest';
import { startStepWorld } from '../../../test/provisioning/step-world.ts';
import type { StepWorld } from '../../../test/provisioning/step-world.ts';
import { secretName } from '../../../shared/domain/naming.ts';
import { createSystemUser } from './create-system-user.ts';

let world: StepWorld;
afterEach(() => world.close());

describe('create-system-user', () => {
  it('puts the token into the secret and only ids into the products', async () => {
    world = await startStepWorld();
    await world.prepare('create-child-business');
    const { products } = await world.run('create-system-user', createSystemUser);
    const token = world.secrets.get(secretName.systemToken(world.tenant.tenantId)) ?? '';
    expect(token).toMatch(/^EAA/);
    expect(JSON.stringify(products)).not.toContain(token);
    expect(products.systemUserId).toMatch(/^\d+$/);
  });

  it('comes back later when Meta’s list does not show the new system user yet, instead of failing', async () => {
    world = await startStepWorld();
    await world.prepare('create-child-business');
    world.simulator.faults.plant({ method: 'GET', path: '/{id}/system_users', finderBlindMs: 20_000 });
    const failure = await world.run('create-system-user', createSystemUser).catch((error: unknown) => error);
    expect(failure).toMatchObject({ outcome: { kind: 'retry', afterMs: 30_000 } });
    await world.run('create-system-user', createSystemUser);
  });

  it('keeps a stored token that Meta still accepts', async () => {
    world = await startStepWorld();
    await world.prepare('create-system-user');
    const secretId = secretName.systemToken(world.tenant.tenantId);
    const before = world.secrets.get(secretId);
    await world.run('create-system-user', createSystemUser);
    expect(world.secrets.get(secretId)).toBe(before);
  });

  it('mints a new one when Meta no longer accepts the stored one, of the same system user', async () => {
    world = await startStepWorld();
    await world.prepare('create-system-user');
    const secretId = secretName.systemToken(world.tenant.tenantId);
    const before = world.secrets.get(secretId);
    const token = world.simulator.context.tokens.find(before ?? '');
    if (token) token.revokedSubcode = 467;
    const { products } = await world.run('create-system-user', createSystemUser);
    expect(world.secrets.get(secretId)).not.toBe(before);
    expect(products.systemUserId).toBe(token?.ownerId);
  });
});
