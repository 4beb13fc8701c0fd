import type { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import type { SecretInUse } from '../contracts/token-documents.ts';
import { hasGrpcStatus } from './grpc-status.ts';
import { localEndpoint } from './local-endpoint.ts';
import { googleUniverse } from './universe.ts';

/** One version of a secret: its number, as Secret Manager counts, and its text. */
export interface SecretVersion {
  readonly version: string;
  readonly value: string;
}

export interface SecretStore {
  /**
   * The version readers are to use, or undefined when there is none: the chosen one where one was chosen, otherwise the
   * newest. Read at most once per `cacheMs`; a version that was just added here is seen at once.
   */
  latest(secretId: string): Promise<SecretVersion | undefined>;
  /** Adds a version, creating the secret with its labels when it does not exist. Returns the version's number. */
  add(secretId: string, value: string, labels: Record<string, string>): Promise<string>;
  /** Makes every version of the secret, up to `upTo` when given, unreadable for ever. No error when there is none. */
  destroyAll(secretId: string, upTo?: string): Promise<void>;
  /** Forgets what was read, so that the next read asks Secret Manager. */
  forget(secretId: string): void;
  close(): Promise<void>;
}

/** The versions of a secret one by one, for those who replace them. Nothing here is remembered. */
export interface SecretVersions {
  /** The numbers of the enabled versions, newest first; none when there is no such secret. */
  enabled(secretId: string): Promise<string[]>;
  /** One version's text, or undefined when it is not enabled. Reading by number is strongly consistent at Google. */
  read(secretId: string, version: string): Promise<string | undefined>;
  /** Makes a version unreadable until enabled again. No error when it already is, or is gone. */
  disable(secretId: string, version: string): Promise<void>;
  /** Makes a version unreadable for ever. No error when it already is. */
  destroy(secretId: string, version: string): Promise<void>;
}

export interface SecretStoreOptions {
  readonly projectId: string;
  /** `host:port` of a local Secret Manager; Google's client has no variable of its own for it. */
  readonly emulatorHost?: string | undefined;
  /** The topic that Secret Manager tells about new versions, `projects/P/topics/T`. */
  readonly notificationTopic?: string;
  /**
   * Says which version is in use and whether anything changed (`shared/gcp/secrets-in-use.ts`). With it, what is
   * remembered is held against it every `checkEveryMs`, so that a change reaches every instance that soon; without it,
   * what is remembered is believed for `cacheMs`.
   */
  readonly inUse?: (secretId: string) => Promise<SecretInUse | undefined>;
  readonly cacheMs?: number;
  readonly checkEveryMs?: number;
  readonly now: () => Date;
}

interface Remembered {
  readonly version: SecretVersion;
  readonly untilMs: number;
  readonly revision: number | undefined;
  checkAtMs: number;
}

/**
 * Secrets by name. Values are kept in memory for a short time only and never leave this object except as a return value;
 * nothing here logs.
 */
export function createSecretStore(options: SecretStoreOptions): SecretStore & SecretVersions {
  let opened: Promise<SecretManagerServiceClient> | undefined;
  // Loaded by the first secret: an instance that answers without one starts without it.
  const connected = (): Promise<SecretManagerServiceClient> => (opened ??= connect(options));
  const { cacheMs = 30_000, checkEveryMs = 2_000, inUse } = options;
  const nowMs = (): number => options.now().getTime();
  const remembered = new Map<string, Remembered>();
  const reading = new Map<string, Promise<SecretVersion | undefined>>();
  const parent = `projects/${options.projectId}`;
  const name = (secretId: string): string => `${parent}/secrets/${secretId}`;
  const versionName = (secretId: string, version: string): string => `${name(secretId)}/versions/${version}`;

  const createSecret = async (secretId: string, labels: Record<string, string>): Promise<void> => {
    try {
      await (
        await connected()
      ).createSecret({
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

  const access = async (secretId: string, version: string): Promise<SecretVersion | undefined> => {
    try {
      const [answer] = await (await connected()).accessSecretVersion({ name: versionName(secretId, version) });
      const data = answer.payload?.data;
      if (data === undefined || data === null) return undefined;
      return { version: numberIn(answer.name), value: Buffer.from(data).toString('utf8') };
    } catch (error) {
      if (hasGrpcStatus(error, 'notFound') || hasGrpcStatus(error, 'failedPrecondition')) return undefined;
      throw error;
    }
  };

  const forget = (secretId: string): void => {
    remembered.delete(secretId);
    reading.delete(secretId);
  };

  /** Reads and remembers, unless something was forgotten meanwhile: then what was read may already be old. */
  const refresh = async (secretId: string, mine: () => boolean): Promise<SecretVersion | undefined> => {
    const known = remembered.get(secretId);
    const use = await inUse?.(secretId);
    const checkAtMs = nowMs() + (inUse === undefined ? cacheMs : checkEveryMs);
    if (inUse !== undefined && known !== undefined && known.untilMs > nowMs() && known.revision === use?.revision) {
      known.checkAtMs = checkAtMs;
      return known.version;
    }
    const version = await access(secretId, use?.version ?? 'latest');
    if (!mine()) return version;
    if (version === undefined) remembered.delete(secretId);
    else remembered.set(secretId, { version, untilMs: nowMs() + cacheMs, revision: use?.revision, checkAtMs });
    return version;
  };

  return {
    async latest(secretId) {
      const known = remembered.get(secretId);
      if (known !== undefined && known.checkAtMs > nowMs()) return known.version;
      const underWay = reading.get(secretId);
      if (underWay !== undefined) return underWay;
      const read: Promise<SecretVersion | undefined> = refresh(secretId, () => reading.get(secretId) === read).finally(
        () => {
          if (reading.get(secretId) === read) reading.delete(secretId);
        },
      );
      reading.set(secretId, read);
      return read;
    },

    async add(secretId, value, labels) {
      const addVersion = async (): Promise<string> => {
        const payload = { data: Buffer.from(value) };
        const [added] = await (await connected()).addSecretVersion({ parent: name(secretId), payload });
        forget(secretId);
        return numberIn(added.name);
      };
      try {
        return await addVersion();
      } catch (error) {
        // Only then, so that who adds to secrets that exist needs no right to make others.
        if (!hasGrpcStatus(error, 'notFound')) throw error;
        await createSecret(secretId, labels);
        return await addVersion();
      }
    },

    async destroyAll(secretId, upTo) {
      forget(secretId);
      try {
        const [versions] = await (await connected()).listSecretVersions({ parent: name(secretId) });
        for (const version of versions) {
          const isNewer = upTo !== undefined && Number(numberIn(version.name)) > Number(upTo);
          if (version.name && version.state !== 'DESTROYED' && !isNewer)
            await (await connected()).destroySecretVersion({ name: version.name });
        }
      } catch (error) {
        if (!hasGrpcStatus(error, 'notFound')) throw error;
      }
    },

    async enabled(secretId) {
      try {
        const [versions] = await (
          await connected()
        ).listSecretVersions({ parent: name(secretId), filter: 'state:ENABLED' });
        return versions
          .map((version) => numberIn(version.name))
          .toSorted((left, right) => Number(right) - Number(left));
      } catch (error) {
        if (hasGrpcStatus(error, 'notFound')) return [];
        throw error;
      }
    },

    read: async (secretId, version) => (await access(secretId, version))?.value,

    async disable(secretId, version) {
      forget(secretId);
      await ignoringGone(async () =>
        (await connected()).disableSecretVersion({ name: versionName(secretId, version) }),
      );
    },

    async destroy(secretId, version) {
      forget(secretId);
      await ignoringGone(async () =>
        (await connected()).destroySecretVersion({ name: versionName(secretId, version) }),
      );
    },

    forget,
    close: async () => (await opened)?.close(),
  };
}

async function connect({ projectId, emulatorHost }: SecretStoreOptions): Promise<SecretManagerServiceClient> {
  const { default: library } = await import('@google-cloud/secret-manager');
  return new library.SecretManagerServiceClient({
    projectId,
    ...googleUniverse,
    ...(await localEndpoint(emulatorHost)),
  });
}

function numberIn(versionName: string | null | undefined): string {
  return versionName?.split('/').at(-1) ?? '';
}

async function ignoringGone(change: () => Promise<unknown>): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (!hasGrpcStatus(error, 'notFound') && !hasGrpcStatus(error, 'failedPrecondition')) throw error;
  }
}
