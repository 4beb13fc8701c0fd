import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { readGivenFields } from '../../../shared/runtime/request-fields.ts';
import { knownTenant } from './known-tenant.ts';
import { relaySettingsFields } from './relay-settings-fields.ts';
import type { TenantServices } from './services.ts';

type Services = Pick<TenantServices, 'tenants' | 'relaySettings'>;

/** `GET /tenants/{tenant}/relay-settings`: how the tenant's events are treated, and for which datasets. */
export function showRelaySettings({ tenants, relaySettings }: Services): HttpRoute['handle'] {
  return async (call) => {
    const { tenantId } = await knownTenant(call, tenants);
    const found = await relaySettings.read(tenantId);
    if (found === undefined) throw noDataset();
    return jsonAnswer(200, { tenantId, ...found });
  };
}

/**
 * `PATCH /tenants/{tenant}/relay-settings`: changes the fields given, for every dataset of the tenant, and leaves the
 * others. In force everywhere within 30 seconds. Audited with what was and what is.
 */
export function changeRelaySettings({ tenants, relaySettings }: Services): HttpRoute['handle'] {
  return async (call) => {
    const { tenantId } = await knownTenant(call, tenants);
    const changes = readGivenFields(jsonBody(call), relaySettingsFields);
    const found = await relaySettings.change(tenantId, changes, call.caller);
    if (found === undefined) throw noDataset();
    call.log.info({ tenantId, changed: Object.keys(changes) }, 'relay settings changed');
    return jsonAnswer(200, { tenantId, ...found });
  };
}

function noDataset(): HttpProblem {
  return new HttpProblem(409, 'no-dataset', 'The relay is not open for this tenant yet: its dataset is not created.');
}
