import * as v from 'valibot';
import { domainVerificationSettings } from '../../../shared/domain/domain-verification.ts';
import { deliverOrLeave } from '../../../shared/runtime/deliver-or-leave.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { readGivenFields } from '../../../shared/runtime/request-fields.ts';
import { tenantIdOf, unknownTenant } from './known-tenant.ts';
import { reason } from './reason.ts';
import type { TenantServices } from './services.ts';
import { tenantFields } from './tenant-fields.ts';

const { domains, name, planId, skus } = tenantFields;

/** What may be changed; everything else about a tenant is what it was created with. */
const changeFields = {
  name,
  planId,
  skus,
  domains,
  domainVerification: {
    schema: v.picklist(domainVerificationSettings),
    expected: domainVerificationSettings,
  },
  reason,
} as const;

/**
 * `PATCH /tenants/{tenant} {planId?, skus?, domains?, domainVerification?, name?, reason}`: changes the fields given and
 * opens again the steps they concern, and no others; a live tenant stays live. Answers with what changed and what became
 * of the steps; whether Meta took it is in `GET`. The same again changes nothing. Audited with what was and what is.
 */
export function changeTenant({ changes, deliver }: Pick<TenantServices, 'changes' | 'deliver'>): HttpRoute['handle'] {
  return async (call) => {
    const tenantId = tenantIdOf(call);
    const { reason: why, ...wanted } = readGivenFields(jsonBody(call), changeFields, ['reason']);
    const changed = await changes.change(tenantId, wanted, why, call.caller, call.traceparent);
    if (changed.kind === 'unknown-tenant') throw unknownTenant();
    if (changed.kind === 'not-changeable') {
      throw new HttpProblem(409, 'not-changeable', `The tenant is ${changed.status}; it is not changed any more.`);
    }
    await deliverOrLeave(deliver, changed.messages, call.log);
    const { after, before, steps } = changed;
    call.log.info({ tenantId, changed: Object.keys(after), steps }, 'tenant changed');
    return jsonAnswer(200, { tenantId, before, after, steps });
  };
}
