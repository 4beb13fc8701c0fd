import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Firestore } from '@google-cloud/firestore';
import { paths } from '../../shared/contracts/documents.ts';
import type { StepRecord } from '../../shared/contracts/documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import { verifyAuditTrail } from '../../shared/gcp/audit-trail.ts';
import type { EmbeddedSecretManager } from '../local/google/secret-manager/embedded-secret-manager.ts';
import type { Simulator } from '../simulator/server.ts';
import { startFaultServices } from './fault-services.ts';
import type { FaultServices } from './fault-services.ts';
import type { Delivery, OnboardingWorld } from './onboarding-world.ts';
import { metaCensus } from './simulated-client.ts';

const tenantId = 'acme-shop';
const once: Delivery = { times: 1, reversed: false };

let services: FaultServices;
let secretManager: EmbeddedSecretManager;
let simulator: Simulator;
let db: Firestore;
const connectedWorld = (): Promise<OnboardingWorld> => services.connectedWorld(tenantId);

beforeAll(async () => {
  services = await startFaultServices();
  ({ db, secretManager, simulator } = services);
});
afterAll(() => services.close());

/** Every edge the onboarding writes to; the last is the ad account itself, for its spend cap. */
const writtenEdges = [
  '/{id}/owned_businesses',
  '/{id}/access_token',
  '/{id}/owning_credit_allocation_configs',
  '/{id}/adaccount',
  '/{id}/assigned_users',
  '/{id}/subscribed_apps',
  '/{id}/adspixels',
  '/{id}/authorized_adaccounts',
  '/{id}/owned_product_catalogs',
  '/{id}/external_event_sources',
  '/{id}',
];

/** What is left of a run once everything that may differ between two runs (ids, instants, attempts) is taken out. */
function finalState(steps: readonly StepRecord[]): unknown {
  return steps.map(({ step, state, lease, wait, reason, wakeAt, products, effects }) => ({
    step,
    state,
    lease,
    wait,
    reason,
    wakeAt,
    products: Object.keys(products ?? {}).toSorted(),
    effects: Object.entries(effects)
      .map(([name, effect]) => `${name} ${effect.state}`)
      .toSorted(),
  }));
}

async function expectExactlyOnce(world: OnboardingWorld, expected: unknown): Promise<void> {
  expect((await world.tenant(tenantId))?.status).toBe('live');
  expect(finalState(await world.steps(tenantId))).toEqual(expected);
  expect(await metaCensus(simulator.url)).toEqual({
    childBusinesses: 1,
    systemUsers: 1,
    creditAllocations: 1,
    adAccounts: 1,
    pixels: 1,
    catalogs: 1,
    spendCaps: ['1500000'],
  });
  expect(await world.outboxSize()).toBe(0);
  expect(await verifyAuditTrail(db, tenantId)).toEqual([]);
  const usable = secretManager
    .dump()
    .filter(({ name }) => name.includes(tenantId))
    .map(({ name, versions }) => [name.split('/').at(-1), versions.filter(({ state }) => state === 'ENABLED').length]);
  expect(Object.fromEntries(usable)).toEqual({
    [secretName.userToken(tenantId)]: 0,
    [secretName.systemToken(tenantId)]: expect.toBeOneOf([1, 2]) as number,
    [secretName.relayKey(tenantId)]: 1,
  });
}

describe('an onboarding', async () => {
  let expected: unknown;
  let graphCalls = 0;

  beforeAll(async () => {
    const world = await connectedWorld();
    await world.run(tenantId, once);
    expected = finalState(await world.steps(tenantId));
    graphCalls = world.graphCalls;
    await expectExactlyOnce(world, expected);
    await world.close();
  });

  it('without any fault goes live with every step done', () => {
    const states = (expected as { step: string; state: string }[]).map(({ step, state }) => `${step} ${state}`);
    expect(states.filter((state) => !state.endsWith(' done'))).toEqual([
      'partner-invite skipped',
      'migrate-fallback skipped',
    ]);
    expect(graphCalls).toBeGreaterThan(25);
  });

  it.each([
    { times: 3, reversed: false },
    { times: 1, reversed: true },
    { times: 3, reversed: true },
    { times: 3, reversed: true, concurrent: true },
  ])(
    'with every message delivered $times times, reversed: $reversed, concurrent: $concurrent, makes one of each',
    async (delivery) => {
      const world = await connectedWorld();
      await world.run(tenantId, delivery);
      await expectExactlyOnce(world, expected);
      await world.close();
    },
  );

  it('killed after any call to Meta, makes one object of each kind and ends the same', async () => {
    for (let call = 1; call <= graphCalls; call += 1) {
      const world = await connectedWorld();
      world.crashAfter(call);
      await world.run(tenantId, once);
      await expectExactlyOnce(world, expected).catch((error: unknown) => {
        throw new Error(`killed after call ${call} of ${graphCalls}`, { cause: error });
      });
      expect(world.processes, `call ${call}`).toBe(2);
      await world.close();
    }
  }, 240_000);

  it('killed after any call while every message comes three times and in reverse, still makes one of each', async () => {
    for (let call = 2; call <= graphCalls; call += 5) {
      const world = await connectedWorld();
      world.crashAfter(call);
      await world.run(tenantId, { times: 3, reversed: true });
      await expectExactlyOnce(world, expected);
      await world.close();
    }
  }, 120_000);

  it('whose every write loses its answer once makes one object of each kind', async () => {
    const world = await connectedWorld();
    for (const edge of writtenEdges) simulator.faults.plant({ method: 'POST', path: edge, lostResponse: true });
    await world.run(tenantId, once);
    expect(simulator.faults.list().map(({ struck }) => struck)).toEqual(writtenEdges.map(() => 1));
    await expectExactlyOnce(world, expected);
    await world.close();
  });

  it("does not open a second ad account when the first one's answer was lost and Meta's list shows it late", async () => {
    const world = await connectedWorld();
    simulator.faults.plant({ method: 'POST', path: '/{id}/adaccount', lostResponse: true });
    simulator.faults.plant({ method: 'GET', path: '/{id}/owned_ad_accounts', finderBlindMs: 20_000, times: 0 });
    await world.run(tenantId, { times: 3, reversed: false });
    await expectExactlyOnce(world, expected);
    await world.close();
  });
});

it('a tenant whose terms were never accepted waits on the client, and nothing is made at Meta', async () => {
  const world = await connectedWorld();
  await db.doc(paths.tenant(tenantId)).update({ terms: null });
  await world.deliverAll(once);
  const consent = (await world.steps(tenantId)).find(({ step }) => step === 'record-consent');
  expect(consent).toMatchObject({ state: 'waiting', wait: { on: 'client', for: 'accept-terms' } });
  expect(await metaCensus(simulator.url)).toMatchObject({ childBusinesses: 0, adAccounts: 0 });
  await world.close();
});
