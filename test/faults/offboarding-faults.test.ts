import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { paths } from '../../shared/contracts/documents.ts';
import { erasureRules } from '../../shared/contracts/erasure.ts';
import { teardownSchema } from '../../shared/contracts/teardown-documents.ts';
import { verifyAuditTrail } from '../../shared/gcp/audit-trail.ts';
import { readDocument } from '../../shared/gcp/firestore.ts';
import { createRelayBreaker } from '../../shared/gcp/relay-breaker.ts';
import { TenantStore } from '../../shared/gcp/tenant-store.ts';
import { seed } from '../simulator/seed.ts';
import { nothingCanSpend, usableSecrets } from './ended-tenant.ts';
import { startInProcessServices } from './in-process-services.ts';
import type { InProcessServices } from './in-process-services.ts';
import type { Delivery } from './messages-in-flight.ts';
import type { OnboardingWorld } from './onboarding-world.ts';
import { canary, plantedFor, replayOf } from './planted-documents.ts';

const tenantId = 'acme-shop';
/** Begins with the same letters, so that a careless range query would take it too. */
const neighbourId = 'acme-shop-two';
const once: Delivery = { times: 1, reversed: false };

let services: InProcessServices;
beforeAll(async () => {
  services = await startInProcessServices();
});
afterAll(() => services.close());

/** A live tenant with a running campaign and a document under every path, and a neighbour's documents beside. */
async function liveWorld(onLogLine?: (line: string) => void): Promise<OnboardingWorld> {
  const world = await services.connectedWorld(tenantId, onLogLine && { onLogLine });
  await world.run(tenantId, once);
  expect((await world.tenant(tenantId))?.status).toBe('live');
  const { store } = services.simulator;
  const account = store.all('ad_account')[0];
  store.add({
    kind: 'campaign',
    id: store.newId('campaign'),
    accountId: account?.accountId ?? '',
    businessId: account?.businessId ?? '',
    name: 'Autumn',
    objective: 'OUTCOME_SALES',
    status: 'ACTIVE',
    createdAtMs: 0,
  });
  const plant = async (path: string, data: Record<string, unknown>): Promise<void> => {
    await services.db.doc(path).set(data);
  };
  for (const planted of Object.values(plantedFor(tenantId))) if (planted !== null) await plant(...planted);
  await plant(paths.replay('shared'), replayOf([tenantId, neighbourId], '2026-11-20T10:00:00.000Z'));
  await plant(paths.outboxMessage('neighbour'), {
    eventId: 'neighbour',
    topic: 'tenant-live',
    source: paths.tenant(neighbourId),
    json: '{}',
    createdAt: '2026-11-20T10:00:00.000Z',
  });
  await plant(paths.deadLetter('neighbour'), { tenantId: neighbourId });
  return world;
}

/** What is left in Firestore, without what says that there was a tenant of this slug and that it ended. */
function remainsOf(): string[] {
  const kept = ['auditHeads', 'audit'].map((name) => `tenants/${tenantId}/${name}/`);
  return Object.keys(services.firestore.dump()).filter(
    (path) =>
      !kept.some((start) => path.startsWith(start)) &&
      ![paths.teardown(tenantId), paths.relayBreaker(tenantId), paths.readiness()].includes(path) &&
      !path.includes('neighbour') &&
      path !== paths.replay('shared'),
  );
}

async function expectOffboarded(world: OnboardingWorld, at: string): Promise<void> {
  expect(nothingCanSpend(services.simulator), at).toEqual([]);
  expect(services.simulator.store.parent.childIds, `${at}: child businesses of the parent`).toEqual([]);
  expect(usableSecrets(services.secretManager, tenantId), at).toEqual([]);
  expect(remainsOf(), at).toEqual([]);
  expect(await verifyAuditTrail(services.db, tenantId), at).toEqual([]);
  const teardown = readDocument(await services.db.doc(paths.teardown(tenantId)).get(), teardownSchema);
  expect(teardown, at).toMatchObject({ state: 'done', lease: null });
  expect(teardown?.left.map(({ object }) => object).toSorted(), at).toEqual(['ad account', 'catalog', 'dataset']);
  expect(await world.tenant(tenantId), at).toBeUndefined();
}

describe('a live tenant that was offboarded', () => {
  const { page, user } = seed;
  const hidden = [canary, 'Acme Shop', new URL(page.website).hostname, user.id, page.id, page.name, 'owner'];
  const lines: string[] = [];
  let secret: string[];
  let before: string;
  let world: OnboardingWorld;

  beforeAll(async () => {
    world = await liveWorld((line) => lines.push(line));
    secret = services.secretManager
      .dump()
      .flatMap(({ name, versions }) =>
        name.includes(tenantId) ? versions.flatMap(({ payload }) => payload ?? []) : [],
      );
    before = JSON.stringify(services.firestore.dump());
    await world.offboard(tenantId);
    await world.deliverAll(once);
  }, 60_000);
  afterAll(() => world.close());

  it('spends nothing, has no token and is in no document', async () => {
    await expectOffboarded(world, 'offboarded');
  });

  it('is found by no scan of Firestore, secrets and logs', () => {
    const after = JSON.stringify(services.firestore.dump());
    expect(secret).toHaveLength(2);
    for (const word of hidden) expect(before, `${word} was there to be erased`).toContain(word);
    expect(hidden.filter((word) => after.includes(word))).toEqual([]);
    const everything = after + JSON.stringify(services.secretManager.dump()) + lines.join('\n');
    expect(lines.length).toBeGreaterThan(20);
    expect(secret.filter((text) => everything.includes(text))).toEqual([]);
    expect(lines.join('\n')).not.toContain(canary);
  });

  it('leaves the neighbour whose slug begins alike what is the neighbour’s', () => {
    const dump = services.firestore.dump();
    expect(dump[paths.replay('shared')]).toMatchObject({ tenantIds: [neighbourId] });
    expect(Object.keys(dump).filter((path) => path.includes('neighbour'))).toHaveLength(2);
  });

  it('lets go of its events that are still on their way, whatever anybody finds mended', async () => {
    const breaker = createRelayBreaker(services.db, { now: () => services.clock.now });
    expect(await breaker.ask(tenantId)).toEqual({ kind: 'gone' });
    expect(await breaker.close(tenantId, 'token-check')).toBe(false);
    expect(await breaker.ask(tenantId)).toEqual({ kind: 'gone' });
  });

  it('never frees its slug', async () => {
    const tenants = new TenantStore({
      db: services.db,
      outbox: { add: () => Promise.reject(new Error('unused')) as never },
      now: () => services.clock.now,
    });
    const facts = {
      slug: tenantId,
      name: 'Another',
      planId: 'starter',
      vertical: 'ecommerce',
      country: 'TR',
      currency: 'TRY',
      timezone: 'Europe/Istanbul',
    } as const;
    expect(await tenants.create({ ...facts, skus: [], domains: [] }, 'ada')).toEqual({ kind: 'retired' });
  });
});

describe('an offboarding', () => {
  it('asked for twice, with every message three times and in reverse, ends the same', async () => {
    const world = await liveWorld();
    await world.offboard(tenantId);
    await world.offboard(tenantId);
    await world.run(tenantId, { times: 3, reversed: true });
    await world.offboard(tenantId);
    await world.run(tenantId, once);
    await expectOffboarded(world, 'three times');
    await world.close();
  });

  it('killed after any of its calls to Meta, ends the same', async () => {
    const measured = await liveWorld();
    const before = measured.graphCalls;
    await measured.offboard(tenantId);
    await measured.run(tenantId, once);
    const calls = measured.graphCalls - before;
    await measured.close();
    expect(calls).toBeGreaterThan(8);
    for (let call = 1; call <= calls; call += 3) {
      const world = await liveWorld();
      world.crashAfter(call);
      await world.offboard(tenantId);
      await world.run(tenantId, once);
      expect(world.processes, `call ${call} of ${calls}`).toBe(2);
      await expectOffboarded(world, `killed after call ${call} of ${calls}`);
      await world.close();
    }
  }, 120_000);

  it('whose every write to Meta loses its answer, ends the same', async () => {
    const world = await liveWorld();
    for (const method of ['POST', 'DELETE'] as const) {
      for (const path of ['/{id}', '/{id}/owned_businesses', '/{id}/subscribed_apps']) {
        services.simulator.faults.plant({ method, path, lostResponse: true, times: 2 });
      }
    }
    await world.offboard(tenantId);
    await world.run(tenantId, once);
    await expectOffboarded(world, 'answers lost');
    await world.close();
  });
});

describe('an offboarding that meets trouble at Meta', () => {
  it('goes on with the rest, erases the tenant, and lists what a person must do', async () => {
    const world = await liveWorld();
    const refused = { code: 100, message: 'Invoices are open', httpStatus: 400 };
    services.simulator.faults.plant({ method: 'DELETE', path: '/{id}/owned_businesses', times: 0, error: refused });
    await world.offboard(tenantId);
    await world.run(tenantId, once);
    expect(nothingCanSpend(services.simulator)).toEqual([]);
    expect(remainsOf()).toEqual([]);
    const teardown = readDocument(await services.db.doc(paths.teardown(tenantId)).get(), teardownSchema);
    expect(teardown?.left).toContainEqual(
      expect.objectContaining({ object: 'child business', what: expect.stringContaining('invoices') as string }),
    );
    await world.close();
  });

  it('because the child’s token died, mints another with the parent’s and pauses the campaigns', async () => {
    const world = await liveWorld();
    const { tokens, store } = services.simulator.context;
    for (const token of tokens.all()) if (token.businessId !== store.seed.parentBusinessId) token.revokedSubcode = 467;
    await world.offboard(tenantId);
    await world.run(tenantId, once);
    await expectOffboarded(world, 'dead token');
    await world.close();
  });
});

it('every path has a rule of erasure, and every rule that erases names documents that exist under it', () => {
  expect(Object.keys(erasureRules).toSorted()).toEqual(Object.keys(paths).toSorted());
});
