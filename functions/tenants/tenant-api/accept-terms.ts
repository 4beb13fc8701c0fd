import * as v from 'valibot';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { readFields } from '../../../shared/runtime/request-fields.ts';
import { knownTenant, unknownTenant } from './known-tenant.ts';
import type { TenantServices } from './services.ts';

const termsFields = {
  tos: { schema: v.literal(true), expected: ['true: the client accepted the terms of service'] },
  dataSharing: { schema: v.literal(true), expected: ['true: the client accepted the data sharing agreement'] },
  acceptedBy: {
    schema: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(200)),
    expected: ['who accepted: the person’s id in the portal, 1-200 characters'],
  },
} as const;

/**
 * `POST /tenants/{tenant}/terms`: records that the client accepted both, once, and answers with the address at which the
 * client connects Meta. Repeating it answers a fresh address. (Document, "2-Tier onboarding flow" 1.)
 */
export function acceptTerms({
  tenants,
  connectUrl,
}: Pick<TenantServices, 'tenants' | 'connectUrl'>): HttpRoute['handle'] {
  return async (call) => {
    const { tenantId } = await knownTenant(call, tenants);
    const { acceptedBy } = readFields(jsonBody(call), termsFields);
    const tenant = await tenants.acceptTerms(tenantId, acceptedBy, call.caller);
    if (tenant === undefined) throw unknownTenant();
    return jsonAnswer(200, {
      tenantId,
      status: tenant.status,
      terms: tenant.terms,
      connectUrl: await connectUrl(tenantId),
    });
  };
}
