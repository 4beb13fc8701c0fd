/** The client's person: who they are, which Pages they have, what they granted (Graph API, "User"). */
import * as v from 'valibot';
import { graphId, succeeded } from './answers.ts';
import type { CredentialFor } from './credentials.ts';
import type { GraphAs } from './graph-client.ts';

/** A Page and the Instagram professional account linked to it. */
export interface ManagedPage {
  readonly id: string;
  readonly name: string;
  /** What the person may do there; empty when Meta does not say. Connecting needs `ADVERTISE`. */
  readonly tasks: readonly string[];
  readonly instagram?: { readonly id: string; readonly username?: string | undefined } | undefined;
}

const managedPage = v.object({
  id: graphId,
  name: v.optional(v.string(), ''),
  tasks: v.optional(v.array(v.string()), []),
  instagram_business_account: v.optional(v.object({ id: graphId, username: v.optional(v.string()) })),
});

/** `GET /me/accounts`: every Page the person shared in the login dialog, all pages of the list. */
export async function readMyPages(graph: GraphAs<CredentialFor<'read-my-pages'>>): Promise<ManagedPage[]> {
  const fields = 'id,name,tasks,instagram_business_account{id,username}';
  const pages = await graph.list('/me/accounts', { fields }, managedPage);
  return pages.map(({ id, name, tasks, instagram_business_account: instagram }) => ({ id, name, tasks, instagram }));
}

/** `granted`, `declined` or `expired`. */
export interface GrantedPermission {
  readonly permission: string;
  readonly status: string;
}

/** `GET /me/permissions`: what the person granted, and what they declined. */
export async function readMyPermissions(
  graph: GraphAs<CredentialFor<'read-my-permissions'>>,
): Promise<GrantedPermission[]> {
  return graph.list('/me/permissions', {}, v.object({ permission: v.string(), status: v.string() }));
}

/** `DELETE /me/permissions`: removes the app from the person's account and ends every token they gave. For erasure only. */
export async function revokeMyPermissions(graph: GraphAs<CredentialFor<'revoke-my-permissions'>>): Promise<void> {
  await graph.delete('/me/permissions', {}, succeeded);
}
