import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { knownTenant } from './known-tenant.ts';
import type { TenantServices } from './services.ts';

/**
 * `GET /tenants/{tenant}/audit/verify`: recomputes every stream of the tenant's audit trail. `intact` is false, and each
 * `problems` entry names stream and entry, when one was edited, removed, moved or inserted, or an end was cut off.
 */
export function verifyAudit({
  tenants,
  auditProblems,
}: Pick<TenantServices, 'tenants' | 'auditProblems'>): HttpRoute['handle'] {
  return async (call) => {
    const { tenantId } = await knownTenant(call, tenants);
    const problems = await auditProblems(tenantId);
    if (problems.length > 0) call.log.error({ tenantId, problems }, 'the audit trail does not verify');
    return jsonAnswer(200, { tenantId, intact: problems.length === 0, problems });
  };
}
