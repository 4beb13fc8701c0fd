import { systemUserName } from '../../../shared/domain/naming.ts';
import { debugToken } from '../../../shared/meta/oauth.ts';
import { childTokenPermissions } from '../../../shared/meta/permissions.ts';
import { listSystemUsers } from '../../../shared/meta/system-users.ts';
import { unknownOutcomeGraceMs } from '../../../shared/runtime/graph-outcome.ts';
import { Failed, RetryLater } from '../../../shared/runtime/outcomes.ts';
import type { StepFactory } from '../services.ts';

/**
 * Mints the child's admin system user and its token with the parent's, puts the token into Secret Manager and nowhere
 * else, and asks Meta what it may do before anything relies on it (`shared/runtime/token-mint.ts`). A token lost between
 * Meta and Secret Manager is minted again: Meta returns one of the same system user. (Document, "Automation identity"; meta "System Users".)
 */
export const createSystemUser: StepFactory<'create-system-user'> =
  ({ graph, credentials, systemTokens, kobi }) =>
  async ({ tenant, product, ensure }) => {
    const { childBusinessId } = product('create-child-business');
    const scopes = childTokenPermissions({ catalog: tenant.skus.includes('ecommerce') });
    const seen: { version: string | null } = { version: null };

    const { version } = await ensure({
      name: 'system-token',
      desired: { childBusinessId, scopes },
      find: async () => {
        const { version: inUse, token } = await systemTokens.inUse(tenant.tenantId);
        seen.version = inUse;
        if (inUse === null || token === undefined) return undefined;
        const { state } = await systemTokens.verify(token, scopes);
        return state === 'ok' || state === 'expiring' ? { version: inUse } : undefined;
      },
      create: () =>
        systemTokens.mint({
          tenantId: tenant.tenantId,
          childBusinessId,
          scopes,
          systemUserName: systemUserName(tenant.slug),
          replacing: seen.version,
        }),
    });

    const child = await credentials.child(tenant.tenantId);
    const facts = await debugToken(graph.as(await credentials.app(kobi.appId)), child);
    const missing = scopes.filter((scope) => !facts.scopes.includes(scope));
    if (!facts.isValid || facts.appId !== kobi.appId || missing.length > 0) {
      throw new Failed(
        `the system token in use is not usable: ${missing.length ? `it lacks ${missing.join(', ')}` : 'Meta calls it invalid'}`,
      );
    }
    const users = await listSystemUsers(graph.as(child), childBusinessId);
    const admin = users.find(({ id }) => id === facts.userId) ?? users.find(({ role }) => role === 'ADMIN');
    if (admin === undefined) {
      // Meta's lists show what was just made some seconds late.
      throw new RetryLater('the child business does not show its system user yet', { afterMs: unknownOutcomeGraceMs });
    }
    return { products: { systemUserId: admin.id, systemTokenVersion: version } };
  };
