import { setTimeout as delay } from 'node:timers/promises';
import { AlertStore } from '../../../shared/gcp/alert-store.ts';
import { openSecrets } from '../../../shared/gcp/open-secrets.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { readRelayNumbers } from '../../../shared/gcp/relay-numbers.ts';
import { tenantsInPages } from '../../../shared/gcp/tenant-pages.ts';
import { createTenantReader } from '../../../shared/gcp/tenant-reader.ts';
import { createGraphClient } from '../../../shared/meta/graph-client.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { graphCallLogger } from '../../../shared/runtime/graph-call-log.ts';
import { createTenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';
import { liveQuality, rememberedWeights } from '../live.ts';
import type { LiveQuality } from '../live.ts';
import type { PollDueDependencies } from './poll-due.ts';
import { tellAlerts } from './tell-alerts.ts';

/** What emq-poller works with. */
export function liveEmqPoller(functionName: string): PollDueDependencies & Pick<LiveQuality, 'slots'> {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'META_GRAPH_URL', 'LOG_LEVEL', 'SECRET_MANAGER_EMULATOR_HOST']);
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const { db, log, now, slots, store } = liveQuality(functionName, config);
  const outbox = new Outbox(db, createPublisher(projectId));
  const secrets = openSecrets({ projectId, emulatorHost: config.SECRET_MANAGER_EMULATOR_HOST, db, now });
  const credentials = createTenantCredentials({ secrets });
  const readTenant = createTenantReader(db);
  const weights = rememberedWeights(store, now);
  const totals: PollDueDependencies['totals'] = async (tenantId, from, to) =>
    (await readRelayNumbers(db, tenantId, from, to)).total;
  return {
    store,
    slots,
    log,
    now,
    credentials,
    weights,
    totals,
    sleep: delay,
    graph: createGraphClient({
      baseUrl: config.META_GRAPH_URL,
      appSecret: () => credentials.appSecret(),
      now: () => now().getTime(),
      onCall: graphCallLogger(log),
    }),
    tenants: () => tenantsInPages(db),
    assetsOf: async (tenantId) => {
      const tenant = await readTenant(tenantId);
      return tenant?.status === 'live' ? (tenant.assets ?? undefined) : undefined;
    },
    tellAlerts: tellAlerts({
      alerts: new AlertStore({ db, outbox, now }),
      deliver: (messages) => outbox.deliver(messages),
      changesSince: (tenantId, since) => store.changesSince(tenantId, since),
      totals,
      weights,
      now,
    }),
  };
}
