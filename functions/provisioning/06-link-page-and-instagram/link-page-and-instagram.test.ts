import { afterEach, describe, expect, it } from 'vitest';
import { seed } from '../../../test/simulator/seed.ts';
import { startStepWorld } from '../../../test/provisioning/step-world.ts';
import type { StepWorld } from '../../../test/provisioning/step-world.ts';
import { secretName } from '../../../shared/domain/naming.ts';
import { linkPageAndInstagram } from './link-page-and-instagram.ts';

let world: StepWorld;
afterEach(() => world.close());

describe('link-page-and-instagram', () => {
  it('lets the ad account advertise as the Instagram account, once', async () => {
    world = await startStepWorld();
    await world.prepare('create-ad-account');
    const { products } = await world.run('link-page-and-instagram', linkPageAndInstagram);
    await world.run('link-page-and-instagram', linkPageAndInstagram);
    expect(products).toEqual({ pageLinked: true, instagramLinked: true, instagramIdentity: 'instagram-account' });
    expect(world.created.filter((effect) => effect === 'instagram-authorization')).toHaveLength(1);
  });

  it("destroys the client's token, which nothing needs any more", async () => {
    world = await startStepWorld();
    await world.prepare('create-ad-account');
    expect(world.secrets.has(secretName.userToken(world.tenant.tenantId))).toBe(true);
    await world.run('link-page-and-instagram', linkPageAndInstagram);
    expect(world.secrets.has(secretName.userToken(world.tenant.tenantId))).toBe(false);
  });

  it('goes on as the Page when it has no Instagram account, and says so', async () => {
    world = await startStepWorld();
    const page = world.simulator.store.all('page').find(({ id }) => id === seed.page.id);
    if (page) page.instagramId = undefined;
    await world.prepare('create-ad-account');
    const { products } = await world.run('link-page-and-instagram', linkPageAndInstagram);
    expect(products).toEqual({ pageLinked: true, instagramLinked: false, instagramIdentity: 'page-backed' });
  });

  it('links an Instagram account that the client added after consenting', async () => {
    world = await startStepWorld();
    const page = world.simulator.store.get('page', seed.page.id);
    page.instagramId = undefined;
    await world.prepare('create-ad-account');
    await world.run('link-page-and-instagram', linkPageAndInstagram);
    world.simulator.store.linkInstagram(page, 'acme.later', Date.now());
    const { products } = await world.run('link-page-and-instagram', linkPageAndInstagram);
    expect(products).toMatchObject({ instagramLinked: true, instagramIdentity: 'instagram-account' });
  });
});
