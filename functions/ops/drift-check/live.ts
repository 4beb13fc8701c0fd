import { setTimeout as delay } from 'node:timers/promises';
import { AlertStore } from '../../../shared/gcp/alert-store.ts';
import { DriftStore } from '../../../shared/gcp/drift-store.ts';
import { IssueStore } from '../../../shared/gcp/issue-store.ts';
import { JobSlots } from '../../../shared/gcp/job-slots.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { TenantChanges } from '../../../shared/gcp/tenant-changes.ts';
import { tenantsInPages } from '../../../shared/gcp/tenant-pages.ts';
import { readTenantRecords } from '../../../shared/gcp/tenant-records.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { liveMeta } from '../../../shared/runtime/live-meta.ts';
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
  const { credentials, db, graph, log, now, projectId } = liveMeta(functionName, config);
  const outbox = new Outbox(db, createPublisher(projectId));
  const changes = new TenantChanges({ db, outbox, now, leaseMs: config.STEP_LEASE_MS });
  return {
    slots: new JobSlots(db, now),
    store: new DriftStore({ db, alerts: new AlertStore({ db, outbox, now }), now }),
    tenants: () => tenantsInPages(db),
    recordsOf: (tenantId) => readTenantRecords(db, tenantId),
    issues: new IssueStore(db, now),
    reopen: (ref, reason, actor, traceparent) => changes.reopen(ref, reason, actor, traceparent),
    credentials,
    graph,
    kobi: { appId: config.META_APP_ID, extendedCreditId: config.META_EXTENDED_CREDIT_ID },
    deliver: (messages) => outbox.deliver(messages),
    sleep: delay,
    log,
    now,
  };
}
