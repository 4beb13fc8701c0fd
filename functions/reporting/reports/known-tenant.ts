import type { Tenant } from '../../../shared/contracts/documents.ts';
import type { HttpCall } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import type { ReportServices } from './services.ts';

/** The tenant that a route names. @throws HttpProblem 404 */
export async function tenantOf(call: HttpCall, { tenant }: Pick<ReportServices, 'tenant'>): Promise<Tenant> {
  const found = await tenant(call.param('tenant'));
  if (found === undefined) throw new HttpProblem(404, 'not-found', 'There is no such tenant.');
  return found;
}
