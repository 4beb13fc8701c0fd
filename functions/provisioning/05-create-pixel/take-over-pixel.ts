import type { FormerAssets } from '../../../shared/contracts/documents.ts';
import type { StepProducts } from '../../../shared/domain/provisioning-steps.ts';
import {
  readPixelAccounts,
  readPixelAgencies,
  sharePixelWithAdAccount,
  sharePixelWithBusiness,
} from '../../../shared/meta/pixels.ts';
import { actingAs } from '../../../shared/runtime/graph-outcome.ts';
import type { StepContext } from '../../../shared/runtime/step-function.ts';
import { operatorOf } from '../operator.ts';
import type { ProvisioningServices } from '../services.ts';
import { ensurePixelUser } from './pixel-user.ts';

/**
 * The pixel of a migrated tenant: the parent's, shared with the child business and its ad account, so that its history
 * stays and the relay goes on with the same dataset. The child's system user may send to it from here on, beside the
 * parent's, which sends until `migrate-fallback`. (Marketing API, "Ads Pixel": `agencies`, `shared_accounts`.)
 */
export async function takeOverPixel(
  services: ProvisioningServices,
  context: StepContext<'create-pixel'>,
  { datasetId, relayKeyId }: FormerAssets,
): Promise<StepProducts['create-pixel']> {
  const { tenant, product, ensure } = context;
  const operator = await operatorOf(services, context);
  const { graph: asChild, businessId } = operator;
  const asOwner = services.graph.as(await services.credentials.operator(tenant.tenantId, 'fallback'));
  const { adAccountId } = product('create-ad-account');

  await actingAs('parent', () =>
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
  );
  await ensurePixelUser(ensure, operator, datasetId);
  const share = { pixelId: datasetId, businessId, adAccountId };
  await ensure({
    name: 'pixel-account',
    desired: share,
    find: async () => ((await readPixelAccounts(asChild, share)).includes(adAccountId) ? { adAccountId } : undefined),
    create: async () => {
      await sharePixelWithAdAccount(asChild, share);
      return { adAccountId };
    },
  });
  return { datasetId, relayKeyId };
}
