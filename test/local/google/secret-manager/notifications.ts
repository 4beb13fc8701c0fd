import { wireTimestamp } from '../local-clock.ts';
import type { Secret, SecretVersion } from './secret-store.ts';

/** Something that happened to a secret (Google's page "Set up notifications on a secret"). */
export type SecretEvent =
  | { readonly type: 'SECRET_CREATE' | 'SECRET_UPDATE'; readonly secret: Secret }
  | { readonly type: 'SECRET_DELETE'; readonly secret: Secret; readonly deleteType: 'REQUESTED' | 'EXPIRATION' }
  | {
      readonly type:
        'SECRET_VERSION_ADD' | 'SECRET_VERSION_ENABLE' | 'SECRET_VERSION_DISABLE' | 'SECRET_VERSION_DESTROY';
      readonly secret: Secret;
      readonly version: SecretVersion;
    };

export type Notification = { readonly data: Buffer; readonly attributes: Record<string, string> };

/** The Pub/Sub message Secret Manager sends: attributes about the event, data the resource as the REST API shows it. Never a payload. */
export function notification(event: SecretEvent, nowMs: number): Notification {
  const version = 'version' in event ? event.version : undefined;
  return {
    data: Buffer.from(JSON.stringify(version ? versionJson(version) : secretJson(event.secret))),
    attributes: {
      eventType: event.type,
      dataFormat: 'JSON_API_V1',
      secretId: event.secret.name,
      ...(version && { versionId: version.name }),
      timestamp: new Date(nowMs).toISOString(),
      ...('deleteType' in event && { deleteType: event.deleteType }),
    },
  };
}

/** google.cloud.secretmanager.v1.Secret for the wire. */
export function wireSecret(secret: Secret): object {
  const { createTimeMs, expireTimeMs, versions: _, ...fields } = secret;
  return {
    ...fields,
    createTime: wireTimestamp(createTimeMs),
    ...(expireTimeMs !== undefined && { expireTime: wireTimestamp(expireTimeMs) }),
  };
}

/** google.cloud.secretmanager.v1.SecretVersion for the wire. */
export function wireVersion(version: SecretVersion): object {
  const { createTimeMs, destroyTimeMs, number: _, payload: __, ...fields } = version;
  return {
    ...fields,
    replicationStatus: { automatic: {} },
    createTime: wireTimestamp(createTimeMs),
    ...(destroyTimeMs !== undefined && { destroyTime: wireTimestamp(destroyTimeMs) }),
  };
}

function secretJson(secret: Secret): object {
  const { createTimeMs, expireTimeMs, versions: _, ...fields } = secret;
  return {
    ...fields,
    createTime: new Date(createTimeMs).toISOString(),
    ...(expireTimeMs !== undefined && { expireTime: new Date(expireTimeMs).toISOString() }),
  };
}

function versionJson(version: SecretVersion): object {
  const { createTimeMs, destroyTimeMs, number: _, payload: __, ...fields } = version;
  return {
    ...fields,
    replicationStatus: { automatic: {} },
    createTime: new Date(createTimeMs).toISOString(),
    ...(destroyTimeMs !== undefined && { destroyTime: new Date(destroyTimeMs).toISOString() }),
  };
}
