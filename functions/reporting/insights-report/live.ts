import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { InsightsRuns } from '../../../shared/gcp/insights-runs.ts';
import { JobSlots } from '../../../shared/gcp/job-slots.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createPublisher } from '../../../shared/gcp/publisher.ts';
import { ReportingAccounts } from '../../../shared/gcp/reporting-accounts.ts';
import { tenantsInPages } from '../../../shared/gcp/tenant-pages.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import type { OpenReportsDependencies } from './open-reports.ts';

/** What insights-report works with. */
export function liveInsightsReport(functionName: string): OpenReportsDependencies & { readonly slots: JobSlots } {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'LOG_LEVEL']);
  const db = connectFirestore(config.GOOGLE_CLOUD_PROJECT);
  const accounts = new ReportingAccounts({ db, now: systemNow });
  const outbox = new Outbox(db, createPublisher(config.GOOGLE_CLOUD_PROJECT));
  return {
    tenants: () => tenantsInPages(db),
    accounts: (tenant) => accounts.of(tenant),
    runs: new InsightsRuns({ db, outbox, now: systemNow }),
    outbox,
    slots: new JobSlots(db, systemNow),
    now: systemNow,
    log: createLogger({ level: config.LOG_LEVEL, functionName }),
  };
}
