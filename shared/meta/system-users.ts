/** The system user that operates a child business, and its token (Marketing API, "System Users"). */
import * as v from 'valibot';
import { AccessToken } from './access-token.ts';
import { graphId } from './answers.ts';
import type { CredentialFor } from './credentials.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

export interface ChildTokenRequest {
  readonly childBusinessId: string;
  readonly appId: string;
  /** Permissions, see `permissions.ts`. */
  readonly scopes: readonly string[];
  /** Taken by Meta only when the system user does not exist yet. */
  readonly systemUserName?: string;
}

/**
 * `POST /{child}/access_token` with the **parent's** token: creates the child's admin system user the first time and
 * returns its token; later calls return a token of the same system user. So it may be repeated after a lost answer,
 * and it is also how a dead child token is replaced.
 */
export async function mintChildToken(
  graph: GraphAs<CredentialFor<'mint-child-token'>>,
  request: ChildTokenRequest,
): Promise<AccessToken<'child'>> {
  const minted = await graph.post(
    graphPath(request.childBusinessId, 'access_token'),
    { app_id: request.appId, scope: request.scopes.join(','), system_user_name: request.systemUserName },
    v.object({ access_token: v.string() }),
  );
  return new AccessToken('child', minted.access_token);
}

const systemUser = v.object({ id: graphId, name: v.optional(v.string()), role: v.optional(v.string()) });
export type SystemUser = v.InferOutput<typeof systemUser>;

/**
 * `GET /{business}/system_users`, every one. A fresh child business has exactly the one that {@link mintChildToken} made.
 */
export async function listSystemUsers(
  graph: GraphAs<CredentialFor<'list-system-users'>>,
  businessId: string,
): Promise<SystemUser[]> {
  return graph.list(graphPath(businessId, 'system_users'), {}, systemUser);
}
