import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { InsightsRuns } from '../../../shared/gcp/insights-runs.ts';
import { Reconciliations } from '../../../shared/gcp/reconciliations.ts';
import { ReportingAccounts } from '../../../shared/gcp/reporting-accounts.ts';
import { createTenantReader } from '../../../shared/gcp/tenant-reader.ts';
import { createBigQueryWarehouse } from '../../../shared/gcp/warehouse/bigquery-warehouse.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import type { HttpFunctionOptions } from '../../../shared/runtime/http-function.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import type { ReportServices } from './services.ts';

export interface LiveReports {
  readonly host: Pick<HttpFunctionOptions, 'projectId' | 'log'>;
  readonly services: ReportServices;
}

/** What reports works with. */
export function liveReports(functionName: string): LiveReports {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'BIGQUERY_LOCATION', 'LOG_LEVEL', 'BIGQUERY_EMULATOR_HOST']);
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const db = connectFirestore(projectId);
  return {
    host: { projectId, log: createLogger({ level: config.LOG_LEVEL, functionName }) },
    services: {
      tenant: createTenantReader(db),
      // Only read here, so nothing is ever announced.
      runs: new InsightsRuns({ db, outbox: { add: () => neverWrites() }, now: systemNow }),
      accounts: new ReportingAccounts({ db, now: systemNow }),
      reconciliations: new Reconciliations(db),
      warehouse: createBigQueryWarehouse({
        projectId,
        location: config.BIGQUERY_LOCATION,
        emulatorHost: config.BIGQUERY_EMULATOR_HOST,
      }),
      now: systemNow,
    },
  };
}

function neverWrites(): never {
  throw new Error('reports opens no runs');
}
