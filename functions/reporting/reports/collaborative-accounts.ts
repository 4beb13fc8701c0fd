import * as v from 'valibot';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { readFields } from '../../../shared/runtime/request-fields.ts';
import { tenantOf } from './known-tenant.ts';
import type { ReportServices } from './services.ts';

const retailerRule = {
  schema: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(80)),
  expected: ['the name of the retailer whose catalog the account advertises, at most 80 characters'],
} as const;

/**
 * `PUT /tenants/{tenant}/collaborative-accounts/{adAccount} {retailer}`: reports on an ad account that advertises a
 * retailer's catalog, by the shared-item metrics. Meta opens such accounts by hand only, so a person names them. Audited.
 * Whether the tenant's system user may read it, the next report run says.
 */
export function addCollaborativeAccount(services: ReportServices): HttpRoute['handle'] {
  return async (call) => {
    const tenant = await tenantOf(call, services);
    const adAccountId = adAccountOf(call.param('adAccount'));
    const { retailer } = readFields(jsonBody(call), { retailer: retailerRule });
    if (tenant.assets === undefined) throw new HttpProblem(409, 'not-live', 'The tenant is not live yet.');
    if (tenant.assets.operator === 'fallback') {
      const why = "The parent business's token reads the accounts of other tenants too";
      throw new HttpProblem(409, 'no-own-business', `${why}: migrate the tenant to a business of its own first.`);
    }
    if (tenant.assets.adAccountId === adAccountId) {
      throw new HttpProblem(409, 'own-account', `${adAccountId} is the tenant's own ad account.`);
    }
    await services.accounts.add(tenant.tenantId, { adAccountId, retailer }, call.caller);
    return jsonAnswer(200, { tenantId: tenant.tenantId, adAccountId, retailer });
  };
}

/** `DELETE /tenants/{tenant}/collaborative-accounts/{adAccount}`: reports on it no longer. Audited. */
export function removeCollaborativeAccount(services: ReportServices): HttpRoute['handle'] {
  return async (call) => {
    const { tenantId } = await tenantOf(call, services);
    const adAccountId = adAccountOf(call.param('adAccount'));
    if (!(await services.accounts.remove(tenantId, adAccountId, call.caller))) {
      throw new HttpProblem(404, 'not-found', `${adAccountId} is no collaborative account of this tenant.`);
    }
    return jsonAnswer(200, { tenantId, adAccountId });
  };
}

function adAccountOf(given: string): string {
  if (/^act_\d{5,20}$/.test(given)) return given;
  throw new HttpProblem(400, 'bad-ad-account', `adAccount: ${JSON.stringify(given)} is no ad account.`, {
    expected: ['e.g. act_123456789012345'],
  });
}
