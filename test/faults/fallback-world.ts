/** Tenants on the fallback path and their migration: PRE-10 is pending until a test says otherwise. */
import type { Dispatcher } from 'undici';
import { paths } from '../../shared/contracts/documents.ts';
import type { Tenant } from '../../shared/contracts/documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import type { PathSetting } from '../../shared/domain/provisioning-path.ts';
import { GraphCaller } from '../simulator/graph-caller.ts';
import type { FaultServices } from './fault-services.ts';
import { startInProcessServices } from './in-process-services.ts';
import { seedConnectedTenant } from './connected-tenant.ts';
import type { OnboardingWorld } from './onboarding-world.ts';
import { ProcessLife } from './process-life.ts';
import { userTokenOf } from './simulated-client.ts';
import { SimulatorDispatcher } from './simulator-dispatcher.ts';

export interface FallbackWorld extends Pick<FaultServices, 'clock' | 'db' | 'openSecrets' | 'simulator'> {
  readonly graph: GraphCaller;
  /** Carries a process's calls to Meta. */
  readonly dispatcher: (life?: ProcessLife) => Dispatcher;
  /** Everything as new. */
  reset(pathSetting?: PathSetting): Promise<OnboardingWorld>;
  /** A client with a Page of their own has just connected. */
  connect(world: OnboardingWorld, slug: string, facts?: Partial<Tenant>): Promise<void>;
  /** The same client consents once more. */
  connectAgain(world: OnboardingWorld, slug: string): Promise<void>;
  grantPre10(): Promise<void>;
  close(): Promise<void>;
}

export async function startFallbackWorld(): Promise<FallbackWorld> {
  const services = await startInProcessServices();
  const { clock, db, openSecrets, simulator } = services;
  const graph = new GraphCaller(simulator.url);
  const dispatcher = (life = new ProcessLife()): Dispatcher => new SimulatorDispatcher(() => simulator.context, life);
  const owners = new Map<string, string>();
  const addUserToken = async (slug: string): Promise<string> =>
    openSecrets().add(secretName.userToken(slug), await userTokenOf(simulator.url, owners.get(slug)), {});

  return {
    clock,
    db,
    openSecrets,
    simulator,
    graph,
    dispatcher,
    reset: (pathSetting) => services.cleanWorld(pathSetting && { pathSetting }),
    async connect(world, slug, facts = {}) {
      const { users } = await graph.control<{ users: { id: string; pages: { id: string }[] }[] }>('POST', '/users', {
        name: `Owner of ${slug}`,
        pages: [{ name: slug, instagram: slug }],
      });
      const [owner] = users;
      if (owner === undefined) throw new Error('the simulator made no person');
      owners.set(slug, owner.id);
      const userTokenVersion = await addUserToken(slug);
      const connection = { metaUserId: owner.id, pageId: owner.pages[0]?.id ?? null, userTokenVersion };
      await seedConnectedTenant(db, { slug, domains: [], ...facts }, connection, clock.now);
      await db.doc(paths.readiness()).set({ pre2: true, pre8: true, pre10: false });
      world.connect(slug);
    },
    async connectAgain(world, slug) {
      await world.connectAgain(slug, await addUserToken(slug));
    },
    async grantPre10() {
      await db.doc(paths.readiness()).set({ pre10: true }, { merge: true });
    },
    close: () => services.close(),
  };
}
