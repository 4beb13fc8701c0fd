/**
 * The same as `fault-services.ts`, all in this process: the product's code over Google's Firestore client and the embedded
 * engine, the real Graph client and the simulator, without sockets, so that thousands of runs fit into minutes. Every place
 * where a process touches the world is a crossing (`process-life.ts`).
 */
import type { Firestore } from '@google-cloud/firestore';
import type { Tenant } from '../../shared/contracts/documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import { createInProcessFirestore } from '../local/google/firestore/in-process-firestore.ts';
import type { FirestoreCall, InProcessFirestore } from '../local/google/firestore/in-process-firestore.ts';
import { seed } from '../simulator/seed.ts';
import { startSimulator } from '../simulator/server.ts';
import type { Simulator } from '../simulator/server.ts';
import { MemorySecrets } from './memory-secrets.ts';
import { OnboardingWorld, seedConnectedTenant } from './onboarding-world.ts';
import type { AtCrossing, ProcessLife } from './process-life.ts';
import { publishDnsRecord, userTokenOf } from './simulated-client.ts';
import { SimulatorDispatcher } from './simulator-dispatcher.ts';

const projectId = 'kobi-faults';

export interface InProcessServices {
  readonly firestore: InProcessFirestore;
  readonly secrets: MemorySecrets;
  readonly simulator: Simulator;
  /** A client that no fault touches. */
  readonly db: Firestore;
  readonly clock: { now: Date };
  /** A clean world with a tenant that has just connected, and the message about it on its way. */
  connectedWorld(
    tenantId: string,
    options?: { atCrossing?: AtCrossing; tenant?: Partial<Tenant> },
  ): Promise<OnboardingWorld>;
  /** A client of its own for a process: every request is a crossing. */
  readonly connect: (life: ProcessLife) => Firestore;
  close(): Promise<void>;
}

export const epoch = '2026-11-23T10:00:00.000Z';

export async function startInProcessServices(): Promise<InProcessServices> {
  const clock = { now: new Date(epoch) };
  const nowMs = (): number => clock.now.getTime();
  const firestore = createInProcessFirestore({ projectId, nowMs, lockIdleMs: 10 });
  const simulator = await startSimulator({ port: 0, now: () => clock.now });
  const secrets = new MemorySecrets();
  const db = firestore.connect();
  const connect = (life: ProcessLife): Firestore =>
    firestore.connect({
      before: (call) => life.cross({ ...crossingOf(call), when: 'before' }),
      after: (call) => life.cross({ ...crossingOf(call), when: 'after' }),
    });

  return {
    firestore,
    secrets,
    simulator,
    db,
    clock,
    connect,
    async connectedWorld(tenantId, { atCrossing, tenant } = {}) {
      firestore.clear();
      secrets.clear();
      // Before the simulator: it takes the age of what it plants from this clock.
      clock.now = new Date(epoch);
      simulator.reset();
      secrets.put(secretName.appSecret, seed.appSecret);
      secrets.put(secretName.parentToken, seed.parentSystemUserToken);
      secrets.put(secretName.userToken(tenantId), await userTokenOf(simulator.url));
      const facts = { slug: tenantId, domains: [new URL(seed.page.website).hostname], ...tenant };
      await seedConnectedTenant(db, facts, { metaUserId: seed.user.id, pageId: seed.page.id }, clock.now);
      const { appId, parentBusinessId, extendedCreditId } = seed;
      const world = new OnboardingWorld({
        db,
        connect,
        openSecrets: (life) => secrets.open(life),
        dispatcher: (life) => new SimulatorDispatcher(() => simulator.context, life),
        graphUrl: simulator.url,
        kobi: { appId, parentBusinessId, extendedCreditId },
        clock,
        publishDns: (what) => publishDnsRecord(simulator.url, what),
        ...(atCrossing && { atCrossing }),
      });
      world.connect(tenantId);
      return world;
    },
    async close() {
      await simulator.close();
    },
  };
}

function crossingOf({ method, request }: FirestoreCall) {
  return { place: 'firestore', name: method, writes: method === 'commit' || method === 'batchWrite', request } as const;
}
