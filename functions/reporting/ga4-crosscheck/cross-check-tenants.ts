import type { Tenant } from '../../../shared/contracts/documents.ts';
import type { JobReport, JobRun } from '../../../shared/runtime/scheduled-function.ts';
import { crossCheckTenant } from './cross-check-tenant.ts';
import type { CrossCheckServices, Finding } from './cross-check-tenant.ts';

export interface CrossCheckDependencies extends CrossCheckServices {
  readonly tenants: () => AsyncIterable<Tenant>;
}

/**
 * Compares every live tenant that has a GA4 property, each once a day; who was not reached or is short of quota has its
 * turn an hour later. One tenant's trouble is told on that tenant and keeps no other waiting.
 */
export async function crossCheckTenants(
  dependencies: CrossCheckDependencies,
  run: Pick<JobRun, 'signal'>,
): Promise<JobReport> {
  const counts: Record<Finding | 'unknown' | 'left', number> = {
    compared: 0,
    'up-to-date': 0,
    'no-property': 0,
    'no-access': 0,
    'out-of-quota': 0,
    unknown: 0,
    left: 0,
  };
  for await (const tenant of dependencies.tenants()) {
    if (tenant.status !== 'live') continue;
    if (run.signal.aborted) {
      counts.left += 1;
      continue;
    }
    try {
      counts[await crossCheckTenant(tenant, dependencies)] += 1;
    } catch (error) {
      counts.unknown += 1;
      dependencies.log.error({ err: error, tenantId: tenant.tenantId }, 'Meta and GA4 could not be compared');
    }
  }
  return counts;
}
