import { metaTimezoneId } from '../../../shared/domain/meta-timezones.ts';
import { childBusinessNames, metaObjectName } from '../../../shared/domain/naming.ts';
import { verticalTemplates } from '../../../shared/domain/vertical-templates.ts';
import {
  createChildBusiness,
  findChildBusinessByExternalId,
  findChildBusinessesOfUser,
} from '../../../shared/meta/businesses.ts';
import type { ChildBusiness } from '../../../shared/meta/businesses.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import { unknownOutcomeGraceMs } from '../../../shared/runtime/graph-outcome.ts';
import { RetryLater, Waiting } from '../../../shared/runtime/outcomes.ts';
import type { StepFactory } from '../services.ts';
import { isExternalIdInUse, mayExistAlready, nextAttempt, waitAfter } from './refusals.ts';
import type { Attempt } from './refusals.ts';

const hourMs = 60 * 60 * 1000;

/**
 * Creates the tenant's child Business Manager under Kobi's parent, with the client's user token, and brings the Page in
 * with it. Found again by `child_business_external_id`, whatever its name became.
 *
 * Meta may refuse because a business exists. The one that is ours is adopted: found by the external id, or among the
 * businesses of the client's person by our own name, which no other tenant bears. For any other it waits on whoever can
 * do something about it. (Document, "2-Tier onboarding flow" 3; meta "2-Tier Business Manager", errors.)
 */
export const createChildBusinessStep: StepFactory<'create-child-business'> =
  ({ graph, credentials, kobi, readiness }) =>
  async ({ tenant, product, ensure, log }) => {
    const { pre8, pre10 } = await readiness();
    if (!pre8) {
      throw new Waiting({
        on: 'kobi',
        for: 'PRE-8',
        what: "Finish business verification of Kobi's parent Business Manager in Meta's Security Centre (PRE-8).",
        pollEveryMs: hourMs,
      });
    }
    if (!pre10) {
      throw new Waiting({
        on: 'meta',
        for: 'PRE-10',
        what: "Meta must grant Kobi's app access to the 2-Tier Business Manager API (PRE-10); Kobi follows it up with its Meta representative.",
        pollEveryMs: hourMs,
      });
    }
    const { metaUserId, pageId, pageName } = product('record-consent');
    const { parentBusinessId } = kobi;
    const ourName = metaObjectName(tenant.slug);
    const names = childBusinessNames(tenant.slug, tenant.name);
    const business = {
      parentBusinessId,
      childBusinessExternalId: ourName,
      vertical: verticalTemplates[tenant.vertical].metaVertical,
      ...timezoneOf(tenant.timezone),
    };

    const findByExternalId = async (): Promise<string | undefined> =>
      (await findChildBusinessByExternalId(graph.as(await credentials.parent()), business))?.id;

    const findOfPerson = async (): Promise<ChildBusiness[]> =>
      findChildBusinessesOfUser(graph.as(await credentials.parent()), { parentBusinessId, clientUserId: metaUserId });

    const create = async ({ name, sharedPageId }: Attempt): Promise<string> => {
      const asUser = graph.as(await credentials.user(tenant.tenantId));
      return (await createChildBusiness(asUser, { ...business, name, ...(sharedPageId !== null && { sharedPageId }) }))
        .id;
    };

    const bring = async (
      attempt: Attempt,
      find: () => Promise<string | undefined>,
    ): Promise<{ childBusinessId: string }> => {
      const { childBusinessId } = await ensure<{ childBusinessId: string; name?: string }>({
        name: 'child-business',
        desired: { ...business, ...attempt },
        find: async () => {
          const found = await find();
          return found === undefined ? undefined : { childBusinessId: found };
        },
        // The name Meta took: what drift-check holds it against, whatever the tenant is called later.
        create: async () => ({ childBusinessId: await create(attempt), name: attempt.name }),
      });
      return { childBusinessId };
    };

    let attempt: Attempt = { name: ourName, sharedPageId: pageId };
    for (;;) {
      try {
        return { products: await bring(attempt, findByExternalId) };
      } catch (error) {
        if (!(error instanceof GraphError && error.outcome === 'not-applied')) throw error;
        const ofPerson = mayExistAlready(error) ? await findOfPerson() : [];
        const namesakes = ofPerson.filter(({ name }) => name === ourName).map(({ id }) => id);
        const [ours] = namesakes;
        if (ours !== undefined && namesakes.length === 1) {
          log.info({ childBusinessId: ours, refusal: error.reason }, 'the business is ours already, adopted');
          return { products: await bring(attempt, async () => ours) };
        }
        if (isExternalIdInUse(error)) {
          throw new RetryLater('Meta knows the external id but does not show the business yet', {
            afterMs: unknownOutcomeGraceMs,
          });
        }
        const next = namesakes.length > 1 ? undefined : nextAttempt(error, attempt, names);
        if (next === undefined) {
          const facts = { tenantId: tenant.tenantId, pageName, names, namesakes, hasOthers: ofPerson.length > 0 };
          const wait = waitAfter(error, facts);
          throw wait === undefined ? error : new Waiting(wait);
        }
        log.warn({ refusal: error.reason, tried: attempt.name, next: next.name }, 'Meta refused, trying otherwise');
        attempt = next;
      }
    }
  };

function timezoneOf(timezone: string): { timezoneId?: number } {
  const timezoneId = metaTimezoneId(timezone);
  return timezoneId === undefined ? {} : { timezoneId };
}
