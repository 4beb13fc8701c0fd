import { GraphError } from '../../shared/meta/errors.ts';
import {
  assignPixelUser,
  pixelTasks,
  readPixelAccounts,
  readPixelAgencies,
  readPixelUsers,
  sharePixelWithAdAccount,
  sharePixelWithBusiness,
} from '../../shared/meta/pixels.ts';
import { actingAs } from '../../shared/runtime/graph-outcome.ts';
import { Waiting } from '../../shared/runtime/outcomes.ts';
import type { StepContext } from '../../shared/runtime/step-function.ts';
import { operatorOf } from './operator.ts';
import type { OperatedContext, Operator } from './operator.ts';
import type { ProvisioningServices } from './services.ts';

type Ensure = StepContext<'create-pixel'>['ensure'];

/** Lets the operating system user send events to the dataset. */
export async function ensurePixelUser(
  ensure: Ensure,
  { graph, businessId, systemUserId }: Operator,
  datasetId: string,
): Promise<void> {
  const userId = await systemUserId();
  await ensure({
    name: 'pixel-user',
    desired: { datasetId, systemUserId: userId, tasks: pixelTasks },
    find: async () => {
      const users = await readPixelUsers(graph, { pixelId: datasetId, businessId });
      const tasks = users.find(({ id }) => id === userId)?.tasks ?? [];
      return pixelTasks.every((task) => tasks.includes(task)) ? { systemUserId: userId } : undefined;
    },
    create: async () => {
      await assignPixelUser(graph, { pixelId: datasetId, userId });
      return { systemUserId: userId };
    },
  });
}

/**
 * Lets the child business, its system user and its ad account use a dataset that the parent business owns and goes on to
 * own, so that its history stays. From here on either's token may send to it. (Marketing API, "Ads Pixel": `agencies`,
 * `shared_accounts`.)
 *
 * @throws Waiting on kobi where Meta refuses a part of it: each can be done by hand, and is then found
 */
export async function shareDataset(
  services: Pick<ProvisioningServices, 'graph' | 'credentials' | 'kobi'>,
  context: OperatedContext & { readonly ensure: Ensure },
  { datasetId, adAccountId }: { readonly datasetId: string; readonly adAccountId: string },
): Promise<void> {
  const { tenant, ensure } = context;
  const operator = await operatorOf(services, context);
  const { graph: asChild, businessId } = operator;
  const asOwner = services.graph.as(await services.credentials.operator(tenant.tenantId, 'fallback'));

  await actingAs('parent', () =>
    orByHand(
      `In Kobi's Business settings, share dataset ${datasetId} with the business ${businessId} as a partner, with every task`,
      () =>
        ensure({
          name: 'pixel-share',
          desired: { datasetId, businessId },
          find: async () =>
            (await readPixelAgencies(asOwner, datasetId)).includes(businessId) ? { businessId } : undefined,
          create: async () => {
            await sharePixelWithBusiness(asOwner, { pixelId: datasetId, businessId });
            return { businessId };
          },
        }),
    ),
  );
  await orByHand(
    `In the settings of the business ${businessId}, assign its system user to dataset ${datasetId}, with every task`,
    () => ensurePixelUser(ensure, operator, datasetId),
  );
  const share = { pixelId: datasetId, businessId, adAccountId };
  await orByHand(
    `In the settings of the business ${businessId}, connect dataset ${datasetId} with the ad account ${adAccountId}`,
    () =>
      ensure({
        name: 'pixel-account',
        desired: share,
        find: async () =>
          (await readPixelAccounts(asChild, share)).includes(adAccountId) ? { adAccountId } : undefined,
        create: async () => {
          await sharePixelWithAdAccount(asChild, share);
          return { adAccountId };
        },
      }),
  );
}

/** Meta says no to the sharing itself, and not to a token or to how we ask. */
function isRefusal({ class: kind, reason }: GraphError): boolean {
  return kind === 'permission' || kind === 'quota' || reason === 'invalid-parameter' || reason === 'object-not-visible';
}

/** Nothing is lost by waiting: the parent's token sends, and its ad account spends, until everything stands. */
async function orByHand<Result>(whatToDo: string, share: () => Promise<Result>): Promise<Result> {
  try {
    return await share();
  } catch (error) {
    if (!(error instanceof GraphError && isRefusal(error))) throw error;
    throw new Waiting({
      on: 'kobi',
      for: 'dataset-share',
      what: `${whatToDo}; the migration then goes on by itself. Until then events and ads go on over the parent business. Meta refused it: ${error.message}`,
      pollEveryMs: 60 * 60_000,
    });
  }
}
