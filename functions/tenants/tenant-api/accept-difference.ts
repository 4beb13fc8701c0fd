import * as v from 'valibot';
import { acceptableDriftItems, driftItemNames, driftItems } from '../../../shared/domain/drift.ts';
import { deliverOrLeave } from '../../../shared/runtime/deliver-or-leave.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { preview, readFields } from '../../../shared/runtime/request-fields.ts';
import { driftView } from './drift-view.ts';
import { knownTenant } from './known-tenant.ts';
import { reason } from './reason.ts';
import type { TenantServices } from './services.ts';

const found = { schema: v.pipe(v.string(), v.maxLength(500)), expected: ['`found` of the difference, as shown'] };

/**
 * `POST /tenants/{tenant}/differences/{item}/accept {found, reason}`: what Meta has is right, and is what is expected from
 * now on. Nothing is changed at Meta. `found` says what the person saw, so that nothing else is accepted. Audited.
 */
export function acceptDifference({
  drift,
  tenants,
  deliver,
}: Pick<TenantServices, 'drift' | 'tenants' | 'deliver'>): HttpRoute['handle'] {
  return async (call) => {
    const { tenantId } = await knownTenant(call, tenants);
    const item = driftItemNames.find((name) => name === call.param('item'));
    if (item === undefined) {
      throw new HttpProblem(404, 'unknown-item', 'Nothing of this name is compared.', {
        field: 'item',
        got: preview(call.param('item')),
        expected: driftItemNames,
      });
    }
    if (!acceptableDriftItems.includes(item)) {
      const message = `The ${driftItems[item].title} cannot be accepted otherwise: the tenant does not work so. ${driftItems[item].what}`;
      throw new HttpProblem(409, 'not-acceptable', message, {
        field: 'item',
        got: item,
        expected: acceptableDriftItems,
      });
    }
    const wish = readFields(jsonBody(call), { found, reason });
    const { caller: actor, traceparent } = call;
    const ended = await drift.accept(tenantId, item, { ...wish, actor, traceparent });
    if (ended.kind === 'none') {
      throw new HttpProblem(409, 'no-difference', `Meta had what is expected of the ${driftItems[item].title}.`);
    }
    if (ended.kind === 'changed') {
      throw new HttpProblem(409, 'other-difference', 'Meta has something else by now: look again, then decide.', {
        field: 'found',
        got: wish.found,
        expected: [ended.found],
      });
    }
    await deliverOrLeave(deliver, ended.messages, call.log);
    call.log.warn({ tenantId, item }, 'difference accepted');
    return jsonAnswer(200, { tenantId, drift: driftView(await drift.read(tenantId)) });
  };
}
