import { secretName } from '../../../shared/domain/naming.ts';
import { pageTasks } from '../../../shared/meta/businesses.ts';
import { authorizeAdAccount, readAuthorizedAdAccounts } from '../../../shared/meta/instagram.ts';
import { assignPageUser, readPromotablePages } from '../../../shared/meta/pages.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';
import type { StepFactory } from '../services.ts';

const hourMs = 60 * 60 * 1000;

/**
 * Makes sure the ad account may advertise for the client's Page and Instagram account. The Page came in with the child
 * business; `promote_pages` only tells whether it is usable. Instagram is authorised for the ad account. A client without
 * Instagram goes on with the Page. After this nothing needs the client's token any more, so it is destroyed.
 * (Document, "Onboarding checklist" 6.)
 */
export const linkPageAndInstagram: StepFactory<'link-page-and-instagram'> =
  ({ graph, credentials, secrets }) =>
  async ({ tenant, product, ensure }) => {
    const asChild = graph.as(await credentials.child(tenant.tenantId));
    const { pageId, pageName, instagramUserId } = product('record-consent');
    const { childBusinessId } = product('create-child-business');
    const { systemUserId } = product('create-system-user');
    const { adAccountId } = product('create-ad-account');
    const isPromotable = async (): Promise<boolean> =>
      (await readPromotablePages(asChild, adAccountId)).some(({ id }) => id === pageId);

    await ensure({
      name: 'page-access',
      desired: { pageId, systemUserId, tasks: pageTasks },
      find: async () => ((await isPromotable()) ? { pageId } : undefined),
      create: async () => {
        await assignPageUser(asChild, { pageId, userId: systemUserId });
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
      const authorization = { instagramUserId, businessId: childBusinessId, adAccountId };
      await ensure({
        name: 'instagram-authorization',
        desired: authorization,
        find: async () =>
          (await readAuthorizedAdAccounts(asChild, authorization)).includes(adAccountId)
            ? { instagramUserId }
            : undefined,
        create: async () => {
          await authorizeAdAccount(asChild, authorization);
          return { instagramUserId };
        },
      });
    }

    await secrets.destroyAll(secretName.userToken(tenant.tenantId));
    return { products: { pageLinked: true, instagramLinked: instagramUserId !== null } };
  };
