import type { Tenant } from '../../../shared/contracts/documents.ts';
import { stepNames } from '../../../shared/domain/provisioning-steps.ts';
import type { StepName } from '../../../shared/domain/provisioning-steps.ts';
import type { StepRef } from '../../../shared/gcp/run-documents.ts';
import type { HttpCall } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { preview } from '../../../shared/runtime/request-fields.ts';

/**
 * The step of the tenant's current run that a path names.
 *
 * @throws HttpProblem 404 for no such step (of these, when `among` is given), 409 when the tenant has no run yet
 */
export function knownStep<Step extends StepName = StepName>(
  call: HttpCall,
  tenant: Tenant,
  among: readonly Step[] = stepNames as readonly StepName[] as readonly Step[],
): StepRef & { readonly step: Step } {
  const step = among.find((name) => name === call.param('step'));
  if (step === undefined) {
    throw new HttpProblem(404, 'unknown-step', 'There is no such step, or not for this.', {
      field: 'step',
      got: preview(call.param('step')),
      expected: among,
    });
  }
  if (tenant.currentRunId === null) {
    throw new HttpProblem(409, 'no-run', 'This tenant has no run yet: it starts when the client has connected Meta.');
  }
  return { tenantId: tenant.tenantId, runId: tenant.currentRunId, step };
}
