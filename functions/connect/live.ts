import { randomBytes } from 'node:crypto';
import { ConnectStateStore } from '../../shared/gcp/connect-state-store.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import { createPublisher } from '../../shared/gcp/publisher.ts';
import { TenantStore } from '../../shared/gcp/tenant-store.ts';
import { WaitControl } from '../../shared/gcp/wait-control.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import { liveMeta } from '../../shared/runtime/live-meta.ts';
import { createConnectLinks } from '../../shared/runtime/connect-links.ts';
import type { HttpFunctionOptions } from '../../shared/runtime/http-function.ts';
import { createResumeLinks } from '../../shared/runtime/resume-links.ts';
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
  const { db, graph, log, now, projectId, secrets } = liveMeta(functionName, config);
  const baseUrl = config.CONNECT_BASE_URL;
  const outbox = new Outbox(db, createPublisher(projectId));
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
