import { secretName } from '../../../shared/domain/naming.ts';
import { pageTasks } from '../../../shared/meta/businesses.ts';
import { authorizeAdAccount, readAuthorizedAdAccounts } from '../../../shared/meta/instagram.ts';
import {
  assignPageUser,
  readPromotablePages,
  readClientPages,
  sharePageWithAgency,
} from '../../../shared/meta/pages.ts';
import { actingAs } from '../../../shared/runtime/graph-outcome.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';
import { operatorOf } from '../operator.ts';
import type { StepFactory } from '../services.ts';

const hourMs = 60 * 60 * 1000;

/**
 * Makes sure the ad account may advertise for the client's Page and Instagram account. The Page came in with the child
 * business, or is shared with the parent on the fallback path, with the client's token; `promote_pages` only tells
 * whether it is usable. Instagram is authorised for the ad account. A client without Instagram goes on with the Page. After this nothing needs the client's token any more, so it is destroyed.
 * (Document, "Onboarding checklist" 6.)
 */
export const linkPageAndInstagram: StepFactory<'link-page-and-instagram'> = (services) => async (context) => {
  const { credentials, secrets } = services;
  const { tenant, run, product, ensure } = context;
  const operator = await operatorOf(services, context);
  const { graph, businessId } = operator;
  const systemUserId = await operator.systemUserId();
  const { pageId, pageName, instagramUserId } = product('record-consent');
  const { adAccountId } = product('create-ad-account');
  const isPromotable = async (): Promise<boolean> =>
    (await readPromotablePages(graph, adAccountId)).some(({ id }) => id === pageId);

  if (run.path === 'fallback') {
    const share = (): Promise<{ pageId: string }> =>
      ensure({
        name: 'page-share',
        desired: { pageId, businessId },
        find: async () =>
          (await readClientPages(graph, businessId)).some(({ id }) => id === pageId) ? { pageId } : undefined,
        create: async () => {
          const asUser = services.graph.as(await credentials.user(tenant.tenantId));
          await sharePageWithAgency(asUser, { pageId, agencyBusinessId: businessId });
          return { pageId };
        },
      });
    await actingAs('user', share);
  }

  await ensure({
    name: 'page-access',
    desired: { pageId, systemUserId, tasks: pageTasks },
    find: async () => ((await isPromotable()) ? { pageId } : undefined),
    create: async () => {
      await assignPageUser(graph, { pageId, userId: systemUserId });
      return { pageId };
    },
  });
  if (!(await isPromotable())) {
    throw new Waiting({
      on: 'client',
      for: 'page-access',
      what: `An admin of the Page “${pageName}” must let Kobi's business advertise for it.`,
      pollEveryMs: hourMs,
    });
  }

  if (instagramUserId !== null) {
    const authorization = { instagramUserId, businessId, adAccountId };
    await ensure({
      name: 'instagram-authorization',
      desired: authorization,
      find: async () =>
        (await readAuthorizedAdAccounts(graph, authorization)).includes(adAccountId) ? { instagramUserId } : undefined,
      create: async () => {
        await authorizeAdAccount(graph, authorization);
        return { instagramUserId };
      },
    });
  }

  await secrets.destroyAll(secretName.userToken(tenant.tenantId));
  return { products: { pageLinked: true, instagramLinked: instagramUserId !== null } };
};
