import { randomBytes } from 'node:crypto';
import { ConnectStateStore } from '../../shared/gcp/connect-state-store.ts';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { openSecrets } from '../../shared/gcp/open-secrets.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import { createPublisher } from '../../shared/gcp/publisher.ts';
import { TenantStore } from '../../shared/gcp/tenant-store.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import { WaitControl } from '../../shared/gcp/wait-control.ts';
import { systemNow } from '../../shared/runtime/clock.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import { createConnectLinks } from '../../shared/runtime/connect-links.ts';
import { graphCallLogger } from '../../shared/runtime/graph-call-log.ts';
import type { HttpFunctionOptions } from '../../shared/runtime/http-function.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { createResumeLinks } from '../../shared/runtime/resume-links.ts';
import { createTenantCredentials } from '../../shared/runtime/tenant-credentials.ts';
import { createMetaLogin } from './connect-meta/meta-login.ts';
import type { ConnectServices } from './connect-meta/services.ts';

export interface LiveConnect {
  readonly host: Omit<HttpFunctionOptions, 'routes'>;
  readonly services: ConnectServices;
}

/** Everything the connection flow works with, built on the first request and kept for the instance's life. */
export function liveConnect(functionName: string): LiveConnect {
  const config = readConfig([
    'GOOGLE_CLOUD_PROJECT',
    'CONNECT_BASE_URL',
    'META_GRAPH_URL',
    'META_DIALOG_URL',
    'META_APP_ID',
    'META_LOGIN_CONFIG_ID',
    'STEP_LEASE_MS',
    'LOG_LEVEL',
    'SECRET_MANAGER_EMULATOR_HOST',
  ]);
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const baseUrl = config.CONNECT_BASE_URL;
  const now = systemNow;
  const log = createLogger({ level: config.LOG_LEVEL, functionName });
  const db = connectFirestore(projectId);
  const outbox = new Outbox(db, createPublisher(projectId));
  const secrets = openSecrets({ projectId, emulatorHost: config.SECRET_MANAGER_EMULATOR_HOST, db, now });
  const credentials = createTenantCredentials({ secrets });
  const graph = createGraphClient({
    baseUrl: config.META_GRAPH_URL,
    appSecret: () => credentials.appSecret(),
    now: () => now().getTime(),
    onCall: graphCallLogger(log),
  });
  return {
    host: { projectId, log },
    services: {
      login: createMetaLogin({
        graph,
        appId: config.META_APP_ID,
        configId: config.META_LOGIN_CONFIG_ID,
        dialogUrl: config.META_DIALOG_URL,
        redirectUri: `${baseUrl}/callback`,
      }),
      links: createConnectLinks({ secrets, now, baseUrl }),
      resumeLinks: createResumeLinks({ secrets, now, baseUrl }),
      waits: new WaitControl({ db, outbox, now, leaseMs: config.STEP_LEASE_MS }),
      states: new ConnectStateStore(db, now),
      tenants: new TenantStore({ db, outbox, now }),
      secrets,
      deliver: (messages) => outbox.deliver(messages),
      randomBytes: (size) => randomBytes(size),
      baseUrl,
    },
  };
}
