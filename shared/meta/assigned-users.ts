/** `assigned_users`: who may do what with an ad account, pixel, Page or catalog. The edge is the same on each of them. */
import { assignedUser, succeeded } from './answers.ts';
import type { AssignedUser } from './answers.ts';
import type { CredentialKind } from './access-token.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

/** `POST /{asset}/assigned_users`. Repeating it sets the same tasks again. */
export async function assignUser(
  graph: GraphAs<CredentialKind>,
  assetId: string,
  assignment: { readonly userId: string; readonly tasks: readonly string[] },
): Promise<void> {
  const params = { user: assignment.userId, tasks: assignment.tasks };
  await graph.post(graphPath(assetId, 'assigned_users'), params, succeeded);
}

/** `GET /{asset}/assigned_users?business=…`: Meta shows only people and system users of that business. */
export async function readAssignedUsers(
  graph: GraphAs<CredentialKind>,
  assetId: string,
  businessId: string,
): Promise<AssignedUser[]> {
  return graph.list(graphPath(assetId, 'assigned_users'), { business: businessId }, assignedUser);
}
