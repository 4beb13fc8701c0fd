/** The services of `fault-services.ts` over the wire: Google's clients over gRPC, the Graph client over HTTP. */
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { createSecretStore } from '../../shared/gcp/secret-store.ts';
import type { SecretStore, SecretVersions } from '../../shared/gcp/secret-store.ts';
import { createSecretsInUse } from '../../shared/gcp/secrets-in-use.ts';
import { startEmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';
import { startEmbeddedSecretManager } from '../local/google/secret-manager/embedded-secret-manager.ts';
import { startSimulator } from '../simulator/server.ts';
import { epoch, faultProjectId as projectId, faultServices } from './fault-services.ts';
import type { FaultServices } from './fault-services.ts';

export async function startWireServices(): Promise<FaultServices> {
  const clock = { now: new Date(epoch) };
  const firestore = await startEmbeddedFirestore({ projectId });
  const secretManager = await startEmbeddedSecretManager();
  const simulator = await startSimulator({ port: 0, now: () => clock.now });
  process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host;
  const db = connectFirestore(projectId);
  const readers: SecretStore[] = [];
  const openSecrets = (): SecretStore & SecretVersions => {
    const reader = createSecretStore({
      projectId,
      emulatorHost: secretManager.host,
      now: () => clock.now,
      inUse: createSecretsInUse(db),
    });
    readers.push(reader);
    return reader;
  };
  return faultServices({
    firestore,
    secretManager,
    simulator,
    db,
    clock,
    openSecrets,
    perProcess: { openSecrets },
    async close() {
      await Promise.all(readers.map((reader) => reader.close()));
      await db.terminate();
      await Promise.all([firestore.close(), secretManager.close(), simulator.close()]);
    },
  });
}
