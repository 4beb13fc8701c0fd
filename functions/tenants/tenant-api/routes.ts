import type { OutboxMessage } from '../../../shared/contracts/documents.ts';
import type { RelayKeyStore } from '../../../shared/gcp/relay-key-store.ts';
import type { StepStore } from '../../../shared/gcp/step-store.ts';
import type { TenantStore } from '../../../shared/gcp/tenant-store.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { acceptTerms } from './accept-terms.ts';
import { createTenant } from './create-tenant.ts';
import { issueRelayKey, revokeRelayKey } from './relay-keys.ts';
import { retryStep } from './retry-step.ts';
import { listTenants, showTenant } from './show-tenant.ts';

/** What the API works with. */
export interface TenantServices {
  readonly tenants: Pick<TenantStore, 'create' | 'acceptTerms' | 'read' | 'list'>;
  readonly steps: Pick<StepStore, 'readSteps' | 'wake'>;
  readonly relayKeys: Pick<RelayKeyStore, 'issue' | 'revoke'>;
  readonly deliver: (messages: readonly OutboxMessage[]) => Promise<void>;
  /** A signed address that starts this tenant's connection, for the portal to hand to its logged-in client. */
  readonly connectUrl: (tenantId: string) => Promise<string>;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** Everything the function answers. */
export function tenantRoutes(services: TenantServices): readonly HttpRoute[] {
  const iam = { callers: 'iam' } as const;
  return [
    { ...iam, method: 'POST', path: '/tenants', handle: createTenant(services) },
    { ...iam, method: 'GET', path: '/tenants', handle: listTenants(services) },
    { ...iam, method: 'GET', path: '/tenants/{tenant}', handle: showTenant(services) },
    { ...iam, method: 'POST', path: '/tenants/{tenant}/terms', handle: acceptTerms(services) },
    { ...iam, method: 'POST', path: '/tenants/{tenant}/steps/{step}/retry', handle: retryStep(services) },
    { ...iam, method: 'POST', path: '/tenants/{tenant}/relay-keys', handle: issueRelayKey(services) },
    { ...iam, method: 'DELETE', path: '/tenants/{tenant}/relay-keys/{relayKey}', handle: revokeRelayKey(services) },
  ];
}
