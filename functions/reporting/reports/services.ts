import type { Tenant } from '../../../shared/contracts/documents.ts';
import type { InsightsRuns } from '../../../shared/gcp/insights-runs.ts';
import type { Reconciliations } from '../../../shared/gcp/reconciliations.ts';
import type { ReportingAccounts } from '../../../shared/gcp/reporting-accounts.ts';
import type { Warehouse } from '../../../shared/gcp/warehouse/warehouse.ts';

/** What the routes read and write. */
export interface ReportServices {
  readonly tenant: (tenantId: string) => Promise<Tenant | undefined>;
  readonly runs: Pick<InsightsRuns, 'ofTenant'>;
  readonly accounts: Pick<ReportingAccounts, 'collaborative' | 'add' | 'remove'>;
  readonly reconciliations: Pick<Reconciliations, 'state' | 'setState' | 'week'>;
  readonly warehouse: Pick<Warehouse, 'query'>;
  readonly now: () => Date;
}
