import { skippableSteps } from '../../../shared/domain/provisioning-steps.ts';
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
 * `POST /tenants/{tenant}/steps/{step}/skip {reason}`: the tenant goes on without this step. Only steps on whose products
 * no other step builds can be skipped. Audited.
 */
export function skipStep({
  tenants,
  steps,
  deliver,
}: Pick<TenantServices, 'tenants' | 'steps' | 'deliver'>): HttpRoute['handle'] {
  return async (call) => {
    const ref = knownStep(call, await knownTenant(call, tenants), skippableSteps);
    const { reason: why } = readFields(jsonBody(call), { reason });
    const messages = await steps.skip(ref, why, call.caller, call.traceparent);
    if (messages === undefined) {
      throw new HttpProblem(409, 'not-skippable', 'The step is done, skipped, or being worked on at this moment.');
    }
    await deliverOrLeave(deliver, messages, call.log);
    call.log.info(ref, 'step skipped');
    return jsonAnswer(200, { ...ref, state: 'skipped' });
  };
}
