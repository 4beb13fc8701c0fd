/** What outlives every process: Google's services, Meta, public DNS, the clients, and Cloud Scheduler, all over the wire. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Firestore } from '@google-cloud/firestore';
import { secretName } from '../../../shared/domain/naming.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { RunControl } from '../../../shared/gcp/run-control.ts';
import { createSecretStore } from '../../../shared/gcp/secret-store.ts';
import { seedConnectedTenant } from '../../faults/connected-tenant.ts';
import { userTokenOf } from '../../faults/simulated-client.ts';
import { startDnsServer } from '../../local/dns-server.ts';
import { functionEnvironment, googleLibraryEnvironment } from '../../local/environment.ts';
import { startEmbeddedCloudTasks } from '../../local/google/cloud-tasks/embedded-cloud-tasks.ts';
import { startEmbeddedPubsub } from '../../local/google/pubsub/embedded-pubsub.ts';
import { startEmbeddedSecretManager } from '../../local/google/secret-manager/embedded-secret-manager.ts';
import type { FunctionFolder } from '../../local/manifests.ts';
import { createPlatformSecrets, createQueue, createTopicsAndSubscriptions } from '../../local/platform.ts';
import { seed } from '../../simulator/seed.ts';
import { startSimulator } from '../../simulator/server.ts';
import type { Simulator } from '../../simulator/server.ts';
import type { World } from '../canonical-state.ts';
import { worldOfTenant } from './tenant-slice.ts';
import { WitnessedFirestore } from './witness.ts';

const projectId = 'kobi-local';
const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
const nobody = '127.0.0.1:1';

export interface SharedWorld {
  readonly firestore: WitnessedFirestore;
  readonly simulator: Simulator;
  /** The proof's own client. */
  readonly db: Firestore;
  /** A process's environment, with a port of its own to the database. */
  environmentOf(process: string): Promise<{ environment: Record<string, string>; release: () => Promise<void> }>;
  /** A client who has just connected: a person and a Page of their own. */
  connectTenant(slug: string): Promise<void>;
  isLive(slug: string): boolean;
  /** The tenant's documents, secrets and objects at Meta, and no other's. */
  worldOf(slug: string): World;
  /** Whether `tenant-live` was told of the tenant. */
  wasTold(slug: string): boolean;
  /** Late messages and tasks arrive, and nothing is under way any more. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** @param hostUrl where Pub/Sub, Cloud Tasks and Cloud Scheduler find the functions */
export async function openSharedWorld(
  hostUrl: string,
  functions: readonly FunctionFolder[],
  leaseMs: number,
): Promise<SharedWorld> {
  const firestore = new WitnessedFirestore(projectId);
  const own = await firestore.serve('the proof');
  const pubsub = await startEmbeddedPubsub({ projectId });
  const secretManager = await startEmbeddedSecretManager({
    publish: (topic, message) => pubsub.publish(topic, message),
  });
  const cloudTasks = await startEmbeddedCloudTasks();
  const simulator = await startSimulator({ logLimit: 1_000 });
  const dns = await startDnsServer(async (name) => [...(simulator.store.dns.get(name) ?? [])]);
  const { appId, parentBusinessId, loginConfigId, extendedCreditId, appSecret, parentSystemUserToken } = seed;
  const environment = {
    ...functionEnvironment(
      { STEP_LEASE_MS: String(leaseMs), LOG_LEVEL: 'warn', PROVISIONING_PATH: 'two-tier' },
      { appId, parentBusinessId, loginConfigId, extendedCreditId },
      {
        projectId,
        host: hostUrl,
        graph: simulator.url,
        dialog: simulator.url,
        firestore: own.address,
        pubsub: pubsub.host,
        secretManager: secretManager.host,
        cloudTasks: cloudTasks.host,
        storage: `http://${nobody}`,
        bigQuery: nobody,
        ga4: nobody,
        dns: dns.host,
      },
    ),
    ...googleLibraryEnvironment,
  };
  Object.assign(process.env, environment);
  await createTopicsAndSubscriptions(projectId, functions, hostUrl);
  await createQueue(projectId, environment.FUNCTION_REGION, cloudTasks.host);
  await createPlatformSecrets(projectId, secretManager.host, { appSecret, parentToken: parentSystemUserToken });
  const db = connectFirestore(projectId);
  const now = (): Date => new Date();
  const publisher = createPublisher(projectId);
  const outbox = new Outbox(db, publisher);
  const control = new RunControl({ db, outbox, now, leaseMs });
  const secrets = createSecretStore({ projectId, emulatorHost: secretManager.host, now });

  const over = new AbortController();
  const every = async (ms: number, act: () => Promise<unknown>): Promise<void> => {
    while (!over.signal.aborted) {
      // What goes wrong in one round (its process was killed) is left to the next.
      await act().catch(() => undefined);
      await sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);
    }
  };
  const schedule = (job: string): Promise<unknown> =>
    every(1_000, () => fetch(`${hostUrl}/${job}`, { method: 'POST', signal: AbortSignal.timeout(10_000) }));
  /** Clients publish the DNS records they were told of, and the step looks again. */
  const actAsClients = async (): Promise<void> => {
    for (const { tenantId, runId, step, state, wait } of firestore.steps()) {
      if (state !== 'waiting' || wait?.for !== 'dns-record') continue;
      for (const [, domain = '', txt = ''] of wait.what.matchAll(/(\S+) TXT "([^"]+)"/g)) {
        simulator.store.publishTxt(domain, txt);
        simulator.store.lookForTxt(domain);
      }
      await outbox.deliver(await control.wake({ tenantId, runId, step }, 'redrive', 'client', traceparent));
    }
  };
  const running = [schedule('outbox-sweeper'), schedule('resume-waits'), every(300, actAsClients)];
  const persons = new Map<string, string>();

  return {
    firestore,
    simulator,
    db,
    async environmentOf(name) {
      const server = await firestore.serve(name);
      return {
        environment: { ...environment, FIRESTORE_EMULATOR_HOST: server.address },
        release: () => server.close(),
      };
    },
    async connectTenant(slug) {
      const website = `https://${slug}.example`;
      const page = { name: `Page of ${slug}`, website, instagram: `insta.${slug}` };
      const person = simulator.store.addPerson({ name: `Person of ${slug}`, pages: [page] }, Date.now());
      const [pageId = ''] = person.pageTasks.keys();
      persons.set(slug, person.id);
      const userToken = await userTokenOf(simulator.url, person.id);
      const userTokenVersion = await secrets.add(secretName.userToken(slug), userToken, {});
      const connection = { metaUserId: person.id, pageId, userTokenVersion };
      await seedConnectedTenant(db, { slug, domains: [`${slug}.example`] }, connection, now());
      await publisher.publish({
        eventId: `${slug}:connected:1`,
        type: 'tenant-connected',
        version: 1,
        tenantId: slug,
        at: now().toISOString(),
        traceparent,
        data: { connection: 1 },
      });
    },
    isLive: (slug) => firestore.statusOf(slug) === 'live',
    worldOf: (slug) =>
      worldOfTenant(slug, persons.get(slug) ?? '', {
        documents: firestore.dump(),
        nodes: [...simulator.store.nodes.values()],
        secrets: Object.fromEntries(
          secretManager
            .dump()
            .map(({ name, versions }) => [
              name.split('/').at(-1) ?? name,
              versions.filter(({ state }) => state === 'ENABLED').length,
            ]),
        ),
      }),
    wasTold: (slug) => pubsub.published('tenant-live').some(({ data }) => data.includes(`"tenantId":"${slug}"`)),
    async settle() {
      for (let quiet = 0; quiet < 3;) {
        const late = await cloudTasks.runDue(3_600_000);
        await pubsub.settled();
        await sleep(500);
        quiet = late === 0 && pubsub.outstanding() === 0 ? quiet + 1 : 0;
      }
    },
    async close() {
      over.abort();
      await Promise.all(running);
      await Promise.all([db.terminate(), publisher.close(), secrets.close()]);
      await dns.close();
      await Promise.all([simulator.close(), cloudTasks.close(), secretManager.close(), pubsub.close(), own.close()]);
    },
  };
}
