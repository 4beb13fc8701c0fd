import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { readFields } from '../../../shared/runtime/request-fields.ts';
import type { TenantServices } from './services.ts';
import { tenantFields } from './tenant-fields.ts';

/**
 * `POST /tenants`: 201 with the new tenant. The same body again answers 200 with the same tenant, so a caller that lost
 * the answer may repeat it; another body under the same slug is 409. Every bad field is named at once.
 */
export function createTenant({ tenants }: Pick<TenantServices, 'tenants'>): HttpRoute['handle'] {
  return async (call) => {
    const facts = readFields(jsonBody(call), tenantFields);
    const creation = await tenants.create(facts, call.caller);
    if (creation.kind === 'retired') {
      throw new HttpProblem(
        409,
        'slug-retired',
        `A tenant ${facts.slug} was offboarded; its slug is never used again.`,
        {
          field: 'slug',
          got: facts.slug,
          expected: ['a slug no tenant ever had'],
        },
      );
    }
    if (creation.kind === 'taken') {
      throw new HttpProblem(
        409,
        'slug-taken',
        `The tenant ${facts.slug} exists with another ${creation.differing.join(', ')}.`,
        { field: 'slug', got: facts.slug, expected: ['a slug no tenant has'] },
      );
    }
    const { tenantId, status, createdAt } = creation.tenant;
    call.log.info({ tenantId }, creation.kind === 'created' ? 'tenant created' : 'tenant exists');
    return jsonAnswer(
      creation.kind === 'created' ? 201 : 200,
      { tenantId, ...facts, status, createdAt },
      { location: `/tenants/${tenantId}` },
    );
  };
}
