/** Tenants on the fallback path and their migration: PRE-10 is pending until a test says otherwise. */
import type { Firestore } from '@google-cloud/firestore';
import type { Dispatcher } from 'undici';
import { paths } from '../../shared/contracts/documents.ts';
import type { Tenant } from '../../shared/contracts/documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import type { PathSetting } from '../../shared/domain/provisioning-path.ts';
import type { SecretStore, SecretVersions } from '../../shared/gcp/secret-store.ts';
import { GraphCaller } from '../simulator/graph-caller.ts';
import { seed } from '../simulator/seed.ts';
import type { Simulator } from '../simulator/server.ts';
import { epoch, startInProcessServices } from './in-process-services.ts';
import { OnboardingWorld, seedConnectedTenant } from './onboarding-world.ts';
import { ProcessLife } from './process-life.ts';
import { publishDnsRecord, userTokenOf } from './simulated-client.ts';
import { SimulatorDispatcher } from './simulator-dispatcher.ts';

export interface FallbackWorld {
  readonly db: Firestore;
  readonly simulator: Simulator;
  readonly graph: GraphCaller;
  readonly clock: { now: Date };
  /** Secrets as a new process reads them. */
  readonly openSecrets: () => SecretStore & SecretVersions;
  /** Carries a process's calls to Meta. */
  readonly dispatcher: (life?: ProcessLife) => Dispatcher;
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
  const services = await startInProcessServices();
  const { clock, connect, db, firestore, secrets, simulator } = services;
  const graph = new GraphCaller(simulator.url);
  const owners = new Map<string, string>();
  const dispatcher = (life = new ProcessLife()): Dispatcher => new SimulatorDispatcher(() => simulator.context, life);

  return {
    db,
    simulator,
    graph,
    clock,
    openSecrets: () => secrets.open(new ProcessLife()),
    dispatcher,
    reset(pathSetting = 'auto') {
      firestore.clear();
      secrets.clear();
      simulator.reset();
      clock.now = new Date(epoch);
      secrets.put(secretName.appSecret, seed.appSecret);
      secrets.put(secretName.parentToken, seed.parentSystemUserToken);
      const { appId, parentBusinessId, extendedCreditId } = seed;
      return new OnboardingWorld({
        db,
        connect,
        openSecrets: (life) => secrets.open(life),
        dispatcher,
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
      owners.set(slug, owner.id);
      const userTokenVersion = secrets.put(secretName.userToken(slug), await userTokenOf(simulator.url, owner.id));
      const connection = { metaUserId: owner.id, pageId: owner.pages[0]?.id ?? null, userTokenVersion };
      await seedConnectedTenant(db, { slug, domains: [], ...facts }, connection, clock.now);
      await db.doc(paths.readiness()).set({ pre2: true, pre8: true, pre10: false });
      world.connect(slug);
    },
    async connectAgain(world, slug) {
      secrets.put(secretName.userToken(slug), await userTokenOf(simulator.url, owners.get(slug)));
      world.connect(slug, 2);
    },
    async grantPre10() {
      await db.doc(paths.readiness()).set({ pre10: true }, { merge: true });
    },
    close: () => services.close(),
  };
}
