import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { endOverride, overrideGate, showGate } from './launch-gate.ts';
import { replaceSets, showSets } from './product-sets.ts';
import type { CatalogAdminServices } from './services.ts';
import { showCatalog, showProblems } from './show-catalog.ts';
import { releaseFeed, resumeFeed } from './steer.ts';

/** Everything the function answers. */
export function catalogAdminRoutes(services: CatalogAdminServices): readonly HttpRoute[] {
  const iam = { callers: 'iam' } as const;
  return [
    { ...iam, method: 'GET', path: '/tenants/{tenant}/catalog', handle: showCatalog(services) },
    { ...iam, method: 'GET', path: '/tenants/{tenant}/catalog/problems', handle: showProblems(services) },
    { ...iam, method: 'POST', path: '/tenants/{tenant}/catalog/release', handle: releaseFeed(services) },
    { ...iam, method: 'POST', path: '/tenants/{tenant}/catalog/resume', handle: resumeFeed(services) },
    { ...iam, method: 'GET', path: '/tenants/{tenant}/launch-gate', handle: showGate(services) },
    { ...iam, method: 'POST', path: '/tenants/{tenant}/launch-gate/override', handle: overrideGate(services) },
    { ...iam, method: 'DELETE', path: '/tenants/{tenant}/launch-gate/override', handle: endOverride(services) },
    { ...iam, method: 'GET', path: '/tenants/{tenant}/product-sets', handle: showSets(services) },
    { ...iam, method: 'PUT', path: '/tenants/{tenant}/product-sets', handle: replaceSets(services) },
  ];
}
