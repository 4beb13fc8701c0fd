import { AlertStore } from '../../../shared/gcp/alert-store.ts';
import { CatalogHealthStore } from '../../../shared/gcp/catalog-health-store.ts';
import { CatalogItemStore } from '../../../shared/gcp/catalog-item-store.ts';
import { CatalogStore } from '../../../shared/gcp/catalog-store.ts';
import { readContentIdsSeen } from '../../../shared/gcp/content-ids-seen.ts';
import { JobSlots } from '../../../shared/gcp/job-slots.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { readCatalogAssets } from '../../../shared/gcp/tenant-assets.ts';
import { tenantsInPages } from '../../../shared/gcp/tenant-pages.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { liveMeta } from '../../../shared/runtime/live-meta.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import { catalogOpener } from '../tenant-catalog.ts';
import type { MonitorServices } from './check-catalogs.ts';

export interface LiveCatalogMonitor {
  readonly log: Logger;
  readonly slots: JobSlots;
  readonly services: MonitorServices;
}

/** What catalog-monitor works with, built on its first slot. */
export function liveCatalogMonitor(functionName: string): LiveCatalogMonitor {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'META_GRAPH_URL', 'LOG_LEVEL', 'SECRET_MANAGER_EMULATOR_HOST']);
  const { credentials, db, graph, log, now, projectId } = liveMeta(functionName, config);
  const outbox = new Outbox(db, createPublisher(projectId));
  const catalogs = new CatalogStore({ db, alerts: new AlertStore({ db, outbox, now }), now });
  return {
    log,
    slots: new JobSlots(db, now),
    services: {
      tenants: () => tenantsInPages(db),
      catalogs,
      health: new CatalogHealthStore(db, now),
      items: new CatalogItemStore(db),
      openCatalog: catalogOpener({ readAssets: (tenantId) => readCatalogAssets(db, tenantId), credentials, graph }),
      contentIdsSeen: (tenantId) => readContentIdsSeen(db, tenantId, now()),
      steer: { catalogs, outbox, now },
      deliver: (messages) => outbox.deliver(messages),
      now,
      log,
    },
  };
}
