/** Pixels, which today are datasets: they take browser, server, offline and CRM events (Marketing API, "Ads Pixel"). */
import * as v from 'valibot';
import { adAccountNodeId, adAccountNumber } from './ad-accounts.ts';
import { assignUser, readAssignedUsers } from './assigned-users.ts';
import { created, graphId, succeeded } from './answers.ts';
import type { AssignedUser } from './answers.ts';
import type { CredentialFor } from './credentials.ts';
import { GraphError, ambiguousMatch } from './errors.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

export interface Pixel {
  readonly id: string;
  readonly name?: string | undefined;
  /** Whether it also takes offline and CRM events. */
  readonly isConsolidatedContainer?: boolean | undefined;
  /** ISO 8601; absent: never. */
  readonly lastFiredTime?: string | undefined;
}

const pixel = v.object({
  id: graphId,
  name: v.optional(v.string()),
  is_consolidated_container: v.optional(v.boolean()),
  last_fired_time: v.optional(v.string()),
});
const pixelFields = Object.keys(pixel.entries).join(',');

/** `GET /act_…/adspixels`, every one. */
export async function readPixels(graph: GraphAs<CredentialFor<'read-pixels'>>, adAccountId: string): Promise<Pixel[]> {
  const path = graphPath(adAccountNodeId(adAccountId), 'adspixels');
  return (await graph.list(path, { fields: pixelFields }, pixel)).map(fromNode);
}

function fromNode(node: v.InferOutput<typeof pixel>): Pixel {
  return {
    id: node.id,
    name: node.name,
    isConsolidatedContainer: node.is_consolidated_container,
    lastFiredTime: node.last_fired_time,
  };
}

/**
 * `POST /act_…/adspixels`, or the pixel the account already has. Meta allows one per ad account by this edge and
 * refuses a second with 6200, so this may be repeated after a lost answer.
 *
 * @throws GraphError `ambiguous-match` when the account has several and none, or more than one, bears the name
 */
export async function createPixel(
  graph: GraphAs<CredentialFor<'create-pixel'>>,
  pixelOf: { readonly adAccountId: string; readonly name: string },
): Promise<{ id: string; existed: boolean }> {
  const path = graphPath(adAccountNodeId(pixelOf.adAccountId), 'adspixels');
  try {
    const { id } = await graph.post(path, { name: pixelOf.name }, created);
    return { id, existed: false };
  } catch (error) {
    const exists = error instanceof GraphError && ['pixel-exists', 'several-pixels-exist'].includes(error.reason);
    if (!exists) throw error;
    const found = await readPixels(graph, pixelOf.adAccountId);
    const candidates = found.length > 1 ? found.filter(({ name }) => name === pixelOf.name) : found;
    const [only] = candidates;
    if (only !== undefined && candidates.length === 1) return { id: only.id, existed: true };
    throw found.length > 1 ? ambiguousMatch('GET /act_{id}/adspixels', found.length) : error;
  }
}

/** `GET /{pixel}?fields=is_consolidated_container`: whether offline and CRM events may go to it. Absent counts as no. */
export async function isConsolidatedContainer(
  graph: GraphAs<CredentialFor<'read-pixels'>>,
  pixelId: string,
): Promise<boolean> {
  const fields = 'is_consolidated_container';
  const answer = v.object({ is_consolidated_container: v.optional(v.boolean(), false) });
  return (await graph.get(graphPath(pixelId), { fields }, answer)).is_consolidated_container;
}

/** What sending events and building audiences takes. */
export const pixelTasks = ['ADVERTISE', 'ANALYZE', 'EDIT', 'UPLOAD'] as const;

/** `POST /{pixel}/assigned_users`. Without it the system user may not send events. Repeatable. */
export async function assignPixelUser(
  graph: GraphAs<CredentialFor<'assign-pixel-user'>>,
  assignment: { readonly pixelId: string; readonly userId: string },
): Promise<void> {
  await assignUser(graph, assignment.pixelId, { userId: assignment.userId, tasks: pixelTasks });
}

/** `GET /{pixel}/assigned_users?business=…`, every one. */
export async function readPixelUsers(
  graph: GraphAs<CredentialFor<'assign-pixel-user'>>,
  pixelOf: { readonly pixelId: string; readonly businessId: string },
): Promise<AssignedUser[]> {
  return readAssignedUsers(graph, pixelOf.pixelId, pixelOf.businessId);
}

/** `POST /{pixel}/agencies`: lets another business use the pixel; its owner stays its owner. Repeatable. */
export async function sharePixelWithBusiness(
  graph: GraphAs<CredentialFor<'share-pixel'>>,
  share: { readonly pixelId: string; readonly businessId: string },
): Promise<void> {
  const agency = { business: share.businessId, permitted_tasks: pixelTasks };
  await graph.post(graphPath(share.pixelId, 'agencies'), agency, succeeded);
}

/** `DELETE /{pixel}/agencies`: ends what {@link sharePixelWithBusiness} began. @throws GraphError 100 when it has no access */
export async function unsharePixelWithBusiness(
  graph: GraphAs<CredentialFor<'share-pixel'>>,
  share: { readonly pixelId: string; readonly businessId: string },
): Promise<void> {
  await graph.delete(graphPath(share.pixelId, 'agencies'), { business: share.businessId }, succeeded);
}

/** `GET /{pixel}/agencies`, every one: ids of the businesses the pixel is shared with. */
export async function readPixelAgencies(
  graph: GraphAs<CredentialFor<'share-pixel'>>,
  pixelId: string,
): Promise<string[]> {
  const agencies = await graph.list(graphPath(pixelId, 'agencies'), { fields: 'id' }, v.object({ id: graphId }));
  return agencies.map(({ id }) => id);
}

/**
 * `POST /{pixel}/shared_accounts`: the ad account of a business the pixel is shared with uses it too. Since September 2024
 * that business must have access to both, so {@link sharePixelWithBusiness} comes first. Repeatable.
 */
export async function sharePixelWithAdAccount(
  graph: GraphAs<CredentialFor<'share-pixel'>>,
  share: { readonly pixelId: string; readonly businessId: string; readonly adAccountId: string },
): Promise<void> {
  const account = { account_id: adAccountNumber(share.adAccountId), business: share.businessId };
  await graph.post(graphPath(share.pixelId, 'shared_accounts'), account, succeeded);
}

/** `GET /{pixel}/shared_accounts?business=…`: the ad accounts of that business that may use the pixel, as `act_…`. */
export async function readPixelAccounts(
  graph: GraphAs<CredentialFor<'share-pixel'>>,
  pixelOf: { readonly pixelId: string; readonly businessId: string },
): Promise<string[]> {
  const path = graphPath(pixelOf.pixelId, 'shared_accounts');
  const accounts = await graph.list(path, { business: pixelOf.businessId, fields: 'id' }, v.object({ id: graphId }));
  return accounts.map(({ id }) => adAccountNodeId(id));
}
