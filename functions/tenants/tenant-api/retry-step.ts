import type { StepRecord } from '../../../shared/contracts/documents.ts';
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

/** `POST /tenants/{tenant}/steps/{step}/retry {reason?}`: runs a waiting, postponed or failed step again now. Audited. */
export function retryStep({
  tenants,
  steps,
  deliver,
}: Pick<TenantServices, 'tenants' | 'steps' | 'deliver'>): HttpRoute['handle'] {
  return async (call) => {
    const ref = knownStep(call, await knownTenant(call, tenants));
    const why = call.rawBody.length === 0 ? null : readFields(jsonBody(call), { reason }).reason;
    const messages = await steps.wake(ref, 'redrive', call.caller, call.traceparent, why);
    if (messages.length === 0) {
      const record = (await steps.readSteps(ref.tenantId, ref.runId)).find(({ step }) => step === ref.step);
      throw new HttpProblem(409, 'not-retriable', whyNot(record), { field: 'step', got: record?.state ?? null });
    }
    await deliverOrLeave(deliver, messages, call.log);
    call.log.info(ref, 'step queued again');
    return jsonAnswer(202, { ...ref, state: 'queued' });
  };
}

function whyNot(record: StepRecord | undefined): string {
  switch (record?.state) {
    case 'pending':
      return 'The step has not started: steps it needs are not done.';
    case 'running':
      return `The step is running; its lease ends at ${record.lease?.until ?? 'any moment'}.`;
    case 'done':
      return 'The step is done.';
    case 'cancelled':
      return 'The run was cancelled. To begin again, the client connects again.';
    case 'skipped':
      return 'The step does not apply to this tenant.';
    case 'queued':
    case 'retrying':
    case 'waiting':
    case 'failed':
      return 'The step changed state in this moment; look again.';
    case undefined:
      return 'The step is not part of this run.';
  }
}
