import { secretName, systemUserName } from '../../../shared/domain/naming.ts';
import { AccessToken } from '../../../shared/meta/access-token.ts';
import { debugToken } from '../../../shared/meta/oauth.ts';
import { childTokenPermissions } from '../../../shared/meta/permissions.ts';
import { listSystemUsers, mintChildToken } from '../../../shared/meta/system-users.ts';
import { Failed } from '../../../shared/runtime/outcomes.ts';
import type { StepFactory } from '../services.ts';

/**
 * Mints the child's admin system user and its token with the parent's, puts the token into Secret Manager and nowhere
 * else, and asks Meta what it may do before anything relies on it. A token lost between Meta and Secret Manager is minted
 * again: Meta returns one of the same system user. (Document, "Automation identity"; meta "System Users".)
 */
export const createSystemUser: StepFactory<'create-system-user'> =
  ({ graph, credentials, secrets, kobi }) =>
  async ({ tenant, product, ensure }) => {
    const { childBusinessId } = product('create-child-business');
    const secretId = secretName.systemToken(tenant.tenantId);
    const scopes = childTokenPermissions({ catalog: tenant.skus.includes('ecommerce') });
    const asApp = graph.as(await credentials.app(kobi.appId));

    const { version } = await ensure({
      name: 'system-token',
      desired: { childBusinessId, scopes },
      find: async () => {
        const stored = await secrets.latest(secretId);
        if (stored === undefined) return undefined;
        const facts = await debugToken(asApp, new AccessToken('child', stored.value));
        return facts.isValid ? { version: stored.version } : undefined;
      },
      create: async () => {
        const minted = await mintChildToken(graph.as(await credentials.parent()), {
          childBusinessId,
          appId: kobi.appId,
          scopes,
          systemUserName: systemUserName(tenant.slug),
        });
        const labels = { tenant: tenant.tenantId, credential: 'system-token' };
        return { version: await secrets.add(secretId, minted.reveal(), labels) };
      },
    });

    const child = await credentials.child(tenant.tenantId);
    const facts = await debugToken(asApp, child);
    const missing = scopes.filter((scope) => !facts.scopes.includes(scope));
    if (!facts.isValid || facts.appId !== kobi.appId || missing.length > 0) {
      throw new Failed(
        `the minted system token is not usable: ${missing.length ? `it lacks ${missing.join(', ')}` : 'Meta calls it invalid'}`,
      );
    }
    const users = await listSystemUsers(graph.as(child), childBusinessId);
    const admin = users.find(({ id }) => id === facts.userId) ?? users.find(({ role }) => role === 'ADMIN');
    if (admin === undefined) throw new Failed('the child business shows no admin system user');
    return { products: { systemUserId: admin.id, systemTokenVersion: version } };
  };
