import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { TokenVerdict } from '../contracts/token-documents.ts';
import { secretName } from '../domain/naming.ts';
import type { RelayBreaker } from '../gcp/relay-breaker.ts';
import type { SecretStore, SecretVersions } from '../gcp/secret-store.ts';
import { TokenLeaseLost } from '../gcp/token-lease.ts';
import type { HeldLease, TokenLease } from '../gcp/token-lease.ts';
import { AccessToken } from '../meta/access-token.ts';
import type { GraphClient } from '../meta/graph-client.ts';
import { debugToken } from '../meta/oauth.ts';
import { mintChildToken } from '../meta/system-users.ts';
import { Failed, RetryLater } from './outcomes.ts';
import type { TenantCredentials } from './tenant-credentials.ts';
import { verdictOf } from './token-verdict.ts';

export interface MintRequest {
  readonly tenantId: string;
  readonly childBusinessId: string;
  /** Exactly what the token is asked for (`shared/meta/permissions.ts`). */
  readonly scopes: readonly string[];
  /** Taken by Meta only while the system user does not exist. */
  readonly systemUserName: string;
  /** The version the caller found wanting; null when it found none. */
  readonly replacing: string | null;
}

export interface TokenMint {
  /** The version that readers use, and its token where it can be read. */
  inUse(
    tenantId: string,
  ): Promise<{ readonly version: string | null; readonly token: AccessToken<'child'> | undefined }>;
  /**
   * Replaces the system token of a tenant: mint, add a version, verify it, switch readers to it, retire the old one.
   *
   * However many callers in however many processes saw the same version wanting, one mints and all get its version. A
   * process that dies on the way is taken over when its lease ends; a version it added is verified and used, not minted
   * again. Readers only ever use a verified version, and no more than two are enabled.
   *
   * @throws Failed when Meta gives a token that lacks what was asked for; the old one stays in use
   * @throws RetryLater when another process holds the lease for longer than it may
   */
  mint(request: MintRequest): Promise<{ readonly version: string }>;
  /** What Meta says about a token just now. @throws GraphError */
  verify(token: AccessToken, scopes: readonly string[]): Promise<TokenVerdict>;
}

export interface TokenMintDependencies {
  readonly lease: Pick<TokenLease, 'read' | 'acquire' | 'release' | 'assertHeld' | 'switchTo' | 'giveUp' | 'cutShort'>;
  readonly secrets: SecretVersions & Pick<SecretStore, 'add' | 'forget'>;
  readonly graph: GraphClient;
  readonly credentials: Pick<TenantCredentials, 'parent' | 'app'>;
  readonly appId: string;
  readonly now: () => Date;
  /** Lets events flow again that a dead token had stopped. */
  readonly breaker?: Pick<RelayBreaker, 'close'>;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** How often somebody who waits for another's mint looks again. */
const lookAgainMs = 250;
/** A lease and a half: by then a dead holder was taken over, and a third has had its turn. */
const longestWaitMs = 90_000;

export function createTokenMint(dependencies: TokenMintDependencies): TokenMint {
  const { lease, secrets, graph, credentials, appId, now, breaker, sleep = delay } = dependencies;
  const underWay = new Map<string, Promise<{ readonly version: string }>>();

  const verify: TokenMint['verify'] = async (token, scopes) => {
    const facts = await debugToken(graph.as(await credentials.app(appId)), token);
    return verdictOf(facts, { appId, scopes, now: now() });
  };

  /** A version that an earlier holder added and did not live to switch to; what does not pass is destroyed. */
  async function resume(held: HeldLease, request: MintRequest, left: readonly string[]): Promise<string | undefined> {
    const secretId = secretName.systemToken(request.tenantId);
    let chosen: string | undefined;
    for (const version of left) {
      const value = chosen === undefined ? await secrets.read(secretId, version) : undefined;
      const verdict =
        value === undefined ? undefined : await verify(new AccessToken('child', value.trim()), request.scopes);
      if (verdict?.state === 'ok') {
        await lease.switchTo(held, { version, childBusinessId: request.childBusinessId, verdict });
        chosen = version;
      } else await secrets.destroy(secretId, version);
    }
    return chosen;
  }

  async function replace(held: HeldLease, request: MintRequest): Promise<string> {
    const { tenantId, childBusinessId, scopes, systemUserName } = request;
    const secretId = secretName.systemToken(tenantId);
    const current = held.record.version;
    const enabled = (await secrets.enabled(secretId)).filter((version) => version !== current);
    const retiring = new Set(held.record.retiring.map(({ version }) => version));
    const isNewer = (version: string): boolean => Number(version) > Number(current ?? 0) && !retiring.has(version);
    const resumed = await resume(held, request, enabled.filter(isNewer));
    if (resumed !== undefined) return resumed;

    const asParent = graph.as(await credentials.parent());
    const minted = await mintChildToken(asParent, { childBusinessId, appId, scopes, systemUserName });
    for (const version of enabled.filter((other) => !isNewer(other))) {
      await lease.cutShort(held, version);
      await secrets.disable(secretId, version);
    }
    await lease.assertHeld(held);
    const version = await secrets.add(secretId, minted.reveal(), { tenant: tenantId, credential: 'system-token' });
    try {
      const verdict = await verify(minted, scopes);
      if (verdict.state !== 'ok') throw unusable(verdict);
      await lease.switchTo(held, { version, childBusinessId, verdict });
      return version;
    } catch (error) {
      // After any other error it is left for the next attempt to verify. Who lost the lease may meet a heir that has found
      // it sound.
      const isUseless = error instanceof Failed || error instanceof TokenLeaseLost;
      if (isUseless && (await lease.giveUp(tenantId, version))) await secrets.destroy(secretId, version);
      throw error;
    }
  }

  async function mintOnce(request: MintRequest): Promise<{ readonly version: string }> {
    const owner = randomUUID();
    const { tenantId, replacing } = request;
    for (let waitedMs = 0; waitedMs <= longestWaitMs; waitedMs += lookAgainMs) {
      const acquired = await lease.acquire(tenantId, owner, replacing);
      if (acquired.kind === 'have') return { version: acquired.version };
      if (acquired.kind === 'busy') {
        await sleep(lookAgainMs);
        continue;
      }
      try {
        const version = await replace(acquired, request);
        secrets.forget(secretName.systemToken(tenantId));
        await breaker?.close(tenantId, 'token-mint');
        return { version };
      } catch (error) {
        if (!(error instanceof TokenLeaseLost)) {
          await lease.release(acquired);
          throw error;
        }
      }
    }
    throw new RetryLater(`another process has been replacing the system token of ${tenantId} for too long`, {
      afterMs: longestWaitMs,
      burnsAttempt: false,
    });
  }

  return {
    verify,

    async inUse(tenantId) {
      const version = (await lease.read(tenantId))?.version ?? null;
      const text = version === null ? undefined : await secrets.read(secretName.systemToken(tenantId), version);
      return { version, token: text === undefined ? undefined : new AccessToken('child', text.trim()) };
    },

    mint(request) {
      const key = `${request.tenantId}:${request.replacing ?? ''}`;
      const known = underWay.get(key);
      if (known !== undefined) return known;
      const minting = mintOnce(request).finally(() => underWay.delete(key));
      underWay.set(key, minting);
      return minting;
    },
  };
}

function unusable({ state, scopesMissing }: TokenVerdict): Failed {
  const because =
    state === 'scopes-missing'
      ? `it lacks ${scopesMissing.join(', ')}`
      : state === 'expiring'
        ? 'it expires within days'
        : 'Meta calls it invalid';
  return new Failed(`the minted system token is not usable: ${because}`);
}
