import { reopenableSteps } from '../../../shared/domain/reopening.ts';
import { deliverOrLeave } from '../../../shared/runtime/deliver-or-leave.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { readFields } from '../../../shared/runtime/request-fields.ts';
import { knownStep } from './known-step.ts';
import { knownTenant } from './known-tenant.ts';
import { reason } from './reason.ts';
import type { TenantServices } from './services.ts';

/**
 * `POST /tenants/{tenant}/steps/{step}/reopen {reason}`: has a finished step looked at again, because what it checks has
 * changed at Meta: an Instagram account was linked to the Page, a Page was shared, a domain was verified. Nothing else
 * runs, and a live tenant stays live. Audited.
 */
export function reopenStep({
  changes,
  tenants,
  deliver,
}: Pick<TenantServices, 'changes' | 'tenants' | 'deliver'>): HttpRoute['handle'] {
  return async (call) => {
    const ref = knownStep(call, await knownTenant(call, tenants), reopenableSteps);
    const { reason: why } = readFields(jsonBody(call), { reason });
    const reopened = await changes.reopen(ref, why, call.caller, call.traceparent);
    if (reopened === undefined) {
      throw new HttpProblem(409, 'not-reopenable', 'The run was cancelled. To begin again, the client connects again.');
    }
    await deliverOrLeave(deliver, reopened.messages, call.log);
    call.log.info({ ...ref, steps: reopened.steps }, 'step opened again');
    return jsonAnswer(202, { ...ref, state: reopened.steps[ref.step] ?? null });
  };
}
