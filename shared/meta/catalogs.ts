/** Product catalogs and the pixels that feed them (Marketing API, "Product Catalog"). */
import * as v from 'valibot';
import { assignUser, readAssignedUsers } from './assigned-users.ts';
import { created, graphId, succeeded } from './answers.ts';
import type { AssignedUser } from './answers.ts';
import type { CredentialFor } from './credentials.ts';
import { ambiguousMatch } from './errors.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

/** `vertical` of a catalog. */
export type CatalogVertical =
  | 'adoptable_pets'
  | 'apps_and_software'
  | 'articles_and_publications'
  | 'commerce'
  | 'destinations'
  | 'flights'
  | 'generic'
  | 'home_listings'
  | 'hotels'
  | 'local_service_businesses'
  | 'media_titles'
  | 'offer_items'
  | 'offline_commerce'
  | 'professional_services'
  | 'transactable_items'
  | 'vehicles';

/**
 * `POST /{business}/owned_product_catalogs`.
 *
 * Not idempotent: look with {@link findCatalogByName} before, and after an answer was lost.
 */
export async function createCatalog(
  graph: GraphAs<CredentialFor<'create-catalog'>>,
  catalog: { readonly businessId: string; readonly name: string; readonly vertical?: CatalogVertical },
): Promise<{ id: string }> {
  const params = { name: catalog.name, vertical: catalog.vertical ?? 'commerce' };
  return graph.post(graphPath(catalog.businessId, 'owned_product_catalogs'), params, created);
}

/**
 * `GET /{business}/owned_product_catalogs`: the one of exactly this name, over all pages, or `undefined`.
 * @throws GraphError `ambiguous-match` when two have it
 */
export async function findCatalogByName(
  graph: GraphAs<CredentialFor<'find-catalog'>>,
  key: { readonly businessId: string; readonly name: string },
): Promise<{ id: string } | undefined> {
  const item = v.object({ id: graphId, name: v.optional(v.string()) });
  const path = graphPath(key.businessId, 'owned_product_catalogs');
  const found = (await graph.list(path, { fields: 'id,name' }, item)).filter(({ name }) => name === key.name);
  if (found.length > 1) throw ambiguousMatch('GET /{id}/owned_product_catalogs', found.length);
  return found[0] && { id: found[0].id };
}

/**
 * `GET /{catalog}`: that it is there and this token may see it.
 * @throws GraphError `object-not-visible` when it is not
 */
export async function readCatalog(
  graph: GraphAs<CredentialFor<'find-catalog'>>,
  catalogId: string,
): Promise<{ id: string }> {
  return graph.get(graphPath(catalogId), { fields: 'id' }, created);
}

/** `POST /{catalog}/external_event_sources`: events of these pixels match products of the catalog. Repeatable. */
export async function connectEventSources(
  graph: GraphAs<CredentialFor<'connect-event-sources'>>,
  connection: { readonly catalogId: string; readonly pixelIds: readonly string[] },
): Promise<void> {
  const params = { external_event_sources: connection.pixelIds };
  await graph.post(graphPath(connection.catalogId, 'external_event_sources'), params, succeeded);
}

export interface EventSource {
  readonly id: string;
  /** `PIXEL` or `APP`. */
  readonly sourceType?: string | undefined;
}

/** `GET /{catalog}/external_event_sources`, every one. */
export async function readEventSources(
  graph: GraphAs<CredentialFor<'connect-event-sources'>>,
  catalogId: string,
): Promise<EventSource[]> {
  const item = v.object({ id: graphId, source_type: v.optional(v.string()) });
  const path = graphPath(catalogId, 'external_event_sources');
  const sources = await graph.list(path, { fields: 'id,source_type' }, item);
  return sources.map(({ id, source_type: sourceType }) => ({ id, sourceType }));
}

/** Manage items and advertise them. */
export const catalogTasks = ['MANAGE', 'ADVERTISE'] as const;

/** `POST /{catalog}/assigned_users`. Repeatable. */
export async function assignCatalogUser(
  graph: GraphAs<CredentialFor<'assign-catalog-user'>>,
  assignment: { readonly catalogId: string; readonly userId: string },
): Promise<void> {
  await assignUser(graph, assignment.catalogId, { userId: assignment.userId, tasks: catalogTasks });
}

/** `GET /{catalog}/assigned_users?business=…`, every one. */
export async function readCatalogUsers(
  graph: GraphAs<CredentialFor<'assign-catalog-user'>>,
  catalog: { readonly catalogId: string; readonly businessId: string },
): Promise<AssignedUser[]> {
  return readAssignedUsers(graph, catalog.catalogId, catalog.businessId);
}
