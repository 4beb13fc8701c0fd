/**
 * Facebook Pages. The Page normally comes in with the child business (`shared_page_id`); the rest is verification and
 * the partner fallback. Never `owned_pages`: that would claim the Page, and clients keep their assets.
 */
import * as v from 'valibot';
import { adAccountNodeId } from './ad-accounts.ts';
import { assignUser } from './assigned-users.ts';
import { graphId, named, succeeded } from './answers.ts';
import { pageTasks } from './businesses.ts';
import type { CredentialFor } from './credentials.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

export interface Page {
  readonly id: string;
  readonly name?: string | undefined;
  readonly instagram?: { readonly id: string; readonly username?: string | undefined } | undefined;
}

/** `GET /{page}`: name and the Instagram professional account linked to it. */
export async function readPage(graph: GraphAs<CredentialFor<'read-page'>>, pageId: string): Promise<Page> {
  const fields = 'id,name,instagram_business_account{id,username}';
  const answer = v.object({
    id: graphId,
    name: v.optional(v.string()),
    instagram_business_account: v.optional(v.object({ id: graphId, username: v.optional(v.string()) })),
  });
  const page = await graph.get(graphPath(pageId), { fields }, answer);
  return { id: page.id, name: page.name, instagram: page.instagram_business_account };
}

/** `GET /act_…/promote_pages`, every one: the Pages the account may advertise for. Read-only at Meta. */
export async function readPromotablePages(
  graph: GraphAs<CredentialFor<'read-promotable-pages'>>,
  adAccountId: string,
): Promise<Page[]> {
  return graph.list(graphPath(adAccountNodeId(adAccountId), 'promote_pages'), { fields: 'id,name' }, named);
}

/**
 * `POST /{page}/agencies` with the client's **user** token: the Page side gives our business access. The fallback that
 * needs nobody's click. Repeatable.
 */
export async function sharePageWithAgency(
  graph: GraphAs<CredentialFor<'share-page-with-agency'>>,
  share: { readonly pageId: string; readonly agencyBusinessId: string },
): Promise<void> {
  const params = { business: share.agencyBusinessId, permitted_tasks: pageTasks };
  await graph.post(graphPath(share.pageId, 'agencies'), params, succeeded);
}

/**
 * `POST /{business}/client_pages`: asks the Page's admin to let our business in. In the API specification but not in
 * Meta's pages, so best effort. `confirmed` false: the admin must approve, watch {@link readPendingClientPages}.
 */
export async function requestClientPage(
  graph: GraphAs<CredentialFor<'request-client-page'>>,
  request: { readonly businessId: string; readonly pageId: string },
): Promise<{ confirmed: boolean }> {
  const params = { page_id: request.pageId, permitted_tasks: pageTasks };
  const answer = v.object({ access_status: v.optional(v.string()) });
  const { access_status: status } = await graph.post(graphPath(request.businessId, 'client_pages'), params, answer);
  return { confirmed: status === 'CONFIRMED' };
}

/** `GET /{business}/client_pages`, every one: Pages whose owners gave this business access. */
export async function readClientPages(
  graph: GraphAs<CredentialFor<'read-client-pages'>>,
  businessId: string,
): Promise<Page[]> {
  return graph.list(graphPath(businessId, 'client_pages'), { fields: 'id,name' }, named);
}

/** `DELETE /{business}/pages?page_id=…`: the business gives its access to a Page up; the Page stays its owner's. */
export async function removePage(
  graph: GraphAs<CredentialFor<'remove-page'>>,
  page: { readonly businessId: string; readonly pageId: string },
): Promise<void> {
  await graph.delete(graphPath(page.businessId, 'pages'), { page_id: page.pageId }, succeeded);
}

/** `GET /{business}/pending_client_pages`: ids of the Pages whose admins have not answered yet. */
export async function readPendingClientPages(
  graph: GraphAs<CredentialFor<'read-client-pages'>>,
  businessId: string,
): Promise<string[]> {
  const request = v.object({ id: graphId, page: v.optional(v.object({ id: graphId })) });
  const path = graphPath(businessId, 'pending_client_pages');
  const requests = await graph.list(path, { fields: 'id,page{id}' }, request);
  return requests.flatMap(({ page }) => (page ? [page.id] : []));
}

/** `POST /{page}/assigned_users` with advertising and analysis only. Repeatable. */
export async function assignPageUser(
  graph: GraphAs<CredentialFor<'assign-page-user'>>,
  assignment: { readonly pageId: string; readonly userId: string },
): Promise<void> {
  await assignUser(graph, assignment.pageId, { userId: assignment.userId, tasks: pageTasks });
}
