import { afterEach, describe, expect, it } from 'vitest';
import { publishDnsRecord } from '../../../test/faults/simulated-client.ts';
import { GraphCaller } from '../../../test/simulator/graph-caller.ts';
import { startStepWorld } from '../../../test/provisioning/step-world.ts';
import type { StepWorld } from '../../../test/provisioning/step-world.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';
import { verifyDomain } from './verify-domain.ts';

let world: StepWorld;
afterEach(() => world.close());

const waitOf = async (): Promise<Waiting['outcome']['wait']> => {
  const thrown: unknown = await world.run('verify-domain', verifyDomain).catch((error: unknown) => error);
  if (!(thrown instanceof Waiting)) throw new Error('it does not wait');
  return thrown.outcome.wait;
};

describe('verify-domain', () => {
  it.each(['lower', 'upper'] as const)(
    'tells the client the record to publish, and is done once Meta counts the domain as verified (%s case)',
    async (domain_status_spelling) => {
      world = await startStepWorld({ switches: { domain_status_spelling } });
      await world.prepare('create-system-user');
      const wait = await waitOf();
      expect(wait).toMatchObject({ on: 'client', for: 'dns-record' });
      expect(wait.what).toMatch(/acme\.example TXT "facebook-domain-verification=\w+"/);
      await publishDnsRecord(world.simulator.url, wait.what);
      const { products } = await world.run('verify-domain', verifyDomain);
      expect(products.verifiedDomains).toEqual(world.tenant.domains);
    },
  );

  it('goes on waiting for Meta, and no longer for the client, once the record is public', async () => {
    world = await startStepWorld({ switches: { domain_verifies_itself: false } });
    await world.prepare('create-system-user');
    const wait = await waitOf();
    expect(wait).toMatchObject({ on: 'client', expiresAfterMs: 30 * 24 * 60 * 60 * 1000 });
    expect(wait.what).toContain('Public DNS shows no TXT record of acme.example yet.');
    await publishDnsRecord(world.simulator.url, wait.what);
    expect(await waitOf()).toMatchObject({ on: 'meta', for: 'domain-check' });
    await new GraphCaller(world.simulator.url).control('POST', '/domains/verify', { domain: 'acme.example' });
    const { products } = await world.run('verify-domain', verifyDomain);
    expect(products.verifiedDomains).toEqual(world.tenant.domains);
  });

  it("does not take another party's verification record for ours", async () => {
    world = await startStepWorld();
    await world.prepare('create-system-user');
    await publishDnsRecord(world.simulator.url, 'acme.example TXT "facebook-domain-verification=someoneelse"');
    const wait = await waitOf();
    expect(wait).toMatchObject({ on: 'client', for: 'dns-record' });
    expect(wait.what).toContain('add this one beside it');
  });

  it('says where the code is to be found when Meta does not show it', async () => {
    world = await startStepWorld({ switches: { domain_shows_code: false } });
    await world.prepare('create-system-user');
    const wait = await waitOf();
    expect(wait).toMatchObject({ on: 'kobi', for: 'domain-code' });
    expect(wait.what).toContain('Update a DNS TXT record');
  });

  it('waits on Kobi when Meta does not list the domain, because no API can add it', async () => {
    world = await startStepWorld({ switches: { domain_listing: 'ui_only' } });
    await world.prepare('create-system-user');
    expect(await waitOf()).toMatchObject({ on: 'kobi', for: 'domain-listing' });
  });

  it('a verified domain of the same ending does not count for another one', async () => {
    world = await startStepWorld({ tenant: { domains: ['evil-acme.example'] } });
    await world.prepare('create-system-user');
    expect(await waitOf()).toMatchObject({ on: 'kobi', for: 'domain-listing' });
  });
});
