import { paths } from '../../../shared/contracts/documents.ts';
import { closingSpendCapMinor } from '../../../shared/domain/plans.ts';
import { readSpendCapMinor } from '../../../shared/meta/ad-accounts.ts';
import { pauseCampaign, readActiveCampaigns } from '../../../shared/meta/campaigns.ts';
import { closeSpendCap } from '../../../shared/meta/closing-spend-cap.ts';
import { actingAs } from '../../../shared/runtime/graph-outcome.ts';
import { Failed } from '../../../shared/runtime/outcomes.ts';
import { shareDataset } from '../dataset-access.ts';
import type { StepFactory } from '../services.ts';

/**
 * The last step of a migration, once everything stands in the child business: nothing more is spent on the parent's ad
 * account (its campaigns paused, its cap closed; the account cannot be deleted and stays), and with the end of the step the
 * child's system user sends the events, to the same dataset. Which of the two sends, an event reaches Meta once: both may,
 * and the delivery ledger knows no operator. (Document, "Account model": "migrate to child BMs when 2-Tier access lands".)
 */
export const migrateFallback: StepFactory<'migrate-fallback'> = (services) => async (context) => {
  const { graph, credentials } = services;
  const { tenant, run, product, ensure } = context;
  if (run.migrates === undefined) throw new Failed('this run migrates nothing');
  const { adAccountId, datasetId } = run.migrates;
  // Shared days ago perhaps, while the client was waited for: whoever sends from now on must surely be let.
  await shareDataset(services, context, { datasetId, adAccountId: product('create-ad-account').adAccountId });
  const asFormer = graph.as(await credentials.operator(tenant.tenantId, 'fallback'));

  const { products } = await actingAs('parent', async () => {
    // Written down before the first is paused: afterwards Meta no longer tells which were running.
    const { pausedCampaignIds } = await ensure({
      name: 'running-campaigns',
      desired: { adAccountId },
      find: async () => ({ pausedCampaignIds: await readActiveCampaigns(asFormer, adAccountId) }),
      create: () => Promise.reject(new Failed('campaigns are only read')),
    });
    await ensure({
      name: 'campaigns-paused',
      desired: { adAccountId, pausedCampaignIds },
      find: async () => ((await readActiveCampaigns(asFormer, adAccountId)).length === 0 ? { adAccountId } : undefined),
      create: async () => {
        for (const id of await readActiveCampaigns(asFormer, adAccountId)) await pauseCampaign(asFormer, id);
        return { adAccountId };
      },
    });
    const { spendCapMinor } = await ensure({
      name: 'former-spend-cap',
      desired: { adAccountId, closing: true },
      find: async () => {
        const spendCapMinor = await readSpendCapMinor(asFormer, adAccountId);
        return spendCapMinor === closingSpendCapMinor(tenant.currency) ? { spendCapMinor } : undefined;
      },
      create: async () => {
        const spendCapMinor = await closeSpendCap(asFormer, { adAccountId, currency: tenant.currency });
        if (spendCapMinor === undefined) throw new Failed('the former ad account has no spend cap after one was set');
        return { spendCapMinor };
      },
    });
    return { products: { formerAdAccountId: adAccountId, formerSpendCapMinor: spendCapMinor, pausedCampaignIds } };
  });

  return { products, writes: [{ path: paths.dataset(datasetId), data: { operator: 'child' }, merge: true }] };
};
