/** The move of a live tenant from the parent business to one of its own, under every fault an onboarding is proven against. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { paths } from '../../shared/contracts/documents.ts';
import type { StepRecord } from '../../shared/contracts/documents.ts';
import { verifyAuditTrail } from '../../shared/gcp/audit-trail.ts';
import { seed } from '../simulator/seed.ts';
import { openEventFlow } from './event-flow.ts';
import { startFallbackWorld } from './fallback-world.ts';
import type { FallbackWorld } from './fallback-world.ts';
import type { Delivery } from './messages-in-flight.ts';
import type { OnboardingWorld } from './onboarding-world.ts';

const tenantId = 'acme-shop';
const secondRun = 'run-1-two-tier';
const once: Delivery = { times: 1, reversed: false };

let fallback: FallbackWorld;
beforeAll(async () => {
  fallback = await startFallbackWorld();
});
afterAll(() => fallback.close());

/** Writes that an onboarding does not make, or makes elsewhere. */
const ofMigrations = new Set([
  'share_pixel_with_agency',
  'assign_pixel_user',
  'share_pixel',
  'update_campaign',
  'update_ad_account',
]);

/** Live on the parent business, with two campaigns, one of them running. */
async function liveOnParent(): Promise<OnboardingWorld> {
  const world = await fallback.reset();
  await fallback.connect(world, tenantId);
  await world.run(tenantId, once);
  const { adAccountId } = (await world.tenant(tenantId))?.assets ?? {};
  for (const status of ['ACTIVE', 'PAUSED']) {
    const campaign = { name: status, objective: 'OUTCOME_SALES', special_ad_categories: [], status };
    await fallback.graph.done(fallback.graph.post(`/${adAccountId}/campaigns`, seed.parentSystemUserToken, campaign));
  }
  return world;
}

/** PRE-10 is granted, and the client has consented again. */
async function migrating(): Promise<OnboardingWorld> {
  const world = await liveOnParent();
  await fallback.grantPre10();
  expect(await world.toTwoTier(tenantId)).toBe('migrating');
  await fallback.connectAgain(world, tenantId);
  return world;
}

/** What is left of a run once everything that may differ between two runs (ids, instants, attempts) is taken out. */
function finalState(steps: readonly StepRecord[]): unknown {
  return steps.map(({ step, state, wait, reason, products, effects }) => ({
    step,
    state,
    wait,
    reason,
    products: Object.keys(products ?? {}).toSorted(),
    effects: Object.entries(effects)
      .map(([name, effect]) => `${name} ${effect.state}`)
      .toSorted(),
  }));
}

async function expectMigrated(world: OnboardingWorld): Promise<unknown> {
  const { store } = fallback.simulator;
  const tenant = await world.tenant(tenantId);
  const accounts = store.all('ad_account');
  const former = accounts.find(({ businessId }) => businessId === seed.parentBusinessId);
  const current = accounts.find(({ businessId }) => businessId !== seed.parentBusinessId);
  expect(accounts).toHaveLength(2);
  expect(store.all('business')).toHaveLength(2);
  expect(store.all('system_user')).toHaveLength(2);
  expect(store.all('credit_allocation')).toHaveLength(1);
  expect(store.all('catalog')).toHaveLength(2);
  const [pixel, ...furtherPixels] = store.all('pixel');
  expect(furtherPixels).toEqual([]);
  expect(pixel?.businessId).toBe(seed.parentBusinessId);
  expect([...(pixel?.sharedAccounts ?? [])]).toEqual([[current?.accountId, current?.businessId]]);
  expect(former?.spendCapMinor).toBe(100n);
  expect(current?.spendCapMinor).toBe(1_500_000n);
  expect(store.all('campaign').map(({ status }) => status)).toEqual(['PAUSED', 'PAUSED']);
  expect(tenant).toMatchObject({
    status: 'live',
    currentRunId: secondRun,
    assets: {
      runId: secondRun,
      operator: 'child',
      businessId: current?.businessId,
      adAccountId: current?.id,
      datasetId: pixel?.id,
    },
  });
  expect((await fallback.db.doc(paths.dataset(pixel?.id ?? '')).get()).get('operator')).toBe('child');
  expect(await world.outboxSize()).toBe(0);
  expect(await verifyAuditTrail(fallback.db, tenantId)).toEqual([]);
  return finalState(await world.steps(tenantId, secondRun));
}

describe('a migration', async () => {
  let expected: unknown;
  /** The operations of the migration's calls to Meta, in order. */
  let calls: string[] = [];

  beforeAll(async () => {
    const world = await migrating();
    const { total } = fallback.simulator.log;
    await world.run(tenantId, once);
    const { entries } = await fallback.graph.control<{ entries: { operation: string }[] }>(
      'GET',
      `/log?after=${total}`,
    );
    calls = entries.map(({ operation }) => operation);
    expected = await expectMigrated(world);
    await world.close();
  });

  it('without any fault ends with every step done', () => {
    const states = (expected as { step: string; state: string }[]).map(({ step, state }) => `${step} ${state}`);
    expect(states.filter((state) => !state.endsWith(' done'))).toEqual([
      'partner-invite skipped',
      'verify-domain skipped',
    ]);
    expect(calls.length).toBeGreaterThan(30);
  });

  it.each([
    { times: 3, reversed: true },
    { times: 3, reversed: true, concurrent: true },
  ])('with every message delivered $times times, concurrent: $concurrent, ends the same', async (delivery) => {
    const world = await migrating();
    expect(await world.toTwoTier(tenantId)).toBe('nothing');
    await world.run(tenantId, delivery);
    expect(await expectMigrated(world)).toEqual(expected);
    await world.close();
  });

  // After every other call: `npm run faults:migration`.
  it('killed after any write that only a migration makes, makes one object of each kind and ends the same', async () => {
    for (const [index, operation] of calls.entries()) {
      if (!ofMigrations.has(operation) && process.env['AFTER_EVERY_CALL'] !== '1') continue;
      const call = index + 1;
      const world = await migrating();
      world.crashAfter(call);
      await world.run(tenantId, once);
      const state = await expectMigrated(world).catch((error: unknown) => {
        throw new Error(`killed after call ${call} of ${calls.length}`, { cause: error });
      });
      expect(state, `call ${call}`).toEqual(expected);
      expect(world.processes, `call ${call}`).toBe(2);
      await world.close();
    }
  }, 1_800_000);

  it('whose every write loses its answer once ends the same', async () => {
    const world = await migrating();
    const edges = ['agencies', 'shared_accounts', 'owned_businesses', 'adaccount', 'assigned_users', 'access_token'];
    for (const edge of edges)
      fallback.simulator.faults.plant({ method: 'POST', path: `/{id}/${edge}`, lostResponse: true });
    fallback.simulator.faults.plant({ method: 'POST', path: '/{id}', times: 3, lostResponse: true });
    await world.run(tenantId, once);
    expect(await expectMigrated(world)).toEqual(expected);
    await world.close();
  });

  it('waits on the client to connect again, the old account untouched and events flowing, for as long as that takes', async () => {
    const world = await liveOnParent();
    await fallback.grantPre10();
    await world.toTwoTier(tenantId);
    await world.deliverAll(once);
    const consent = (await world.steps(tenantId, secondRun)).find(({ step }) => step === 'record-consent');
    expect(consent).toMatchObject({ state: 'waiting', wait: { on: 'client', for: 'reconnect' } });
    const tenant = await world.tenant(tenantId);
    expect(tenant).toMatchObject({ status: 'live', assets: { operator: 'fallback', runId: 'run-1' } });
    expect((await fallback.db.doc(paths.dataset(tenant?.assets?.datasetId ?? '')).get()).get('operator')).toBe(
      'fallback',
    );
    expect(fallback.simulator.store.all('campaign').map(({ status }) => status)).toEqual(['ACTIVE', 'PAUSED']);
    await fallback.connectAgain(world, tenantId);
    await world.run(tenantId, once);
    expect(await expectMigrated(world)).toEqual(expected);
    await world.close();
  });

  it('brings every event of before, meanwhile and after to the same dataset, once, sent by the parent until the child may', async () => {
    const world = await liveOnParent();
    const { simulator, clock } = fallback;
    const { datasetId = '' } = (await world.tenant(tenantId))?.assets ?? {};
    const flow = openEventFlow(fallback, { tenantId, datasetId });
    const [first, second] = [flow.startInstance(), flow.startInstance()];
    const failures: unknown[] = [];
    /** Two events: one is delivered now, three times by instances of different memory; one stays in the queue to the end. */
    const sendAndDeliver = async (when: string): Promise<void> => {
      try {
        await flow.send(`${when}-now`);
        const now = flow.queue.at(-1) ?? '';
        const instances = [first, second, flow.startInstance()];
        if (flow.sent.length % 4 === 1) instances.reverse();
        for (const deliver of instances) await deliver(now);
        await flow.send(`${when}-late`);
      } catch (error) {
        failures.push(error);
      }
    };

    await sendAndDeliver('before');
    await fallback.grantPre10();
    await world.toTwoTier(tenantId);
    await world.deliverAll(once);
    await sendAndDeliver('while-the-client-is-waited-for');
    await fallback.connectAgain(world, tenantId);
    let moment = 0;
    const atEachCall = async (): Promise<void> => {
      await sendAndDeliver(`during-${(moment += 1)}`);
      world.during(1, atEachCall);
    };
    world.during(1, atEachCall);
    await world.run(tenantId, once);
    await sendAndDeliver('just-after');
    for (const json of flow.queue) await first(json);
    clock.now = new Date(clock.now.getTime() + 31_000);
    await sendAndDeliver('after-half-a-minute');
    for (const json of flow.queue) await second(json);

    expect(failures).toEqual([]);
    expect(flow.troubles).toEqual([]);
    expect(moment).toBeGreaterThan(30);
    const arrived = simulator.context.events.retained(datasetId);
    expect(arrived.map(({ event_id: id }) => id ?? '').toSorted()).toEqual(flow.sent.toSorted());
    expect(simulator.context.events.summary(datasetId)).toMatchObject({ rejectedCalls: 0, duplicates: 0 });
    const senders = simulator.log
      .entries()
      .flatMap(({ operation, token }) => (operation === 'send_events' ? token.kind : []));
    expect(senders[0]).toBe('parent');
    expect(senders.at(-1)).toBe('child');
    expect(await expectMigrated(world)).toEqual(expected);
    await flow.close();
    await world.close();
  });

  it.each([
    ['with the business', 'agencies', { code: 200, error_subcode: 1_870_092 }, 'Kobi’s Business settings'],
    ['with the business', 'agencies', { code: 100 }, 'Kobi’s Business settings'],
    ['with the ad account', 'shared_accounts', { code: 100, error_subcode: 33 }, 'connect dataset'],
  ])(
    'whose dataset Meta refuses to share %s waits on Kobi, everything else as it was, and goes on once a person has shared it',
    async (_, edge, error, words) => {
      const world = await migrating();
      const { faults, store } = fallback.simulator;
      faults.plant({ method: 'POST', path: `/{id}/${edge}`, times: 0, error });
      await world.deliverAll(once);
      const pixelStep = (await world.steps(tenantId, secondRun)).find(({ step }) => step === 'create-pixel');
      expect(pixelStep).toMatchObject({
        state: 'waiting',
        wait: { on: 'kobi', for: 'dataset-share', expiresAt: null },
      });
      expect(pixelStep?.wait?.what).toContain(words.replace('’', "'"));
      expect(store.all('campaign').map(({ status }) => status)).toEqual(['ACTIVE', 'PAUSED']);
      const [pixel] = store.all('pixel');
      expect((await fallback.db.doc(paths.dataset(pixel?.id ?? '')).get()).get('operator')).toBe('fallback');
      const child = store.all('business').find(({ id }) => id !== seed.parentBusinessId);
      if (edge === 'agencies') pixel?.agencies.set(child?.id ?? '', ['ADVERTISE', 'ANALYZE', 'EDIT', 'UPLOAD']);
      const account = store.all('ad_account').find(({ businessId }) => businessId === child?.id);
      if (edge === 'shared_accounts') pixel?.sharedAccounts.set(account?.accountId ?? '', child?.id ?? '');
      await world.run(tenantId, once);
      expect(await expectMigrated(world)).toEqual(expected);
      await world.close();
    },
  );

  it('whose dataset was taken back from the child while the client was waited for shares it again before it switches', async () => {
    const world = await migrating();
    const { faults, store } = fallback.simulator;
    faults.plant({ method: 'GET', path: '/{id}/promote_pages', times: 3, error: { code: 2 } });
    await world.deliverAll(once);
    const [pixel] = store.all('pixel');
    const steps = await world.steps(tenantId, secondRun);
    expect(steps.find(({ step }) => step === 'create-pixel')?.state).toBe('done');
    expect(steps.find(({ step }) => step === 'migrate-fallback')?.state).toBe('pending');
    pixel?.agencies.clear();
    pixel?.assigned.clear();
    await world.run(tenantId, once);
    expect(pixel?.agencies.size).toBe(1);
    expect(await expectMigrated(world)).toEqual(expected);
    await world.close();
  });

  it('caps the old account above what it spent where Meta takes no lower cap', async () => {
    const world = await migrating();
    fallback.simulator.context.switches.spend_cap_above_spent = true;
    const [former] = fallback.simulator.store.all('ad_account');
    former!.amountSpentMinor = 123_456n;
    await world.run(tenantId, once);
    expect(former!.spendCapMinor).toBe(135_900n);
    expect((await world.tenant(tenantId))?.assets?.operator).toBe('child');
    await world.close();
  });
});

it('a tenant without an account on the parent goes on on the 2-Tier path when PRE-10 comes, and its old run is over', async () => {
  const world = await fallback.reset();
  fallback.simulator.context.switches.api_account_limit = 0;
  await fallback.connect(world, tenantId, { skus: [] });
  await world.deliverAll(once);
  await fallback.grantPre10();
  fallback.simulator.context.switches.api_account_limit = 5;
  expect(await world.toTwoTier(tenantId)).toBe('restarted');
  expect(await world.toTwoTier(tenantId)).toBe('nothing');
  await world.run(tenantId, { times: 2, reversed: false });
  expect(await world.tenant(tenantId)).toMatchObject({
    status: 'live',
    assets: { operator: 'child', runId: secondRun },
  });
  expect(fallback.simulator.store.all('ad_account').map(({ businessId }) => businessId)).not.toContain(
    seed.parentBusinessId,
  );
  const old = await world.steps(tenantId, 'run-1');
  expect(old.find(({ step }) => step === 'create-ad-account')?.state).toBe('cancelled');
  expect(await verifyAuditTrail(fallback.db, tenantId)).toEqual([]);
  await world.close();
});

it('a tenant on its way to an account on the parent is migrated only once it is live there', async () => {
  const world = await fallback.reset();
  await fallback.connect(world, tenantId, { skus: [] });
  fallback.simulator.faults.plant({ method: 'POST', path: '/{id}/adspixels', times: 0, error: { code: 1 } });
  await world.deliverAll(once);
  await fallback.grantPre10();
  expect(await world.toTwoTier(tenantId)).toBe('not-yet');
  fallback.simulator.faults.clear();
  await world.run(tenantId, once);
  expect((await world.tenant(tenantId))?.assets?.operator).toBe('fallback');
  expect(await world.toTwoTier(tenantId)).toBe('migrating');
  await world.close();
});
