import { secretName } from '../domain/naming.ts';
import type { OperatorKind } from '../domain/provisioning-path.ts';
import type { SecretStore } from '../gcp/secret-store.ts';
import { AccessToken, asFallbackToken } from '../meta/access-token.ts';
import type { CredentialKind } from '../meta/access-token.ts';
import { Waiting } from './outcomes.ts';
import type { Wait } from './outcomes.ts';

const minuteMs = 60_000;

/**
 * Where a function gets its Graph tokens from. Each call reads through the secret store's short cache, so a re-minted
 * token is used soon and a destroyed one is not used for long.
 *
 * A secret that is not there is nobody's bug but somebody's move: the calls throw {@link Waiting} on the party that can
 * bring it back.
 */
export interface TenantCredentials {
  /** The client's own token. Absent: the client must connect again. @throws Waiting on client */
  user(tenantId: string): Promise<AccessToken<'user'>>;
  /** The admin system user of Kobi's parent business. @throws Waiting on kobi */
  parent(): Promise<AccessToken<'parent'>>;
  /** The system user of the tenant's child business. @throws Waiting on kobi */
  child(tenantId: string): Promise<AccessToken<'child'>>;
  /** Whoever operates the tenant's assets, `fallback` being the parent standing in. @throws Waiting on kobi */
  operator(tenantId: string, operator: OperatorKind): Promise<AccessToken<OperatorKind>>;
  /** The app's own token, `APP_ID|APP_SECRET`. @throws Waiting on kobi */
  app(appId: string): Promise<AccessToken<'app'>>;
  /** The app secret, which signs every call (`appsecret_proof`). @throws Waiting on kobi */
  appSecret(): Promise<string>;
}

/** @param secrets only read; their texts stay in this process, in token objects that cannot be printed */
export function createTenantCredentials({ secrets }: { secrets: Pick<SecretStore, 'latest'> }): TenantCredentials {
  async function read(secretId: string, absent: Wait): Promise<string> {
    const version = await secrets.latest(secretId);
    // A secret typed in by hand often ends in a line break.
    const text = version?.value.trim() ?? '';
    if (text === '') throw new Waiting(absent);
    return text;
  }

  const appSecret = (): Promise<string> =>
    read(
      secretName.appSecret,
      onKobi('app-secret', `Put the Meta app's secret into Secret Manager as ${secretName.appSecret}.`),
    );

  const userTokens = new TokenCache('user');
  const parentTokens = new TokenCache('parent');
  const childTokens = new TokenCache('child');
  const standIns = new WeakMap<AccessToken<'parent'>, AccessToken<'fallback'>>();

  const credentials: TenantCredentials = {
    user: async (tenantId) => {
      const secretId = secretName.userToken(tenantId);
      const text = await read(secretId, {
        on: 'client',
        for: 'reconnect',
        what: 'Connect Meta & Instagram again: the consent given earlier is no longer usable.',
        pollEveryMs: 24 * 60 * minuteMs,
      });
      return userTokens.of(secretId, text);
    },
    parent: async () => {
      const text = await read(
        secretName.parentToken,
        onKobi(
          'parent-token',
          `Mint a token for the parent business's admin system user and put it into Secret Manager as ${secretName.parentToken}.`,
        ),
      );
      return parentTokens.of(secretName.parentToken, text);
    },
    child: async (tenantId) => {
      const secretId = secretName.systemToken(tenantId);
      const text = await read(
        secretId,
        onKobi(
          'child-token',
          `Mint a token for the system user of ${tenantId}'s child business: ${secretId} has no usable version.`,
        ),
      );
      return childTokens.of(secretId, text);
    },
    async operator(tenantId, operator) {
      if (operator === 'child') return credentials.child(tenantId);
      const parent = await credentials.parent();
      const known = standIns.get(parent);
      if (known !== undefined) return known;
      const standIn = asFallbackToken(parent);
      standIns.set(parent, standIn);
      return standIn;
    },
    async app(appId) {
      return new AccessToken('app', `${appId}|${await appSecret()}`);
    },
    appSecret,
  };
  return credentials;
}

function onKobi(awaited: string, what: string): Wait {
  return { on: 'kobi', for: awaited, what, pollEveryMs: 10 * minuteMs };
}

/** The same token text gives the same object: the Graph client remembers a token's proof by the object. */
class TokenCache<Kind extends CredentialKind> {
  readonly #kind: Kind;
  readonly #known = new Map<string, { readonly text: string; readonly token: AccessToken<Kind> }>();

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  of(secretId: string, text: string): AccessToken<Kind> {
    const known = this.#known.get(secretId);
    if (known?.text === text) return known.token;
    const token = new AccessToken(this.#kind, text);
    this.#known.set(secretId, { text, token });
    return token;
  }
}
