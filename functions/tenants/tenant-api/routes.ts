import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { acceptDifference } from './accept-difference.ts';
import { acceptTerms } from './accept-terms.ts';
import { adoptStep } from './adopt-step.ts';
import { endSnooze, listAlerts, snoozeAlert } from './alerts.ts';
import { cancelRun } from './cancel-run.ts';
import { changeTenant } from './change-tenant.ts';
import { createTenant } from './create-tenant.ts';
import { offboardTenant } from './offboard-tenant.ts';
import { issueRelayKey, listRelayKeys, revokeRelayKey, rotateRelayKey } from './relay-keys.ts';
import { setReadiness, showReadiness } from './readiness.ts';
import { changeRelaySettings, showRelaySettings } from './relay-settings.ts';
import { reopenStep } from './reopen-step.ts';
import { retryStep } from './retry-step.ts';
import { showHealth } from './show-health.ts';
import { skipStep } from './skip-step.ts';
import { listTenants, showTenant } from './show-tenant.ts';
import { verifyAudit } from './verify-audit.ts';
import type { TenantServices } from './services.ts';

/** Everything the function answers. */
export function tenantRoutes(services: TenantServices): readonly HttpRoute[] {
  const iam = { callers: 'iam' } as const;
  return [
    { ...iam, method: 'GET', path: '/health', handle: showHealth(services) },
    { ...iam, method: 'POST', path: '/tenants', handle: createTenant(services) },
    { ...iam, method: 'GET', path: '/readiness', handle: showReadiness(services) },
    { ...iam, method: 'PATCH', path: '/readiness', handle: setReadiness(services) },
    { ...iam, method: 'GET', path: '/tenants', handle: listTenants(services) },
    { ...iam, method: 'GET', path: '/tenants/{tenant}', handle: showTenant(services) },
    { ...iam, method: 'DELETE', path: '/tenants/{tenant}', handle: offboardTenant(services) },
    { ...iam, method: 'POST', path: '/tenants/{tenant}/cancel', handle: cancelRun(services) },
    { ...iam, method: 'GET', path: '/tenants/{tenant}/audit/verify', handle: verifyAudit(services) },
    { ...iam, method: 'PATCH', path: '/tenants/{tenant}', handle: changeTenant(services) },
    { ...iam, method: 'POST', path: '/tenants/{tenant}/terms', handle: acceptTerms(services) },
    { ...iam, method: 'POST', path: '/tenants/{tenant}/steps/{step}/retry', handle: retryStep(services) },
    { ...iam, method: 'POST', path: '/tenants/{tenant}/steps/{step}/adopt', handle: adoptStep(services) },
    { ...iam, method: 'POST', path: '/tenants/{tenant}/steps/{step}/skip', handle: skipStep(services) },
    { ...iam, method: 'POST', path: '/tenants/{tenant}/steps/{step}/reopen', handle: reopenStep(services) },
    {
      ...iam,
      method: 'POST',
      path: '/tenants/{tenant}/differences/{item}/accept',
      handle: acceptDifference(services),
    },
    { ...iam, method: 'GET', path: '/tenants/{tenant}/alerts', handle: listAlerts(services) },
    { ...iam, method: 'PUT', path: '/tenants/{tenant}/alerts/{kind}/snooze', handle: snoozeAlert(services) },
    { ...iam, method: 'DELETE', path: '/tenants/{tenant}/alerts/{kind}/snooze', handle: endSnooze(services) },
    { ...iam, method: 'POST', path: '/tenants/{tenant}/relay-keys', handle: issueRelayKey(services) },
    { ...iam, method: 'GET', path: '/tenants/{tenant}/relay-keys', handle: listRelayKeys(services) },
    {
      ...iam,
      method: 'POST',
      path: '/tenants/{tenant}/relay-keys/{relayKey}/rotate',
      handle: rotateRelayKey(services),
    },
    { ...iam, method: 'GET', path: '/tenants/{tenant}/relay-settings', handle: showRelaySettings(services) },
    { ...iam, method: 'PATCH', path: '/tenants/{tenant}/relay-settings', handle: changeRelaySettings(services) },
    { ...iam, method: 'DELETE', path: '/tenants/{tenant}/relay-keys/{relayKey}', handle: revokeRelayKey(services) },
  ];
}
