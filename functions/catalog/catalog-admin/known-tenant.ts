import { slugPattern } from '../../../shared/domain/naming.ts';
import type { HttpCall } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import type { CatalogAdminServices } from './services.ts';

/** The tenant the path names. What cannot be one never becomes part of a document path. @throws HttpProblem 404 */
export async function knownTenant(
  call: Pick<HttpCall, 'param'>,
  { isTenant }: Pick<CatalogAdminServices, 'isTenant'>,
): Promise<string> {
  const tenantId = call.param('tenant');
  if (slugPattern.test(tenantId) && (await isTenant(tenantId))) return tenantId;
  throw new HttpProblem(404, 'unknown-tenant', 'There is no tenant with this id.');
}
