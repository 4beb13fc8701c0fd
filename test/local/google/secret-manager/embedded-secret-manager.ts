/**
 * Google Secret Manager for this machine, over gRPC for the unchanged `@google-cloud/secret-manager` client: secrets, versions and
 * their states, aliases, etags, checksums, expiry, notifications. Not served: IAM, rotation, delayed destruction, replication.
 */
import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { GrpcCode, GrpcError, readProtoJson, serveGrpc, type UnaryHandler } from '../grpc-service.ts';
import { systemLocalClock, type LocalClock } from '../local-clock.ts';
import { maskedFields, pageOf } from '../pubsub/pagination.ts';
import { notification, wireSecret, wireVersion, type Notification } from './notifications.ts';
import {
  SecretStore,
  type Secret,
  type SecretSettings,
  type SecretVersion,
  type VersionState,
} from './secret-store.ts';

export type EmbeddedSecretManager = {
  /** `host:port`, for SECRET_MANAGER_EMULATOR_HOST. */
  readonly host: string;
  /** Every secret with its versions and payloads (UTF-8; none once destroyed): what a canary scan expects here and nowhere else. */
  dump(): { name: string; versions: { name: string; state: VersionState; payload: string | undefined }[] }[];
  /** Forgets every secret, without a notification. */
  clear(): void;
  close(): Promise<void>;
};

/** Starts it empty, on any free port of 127.0.0.1 unless told otherwise. `publish` receives the notifications (full topic name). */
export async function startEmbeddedSecretManager(
  options: { clock?: LocalClock; port?: number; publish?: (topic: string, message: Notification) => void } = {},
): Promise<EmbeddedSecretManager> {
  const clock = options.clock ?? systemLocalClock;
  const store = new SecretStore(clock, (event) => {
    const message = notification(event, clock.nowMs());
    for (const { name } of event.secret.topics) options.publish?.(name, message);
  });
  const server = await serveGrpc({
    port: options.port ?? 0,
    services: [
      {
        protoJson: readProtoJson('@google-cloud/secret-manager', 'build/protos/protos.json'),
        serviceName: 'google.cloud.secretmanager.v1.SecretManagerService',
        handlers: handlers(store),
      },
    ],
  });
  return {
    host: server.address,
    dump: () =>
      store.all().map(({ name, versions }) => ({
        name,
        versions: versions.map((version) => ({
          name: version.name,
          state: version.state,
          payload: version.payload?.toString('utf8'),
        })),
      })),
    clear: () => store.clear(),
    close: () => server.close(),
  };
}

/**
 * What makes the real client talk to `host` without TLS and without Google sign-in. The client has no emulator variable of its own.
 * `clientOptions.universeDomain` matters: without it gax asks the credentials for theirs, which looks for a metadata server.
 */
export function secretManagerClientOptions(host: string): {
  apiEndpoint: string;
  port: number;
  sslCreds: ChannelCredentials;
  clientOptions: { universeDomain: string };
} {
  const separator = host.lastIndexOf(':');
  return {
    apiEndpoint: host.slice(0, separator),
    port: Number(host.slice(separator + 1)),
    sslCreds: credentials.createInsecure(),
    clientOptions: { universeDomain: 'googleapis.com' },
  };
}

type Listing = { parent: string; filter: string; pageSize: number; pageToken: string };
type StateRequest = { name: string; etag: string };

function handlers(store: SecretStore): Record<string, UnaryHandler> {
  const setState =
    (state: VersionState) =>
    ({ name, etag }: StateRequest) =>
      wireVersion(store.setState(name, etag, state));
  return {
    createSecret: (request: { parent: string; secretId: string; secret: SecretSettings | null }) =>
      wireSecret(store.create(request.parent, request.secretId, request.secret ?? {})),
    getSecret: ({ name }: { name: string }) => wireSecret(store.get(name)),
    listSecrets: ({ parent, filter, ...paging }: Listing) => {
      const secrets = store.list(parent).filter(secretFilter(filter));
      const { items, nextPageToken } = pageOf(secrets, paging);
      return { secrets: items.map(wireSecret), nextPageToken, totalSize: secrets.length };
    },
    updateSecret: (request: {
      secret: (SecretSettings & { name: string; etag: string }) | null;
      updateMask: { paths: string[] } | null;
    }) => {
      const { name = '', etag = '', ...settings } = request.secret ?? {};
      return wireSecret(store.update(name, etag, settings, maskedFields(request.updateMask)));
    },
    deleteSecret: ({ name, etag }: StateRequest) => store.delete(name, etag),
    addSecretVersion: (request: { parent: string; payload: { data: Buffer; dataCrc32c?: string | null } | null }) =>
      wireVersion(
        store.addVersion(
          request.parent,
          request.payload?.data ?? Buffer.alloc(0),
          request.payload?.dataCrc32c ?? undefined,
        ),
      ),
    getSecretVersion: ({ name }: { name: string }) => wireVersion(store.version(name)),
    listSecretVersions: ({ parent, filter, ...paging }: Listing) => {
      const versions = store.get(parent).versions.toReversed().filter(versionFilter(filter));
      const { items, nextPageToken } = pageOf(versions, paging);
      return { versions: items.map(wireVersion), nextPageToken, totalSize: versions.length };
    },
    accessSecretVersion: ({ name }: { name: string }) => {
      const { version, payload, dataCrc32c } = store.access(name);
      return { name: version.name, payload: { data: payload, dataCrc32c: String(dataCrc32c) } };
    },
    enableSecretVersion: setState('ENABLED'),
    disableSecretVersion: setState('DISABLED'),
    destroySecretVersion: setState('DESTROYED'),
  };
}

/** `name:part` and `labels.key=value`, all of which must hold. Throws INVALID_ARGUMENT for anything else. */
function secretFilter(filter: string): (secret: Secret) => boolean {
  const terms = filterTerms(filter).map((term): ((secret: Secret) => boolean) => {
    const [, part] = /^name:(\S+)$/.exec(term) ?? [];
    if (part !== undefined) return ({ name }) => name.slice(name.lastIndexOf('/') + 1).includes(part);
    const [, key, value] = /^labels\.([\w-]+)[=:](\S+)$/.exec(term) ?? [];
    if (key !== undefined) return ({ labels }) => labels[key] === value;
    throw invalidFilter(filter);
  });
  return (secret) => terms.every((term) => term(secret));
}

/** `state:ENABLED`, or `=`. Throws INVALID_ARGUMENT for anything else. */
function versionFilter(filter: string): (version: SecretVersion) => boolean {
  const states = filterTerms(filter).map((term) => {
    const [, state] = /^state[:=](ENABLED|DISABLED|DESTROYED)$/.exec(term) ?? [];
    if (state === undefined) throw invalidFilter(filter);
    return state;
  });
  return ({ state }) => states.every((wanted) => wanted === state);
}

function filterTerms(filter: string): string[] {
  return filter
    .replaceAll('"', '')
    .split(/\s+(?:AND\s+)?/)
    .filter((term) => term !== '');
}

function invalidFilter(filter: string): GrpcError {
  return new GrpcError(
    GrpcCode.INVALID_ARGUMENT,
    `The embedded Secret Manager does not understand the filter [${filter}].`,
  );
}
