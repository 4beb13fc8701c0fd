import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { paths, runSchema } from '../../shared/contracts/documents.ts';
import { teardownSchema } from '../../shared/contracts/teardown-documents.ts';
import type { Teardown } from '../../shared/contracts/teardown-documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import { verifyAuditTrail } from '../../shared/gcp/audit-trail.ts';
import { readDocument } from '../../shared/gcp/firestore.ts';
import { startInProcessServices } from './in-process-services.ts';
import type { InProcessServices } from './in-process-services.ts';
import type { OnboardingWorld } from './onboarding-world.ts';
import { nothingCanSpend, usableSecrets } from './ended-tenant.ts';

const tenantId = 'acme-shop';
const once = { times: 1, reversed: false };
const cancelled = 'cancelled during call';

/** What an undo asks Meta; everything else after a cancel would be the run going on. */
const undoes = [
  'list_child_businesses',
  'list_credit_allocations',
  'list_owned_ad_accounts',
  'list_campaigns',
  'update_campaign',
  'read_ad_account',
  'update_ad_account',
  'list_subscribed_apps',
  'unsubscribe_app',
  'revoke_credit_allocation',
  'oauth_revoke',
];

let services: InProcessServices;
beforeAll(async () => {
  services = await startInProcessServices();
});
afterAll(() => services.close());

/** Every object that Meta made in answer to this run and keeps, by the ids it gave them. */
function madeAtMeta(): string[] {
  const { store } = services.simulator;
  return [
    ...store.all('business').flatMap(({ id, parentId }) => (parentId === undefined ? [] : [id])),
    ...(['ad_account', 'pixel', 'catalog'] as const).flatMap((kind) => store.all(kind).map(({ id }) => id)),
  ];
}

async function undoOf(runId: string): Promise<Teardown | undefined> {
  return readDocument(await services.db.doc(paths.teardown(`${tenantId}.${runId}`)).get(), teardownSchema);
}

async function expectUndone(world: OnboardingWorld, at: string): Promise<void> {
  const steps = await world.steps(tenantId);
  expect(
    steps.filter(({ lease, state, wakeAt }) => lease !== null || (wakeAt !== null && state !== 'done')),
    at,
  ).toEqual([]);
  expect(
    steps.map(({ state }) => state).filter((state) => !['done', 'skipped', 'cancelled'].includes(state)),
    at,
  ).toEqual([]);
  expect((await world.tenant(tenantId))?.status, at).toBe('cancelled');
  expect(nothingCanSpend(services.simulator), at).toEqual([]);
  const undo = await undoOf('run-1');
  expect(undo, at).toMatchObject({ state: 'done', lease: null });
  expect(
    madeAtMeta().filter((id) => !undo?.left.some((left) => left.id === id)),
    `${at}: not listed as left`,
  ).toEqual([]);
  expect(usableSecrets(services.secretManager, tenantId), at).toEqual([]);
  expect((await services.db.collection('datasets').get()).size, at).toBe(0);
  expect(await world.outboxSize(), at).toBe(0);
  expect(await verifyAuditTrail(services.db, tenantId), at).toEqual([]);
}

describe('a run cancelled while a call to Meta is on its way', () => {
  let graphCalls = 0;
  beforeAll(async () => {
    const world = await services.connectedWorld(tenantId);
    await world.run(tenantId, once);
    ({ graphCalls } = world);
    await world.close();
  });

  it('makes no other call but those that undo it, records what the late answer says, and leaves nothing that can spend', async () => {
    expect(graphCalls).toBeGreaterThan(25);
    for (let call = 1; call <= graphCalls; call += 6) {
      const at = `${cancelled} ${call} of ${graphCalls}`;
      const world = await services.connectedWorld(tenantId);
      world.cancelDuring(call, tenantId);
      await world.run(tenantId, once);
      const after = services.simulator.log.entries().slice(-(world.graphCalls - call) || Infinity);
      expect(
        after.map(({ operation }) => operation ?? '').filter((operation) => !undoes.includes(operation)),
        at,
      ).toEqual([]);
      await expectUndone(world, at);
      await world.close();
    }
  }, 120_000);

  it('whose worker dies in that moment, is undone all the same', async () => {
    for (const call of [8, 24]) {
      const world = await services.connectedWorld(tenantId);
      world.cancelDuring(call, tenantId);
      world.crashAfter(call + 1);
      await world.run(tenantId, { times: 2, reversed: true });
      await expectUndone(world, `${cancelled} ${call}, killed after the next`);
      await world.close();
    }
  }, 60_000);
});

describe('the undo of a cancelled run', () => {
  it('killed after any of its calls, ends the same', async () => {
    const measured = await services.connectedWorld(tenantId);
    measured.cancelDuring(30, tenantId);
    await measured.run(tenantId, once);
    const { graphCalls } = measured;
    await measured.close();
    for (let call = 31; call <= graphCalls; call += 3) {
      const world = await services.connectedWorld(tenantId);
      world.cancelDuring(30, tenantId);
      world.crashAfter(call);
      await world.run(tenantId, once);
      expect(world.processes).toBe(2);
      await expectUndone(world, `killed after call ${call} of ${graphCalls}`);
      await world.close();
    }
  }, 120_000);
});

describe('a cancelled run', () => {
  it('is not opened again by a late copy of the connection it began with, but by a new one, with what is there', async () => {
    const world = await services.connectedWorld(tenantId);
    world.cancelDuring(25, tenantId);
    await world.run(tenantId, once);
    world.connect(tenantId, 1);
    await world.run(tenantId, once);
    expect((await world.tenant(tenantId))?.currentRunId).toBe('run-1');

    services.clock.now = new Date(services.clock.now.getTime() + 60_000);
    await services.consentAgain(world, tenantId);
    await world.run(tenantId, once);
    expect(await world.tenant(tenantId)).toMatchObject({ currentRunId: 'run-2', status: 'live' });
    const { store } = services.simulator;
    expect([store.all('business').length, store.all('ad_account').length]).toEqual([2, 1]);
    expect(store.all('ad_account')[0]?.spendCapMinor).toBe(1_500_000n);
    const first = readDocument(await services.db.doc(paths.run(tenantId, 'run-1')).get(), runSchema);
    expect(first).toMatchObject({ state: 'cancelled', cancellation: { by: 'ada', reason: 'the client left' } });
    expect(await services.openSecrets().latest(secretName.relayKey(tenantId))).toBeDefined();
    await world.close();
  });
});
