import { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { emulatorEndpoint } from './emulator-endpoint.ts';
import { hasGrpcStatus } from './grpc-status.ts';
import { googleUniverse } from './universe.ts';

/** One version of a secret: its number, as Secret Manager counts, and its text. */
export interface SecretVersion {
  readonly version: string;
  readonly value: string;
}

export interface SecretStore {
  /**
   * The newest usable version, or undefined when there is none. Read at most once per `cacheMs`; a version that was just
   * added here is seen at once.
   */
  latest(secretId: string): Promise<SecretVersion | undefined>;
  /** Adds a version, creating the secret with its labels when it does not exist. Returns the version's number. */
  add(secretId: string, value: string, labels: Record<string, string>): Promise<string>;
  /** Makes every version of the secret unreadable for ever. No error when there is none. */
  destroyAll(secretId: string): Promise<void>;
  /** Forgets what was read, so that the next read asks Secret Manager. */
  forget(secretId: string): void;
  close(): Promise<void>;
}

export interface SecretStoreOptions {
  readonly projectId: string;
  /** `host:port` of a local Secret Manager; Google's client has no variable of its own for it. */
  readonly emulatorHost?: string | undefined;
  /** The topic that Secret Manager tells about new versions, `projects/P/topics/T`. */
  readonly notificationTopic?: string;
  readonly cacheMs?: number;
  readonly now: () => Date;
}

/**
 * Secrets by name. Values are kept in memory for a short time only and never leave this object except as a return value;
 * nothing here logs.
 */
export function createSecretStore(options: SecretStoreOptions): SecretStore {
  const client = new SecretManagerServiceClient({
    projectId: options.projectId,
    ...googleUniverse,
    ...(options.emulatorHost === undefined ? {} : emulatorEndpoint(options.emulatorHost)),
  });
  const cacheMs = options.cacheMs ?? 30_000;
  const cache = new Map<string, { readonly until: number; readonly version: SecretVersion }>();
  const parent = `projects/${options.projectId}`;
  const name = (secretId: string): string => `${parent}/secrets/${secretId}`;

  const createSecret = async (secretId: string, labels: Record<string, string>): Promise<void> => {
    try {
      await client.createSecret({
        parent,
        secretId,
        secret: {
          replication: { automatic: {} },
          labels,
          ...(options.notificationTopic === undefined ? {} : { topics: [{ name: options.notificationTopic }] }),
        },
      });
    } catch (error) {
      if (!hasGrpcStatus(error, 'alreadyExists')) throw error;
    }
  };

  return {
    async latest(secretId) {
      const known = cache.get(secretId);
      if (known !== undefined && known.until > options.now().getTime()) return known.version;
      try {
        const [answer] = await client.accessSecretVersion({ name: `${name(secretId)}/versions/latest` });
        const data = answer.payload?.data;
        if (data === undefined || data === null) return undefined;
        const version = { version: answer.name?.split('/').at(-1) ?? '', value: Buffer.from(data).toString('utf8') };
        cache.set(secretId, { until: options.now().getTime() + cacheMs, version });
        return version;
      } catch (error) {
        if (hasGrpcStatus(error, 'notFound') || hasGrpcStatus(error, 'failedPrecondition')) return undefined;
        throw error;
      }
    },

    async add(secretId, value, labels) {
      await createSecret(secretId, labels);
      const [added] = await client.addSecretVersion({ parent: name(secretId), payload: { data: Buffer.from(value) } });
      cache.delete(secretId);
      return added.name?.split('/').at(-1) ?? '';
    },

    async destroyAll(secretId) {
      cache.delete(secretId);
      try {
        const [versions] = await client.listSecretVersions({ parent: name(secretId) });
        for (const version of versions) {
          if (version.name && version.state !== 'DESTROYED') await client.destroySecretVersion({ name: version.name });
        }
      } catch (error) {
        if (!hasGrpcStatus(error, 'notFound')) throw error;
      }
    },

    forget: (secretId) => void cache.delete(secretId),
    close: () => client.close(),
  };
}
