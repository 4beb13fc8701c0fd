/** Campaigns, as far as stopping them goes (Marketing API, "Ad Campaign"). */
import * as v from 'valibot';
import { adAccountNodeId } from './ad-accounts.ts';
import { graphId, succeeded } from './answers.ts';
import type { CredentialFor } from './credentials.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

const campaign = v.object({ id: graphId, status: v.optional(v.string()) });

/** `GET /act_…/campaigns`: those that are switched on, whatever keeps them from running just now. */
export async function readActiveCampaigns(
  graph: GraphAs<CredentialFor<'read-campaigns'>>,
  adAccountId: string,
): Promise<string[]> {
  const path = graphPath(adAccountNodeId(adAccountId), 'campaigns');
  const campaigns = await graph.list(path, { fields: 'id,status' }, campaign);
  return campaigns.flatMap(({ id, status }) => (status === 'ACTIVE' ? [id] : []));
}

/** `POST /{campaign}` with `status=PAUSED`: its ad sets and ads stop with it. Repeatable. */
export async function pauseCampaign(
  graph: GraphAs<CredentialFor<'pause-campaign'>>,
  campaignId: string,
): Promise<void> {
  await graph.post(graphPath(campaignId), { status: 'PAUSED' }, succeeded);
}
