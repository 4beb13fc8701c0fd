import type { StepRecord } from '../../../shared/contracts/documents.ts';
import { stepNames } from '../../../shared/domain/provisioning-steps.ts';
import { deliverOrLeave } from '../../../shared/runtime/deliver-or-leave.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { preview } from '../../../shared/runtime/request-fields.ts';
import { knownTenant } from './known-tenant.ts';
import type { TenantServices } from './services.ts';

/** `POST /tenants/{tenant}/steps/{step}/retry`: runs a waiting, postponed or failed step again now. Audited. */
export function retryStep({
  tenants,
  steps,
  deliver,
}: Pick<TenantServices, 'tenants' | 'steps' | 'deliver'>): HttpRoute['handle'] {
  return async (call) => {
    const tenant = await knownTenant(call, tenants);
    const { tenantId, currentRunId: runId } = tenant;
    const step = stepNames.find((name) => name === call.param('step'));
    if (step === undefined) {
      throw new HttpProblem(404, 'unknown-step', 'There is no such step.', {
        field: 'step',
        got: preview(call.param('step')),
        expected: stepNames,
      });
    }
    if (runId === null) {
      throw new HttpProblem(409, 'no-run', 'This tenant has no run yet: it starts when the client has connected Meta.');
    }
    const messages = await steps.wake({ tenantId, runId, step }, 'redrive', call.caller, call.traceparent);
    if (messages.length === 0) {
      const record = (await steps.readSteps(tenantId, runId)).find((known) => known.step === step);
      throw new HttpProblem(409, 'not-retriable', whyNot(record), { field: 'step', got: record?.state ?? null });
    }
    await deliverOrLeave(deliver, messages, call.log);
    call.log.info({ tenantId, runId, step }, 'step queued again');
    return jsonAnswer(202, { tenantId, runId, step, state: 'queued' });
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
