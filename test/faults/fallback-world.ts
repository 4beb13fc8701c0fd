/**
 * Tenants on the fallback path and their migration, under the control of {@link OnboardingWorld}: Google's services
 * embedded, Meta simulated, PRE-10 pending until a test says otherwise.
 */
import type { Firestore } from '@google-cloud/firestore';
import { paths } from '../../shared/contracts/documents.ts';
import type { Tenant } from '../../shared/contracts/documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import type { PathSetting } from '../../shared/domain/provisioning-path.ts';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { createSecretStore } from '../../shared/gcp/secret-store.ts';
import type { SecretStore, SecretVersions } from '../../shared/gcp/secret-store.ts';
import { createSecretsInUse } from '../../shared/gcp/secrets-in-use.ts';
import { startEmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';
import { startEmbeddedSecretManager } from '../local/google/secret-manager/embedded-secret-manager.ts';
import { GraphCaller } from '../simulator/graph-caller.ts';
import { seed } from '../simulator/seed.ts';
import { startSimulator } from '../simulator/server.ts';
import type { Simulator } from '../simulator/server.ts';
import { OnboardingWorld, seedConnectedTenant } from './onboarding-world.ts';
import { publishDnsRecord, userTokenOf } from './simulated-client.ts';

export interface FallbackWorld {
  readonly db: Firestore;
  readonly simulator: Simulator;
  readonly graph: GraphCaller;
  readonly clock: { now: Date };
  /** Everything as new; PRE-10 pending. */
  reset(pathSetting?: PathSetting): OnboardingWorld;
  /** A client with a Page of their own has just connected. */
  connect(world: OnboardingWorld, slug: string, facts?: Partial<Tenant>): Promise<void>;
  grantPre10(): Promise<void>;
  close(): Promise<void>;
}

const projectId = 'kobi-fallback';
const startedAt = '2026-11-23T10:00:00.000Z';

export async function startFallbackWorld(): Promise<FallbackWorld> {
  const clock = { now: new Date(startedAt) };
  const now = (): Date => clock.now;
  const firestore = await startEmbeddedFirestore({ projectId });
  const secretManager = await startEmbeddedSecretManager();
  const simulator = await startSimulator({ port: 0, now });
  process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host;
  const db = connectFirestore(projectId);
  const graph = new GraphCaller(simulator.url);
  const worlds: OnboardingWorld[] = [];
  const stores: SecretStore[] = [];
  const openSecrets = (): SecretStore & SecretVersions => {
    const store = createSecretStore({
      projectId,
      emulatorHost: secretManager.host,
      now,
      inUse: createSecretsInUse(db),
    });
    stores.push(store);
    return store;
  };
  const secrets = openSecrets();
  await secrets.add(secretName.appSecret, seed.appSecret, {});
  await secrets.add(secretName.parentToken, seed.parentSystemUserToken, {});
  const connected = new Set<string>();
  let forTenants: SecretStore = secrets;

  return {
    db,
    simulator,
    graph,
    clock,
    reset(pathSetting = 'auto') {
      firestore.clear();
      simulator.reset();
      clock.now = new Date(startedAt);
      forTenants = openSecrets();
      const { appId, parentBusinessId, extendedCreditId } = seed;
      const world = new OnboardingWorld({
        db,
        openSecrets,
        graphUrl: simulator.url,
        kobi: { appId, parentBusinessId, extendedCreditId },
        clock,
        pathSetting,
        publishDns: (what) => publishDnsRecord(simulator.url, what),
      });
      worlds.push(world);
      return world;
    },
    async connect(world, slug, facts = {}) {
      const { users } = await graph.control<{ users: { id: string; pages: { id: string }[] }[] }>('POST', '/users', {
        name: `Owner of ${slug}`,
        pages: [{ name: slug, instagram: slug }],
      });
      const [owner] = users;
      if (owner === undefined) throw new Error('the simulator made no person');
      if (connected.has(slug)) {
        await forTenants.destroyAll(secretName.systemToken(slug));
        await forTenants.destroyAll(secretName.relayKey(slug));
      }
      connected.add(slug);
      await forTenants.add(secretName.userToken(slug), await userTokenOf(simulator.url, owner.id), {});
      const connection = { metaUserId: owner.id, pageId: owner.pages[0]?.id ?? null };
      await seedConnectedTenant(db, { slug, domains: [], ...facts }, connection, clock.now);
      await db.doc(paths.readiness()).set({ pre2: true, pre8: true, pre10: false });
      world.connect(slug);
    },
    async grantPre10() {
      await db.doc(paths.readiness()).set({ pre10: true }, { merge: true });
    },
    async close() {
      await Promise.all(worlds.map((world) => world.close()));
      await Promise.all(stores.map((store) => store.close()));
      await db.terminate();
      await Promise.all([firestore.close(), secretManager.close(), simulator.close()]);
    },
  };
}
