import { metaTimezoneId } from '../../../shared/domain/meta-timezones.ts';
import { metaObjectName } from '../../../shared/domain/naming.ts';
import { spendCapMinor as planSpendCapMinor } from '../../../shared/domain/plans.ts';
import {
  adAccountNamed,
  adAccountTasks,
  assignAdAccountUser,
  createAdAccount,
  listOwnedAdAccounts,
  readAdAccountUsers,
  readSubscribedApps,
  subscribeAdAccount,
} from '../../../shared/meta/ad-accounts.ts';
import { readExtendedCredits } from '../../../shared/meta/credit-lines.ts';
import { Failed, Waiting } from '../../../shared/runtime/outcomes.ts';
import { operatorOf } from '../operator.ts';
import type { StepFactory } from '../services.ts';
import { assertParentHasRoom, parentHasNoCredit, withinParentLimits } from './parent-limits.ts';
import { capSpend } from './spend-cap.ts';

const tenMinutesMs = 10 * 60 * 1000;

/**
 * Opens the ad account `kobi_{slug}_meta` in the child business, funded by the shared credit line (on the fallback path
 * in the parent business, by its own, and within what Meta lets one business have), lets the system user operate it, and
 * caps its spend at what the plan allows. Opened again after a change of plan, it changes the cap and nothing else. An ad account cannot be deleted, so a second one is the costliest mistake there is: it is looked
 * for by exact name over all pages before it is created. (Document, "2-Tier onboarding flow" 5.)
 */
export const createAdAccountStep: StepFactory<'create-ad-account'> = (services) => async (context) => {
  const { tenant, run, ensure } = context;
  const operator = await operatorOf(services, context);
  const { graph, businessId } = operator;
  const systemUserId = await operator.systemUserId();
  const isOnParent = run.path === 'fallback';
  const timezoneId = metaTimezoneId(tenant.timezone);
  if (timezoneId === undefined) throw new Failed(`Meta has no number for the time zone ${tenant.timezone}`);

  const fundingOf = async (): Promise<string> => {
    const [funding] = await readExtendedCredits(graph, businessId);
    if (funding === undefined) throw isOnParent ? parentHasNoCredit() : creditNotThereYet();
    return funding.id;
  };
  const account = {
    businessId,
    name: metaObjectName(tenant.slug),
    currency: tenant.currency,
    timezoneId,
    // A Page set here could never be changed again; the Page is linked by a later step instead.
    endAdvertiser: 'NONE',
  };
  let fundingId: string | undefined;
  const open = async (): Promise<{ adAccountId: string }> =>
    ensure({
      name: 'ad-account',
      desired: account,
      find: async () => {
        const owned = await listOwnedAdAccounts(graph, businessId);
        const found = adAccountNamed(owned, account.name);
        if (found !== undefined) return { adAccountId: found.id };
        if (isOnParent) assertParentHasRoom(owned);
        fundingId = await fundingOf();
        return undefined;
      },
      create: async () => ({
        adAccountId: (await createAdAccount(graph, { ...account, ...(fundingId !== undefined && { fundingId }) })).id,
      }),
    });
  const { adAccountId } = await (isOnParent ? withinParentLimits(open) : open());

  await ensure({
    name: 'ad-account-user',
    desired: { adAccountId, systemUserId, tasks: adAccountTasks },
    find: async () => {
      const users = await readAdAccountUsers(graph, { adAccountId, businessId });
      const tasks = users.find(({ id }) => id === systemUserId)?.tasks ?? [];
      return adAccountTasks.every((task) => tasks.includes(task)) ? { systemUserId } : undefined;
    },
    create: async () => {
      await assignAdAccountUser(graph, { adAccountId, userId: systemUserId });
      return { systemUserId };
    },
  });

  const spendCapMinor = planSpendCapMinor(tenant.planId, tenant.currency);
  await capSpend({ adAccountId, capMinor: spendCapMinor, currency: tenant.currency }, context, graph);

  const { appId } = services.kobi;
  await ensure({
    name: 'webhook-subscription',
    desired: { adAccountId, appId },
    find: async () => ((await readSubscribedApps(graph, adAccountId)).includes(appId) ? { appId } : undefined),
    create: async () => {
      await subscribeAdAccount(graph, { adAccountId, appId });
      return { appId };
    },
  });
  return { products: { adAccountId, spendCapMinor } };
};

function creditNotThereYet(): Waiting {
  return new Waiting({
    on: 'meta',
    for: 'shared-credit-line',
    what: 'The credit line shared with the child business is not visible there yet; Meta usually needs a few minutes.',
    pollEveryMs: tenMinutesMs,
  });
}
