/** The launch gate as the agent reads it, and a person's override. */
import * as v from 'valibot';
import type { CatalogHealth } from '../../../shared/contracts/catalog-documents.ts';
import { gateNow } from '../../../shared/domain/catalog/launch-gate.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { readFields } from '../../../shared/runtime/request-fields.ts';
import { knownTenant } from './known-tenant.ts';
import type { CatalogAdminServices } from './services.ts';

/** Why a person decided so: kept in the audit trail, so it must say something. */
export const reasonRule = {
  schema: v.pipe(v.string(), v.trim(), v.minLength(5), v.maxLength(300)),
  expected: ['why, in 5-300 characters'],
} as const;

const maxHours = 14 * 24;
const hoursRule = {
  schema: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(maxHours)),
  expected: [`whole hours from 1 to ${maxHours} after which the override ends`],
} as const;

/** `GET /tenants/{tenant}/launch-gate`: may dynamic ads be launched, and for each *no* why and what to do. */
export function showGate(services: CatalogAdminServices): HttpRoute['handle'] {
  return async (call) => {
    const tenantId = await knownTenant(call, services);
    return jsonAnswer(200, gateView(tenantId, await services.health.read(tenantId), services.now()));
  };
}

/** `POST /tenants/{tenant}/launch-gate/override {reason, hours}`: launch all the same until then. Audited. */
export function overrideGate(services: CatalogAdminServices): HttpRoute['handle'] {
  return async (call) => {
    const tenantId = await knownTenant(call, services);
    const { hours, reason } = readFields(jsonBody(call), { reason: reasonRule, hours: hoursRule });
    const expiresAt = new Date(services.now().getTime() + hours * 3_600_000).toISOString();
    const health = await services.health.setOverride(tenantId, call.caller, { reason, expiresAt });
    if (health === undefined) throw neverChecked();
    return jsonAnswer(200, gateView(tenantId, health, services.now()));
  };
}

/** `DELETE /tenants/{tenant}/launch-gate/override`. Audited. */
export function endOverride(services: CatalogAdminServices): HttpRoute['handle'] {
  return async (call) => {
    const tenantId = await knownTenant(call, services);
    const health = await services.health.setOverride(tenantId, call.caller, null);
    if (health === undefined) throw neverChecked();
    return jsonAnswer(200, gateView(tenantId, health, services.now()));
  };
}

function neverChecked(): HttpProblem {
  return new HttpProblem(
    409,
    'never-checked',
    'catalog-monitor has not looked at this catalog yet: there is no gate to override.',
  );
}

export function gateView(tenantId: string, health: CatalogHealth | undefined, now: Date): Record<string, unknown> {
  const { checks, mayLaunch, override, state } = gateNow(health, now);
  const { checkedAt = null, troubles = [] } = health ?? {};
  return { tenantId, mayLaunch, state, checkedAt, checks, troubles, override };
}
