import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { paths, runSchema } from '../../shared/contracts/documents.ts';
import { verifyAuditTrail } from '../../shared/gcp/audit-trail.ts';
import { readDocument } from '../../shared/gcp/firestore.ts';
import { startFaultServices } from './fault-services.ts';
import type { FaultServices } from './fault-services.ts';

const tenantId = 'acme-shop';
const once = { times: 1, reversed: false };

let services: FaultServices;
beforeAll(async () => {
  services = await startFaultServices();
});
afterAll(() => services.close());

/** Every object that Meta made in answer to this run, by the ids it gave them. */
function madeAtMeta(): string[] {
  const { store } = services.simulator;
  return [
    ...store.all('business').flatMap(({ id, parentId }) => (parentId === undefined ? [] : [id])),
    ...(['credit_allocation', 'ad_account', 'pixel', 'catalog'] as const).flatMap((kind) =>
      store.all(kind).map(({ id }) => id),
    ),
  ];
}

describe('a run cancelled while a call to Meta is on its way', () => {
  let graphCalls = 0;
  beforeAll(async () => {
    const world = await services.connectedWorld(tenantId);
    await world.run(tenantId, once);
    ({ graphCalls } = world);
    await world.close();
  });

  it('makes no other, records what the late answer says, and comes to rest', async () => {
    expect(graphCalls).toBeGreaterThan(25);
    for (let call = 1; call <= graphCalls; call += 4) {
      const world = await services.connectedWorld(tenantId);
      world.cancelDuring(call, tenantId);
      await world.run(tenantId, once);
      const steps = await world.steps(tenantId);
      const at = `cancelled during call ${call} of ${graphCalls}`;
      expect(world.graphCalls, at).toBe(call);
      expect(
        steps.filter(({ lease, state, wakeAt }) => lease !== null || (wakeAt !== null && state !== 'done')),
        at,
      ).toEqual([]);
      expect(
        steps.map(({ state }) => state).filter((state) => !['done', 'cancelled'].includes(state)),
        at,
      ).toEqual([]);
      expect((await world.tenant(tenantId))?.status, at).toBe('cancelled');
      const recorded = JSON.stringify(steps.map(({ effects }) => effects));
      expect(
        madeAtMeta().filter((id) => !recorded.includes(id)),
        at,
      ).toEqual([]);
      expect(await world.outboxSize(), at).toBe(0);
      expect(await verifyAuditTrail(services.db, tenantId), at).toEqual([]);
      await world.close();
    }
  }, 120_000);
});

describe('a cancelled run', () => {
  it('is not opened again by a late copy of the connection it began with, but by a new one', async () => {
    const world = await services.connectedWorld(tenantId);
    world.cancelDuring(5, tenantId);
    await world.run(tenantId, once);
    world.connect(tenantId, 1);
    await world.run(tenantId, once);
    expect((await world.tenant(tenantId))?.currentRunId).toBe('run-1');
    services.clock.now = new Date(services.clock.now.getTime() + 60_000);
    world.connect(tenantId, 2);
    await world.run(tenantId, once);
    expect((await world.tenant(tenantId))?.currentRunId).toBe('run-2');
    expect((await world.tenant(tenantId))?.status).toBe('live');
    expect(services.simulator.store.all('business')).toHaveLength(2);
    const first = readDocument(await services.db.doc(paths.run(tenantId, 'run-1')).get(), runSchema);
    expect(first).toMatchObject({ state: 'cancelled', cancellation: { by: 'ada', reason: 'the client left' } });
    await world.close();
  });
});
