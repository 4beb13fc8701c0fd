/** Tenants on the fallback path and their migration: PRE-10 is pending until a test says otherwise. */
import type { Firestore } from '@google-cloud/firestore';
import { paths } from '../../shared/contracts/documents.ts';
import type { Tenant } from '../../shared/contracts/documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import type { PathSetting } from '../../shared/domain/provisioning-path.ts';
import type { SecretStore } from '../../shared/gcp/secret-store.ts';
import { GraphCaller } from '../simulator/graph-caller.ts';
import { seed } from '../simulator/seed.ts';
import type { Simulator } from '../simulator/server.ts';
import { startFaultServices } from './fault-services.ts';
import type { FaultServices } from './fault-services.ts';
import { OnboardingWorld, seedConnectedTenant } from './onboarding-world.ts';
import { publishDnsRecord, userTokenOf } from './simulated-client.ts';

export interface FallbackWorld {
  readonly db: Firestore;
  readonly simulator: Simulator;
  readonly graph: GraphCaller;
  readonly clock: { now: Date };
  /** Secrets as a new process reads them. */
  openSecrets(): SecretStore;
  /** Everything as new. */
  reset(pathSetting?: PathSetting): OnboardingWorld;
  /** A client with a Page of their own has just connected. */
  connect(world: OnboardingWorld, slug: string, facts?: Partial<Tenant>): Promise<void>;
  /** The same client consents once more. */
  connectAgain(world: OnboardingWorld, slug: string): Promise<void>;
  grantPre10(): Promise<void>;
  close(): Promise<void>;
}

export async function startFallbackWorld(): Promise<FallbackWorld> {
  const services = await startFaultServices();
  const { clock, db, firestore, simulator } = services;
  const openSecrets: FaultServices['openSecrets'] = () => services.openSecrets();
  const graph = new GraphCaller(simulator.url);
  const owners = new Map<string, string>();
  let secrets: SecretStore = openSecrets();

  return {
    db,
    simulator,
    graph,
    clock,
    openSecrets,
    reset(pathSetting = 'auto') {
      firestore.clear();
      simulator.reset();
      clock.now = new Date('2026-11-23T10:00:00.000Z');
      secrets = openSecrets();
      const { appId, parentBusinessId, extendedCreditId } = seed;
      return new OnboardingWorld({
        db,
        openSecrets,
        graphUrl: simulator.url,
        kobi: { appId, parentBusinessId, extendedCreditId },
        clock,
        pathSetting,
        publishDns: (what) => publishDnsRecord(simulator.url, what),
      });
    },
    async connect(world, slug, facts = {}) {
      const { users } = await graph.control<{ users: { id: string; pages: { id: string }[] }[] }>('POST', '/users', {
        name: `Owner of ${slug}`,
        pages: [{ name: slug, instagram: slug }],
      });
      const [owner] = users;
      if (owner === undefined) throw new Error('the simulator made no person');
      if (owners.has(slug)) {
        await secrets.destroyAll(secretName.systemToken(slug));
        await secrets.destroyAll(secretName.relayKey(slug));
      }
      owners.set(slug, owner.id);
      const token = await userTokenOf(simulator.url, owner.id);
      const userTokenVersion = await secrets.add(secretName.userToken(slug), token, {});
      const connection = { metaUserId: owner.id, pageId: owner.pages[0]?.id ?? null, userTokenVersion };
      await seedConnectedTenant(db, { slug, domains: [], ...facts }, connection, clock.now);
      await db.doc(paths.readiness()).set({ pre2: true, pre8: true, pre10: false });
      world.connect(slug);
    },
    async connectAgain(world, slug) {
      await secrets.add(secretName.userToken(slug), await userTokenOf(simulator.url, owners.get(slug)), {});
      world.connect(slug, 2);
    },
    async grantPre10() {
      await db.doc(paths.readiness()).set({ pre10: true }, { merge: true });
    },
    close: () => services.close(),
  };
}
