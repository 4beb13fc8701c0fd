import type { Tenant, WaitRecord } from '../../../shared/contracts/documents.ts';
import type { TokenRecord, TokenVerdict } from '../../../shared/contracts/token-documents.ts';
import { secretName, systemUserName } from '../../../shared/domain/naming.ts';
import type { RelayBreaker } from '../../../shared/gcp/relay-breaker.ts';
import type { SecretStore, SecretVersions } from '../../../shared/gcp/secret-store.ts';
import type { TokenLease } from '../../../shared/gcp/token-lease.ts';
import { AccessToken } from '../../../shared/meta/access-token.ts';
import { childTokenPermissions, userPermissions } from '../../../shared/meta/permissions.ts';
import { outcomeOf } from '../../../shared/runtime/graph-outcome.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import type { TokenMint } from '../../../shared/runtime/token-mint.ts';

export interface TokenCheckServices {
  readonly lease: Pick<TokenLease, 'read' | 'recordCheck' | 'recordUser' | 'dueToRetire' | 'retired'>;
  readonly systemTokens: TokenMint;
  readonly secrets: Pick<SecretStore, 'latest' | 'destroyAll'> & SecretVersions;
  readonly breaker: Pick<RelayBreaker, 'open'>;
  /** Whether the tenant's events are held back: perhaps because Meta refused its token since the last check. */
  readonly isHeld: (tenantId: string) => Promise<boolean>;
  readonly log: Logger;
  readonly now: () => Date;
}

/** What became of one tenant's tokens; `skipped` were checked within the last day, or do not exist. */
export type Finding = 'ok' | 'replaced' | 'expiring' | 'dead' | 'scopes-missing' | 'skipped';

/** A little less than a day, so that an hourly job comes to each tenant once a day. */
const checkEveryMs = 23 * 60 * 60_000;

/**
 * Asks Meta about a tenant's tokens and acts on the answer: a system token that is dead, about to expire or short of a
 * permission is replaced; where that fails, nothing is sent for a dead one and the tenant waits on Kobi. The client's own
 * token, while it exists, cannot be replaced by us: dead, it waits on the client.
 *
 * @throws GraphError when Meta cannot say; then nothing is recorded and the next run asks again
 */
export async function checkTenant(tenant: Tenant, services: TokenCheckServices): Promise<Finding> {
  const { isHeld, lease, now } = services;
  const record = await lease.read(tenant.tenantId);
  if (record !== undefined) await retire(record, services);
  if (record !== undefined && !isDue(record, now()) && !(await isHeld(tenant.tenantId))) return 'skipped';
  const user = await checkUserToken(tenant, services);
  return (await checkSystemToken(tenant, record, services)) ?? user ?? 'skipped';
}

/** Once a day; a dead token every time, because somebody may have brought another. */
function isDue({ user, verdict, version }: TokenRecord, now: Date): boolean {
  if (verdict?.state === 'dead' || (version !== null && verdict === null)) return true;
  const checked = [verdict, user].map((row) => (row === null ? 0 : Date.parse(row.lastVerifiedAt)));
  return now.getTime() - Math.max(...checked) >= checkEveryMs;
}

/** Disables what is past its grace and destroys what is past keeping. Done again after a crash, it changes nothing. */
async function retire({ tenantId, retiring }: TokenRecord, { lease, secrets }: TokenCheckServices): Promise<void> {
  if (retiring.length === 0) return;
  const secretId = secretName.systemToken(tenantId);
  const due = await lease.dueToRetire(tenantId);
  const enabled = due.disable.length === 0 ? [] : await secrets.enabled(secretId);
  for (const version of due.disable.filter((row) => enabled.includes(row))) await secrets.disable(secretId, version);
  for (const version of due.destroy) await secrets.destroy(secretId, version);
  await lease.retired(tenantId, due.destroy);
}

async function checkSystemToken(
  tenant: Tenant,
  record: TokenRecord | undefined,
  services: TokenCheckServices,
): Promise<Finding | undefined> {
  const { lease, systemTokens, breaker, log, now } = services;
  const { tenantId } = tenant;
  if (record === undefined || record.version === null || record.childBusinessId === null) return undefined;
  const { childBusinessId } = record;
  const scopes = childTokenPermissions({ catalog: tenant.skus.includes('ecommerce') });
  const { version, token } = await systemTokens.inUse(tenantId);
  if (version === null) return undefined;
  const verdict = token === undefined ? unreadable(record, now()) : await systemTokens.verify(token, scopes);
  if (verdict.state === 'ok') {
    await lease.recordCheck(tenantId, { version, verdict });
    return 'ok';
  }
  if (isKnownShortage(verdict, record)) {
    await lease.recordCheck(tenantId, { version, verdict, wait: record.wait });
    return verdict.state;
  }
  try {
    const request = { tenantId, childBusinessId, scopes, systemUserName: systemUserName(tenant.slug) };
    const minted = await systemTokens.mint({ ...request, replacing: version });
    log.warn({ tenantId, state: verdict.state, version: minted.version }, 'system token replaced');
    return 'replaced';
  } catch (error) {
    const wait = waitOnKobi(tenantId, verdict, error, now());
    if (wait === undefined) throw error;
    log.error({ tenantId, state: verdict.state, wait: wait.what }, 'system token could not be replaced');
    await lease.recordCheck(tenantId, { version, verdict, wait });
    if (verdict.state === 'dead')
      await breaker.open(tenantId, { reason: 'token-dead', advice: wait.what }, 'token-check');
    return verdict.state;
  }
}

/** Minting again for a permission that Meta left out the last time would only leave one more token at Meta each day. */
function isKnownShortage(verdict: TokenVerdict, { verdict: before, wait }: TokenRecord): boolean {
  return (
    verdict.state === 'scopes-missing' &&
    before?.state === 'scopes-missing' &&
    wait !== null &&
    verdict.scopesMissing.join() === before.scopesMissing.join()
  );
}

async function checkUserToken(
  tenant: Tenant,
  { lease, secrets, systemTokens, now }: TokenCheckServices,
): Promise<Finding | undefined> {
  const { tenantId } = tenant;
  const stored = await secrets.latest(secretName.userToken(tenantId));
  if (stored === undefined) {
    await lease.recordUser(tenantId, null);
    return undefined;
  }
  const scopes = userPermissions({ catalog: tenant.skus.includes('ecommerce') });
  const verdict = await systemTokens.verify(new AccessToken('user', stored.value.trim()), scopes);
  const { state, expiresAt, lastVerifiedAt, scopesMissing } = verdict;
  const what =
    state === 'dead'
      ? 'Connect Meta & Instagram again: Meta no longer accepts the consent given earlier.'
      : `Connect Meta & Instagram again and leave every permission switched on; missing: ${scopesMissing.join(', ')}.`;
  const isUseless = state === 'dead' || state === 'scopes-missing';
  const wait: WaitRecord | null = isUseless
    ? { on: 'client', for: 'reconnect', what, since: now().toISOString(), expiresAt: null }
    : null;
  await lease.recordUser(tenantId, { version: stored.version, state, expiresAt, lastVerifiedAt, wait });
  return state;
}

function unreadable({ verdict }: TokenRecord, now: Date): TokenVerdict {
  const lastVerifiedAt = now.toISOString();
  return verdict === null
    ? { kind: 'never-expires', expiresAt: null, lastVerifiedAt, scopesMissing: [], scopesExtra: [], state: 'dead' }
    : { ...verdict, lastVerifiedAt, state: 'dead' };
}

/** What a person at Kobi must do; undefined for an error of ours. A token that merely expires soon has time. */
function waitOnKobi(tenantId: string, verdict: TokenVerdict, error: unknown, now: Date): WaitRecord | undefined {
  const outcome = outcomeOf(error, 'parent', 0, now);
  if (outcome === undefined) return undefined;
  const because = outcome.kind === 'waiting' ? outcome.wait.what : outcome.reason;
  const trouble = {
    dead: 'is no longer accepted by Meta or has no usable version',
    'scopes-missing': `lacks ${verdict.scopesMissing.join(', ')}`,
    expiring: `expires at ${verdict.expiresAt ?? 'an unknown time'}`,
    ok: 'is fine',
  }[verdict.state];
  return {
    on: 'kobi',
    for: outcome.kind === 'waiting' ? outcome.wait.for : 'child-token',
    what: `The system token of ${tenantId} ${trouble}, and minting another failed: ${because}`,
    since: now.toISOString(),
    expiresAt: null,
  };
}
