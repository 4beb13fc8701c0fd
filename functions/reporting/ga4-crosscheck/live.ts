import { AlertStore } from '../../../shared/gcp/alert-store.ts';
import { createGa4Reader } from '../../../shared/gcp/ga4.ts';
import { InsightsRuns } from '../../../shared/gcp/insights-runs.ts';
import { JobSlots } from '../../../shared/gcp/job-slots.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { Reconciliations } from '../../../shared/gcp/reconciliations.ts';
import { readRelayNumbers } from '../../../shared/gcp/relay-numbers.ts';
import { tenantsInPages } from '../../../shared/gcp/tenant-pages.ts';
import { createBigQueryWarehouse } from '../../../shared/gcp/warehouse/bigquery-warehouse.ts';
import { readAdTags } from '../../../shared/meta/ads.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { liveMeta } from '../../../shared/runtime/live-meta.ts';
import type { CrossCheckDependencies } from './cross-check-tenants.ts';

/** What ga4-crosscheck works with. */
export function liveCrossCheck(functionName: string): CrossCheckDependencies & { readonly slots: JobSlots } {
  const config = readConfig([
    'GOOGLE_CLOUD_PROJECT',
    'META_GRAPH_URL',
    'BIGQUERY_LOCATION',
    'LOG_LEVEL',
    'SECRET_MANAGER_EMULATOR_HOST',
    'BIGQUERY_EMULATOR_HOST',
    'GA4_EMULATOR_HOST',
  ]);
  const { credentials, db, graph, log, now, projectId } = liveMeta(functionName, config);
  const outbox = new Outbox(db, createPublisher(projectId));
  return {
    tenants: () => tenantsInPages(db),
    ga4: createGa4Reader({ emulatorHost: config.GA4_EMULATOR_HOST }),
    adTags: async ({ tenantId, adAccountId, operator }) =>
      readAdTags(graph.as(await credentials.operator(tenantId, operator)), adAccountId),
    relayNumbers: (tenantId, from, to) => readRelayNumbers(db, tenantId, from, to),
    runs: new InsightsRuns({ db, outbox, now }),
    reconciliations: new Reconciliations(db),
    warehouse: createBigQueryWarehouse({
      projectId,
      location: config.BIGQUERY_LOCATION,
      emulatorHost: config.BIGQUERY_EMULATOR_HOST,
    }),
    alerts: new AlertStore({ db, outbox, now }),
    outbox,
    slots: new JobSlots(db, now),
    now,
    log,
  };
}
