/** The Google services of the stack: embedded, or Google's own emulators where Google has them. */
import { randomBytes } from 'node:crypto';
import { PubSub } from '@google-cloud/pubsub';
import { ttlCollectionGroups } from '../../shared/contracts/documents.ts';
import { findGoogleEmulator } from '../contracts/google-emulators.ts';
import { startEmbeddedBigQuery } from './google/bigquery/embedded-bigquery.ts';
import type { EmbeddedBigQuery } from './google/bigquery/embedded-bigquery.ts';
import { startEmbeddedCloudTasks } from './google/cloud-tasks/embedded-cloud-tasks.ts';
import type { EmbeddedCloudTasks } from './google/cloud-tasks/embedded-cloud-tasks.ts';
import { startEmbeddedFirestore } from './google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from './google/firestore/embedded-firestore.ts';
import { startEmbeddedGa4 } from './google/ga4/embedded-ga4.ts';
import type { EmbeddedGa4 } from './google/ga4/embedded-ga4.ts';
import { startEmbeddedPubsub } from './google/pubsub/embedded-pubsub.ts';
import type { EmbeddedPubsub } from './google/pubsub/embedded-pubsub.ts';
import { startEmbeddedSecretManager } from './google/secret-manager/embedded-secret-manager.ts';
import type { EmbeddedSecretManager } from './google/secret-manager/embedded-secret-manager.ts';
import { startEmbeddedStorage } from './google/storage/embedded-storage.ts';
import type { EmbeddedStorage } from './google/storage/embedded-storage.ts';
import type { Notification } from './google/secret-manager/notifications.ts';

export interface GoogleServices {
  readonly projectId: string;
  readonly hosts: {
    readonly firestore: string;
    readonly pubsub: string;
    readonly secretManager: string;
    /** With its scheme. */
    readonly storage: string;
    readonly cloudTasks: string;
    /** With its scheme. */
    readonly bigQuery: string;
    readonly ga4: string;
  };
  /** What tests look into; Google's emulators cannot be looked into. */
  readonly firestore: EmbeddedFirestore | undefined;
  readonly pubsub: EmbeddedPubsub | undefined;
  readonly secretManager: EmbeddedSecretManager;
  readonly cloudTasks: EmbeddedCloudTasks;
  readonly storage: EmbeddedStorage;
  readonly bigQuery: EmbeddedBigQuery;
  readonly ga4: EmbeddedGa4;
  close(): Promise<void>;
}

/** `--emulators google` was asked for and one of them is not there; the message says how to get it. */
export class EmulatorMissing extends Error {
  override readonly name = 'EmulatorMissing';
}

/** Publishes to Google's emulator. Like Secret Manager, it goes on when a notification cannot be published. */
function publishTo(
  host: string,
  projectId: string,
  closers: (() => Promise<void> | void)[],
): (topic: string, message: Notification) => void {
  const pubsub = new PubSub({ projectId, apiEndpoint: host, emulatorMode: true });
  closers.push(() => pubsub.close());
  return (topic, message) => {
    pubsub
      .topic(topic)
      .publishMessage(message)
      .catch((error: unknown) => process.stderr.write(`no notification of a secret: ${String(error)}\n`));
  };
}

const ttl = ttlCollectionGroups.map((collectionGroup) => ({ collectionGroup, field: 'expireAt' }));

/** @throws EmulatorMissing */
export async function startGoogleServices(emulators: 'embedded' | 'google'): Promise<GoogleServices> {
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.toReversed()) await closer();
  };
  try {
    // An emulator of Google's may outlive a run; a project of its own makes every start a fresh one.
    const projectId = emulators === 'embedded' ? 'kobi-local' : `kobi-local-${randomBytes(4).toString('hex')}`;
    const firestore = emulators === 'embedded' ? await startEmbeddedFirestore({ projectId, ttl }) : undefined;
    const pubsub = emulators === 'embedded' ? await startEmbeddedPubsub({ projectId }) : undefined;
    if (firestore !== undefined) closers.push(() => firestore.close());
    if (pubsub !== undefined) closers.push(() => pubsub.close());
    const google = async (service: 'firestore' | 'pubsub'): Promise<string> => {
      const found = await findGoogleEmulator(service);
      if ('reason' in found) throw new EmulatorMissing(`Google's ${service} emulator: ${found.reason}`);
      closers.push(() => found.close());
      return found.host;
    };
    const hosts = {
      firestore: firestore?.host ?? (await google('firestore')),
      pubsub: pubsub?.host ?? (await google('pubsub')),
    };
    const secretManager = await startEmbeddedSecretManager({
      publish:
        pubsub === undefined
          ? publishTo(hosts.pubsub, projectId, closers)
          : (topic, message) => pubsub.publish(topic, message),
    });
    closers.push(() => secretManager.close());
    const cloudTasks = await startEmbeddedCloudTasks();
    closers.push(() => cloudTasks.close());
    const storage = await startEmbeddedStorage();
    closers.push(() => storage.close());
    const bigQuery = await startEmbeddedBigQuery();
    closers.push(() => bigQuery.close());
    const ga4 = await startEmbeddedGa4();
    closers.push(() => ga4.close());
    return {
      projectId,
      hosts: {
        ...hosts,
        secretManager: secretManager.host,
        cloudTasks: cloudTasks.host,
        storage: storage.url,
        bigQuery: bigQuery.url,
        ga4: ga4.host,
      },
      firestore,
      pubsub,
      secretManager,
      cloudTasks,
      storage,
      bigQuery,
      ga4,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
