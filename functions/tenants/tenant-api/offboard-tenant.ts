import { deliverOrLeave } from '../../../shared/runtime/deliver-or-leave.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { readFields } from '../../../shared/runtime/request-fields.ts';
import { tenantIdOf, unknownTenant } from './known-tenant.ts';
import { reason } from './reason.ts';
import type { TenantServices } from './services.ts';
import { teardownView } from './teardown-view.ts';

/**
 * `DELETE /tenants/{tenant} {reason?}`: offboards and erases the tenant. The relay is closed before the answer; the rest
 * is `offboard-tenant`'s. 202 while it goes on, 200 with the report once it is done; asking again pokes what may have
 * fallen asleep. The slug is never used again. Audited.
 */
export function offboardTenant({
  ending,
  closeRelay,
  deliver,
  now,
}: Pick<TenantServices, 'ending' | 'closeRelay' | 'deliver' | 'now'>): HttpRoute['handle'] {
  return async (call) => {
    const tenantId = tenantIdOf(call);
    const why = call.rawBody.length === 0 ? 'offboarded' : readFields(jsonBody(call), { reason }).reason;
    const wish = { reason: why, actor: call.caller, traceparent: call.traceparent };
    const offboarded = await ending.offboard(tenantId, wish);
    if (offboarded === undefined) throw unknownTenant();
    const { kind, messages, teardown } = offboarded;
    if (kind === 'begun') await closeRelay(tenantId, { at: now().toISOString(), forGood: true });
    await deliverOrLeave(deliver, messages, call.log);
    call.log.warn({ tenantId }, kind === 'begun' ? 'offboarding begun' : 'offboarding asked for again');
    return jsonAnswer(teardown.state === 'done' ? 200 : 202, {
      tenantId,
      status: teardown.state === 'done' ? 'erased' : 'offboarding',
      ending: teardownView(teardown),
    });
  };
}
