import { deliverOrLeave } from '../../../shared/runtime/deliver-or-leave.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { readFields } from '../../../shared/runtime/request-fields.ts';
import { knownTenant } from './known-tenant.ts';
import { reason } from './reason.ts';
import type { TenantServices } from './services.ts';

/**
 * `POST /tenants/{tenant}/cancel {reason}`: ends the tenant's run. From the answer on nothing is made at Meta; what was
 * made is stopped from spending (`undo-run`), and `GET /tenants/{tenant}` lists what cannot be undone. Audited. A client
 * who connects again later begins a new run with what is there.
 */
export function cancelRun({
  tenants,
  ending,
  deliver,
}: Pick<TenantServices, 'tenants' | 'ending' | 'deliver'>): HttpRoute['handle'] {
  return async (call) => {
    const { tenantId } = await knownTenant(call, tenants);
    const { reason: why } = readFields(jsonBody(call), { reason });
    const cancelled = await ending.cancel(tenantId, {
      reason: why,
      actor: call.caller,
      traceparent: call.traceparent,
    });
    switch (cancelled.kind) {
      case 'no-run':
        throw new HttpProblem(409, 'no-run', 'This tenant has no run that could be cancelled.');
      case 'live':
        throw new HttpProblem(409, 'not-cancellable', 'The run is over. To end the tenant, delete it.', {
          expected: [`DELETE /tenants/${tenantId}`],
        });
      case 'already':
      case 'cancelled':
        await deliverOrLeave(deliver, cancelled.messages, call.log);
        call.log.warn({ tenantId, runId: cancelled.runId }, 'run cancelled');
        return jsonAnswer(cancelled.kind === 'already' ? 200 : 202, {
          tenantId,
          runId: cancelled.runId,
          state: 'cancelled',
        });
    }
  };
}
