import type { TokenVerdict } from '../contracts/token-documents.ts';
import type { TokenFacts } from '../meta/oauth.ts';

/** A token with less time left than this is replaced. */
const renewBeforeMs = 10 * 24 * 60 * 60_000;

/**
 * What Meta's `debug_token` means for us. A token of another app is dead: whatever it can do, it is not ours. A token that
 * never expires has nothing to renew.
 *
 * @param scopes exactly what the token is asked for (`shared/meta/permissions.ts`)
 */
export function verdictOf(
  facts: TokenFacts,
  { appId, scopes, now }: { readonly appId: string; readonly scopes: readonly string[]; readonly now: Date },
): TokenVerdict {
  const scopesMissing = scopes.filter((scope) => !facts.scopes.includes(scope));
  const dead = !facts.isValid || facts.appId !== appId;
  const expiring = facts.expiresAtMs !== undefined && facts.expiresAtMs - now.getTime() < renewBeforeMs;
  return {
    kind: facts.expiresAtMs === undefined ? 'never-expires' : '60-days',
    expiresAt: facts.expiresAtMs === undefined ? null : new Date(facts.expiresAtMs).toISOString(),
    lastVerifiedAt: now.toISOString(),
    scopesMissing,
    scopesExtra: facts.scopes.filter((scope) => !scopes.includes(scope)),
    state: dead ? 'dead' : scopesMissing.length > 0 ? 'scopes-missing' : expiring ? 'expiring' : 'ok',
  };
}
