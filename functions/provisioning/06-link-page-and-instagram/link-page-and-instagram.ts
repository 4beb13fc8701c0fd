import { secretName } from '../../../shared/domain/naming.ts';
import { pageTasks } from '../../../shared/meta/businesses.ts';
import { authorizeAdAccount, readAuthorizedAdAccounts } from '../../../shared/meta/instagram.ts';
import { assignPageUser, readPage, readPromotablePages } from '../../../shared/meta/pages.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';
import { operatorOf } from '../operator.ts';
import type { StepFactory } from '../services.ts';

const hourMs = 60 * 60 * 1000;

/**
 * Makes sure the ad account may advertise for the client's Page and Instagram account. The Page came in with the child
 * business or by `partner-invite`; `promote_pages` only tells whether it is usable. Instagram is authorised for the ad
 * account. A client without Instagram goes on: its ads appear on Instagram under the Page's name and picture (a
 * creative's `use_page_actor_override`), until the step is opened again and finds an account. After this nothing needs
 * the client's token any more, so it is destroyed. (Document, "Onboarding checklist" 6.)
 */
export const linkPageAndInstagram: StepFactory<'link-page-and-instagram'> = (services) => async (context) => {
  const { tenant, product, ensure } = context;
  const operator = await operatorOf(services, context);
  const { graph, businessId } = operator;
  const systemUserId = await operator.systemUserId();
  const { pageId, pageName, instagramUserId: instagramAtConsent } = product('record-consent');
  const { adAccountId } = product('create-ad-account');
  const isPromotable = async (): Promise<boolean> =>
    (await readPromotablePages(graph, adAccountId)).some(({ id }) => id === pageId);

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

  // The client may have linked one to the Page since.
  const instagramUserId = instagramAtConsent ?? (await readPage(graph, pageId)).instagram?.id ?? null;
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

  // A newer one belongs to a client who has connected again in the meantime.
  await services.secrets.destroyAll(secretName.userToken(tenant.tenantId), tenant.connection?.userTokenVersion);
  return {
    products: {
      pageLinked: true,
      instagramLinked: instagramUserId !== null,
      instagramIdentity: instagramUserId === null ? 'page-backed' : 'instagram-account',
    },
  };
};
