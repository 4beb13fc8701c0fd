import { paths } from '../../../shared/contracts/documents.ts';
import { closingSpendCapMinor } from '../../../shared/domain/plans.ts';
import { readAdAccount, readSpendCapMinor, setSpendCap } from '../../../shared/meta/ad-accounts.ts';
import { pauseCampaign, readActiveCampaigns } from '../../../shared/meta/campaigns.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import type { GraphAs } from '../../../shared/meta/graph-client.ts';
import type { OperatorKind } from '../../../shared/domain/provisioning-path.ts';
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
      create: async () => ({
        spendCapMinor: await closeSpendCap(asFormer, { adAccountId, currency: tenant.currency }),
      }),
    });
    return { products: { formerAdAccountId: adAccountId, formerSpendCapMinor: spendCapMinor, pausedCampaignIds } };
  });

  return { products, writes: [{ path: paths.dataset(datasetId), data: { operator: 'child' }, merge: true }] };
};

/**
 * Caps the account at one whole unit. Whether Meta takes a cap below what was already spent is not documented; where it
 * does not, at the next whole unit above a tenth more than that. Returns the cap as Meta has it.
 */
async function closeSpendCap(
  asFormer: GraphAs<OperatorKind>,
  account: { readonly adAccountId: string; readonly currency: string },
): Promise<number> {
  const { adAccountId, currency } = account;
  const unitMinor = closingSpendCapMinor(currency);
  try {
    await setSpendCap(asFormer, { adAccountId, capMinor: unitMinor, currency });
  } catch (error) {
    if (!(error instanceof GraphError && error.reason === 'invalid-parameter')) throw error;
    const { amountSpentMinor = 0 } = await readAdAccount(asFormer, adAccountId);
    const capMinor = Math.ceil((amountSpentMinor * 11) / 10 / unitMinor) * unitMinor;
    await setSpendCap(asFormer, { adAccountId, capMinor, currency });
  }
  const applied = await readSpendCapMinor(asFormer, adAccountId);
  if (applied === undefined) throw new Failed('the former ad account has no spend cap after one was set');
  return applied;
}
