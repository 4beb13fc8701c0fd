import { afterEach, describe, expect, it } from 'vitest';
import { seed } from '../../../test/simulator/seed.ts';
import { startStepWorld } from '../../../test/provisioning/step-world.ts';
import type { StepWorld } from '../../../test/provisioning/step-world.ts';
import { secretName } from '../../../shared/domain/naming.ts';
import { recordConsent } from './record-consent.ts';

let world: StepWorld;
afterEach(() => world.close());

const waitsOnClientFor = (what: string): object => ({
  outcome: { kind: 'waiting', wait: { on: 'client', for: what } },
});

describe('record-consent', () => {
  it('records person, Page and Instagram, and never the token', async () => {
    world = await startStepWorld();
    const { products } = await world.run('record-consent', recordConsent);
    expect(products).toEqual({
      metaUserId: seed.user.id,
      pageId: seed.page.id,
      pageName: seed.page.name,
      instagramUserId: seed.instagram.id,
    });
  });

  it('makes the tenant wait on the client when a permission was switched off, and names it', async () => {
    world = await startStepWorld({ consent: { deniedScopes: ['ads_management', 'pages_manage_ads'] } });
    const waiting = world.run('record-consent', recordConsent);
    await expect(waiting).rejects.toMatchObject(waitsOnClientFor('permissions'));
    await expect(waiting).rejects.toMatchObject({
      outcome: { wait: { what: expect.stringMatching(/ads_management, pages_manage_ads/) as string } },
    });
  });

  it('does not ask for the catalog permission of a tenant without catalogs', async () => {
    world = await startStepWorld({ consent: { deniedScopes: ['catalog_management'] }, tenant: { skus: ['crm'] } });
    await expect(world.run('record-consent', recordConsent)).resolves.toBeDefined();
  });

  it('makes the tenant wait on the client when no Page was shared', async () => {
    world = await startStepWorld({ consent: { pageIds: [] } });
    await expect(world.run('record-consent', recordConsent)).rejects.toMatchObject(waitsOnClientFor('page'));
  });

  it('makes the tenant wait on the client when the consent was taken back', async () => {
    world = await startStepWorld();
    for (const token of world.simulator.context.tokens.ofOwner(seed.user.id)) token.revokedSubcode = 460;
    await expect(world.run('record-consent', recordConsent)).rejects.toMatchObject(waitsOnClientFor('reconnect'));
  });

  it('makes the tenant wait on the client when the token is gone', async () => {
    world = await startStepWorld();
    world.secrets.delete(secretName.userToken(world.tenant.tenantId));
    await expect(world.run('record-consent', recordConsent)).rejects.toMatchObject(waitsOnClientFor('reconnect'));
  });

  it('makes the tenant wait on the client while the terms are not accepted', async () => {
    world = await startStepWorld({ tenant: { terms: null } });
    await expect(world.run('record-consent', recordConsent)).rejects.toMatchObject(waitsOnClientFor('accept-terms'));
  });
});
