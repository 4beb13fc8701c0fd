/** Instagram accounts and the ad account that advertises for them (Instagram Platform, "IG User"). */
import * as v from 'valibot';
import { adAccountNodeId, adAccountNumber } from './ad-accounts.ts';
import { graphId, succeeded } from './answers.ts';
import type { CredentialFor } from './credentials.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

const instagramUser = v.object({ id: graphId, username: v.optional(v.string()) });
export type InstagramUser = v.InferOutput<typeof instagramUser>;

/**
 * `POST /{ig user}/authorized_adaccounts`: lets the ad account run ads as this Instagram account. Repeatable; read
 * {@link readAuthorizedAdAccounts} to see whether it is done.
 */
export async function authorizeAdAccount(
  graph: GraphAs<CredentialFor<'authorize-instagram'>>,
  authorization: { readonly instagramUserId: string; readonly businessId: string; readonly adAccountId: string },
): Promise<void> {
  await graph.post(
    graphPath(authorization.instagramUserId, 'authorized_adaccounts'),
    { business: authorization.businessId, account_id: adAccountNumber(authorization.adAccountId) },
    succeeded,
  );
}

/** `GET /{ig user}/authorized_adaccounts?business=…`: ad accounts of that business that may advertise, as `act_…`. */
export async function readAuthorizedAdAccounts(
  graph: GraphAs<CredentialFor<'read-instagram'>>,
  key: { readonly instagramUserId: string; readonly businessId: string },
): Promise<string[]> {
  const path = graphPath(key.instagramUserId, 'authorized_adaccounts');
  const accounts = await graph.list(path, { business: key.businessId, fields: 'id' }, v.object({ id: graphId }));
  return accounts.map(({ id }) => adAccountNodeId(id));
}

/** `GET /act_…/connected_instagram_accounts`, every one: accounts connected through the Page. */
export async function readConnectedInstagramAccounts(
  graph: GraphAs<CredentialFor<'read-instagram'>>,
  adAccountId: string,
): Promise<InstagramUser[]> {
  const path = graphPath(adAccountNodeId(adAccountId), 'connected_instagram_accounts');
  return graph.list(path, { fields: 'id,username' }, instagramUser);
}
