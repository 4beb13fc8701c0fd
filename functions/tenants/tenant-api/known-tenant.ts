import type { Tenant } from '../../../shared/contracts/documents.ts';
import { slugPattern } from '../../../shared/domain/naming.ts';
import type { TenantStore } from '../../../shared/gcp/tenant-store.ts';
import type { HttpCall } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';

/** The tenant id in the path. What cannot be one never becomes part of a document path. @throws HttpProblem 404 */
export function tenantIdOf(call: Pick<HttpCall, 'param'>): string {
  const tenantId = call.param('tenant');
  if (!slugPattern.test(tenantId)) throw unknownTenant();
  return tenantId;
}

/** The tenant the path names. @throws HttpProblem 404 */
export async function knownTenant(call: Pick<HttpCall, 'param'>, tenants: Pick<TenantStore, 'read'>): Promise<Tenant> {
  const tenant = await tenants.read(tenantIdOf(call));
  if (tenant === undefined) throw unknownTenant();
  return tenant;
}

export function unknownTenant(): HttpProblem {
  return new HttpProblem(404, 'unknown-tenant', 'There is no tenant with this id.');
}
