/** The product sets a tenant is to have; catalog-monitor brings them into being. */
import * as v from 'valibot';
import type { ProductSets } from '../../../shared/contracts/catalog-documents.ts';
import { filterProblems } from '../../../shared/domain/catalog/product-set-rule.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { readFields } from '../../../shared/runtime/request-fields.ts';
import { knownTenant } from './known-tenant.ts';
import type { CatalogAdminServices } from './services.ts';

const set = v.strictObject({
  key: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{1,40}$/)),
  name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(100)),
  filter: v.record(v.string(), v.unknown()),
});

const setsRule = {
  schema: v.pipe(
    v.array(set),
    v.maxLength(50),
    v.check((sets) => new Set(sets.map(({ key }) => key)).size === sets.length),
  ),
  expected: [
    'at most 50 of {key: lower-case letters, digits and hyphens, each once; name: 1-100 characters; filter: a rule of Meta’s}',
  ],
};

/** `GET /tenants/{tenant}/product-sets`: the rules, and the sets there are with their sizes. */
export function showSets(services: CatalogAdminServices): HttpRoute['handle'] {
  return async (call) => {
    const tenantId = await knownTenant(call, services);
    const [wanted, health] = await Promise.all([services.health.readSets(tenantId), services.health.read(tenantId)]);
    return jsonAnswer(200, view(tenantId, wanted, health?.productSets ?? null));
  };
}

/** `PUT /tenants/{tenant}/product-sets {sets: [{key, name, filter}]}`. Audited. A set left out stays at Meta. */
export function replaceSets(services: CatalogAdminServices): HttpRoute['handle'] {
  return async (call) => {
    const tenantId = await knownTenant(call, services);
    const { sets } = readFields(jsonBody(call), { sets: setsRule });
    const problems = sets.flatMap(({ filter }, index) =>
      filterProblems(filter).map(({ at, expected }) => {
        const field = `sets[${index}].filter${at === '' ? '' : `.${at}`}`;
        return { field, message: `${field} is not valid`, expected: [expected] };
      }),
    );
    if (problems.length > 0) {
      throw new HttpProblem(400, 'invalid-request', 'Some filters are not rules Meta can take.', { problems });
    }
    return jsonAnswer(200, view(tenantId, await services.health.writeSets(tenantId, call.caller, sets), null));
  };
}

function view(tenantId: string, wanted: ProductSets | undefined, atMeta: unknown): Record<string, unknown> {
  return {
    tenantId,
    sets: wanted?.sets ?? [],
    updatedAt: wanted?.updatedAt ?? null,
    updatedBy: wanted?.updatedBy ?? null,
    atMeta,
  };
}
