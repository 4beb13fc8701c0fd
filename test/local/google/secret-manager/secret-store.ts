import { randomBytes } from 'node:crypto';
import { GrpcCode, GrpcError } from '../grpc-service.ts';
import { wireMs, type LocalClock, type WireDuration, type WireTimestamp } from '../local-clock.ts';
import { crc32c } from './crc32c.ts';
import type { SecretEvent } from './notifications.ts';

/** The fields of google.cloud.secretmanager.v1.Secret that a caller may set. */
export type SecretSettings = {
  replication?: { automatic?: object | null; userManaged?: object | null } | null;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  topics?: { name: string }[];
  versionAliases?: Record<string, string>;
  expireTime?: WireTimestamp | null;
  ttl?: WireDuration | null;
  rotation?: object | null;
  versionDestroyTtl?: WireDuration | null;
};

export type VersionState = 'ENABLED' | 'DISABLED' | 'DESTROYED';

export type SecretVersion = {
  readonly name: string;
  readonly number: number;
  readonly createTimeMs: number;
  readonly clientSpecifiedPayloadChecksum: boolean;
  destroyTimeMs?: number;
  state: VersionState;
  etag: string;
  /** Gone once destroyed. */
  payload?: Buffer;
};

export type Secret = {
  readonly name: string;
  readonly createTimeMs: number;
  readonly replication: object;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  topics: { name: string }[];
  versionAliases: Record<string, string>;
  expireTimeMs?: number;
  etag: string;
  /** Oldest first; version n is at n - 1. */
  readonly versions: SecretVersion[];
};

const maxPayloadBytes = 65_536;
const mutableFields: ReadonlySet<string> = new Set([
  'labels',
  'annotations',
  'topics',
  'versionAliases',
  'expireTime',
  'ttl',
]);

/** Secrets, their versions and states, by Secret Manager's rules and error messages. */
export class SecretStore {
  readonly #clock: LocalClock;
  readonly #onEvent: (event: SecretEvent) => void;
  readonly #secrets = new Map<string, Secret>();
  readonly #cancelExpiry = new Map<string, () => void>();

  constructor(clock: LocalClock, onEvent: (event: SecretEvent) => void) {
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  create(parent: string, secretId: string, settings: SecretSettings): Secret {
    if (!/^projects\/[^/]+(\/locations\/[^/]+)?$/.test(parent)) throw invalid(`Invalid parent [${parent}].`);
    if (!/^[\w-]{1,255}$/.test(secretId))
      throw invalid(`Invalid secret id [${secretId}]: letters, digits, _ and -, up to 255.`);
    if (!settings.replication?.automatic && !settings.replication?.userManaged) {
      throw invalid('Field [secret.replication] is required.');
    }
    if (settings.rotation || settings.versionDestroyTtl) {
      throw new GrpcError(
        GrpcCode.UNIMPLEMENTED,
        'The embedded Secret Manager has no rotation and no delayed destruction.',
      );
    }
    const name = `${parent}/secrets/${secretId}`;
    if (this.#secrets.has(name)) throw new GrpcError(GrpcCode.ALREADY_EXISTS, `Secret [${name}] already exists.`);
    const secret: Secret = {
      name,
      createTimeMs: this.#clock.nowMs(),
      replication: settings.replication,
      labels: settings.labels ?? {},
      annotations: settings.annotations ?? {},
      topics: checkTopics(settings.topics ?? []),
      versionAliases: {},
      etag: newEtag(),
      versions: [],
    };
    if (Object.keys(settings.versionAliases ?? {}).length > 0)
      throw invalid('A secret without versions can have no version alias.');
    this.#setExpiry(secret, settings);
    this.#secrets.set(name, secret);
    this.#onEvent({ type: 'SECRET_CREATE', secret });
    return secret;
  }

  get(name: string): Secret {
    const secret = this.#secrets.get(name);
    if (!secret) throw new GrpcError(GrpcCode.NOT_FOUND, `Secret [${name}] not found.`);
    return secret;
  }

  /** Newest first, as Google lists. */
  list(parent: string): Secret[] {
    return this.all()
      .filter(({ name }) => name.startsWith(`${parent}/secrets/`))
      .toReversed();
  }

  all(): Secret[] {
    return [...this.#secrets.values()];
  }

  /** Forgets everything, and tells nobody. */
  clear(): void {
    for (const cancel of this.#cancelExpiry.values()) cancel();
    this.#cancelExpiry.clear();
    this.#secrets.clear();
  }

  /** Changes the named fields. Throws INVALID_ARGUMENT for one that cannot change, FAILED_PRECONDITION for another etag. */
  update(name: string, etag: string, settings: SecretSettings, fields: readonly string[]): Secret {
    const secret = this.get(name);
    checkEtag(secret, etag);
    const immutable = fields.find((field) => !mutableFields.has(field));
    if (immutable !== undefined) throw invalid(`Field [${immutable}] cannot be updated.`);
    const named = new Set(fields);
    const versionAliases = named.has('versionAliases')
      ? checkAliases(secret, settings.versionAliases ?? {})
      : undefined;
    const topics = named.has('topics') ? checkTopics(settings.topics ?? []) : undefined;
    if (named.has('labels')) secret.labels = settings.labels ?? {};
    if (named.has('annotations')) secret.annotations = settings.annotations ?? {};
    if (named.has('expireTime') || named.has('ttl')) this.#setExpiry(secret, settings);
    if (versionAliases) secret.versionAliases = versionAliases;
    if (topics) secret.topics = topics;
    secret.etag = newEtag();
    this.#onEvent({ type: 'SECRET_UPDATE', secret });
    return secret;
  }

  delete(name: string, etag: string): void {
    const secret = this.get(name);
    checkEtag(secret, etag);
    this.#remove(secret, 'REQUESTED');
  }

  /** Adds an enabled version. Throws INVALID_ARGUMENT for an over-large payload or one that is not what the checksum says. */
  addVersion(name: string, payload: Buffer, dataCrc32c: string | undefined): SecretVersion {
    const secret = this.get(name);
    if (payload.length === 0) throw invalid('Field [payload.data] is required.');
    if (payload.length > maxPayloadBytes) {
      throw invalid(`The secret payload may have at most ${maxPayloadBytes} bytes, this one has ${payload.length}.`);
    }
    if (dataCrc32c !== undefined && Number(dataCrc32c) !== crc32c(payload)) {
      throw invalid('The checksum in [payload.data_crc32c] does not match the payload data.');
    }
    const number = secret.versions.length + 1;
    const version: SecretVersion = {
      name: `${name}/versions/${number}`,
      number,
      createTimeMs: this.#clock.nowMs(),
      clientSpecifiedPayloadChecksum: dataCrc32c !== undefined,
      state: 'ENABLED',
      etag: newEtag(),
      payload,
    };
    secret.versions.push(version);
    this.#onEvent({ type: 'SECRET_VERSION_ADD', secret, version });
    return version;
  }

  /** By number, by alias, or `latest`: the newest whatever its state, as at Google. */
  version(name: string): SecretVersion {
    const [, secretName = '', wanted = ''] = /^(.+)\/versions\/([^/]+)$/.exec(name) ?? [];
    const secret = this.#secrets.get(secretName);
    const number = Number(secret?.versionAliases[wanted] ?? wanted);
    const version = wanted === 'latest' ? secret?.versions.at(-1) : secret?.versions[number - 1];
    if (version) return version;
    throw new GrpcError(
      GrpcCode.NOT_FOUND,
      wanted === 'latest'
        ? `Secret [${secretName}] not found or has no versions.`
        : `Secret Version [${name}] not found.`,
    );
  }

  /** The payload of an enabled version; FAILED_PRECONDITION for any other. */
  access(name: string): { version: SecretVersion; payload: Buffer; dataCrc32c: number } {
    const version = this.version(name);
    if (version.state !== 'ENABLED' || !version.payload) throw inState(version);
    return { version, payload: version.payload, dataCrc32c: crc32c(version.payload) };
  }

  /** Moves a version to a state; destroying is final and forgets the payload. */
  setState(name: string, etag: string, state: VersionState): SecretVersion {
    const version = this.version(name);
    checkEtag(version, etag);
    if (version.state === 'DESTROYED') throw inState(version);
    version.state = state;
    version.etag = newEtag();
    if (state === 'DESTROYED') {
      version.destroyTimeMs = this.#clock.nowMs();
      delete version.payload;
    }
    const secret = this.get(version.name.slice(0, version.name.lastIndexOf('/versions/')));
    this.#onEvent({ type: stateEvents[state], secret, version });
    return version;
  }

  #setExpiry(secret: Secret, settings: SecretSettings): void {
    this.#cancelExpiry.get(secret.name)?.();
    this.#cancelExpiry.delete(secret.name);
    delete secret.expireTimeMs;
    const expireTimeMs = settings.expireTime
      ? wireMs(settings.expireTime)
      : settings.ttl
        ? this.#clock.nowMs() + wireMs(settings.ttl)
        : undefined;
    if (expireTimeMs === undefined) return;
    if (expireTimeMs <= this.#clock.nowMs()) throw invalid('Field [secret.expire_time] must be in the future.');
    secret.expireTimeMs = expireTimeMs;
    this.#cancelExpiry.set(
      secret.name,
      this.#clock.at(expireTimeMs, () => this.#remove(secret, 'EXPIRATION')),
    );
  }

  #remove(secret: Secret, deleteType: 'REQUESTED' | 'EXPIRATION'): void {
    this.#cancelExpiry.get(secret.name)?.();
    this.#cancelExpiry.delete(secret.name);
    this.#secrets.delete(secret.name);
    this.#onEvent({ type: 'SECRET_DELETE', secret, deleteType });
  }
}

const stateEvents = {
  ENABLED: 'SECRET_VERSION_ENABLE',
  DISABLED: 'SECRET_VERSION_DISABLE',
  DESTROYED: 'SECRET_VERSION_DESTROY',
} as const;

function checkTopics(topics: { name: string }[]): { name: string }[] {
  if (topics.length > 10) throw invalid('A secret may have at most 10 topics.');
  for (const { name } of topics)
    if (!/^projects\/[^/]+\/topics\/[^/]+$/.test(name)) throw invalid(`Invalid topic [${name}].`);
  return topics;
}

function checkAliases(secret: Secret, aliases: Record<string, string>): Record<string, string> {
  for (const [alias, number] of Object.entries(aliases)) {
    if (!/^[A-Za-z][\w-]{0,62}$/.test(alias) || alias === 'latest' || alias === 'NEW')
      throw invalid(`Invalid version alias [${alias}].`);
    if (!secret.versions[Number(number) - 1])
      throw invalid(`Version alias [${alias}] names version [${number}], which does not exist.`);
  }
  return aliases;
}

/** Quotes included, as Google's are. */
function newEtag(): string {
  return `"${randomBytes(7).toString('hex')}"`;
}

function checkEtag(resource: { readonly name: string; readonly etag: string }, etag: string): void {
  if (etag !== '' && etag !== resource.etag) {
    throw new GrpcError(
      GrpcCode.FAILED_PRECONDITION,
      `The etag provided in the request [${etag}] does not match the current etag of [${resource.name}].`,
    );
  }
}

function inState(version: SecretVersion): GrpcError {
  return new GrpcError(GrpcCode.FAILED_PRECONDITION, `Secret Version [${version.name}] is in ${version.state} state.`);
}

function invalid(message: string): GrpcError {
  return new GrpcError(GrpcCode.INVALID_ARGUMENT, message);
}
