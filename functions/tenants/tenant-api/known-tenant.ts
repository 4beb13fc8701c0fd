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

/** The tenant the path names, while it may still be worked with. @throws HttpProblem 404; 409 once it is being offboarded */
export async function knownTenant(call: Pick<HttpCall, 'param'>, tenants: Pick<TenantStore, 'read'>): Promise<Tenant> {
  const tenant = await tenants.read(tenantIdOf(call));
  if (tenant === undefined) throw unknownTenant();
  if (tenant.status === 'offboarding') {
    throw new HttpProblem(
      409,
      'offboarding',
      'This tenant is being offboarded; nothing of it can be changed any more.',
    );
  }
  return tenant;
}

export function unknownTenant(): HttpProblem {
  return new HttpProblem(404, 'unknown-tenant', 'There is no tenant with this id.');
}
