import { metaTimezoneId } from '../../../shared/domain/meta-timezones.ts';
import { metaObjectName } from '../../../shared/domain/naming.ts';
import { verticalTemplates } from '../../../shared/domain/vertical-templates.ts';
import { createChildBusiness, findChildBusinessByExternalId } from '../../../shared/meta/businesses.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';
import type { StepFactory } from '../services.ts';

const hourMs = 60 * 60 * 1000;

/**
 * Creates the tenant's child Business Manager under Kobi's parent, with the client's user token, and brings the Page in
 * with it. Found again by `child_business_external_id`, whatever its name became. (Document, "2-Tier onboarding flow" 3.)
 */
export const createChildBusinessStep: StepFactory<'create-child-business'> =
  ({ graph, credentials, kobi, readiness }) =>
  async ({ tenant, product, ensure, log }) => {
    if (!(await readiness()).pre10) {
      throw new Waiting({
        on: 'meta',
        for: 'PRE-10',
        what: "Meta must grant Kobi's app access to the 2-Tier Business Manager API (PRE-10); Kobi follows it up with its Meta representative.",
        pollEveryMs: hourMs,
      });
    }
    const { pageId } = product('record-consent');
    const name = metaObjectName(tenant.slug);
    const business = {
      parentBusinessId: kobi.parentBusinessId,
      childBusinessExternalId: name,
      vertical: verticalTemplates[tenant.vertical].metaVertical,
      sharedPageId: pageId,
      ...timezoneOf(tenant.timezone),
    };
    const { childBusinessId } = await ensure({
      name: 'child-business',
      desired: { ...business, name },
      find: async () => {
        const found = await findChildBusinessByExternalId(graph.as(await credentials.parent()), business);
        return found && { childBusinessId: found.id };
      },
      create: async () => {
        const asUser = graph.as(await credentials.user(tenant.tenantId));
        try {
          return { childBusinessId: (await createChildBusiness(asUser, { ...business, name })).id };
        } catch (error) {
          if (!(error instanceof GraphError && error.reason === 'business-name-refused')) throw error;
          // Whether Meta takes `_` in a business name is not documented; the public name is what it asks for.
          log.warn({ refused: name }, "Meta refused the name, using the tenant's public name");
          return { childBusinessId: (await createChildBusiness(asUser, { ...business, name: tenant.name })).id };
        }
      },
    });
    return { products: { childBusinessId } };
  };

function timezoneOf(timezone: string): { timezoneId?: number } {
  const timezoneId = metaTimezoneId(timezone);
  return timezoneId === undefined ? {} : { timezoneId };
}
