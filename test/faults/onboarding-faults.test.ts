import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { paths } from '../../shared/contracts/documents.ts';
import type { StepRecord } from '../../shared/contracts/documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import { verifyAuditTrail } from '../../shared/gcp/audit-trail.ts';
import type { FaultServices } from './fault-services.ts';
import { startInProcessServices } from './in-process-services.ts';
import type { Delivery } from './messages-in-flight.ts';
import type { OnboardingWorld } from './onboarding-world.ts';
import { metaCensus } from './simulated-client.ts';
import { startWireServices } from './wire-services.ts';

const tenantId = 'acme-shop';
const once: Delivery = { times: 1, reversed: false };

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

async function expectExactlyOnce(services: FaultServices, world: OnboardingWorld, expected: unknown): Promise<void> {
  const { db, secretManager, simulator } = services;
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

/** Every fault in one process; over the wire, where a run costs five times as much, a few of each kind. */
const ways = [
  {
    way: 'in one process',
    start: startInProcessServices as () => Promise<FaultServices>,
    deliveries: [
      { times: 3, reversed: false },
      { times: 1, reversed: true },
      { times: 3, reversed: true },
      { times: 3, reversed: true, concurrent: true },
    ],
    killedAfterEvery: 1,
  },
  {
    way: 'over the wire',
    start: startWireServices,
    deliveries: [{ times: 3, reversed: true, concurrent: true }],
    killedAfterEvery: 15,
  },
];

describe.each(ways)('an onboarding $way', ({ start, deliveries, killedAfterEvery }) => {
  let services: FaultServices;
  let expected: unknown;
  let graphCalls = 0;
  const connectedWorld = (): Promise<OnboardingWorld> => services.connectedWorld(tenantId);

  beforeAll(async () => {
    services = await start();
    const world = await connectedWorld();
    await world.run(tenantId, once);
    expected = finalState(await world.steps(tenantId));
    graphCalls = world.graphCalls;
    await expectExactlyOnce(services, world, expected);
    await world.close();
  });
  afterAll(() => services.close());

  it('without any fault goes live with every step done', () => {
    const states = (expected as { step: string; state: string }[]).map(({ step, state }) => `${step} ${state}`);
    expect(states.filter((state) => !state.endsWith(' done'))).toEqual([
      'partner-invite skipped',
      'migrate-fallback skipped',
    ]);
    expect(graphCalls).toBeGreaterThan(25);
  });

  it.each(deliveries)(
    'with every message delivered $times times, reversed: $reversed, concurrent: $concurrent, makes one of each',
    async (delivery) => {
      const world = await connectedWorld();
      await world.run(tenantId, delivery);
      await expectExactlyOnce(services, world, expected);
      await world.close();
    },
  );

  it('killed after any call to Meta, makes one object of each kind and ends the same', async () => {
    for (let call = 1; call <= graphCalls; call += killedAfterEvery) {
      const world = await connectedWorld();
      world.crashAfter(call);
      await world.run(tenantId, once);
      await expectExactlyOnce(services, world, expected).catch((error: unknown) => {
        throw new Error(`killed after call ${call} of ${graphCalls}`, { cause: error });
      });
      expect(world.processes, `call ${call}`).toBe(2);
      await world.close();
    }
  }, 120_000);

  it('killed after any call while every message comes three times and in reverse, still makes one of each', async () => {
    for (let call = 2; call <= graphCalls; call += 5 * killedAfterEvery) {
      const world = await connectedWorld();
      world.crashAfter(call);
      await world.run(tenantId, { times: 3, reversed: true });
      await expectExactlyOnce(services, world, expected);
      await world.close();
    }
  }, 120_000);

  it('whose every write loses its answer once makes one object of each kind', async () => {
    const world = await connectedWorld();
    const { faults } = services.simulator;
    for (const edge of writtenEdges) faults.plant({ method: 'POST', path: edge, lostResponse: true });
    await world.run(tenantId, once);
    expect(faults.list().map(({ struck }) => struck)).toEqual(writtenEdges.map(() => 1));
    await expectExactlyOnce(services, world, expected);
    await world.close();
  });

  it("does not open a second ad account when the first one's answer was lost and Meta's list shows it late", async () => {
    const world = await connectedWorld();
    const { faults } = services.simulator;
    faults.plant({ method: 'POST', path: '/{id}/adaccount', lostResponse: true });
    faults.plant({ method: 'GET', path: '/{id}/owned_ad_accounts', finderBlindMs: 20_000, times: 0 });
    await world.run(tenantId, { times: 3, reversed: false });
    await expectExactlyOnce(services, world, expected);
    await world.close();
  });

  it('whose terms were never accepted waits on the client, and nothing is made at Meta', async () => {
    const world = await connectedWorld();
    await services.db.doc(paths.tenant(tenantId)).update({ terms: null });
    await world.deliverAll(once);
    const consent = (await world.steps(tenantId)).find(({ step }) => step === 'record-consent');
    expect(consent).toMatchObject({ state: 'waiting', wait: { on: 'client', for: 'accept-terms' } });
    expect(await metaCensus(services.simulator.url)).toMatchObject({ childBusinesses: 0, adAccounts: 0 });
    await world.close();
  });
});
