import { AlertStore } from '../../../shared/gcp/alert-store.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { createGa4Reader } from '../../../shared/gcp/ga4.ts';
import { InsightsRuns } from '../../../shared/gcp/insights-runs.ts';
import { JobSlots } from '../../../shared/gcp/job-slots.ts';
import { openSecrets } from '../../../shared/gcp/open-secrets.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { Reconciliations } from '../../../shared/gcp/reconciliations.ts';
import { readRelayNumbers } from '../../../shared/gcp/relay-numbers.ts';
import { tenantsInPages } from '../../../shared/gcp/tenant-pages.ts';
import { createBigQueryWarehouse } from '../../../shared/gcp/warehouse/bigquery-warehouse.ts';
import { readAdTags } from '../../../shared/meta/ads.ts';
import { createGraphClient } from '../../../shared/meta/graph-client.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { graphCallLogger } from '../../../shared/runtime/graph-call-log.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { createTenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';
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
  const projectId = config.GOOGLE_CLOUD_PROJECT;
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
