import * as v from 'valibot';
import { alertKinds } from '../../../shared/contracts/alert-documents.ts';
import type { AlertKind } from '../../../shared/contracts/alert-documents.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpCall, HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { readFields } from '../../../shared/runtime/request-fields.ts';
import { knownTenant } from './known-tenant.ts';
import { reason } from './reason.ts';
import type { TenantServices } from './services.ts';

type Services = Pick<TenantServices, 'tenants' | 'alerts' | 'now'>;

const mostHours = 14 * 24;
const hours = {
  schema: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(mostHours)),
  expected: [`whole hours from 1 to ${mostHours} after which it is told again`],
} as const;

/** `GET /tenants/{tenant}/alerts`: every kind the tenant has or had, open ones first, the newest first. */
export function listAlerts({ alerts, tenants }: Services): HttpRoute['handle'] {
  return async (call) => {
    const { tenantId } = await knownTenant(call, tenants);
    const known = await alerts.ofTenant(tenantId);
    const byAge = known.toSorted(
      (a, b) => Number(a.resolvedAt !== null) - Number(b.resolvedAt !== null) || b.since.localeCompare(a.since),
    );
    return jsonAnswer(200, { tenantId, alerts: byAge });
  };
}

/**
 * `PUT /tenants/{tenant}/alerts/{kind}/snooze {reason, hours}`: this kind is not told of for so long; it goes on being seen
 * and shown, and what is still true afterwards is told then. Audited.
 */
export function snoozeAlert({ alerts, now, tenants }: Services): HttpRoute['handle'] {
  return async (call) => {
    const { tenantId } = await knownTenant(call, tenants);
    const kind = kindOf(call);
    const { hours: long, reason: why } = readFields(jsonBody(call), { reason, hours });
    const until = new Date(now().getTime() + long * 3_600_000).toISOString();
    if (!(await alerts.snooze(tenantId, kind, call.caller, { until, reason: why }))) throw neverRaised(kind);
    return jsonAnswer(200, { tenantId, kind, snoozedUntil: until });
  };
}

/** `DELETE /tenants/{tenant}/alerts/{kind}/snooze`: told again from now on. Audited. */
export function endSnooze({ alerts, tenants }: Services): HttpRoute['handle'] {
  return async (call) => {
    const { tenantId } = await knownTenant(call, tenants);
    const kind = kindOf(call);
    if (!(await alerts.snooze(tenantId, kind, call.caller, null))) throw neverRaised(kind);
    return jsonAnswer(200, { tenantId, kind, snoozedUntil: null });
  };
}

function kindOf(call: Pick<HttpCall, 'param'>): AlertKind {
  const given = call.param('kind');
  const kind = alertKinds.find((each) => each === given);
  if (kind === undefined) {
    throw new HttpProblem(404, 'unknown-kind', 'There is no such kind of alert.', { expected: [...alertKinds] });
  }
  return kind;
}

function neverRaised(kind: AlertKind): HttpProblem {
  return new HttpProblem(404, 'never-raised', `This tenant never had an alert of kind ${kind}.`);
}
