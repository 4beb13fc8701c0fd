import type { Firestore } from '@google-cloud/firestore';
import { connectFirestore } from '../gcp/firestore.ts';
import { openSecrets } from '../gcp/open-secrets.ts';
import type { SecretStore, SecretVersions } from '../gcp/secret-store.ts';
import { createGraphClient } from '../meta/graph-client.ts';
import type { GraphClient, GraphClientOptions } from '../meta/graph-client.ts';
import { systemNow } from './clock.ts';
import type { Config } from './config.ts';
import { graphCallLogger } from './graph-call-log.ts';
import { createLogger } from './logger.ts';
import type { Logger } from './logger.ts';
import { createTenantCredentials } from './tenant-credentials.ts';
import type { TenantCredentials } from './tenant-credentials.ts';

/** The variables `liveMeta` takes from a function's configuration. */
type MetaConfig = Config<'GOOGLE_CLOUD_PROJECT' | 'META_GRAPH_URL' | 'LOG_LEVEL' | 'SECRET_MANAGER_EMULATOR_HOST'>;

export interface LiveMeta {
  readonly projectId: string;
  readonly log: Logger;
  readonly now: () => Date;
  readonly db: Firestore;
  readonly secrets: SecretStore & SecretVersions;
  readonly credentials: TenantCredentials;
  readonly graph: GraphClient;
}

/** What every function that calls Meta works with. Nothing of it connects before its first use. */
export function liveMeta(
  functionName: string,
  config: MetaConfig,
  options: Pick<GraphClientOptions, 'beforeCall' | 'onCall'> = {},
): LiveMeta {
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const now = systemNow;
  const log = createLogger({ level: config.LOG_LEVEL, functionName });
  const db = connectFirestore(projectId);
  const secrets = openSecrets({ projectId, emulatorHost: config.SECRET_MANAGER_EMULATOR_HOST, db, now });
  const credentials = createTenantCredentials({ secrets });
  const logCall = graphCallLogger(log);
  const graph = createGraphClient({
    baseUrl: config.META_GRAPH_URL,
    appSecret: () => credentials.appSecret(),
    now: () => now().getTime(),
    ...options,
    onCall: (call) => {
      logCall(call);
      options.onCall?.(call);
    },
  });
  return { projectId, log, now, db, secrets, credentials, graph };
}
