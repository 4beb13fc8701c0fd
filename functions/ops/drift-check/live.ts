import { setTimeout as delay } from 'node:timers/promises';
import { AlertStore } from '../../../shared/gcp/alert-store.ts';
import { DriftStore } from '../../../shared/gcp/drift-store.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { JobSlots } from '../../../shared/gcp/job-slots.ts';
import { openSecrets } from '../../../shared/gcp/open-secrets.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { TenantChanges } from '../../../shared/gcp/tenant-changes.ts';
import { tenantsInPages } from '../../../shared/gcp/tenant-pages.ts';
import { readTenantRecords } from '../../../shared/gcp/tenant-records.ts';
import { createGraphClient } from '../../../shared/meta/graph-client.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { graphCallLogger } from '../../../shared/runtime/graph-call-log.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { createTenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';
import type { CheckDueDependencies } from './check-due.ts';

/** What drift-check works with. */
export function liveDriftCheck(functionName: string): CheckDueDependencies & { readonly slots: JobSlots } {
  const config = readConfig([
    'GOOGLE_CLOUD_PROJECT',
    'META_GRAPH_URL',
    'META_APP_ID',
    'META_EXTENDED_CREDIT_ID',
    'STEP_LEASE_MS',
    'LOG_LEVEL',
    'SECRET_MANAGER_EMULATOR_HOST',
  ]);
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const now = systemNow;
  const log = createLogger({ level: config.LOG_LEVEL, functionName });
  const db = connectFirestore(projectId);
  const outbox = new Outbox(db, createPublisher(projectId));
  const changes = new TenantChanges({ db, outbox, now, leaseMs: config.STEP_LEASE_MS });
  const secrets = openSecrets({ projectId, emulatorHost: config.SECRET_MANAGER_EMULATOR_HOST, db, now });
  const credentials = createTenantCredentials({ secrets });
  return {
    slots: new JobSlots(db, now),
    store: new DriftStore({ db, alerts: new AlertStore({ db, outbox, now }), now }),
    tenants: () => tenantsInPages(db),
    recordsOf: (tenantId) => readTenantRecords(db, tenantId),
    reopen: (ref, reason, actor, traceparent) => changes.reopen(ref, reason, actor, traceparent),
    credentials,
    graph: createGraphClient({
      baseUrl: config.META_GRAPH_URL,
      appSecret: () => credentials.appSecret(),
      now: () => now().getTime(),
      onCall: graphCallLogger(log),
    }),
    kobi: { appId: config.META_APP_ID, extendedCreditId: config.META_EXTENDED_CREDIT_ID },
    deliver: (messages) => outbox.deliver(messages),
    sleep: delay,
    log,
    now,
  };
}
