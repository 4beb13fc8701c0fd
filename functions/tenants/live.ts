import { randomBytes } from 'node:crypto';
import type { OutboxMessage } from '../../shared/contracts/documents.ts';
import { verifyAuditTrail } from '../../shared/gcp/audit-trail.ts';
import { AlertStore } from '../../shared/gcp/alert-store.ts';
import { DriftStore } from '../../shared/gcp/drift-store.ts';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { IssueStore } from '../../shared/gcp/issue-store.ts';
import { openSecrets } from '../../shared/gcp/open-secrets.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import { createPublisher } from '../../shared/gcp/publisher.ts';
import { closeRelay } from '../../shared/gcp/relay-door.ts';
import { ReadinessStore } from '../../shared/gcp/readiness-store.ts';
import { RelayKeyStore } from '../../shared/gcp/relay-key-store.ts';
import { RelaySettingsStore } from '../../shared/gcp/relay-settings-store.ts';
import { RunControl } from '../../shared/gcp/run-control.ts';
import { TeardownStore } from '../../shared/gcp/teardown-store.ts';
import { TenantEnding } from '../../shared/gcp/tenant-ending.ts';
import { TenantChanges } from '../../shared/gcp/tenant-changes.ts';
import { TenantStore } from '../../shared/gcp/tenant-store.ts';
import { systemNow } from '../../shared/runtime/clock.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import { createConnectLinks } from '../../shared/runtime/connect-links.ts';
import type { HttpFunctionOptions } from '../../shared/runtime/http-function.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { createResumeLinks } from '../../shared/runtime/resume-links.ts';
import type { TenantServices } from './tenant-api/services.ts';

export interface LiveTenants {
  readonly host: Omit<HttpFunctionOptions, 'routes'>;
  readonly services: TenantServices;
}

/** Everything the tenants functions work with, built on the first request and kept for the instance's life. */
export function liveTenants(functionName: string): LiveTenants {
  const config = readConfig([
    'GOOGLE_CLOUD_PROJECT',
    'CONNECT_BASE_URL',
    'STEP_LEASE_MS',
    'LOG_LEVEL',
    'SECRET_MANAGER_EMULATOR_HOST',
  ]);
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const now = systemNow;
  const db = connectFirestore(projectId);
  const outbox = new Outbox(db, createPublisher(projectId));
  const secrets = openSecrets({ projectId, emulatorHost: config.SECRET_MANAGER_EMULATOR_HOST, db, now });
  const alerts = new AlertStore({ db, outbox, now });
  const links = createConnectLinks({ secrets, now, baseUrl: config.CONNECT_BASE_URL });
  return {
    host: { projectId, log: createLogger({ level: config.LOG_LEVEL, functionName }) },
    services: {
      tenants: new TenantStore({ db, outbox, now }),
      steps: new RunControl({ db, outbox, now, leaseMs: config.STEP_LEASE_MS }),
      readiness: new ReadinessStore(db, now),
      changes: new TenantChanges({ db, outbox, now, leaseMs: config.STEP_LEASE_MS }),
      relayKeys: new RelayKeyStore(db, now),
      relaySettings: new RelaySettingsStore(db, now),
      issues: new IssueStore(db, now),
      drift: new DriftStore({ db, alerts, now }),
      alerts,
      ending: new TenantEnding({ db, outbox, now, leaseMs: config.STEP_LEASE_MS }),
      teardowns: new TeardownStore({ db, now, leaseMs: config.STEP_LEASE_MS }),
      closeRelay: (tenantId, options) => closeRelay(db, tenantId, options),
      auditProblems: (tenantId) => verifyAuditTrail(db, tenantId),
      now,
      deliver: (messages: readonly OutboxMessage[]) => outbox.deliver(messages),
      connectUrl: (tenantId) => links.urlFor(tenantId),
      resumeUrl: createResumeLinks({ secrets, now, baseUrl: config.CONNECT_BASE_URL }).urlFor,
      randomBytes: (size) => randomBytes(size),
    },
  };
}
