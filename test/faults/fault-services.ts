/** What a test of an onboarding's faults runs on: Google's services, Meta, one clock, and tenants in a clean world. */
import type { Firestore } from '@google-cloud/firestore';
import { paths } from '../../shared/contracts/documents.ts';
import type { Tenant } from '../../shared/contracts/documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { createSecretStore } from '../../shared/gcp/secret-store.ts';
import type { SecretStore, SecretVersions } from '../../shared/gcp/secret-store.ts';
import { createSecretsInUse } from '../../shared/gcp/secrets-in-use.ts';
import { startEmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';
import { startEmbeddedSecretManager } from '../local/google/secret-manager/embedded-secret-manager.ts';
import type { EmbeddedSecretManager } from '../local/google/secret-manager/embedded-secret-manager.ts';
import { seed } from '../simulator/seed.ts';
import { startSimulator } from '../simulator/server.ts';
import type { Simulator } from '../simulator/server.ts';
import { OnboardingWorld, seedConnectedTenant } from './onboarding-world.ts';
import { acceptPageRequest, publishDnsRecord, userTokenOf } from './simulated-client.ts';

const projectId = 'kobi-faults';

export interface FaultServices {
  readonly firestore: EmbeddedFirestore;
  readonly secretManager: EmbeddedSecretManager;
  readonly simulator: Simulator;
  readonly db: Firestore;
  readonly clock: { now: Date };
  /** A reader that remembers nothing yet, as a new process has it. */
  openSecrets(): SecretStore & SecretVersions;
  /** A clean world with a tenant that has just connected, and the message about it on its way. */
  connectedWorld(
    tenantId: string,
    facts?: Partial<Tenant>,
    onLogLine?: (line: string) => void,
  ): Promise<OnboardingWorld>;
  /** The client consents once more in Facebook's dialog. */
  consentAgain(tenantId: string): Promise<void>;
  close(): Promise<void>;
}

export async function startFaultServices(): Promise<FaultServices> {
  const clock = { now: new Date(0) };
  const firestore = await startEmbeddedFirestore({ projectId });
  const secretManager = await startEmbeddedSecretManager();
  const simulator = await startSimulator({ port: 0, now: () => clock.now });
  process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host;
  const db = connectFirestore(projectId);
  const readers: SecretStore[] = [];
  const openSecrets = (): SecretStore & SecretVersions => {
    const emulatorHost = secretManager.host;
    const reader = createSecretStore({
      projectId,
      emulatorHost,
      now: () => clock.now,
      inUse: createSecretsInUse(db),
    });
    readers.push(reader);
    return reader;
  };
  const secrets = openSecrets();
  await secrets.add(secretName.appSecret, seed.appSecret, {});
  await secrets.add(secretName.parentToken, seed.parentSystemUserToken, {});

  return {
    firestore,
    secretManager,
    simulator,
    db,
    clock,
    openSecrets,
    async connectedWorld(tenantId, changes = {}, onLogLine) {
      firestore.clear();
      // Before the simulator: it takes the age of what it plants from this clock.
      clock.now = new Date('2026-11-23T10:00:00.000Z');
      simulator.reset();
      await secrets.destroyAll(secretName.systemToken(tenantId));
      await secrets.destroyAll(secretName.relayKey(tenantId));
      const userTokenVersion = await secrets.add(secretName.userToken(tenantId), await userTokenOf(simulator.url), {});
      const tenant = { slug: tenantId, domains: [new URL(seed.page.website).hostname], ...changes };
      await seedConnectedTenant(
        db,
        tenant,
        { metaUserId: seed.user.id, pageId: seed.page.id, userTokenVersion },
        clock.now,
      );
      const { appId, parentBusinessId, extendedCreditId } = seed;
      const world = new OnboardingWorld({
        db,
        openSecrets,
        graphUrl: simulator.url,
        kobi: { appId, parentBusinessId, extendedCreditId },
        clock,
        ...(onLogLine && { onLogLine }),
        publishDns: (what) => publishDnsRecord(simulator.url, what),
        acceptPage: () => acceptPageRequest(simulator),
      });
      world.connect(tenantId);
      return world;
    },
    async consentAgain(tenantId) {
      const version = await secrets.add(secretName.userToken(tenantId), await userTokenOf(simulator.url), {});
      await db.doc(paths.tenant(tenantId)).update({ 'connection.userTokenVersion': version });
    },
    async close() {
      await Promise.all(readers.map((reader) => reader.close()));
      await db.terminate();
      await Promise.all([firestore.close(), secretManager.close(), simulator.close()]);
    },
  };
}
