import * as v from 'valibot';
import { stepDefinition, stepNames } from '../../../shared/domain/provisioning-steps.ts';
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

const adoptable = stepNames.filter((step) => stepDefinition(step).adopts !== undefined);

/**
 * `POST /tenants/{tenant}/steps/{step}/adopt {id, reason}`: the object that the step would create exists already under
 * this id. The step runs on with it and creates none. Audited.
 */
export function adoptStep({
  tenants,
  steps,
  deliver,
}: Pick<TenantServices, 'tenants' | 'steps' | 'deliver'>): HttpRoute['handle'] {
  return async (call) => {
    const ref = knownStep(call, await knownTenant(call, tenants), adoptable);
    const pattern = stepDefinition(ref.step).adopts?.id ?? /^$/;
    const { id, reason: why } = readFields(jsonBody(call), {
      id: { schema: v.pipe(v.string(), v.regex(pattern)), expected: [`an id of Meta's, ${pattern.source}`] },
      reason,
    });
    const messages = await steps.adopt(ref, id, why, call.caller, call.traceparent);
    if (messages === undefined) {
      throw new HttpProblem(409, 'not-adoptable', 'The step is done, skipped, or being worked on at this moment.');
    }
    await deliverOrLeave(deliver, messages, call.log);
    call.log.info({ ...ref, id }, 'object adopted');
    return jsonAnswer(202, { ...ref, id, state: messages.length > 0 ? 'queued' : 'pending' });
  };
}
