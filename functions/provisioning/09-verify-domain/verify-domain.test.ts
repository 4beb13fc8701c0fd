import { afterEach, describe, expect, it } from 'vitest';
import { publishDnsRecord } from '../../../test/faults/simulated-client.ts';
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
