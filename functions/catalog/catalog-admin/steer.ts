import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { deliverOrLeave } from '../../../shared/runtime/deliver-or-leave.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { readFields } from '../../../shared/runtime/request-fields.ts';
import { NothingToSteer, releaseHeldFeed, resumeSync } from '../steer-sync.ts';
import { knownTenant } from './known-tenant.ts';
import { reasonRule } from './launch-gate.ts';
import type { CatalogAdminServices } from './services.ts';
import { syncView } from './show-catalog.ts';

/** `POST /tenants/{tenant}/catalog/release {reason}`: a held feed goes out as it was read. Audited. 409: none is held. */
export function releaseFeed(services: CatalogAdminServices): HttpRoute['handle'] {
  return async (call) => {
    const tenantId = await knownTenant(call, services);
    const { reason } = readFields(jsonBody(call), { reason: reasonRule });
    const steered = await orConflict('held', () =>
      releaseHeldFeed(tenantId, { by: call.caller, reason }, call.traceparent, services.steer),
    );
    await deliverOrLeave(services.deliver, steered.messages, call.log);
    return jsonAnswer(200, { tenantId, sync: steered.catalog.current && syncView(steered.catalog.current) });
  };
}

/** `POST /tenants/{tenant}/catalog/resume`: a sync that waits tries again where it was. 409: none waits. */
export function resumeFeed(services: CatalogAdminServices): HttpRoute['handle'] {
  return async (call) => {
    const tenantId = await knownTenant(call, services);
    const steered = await orConflict('waiting', () => resumeSync(tenantId, call.traceparent, services.steer));
    await deliverOrLeave(services.deliver, steered.messages, call.log);
    return jsonAnswer(200, { tenantId, sync: steered.catalog.current && syncView(steered.catalog.current) });
  };
}

async function orConflict<Value>(wanted: string, steer: () => Promise<Value>): Promise<Value> {
  try {
    return await steer();
  } catch (error) {
    if (!(error instanceof NothingToSteer)) throw error;
    throw new HttpProblem(409, `not-${wanted}`, `No feed of this tenant is ${wanted}.`, {
      field: 'state',
      got: error.state,
      expected: [wanted],
    });
  }
}
