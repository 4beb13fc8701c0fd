/**
 * Facebook Login for Business and the life of tokens ("Manually Build a Login Flow", "Access Tokens", "Debug Token").
 *
 * Meta defines these calls as GETs with their secrets in the query, the one exception to "a token is only in a header".
 * The client neither logs, observes nor reports a query.
 */
import * as v from 'valibot';
import { AccessToken } from './access-token.ts';
import { graphId } from './answers.ts';
import type { CredentialFor } from './credentials.ts';
import { GraphError } from './errors.ts';
import type { GraphAs, GraphClient } from './graph-client.ts';
import { graphVersion } from './version.ts';

export interface LoginDialog {
  /** `https://www.facebook.com`, or the dialog's whole address when it is elsewhere. */
  readonly dialogUrl: string;
  readonly appId: string;
  /** Must be sent again, letter for letter, to {@link exchangeCode}. */
  readonly redirectUri: string;
  readonly state: string;
  /** The Login for Business configuration, which holds permissions and token type (User access token). */
  readonly configId: string;
}

/** Where to send the person. Permissions come from the configuration, so there is no `scope`. */
export function loginDialogUrl(dialog: LoginDialog): string {
  const url = new URL(dialog.dialogUrl);
  if (url.pathname === '/') url.pathname = `/${graphVersion}/dialog/oauth`;
  url.searchParams.set('client_id', dialog.appId);
  url.searchParams.set('redirect_uri', dialog.redirectUri);
  url.searchParams.set('config_id', dialog.configId);
  url.searchParams.set('state', dialog.state);
  url.searchParams.set('response_type', 'code');
  return url.href;
}

/** A user token and how long Meta says it lives. */
export interface UserTokenGrant {
  readonly token: AccessToken<'user'>;
  /** Absent: Meta named no end. */
  readonly expiresInSeconds?: number | undefined;
}

const tokenGrant = v.object({ access_token: v.string(), expires_in: v.optional(v.number()) });

function userGrant(grant: v.InferOutput<typeof tokenGrant>): UserTokenGrant {
  return { token: new AccessToken('user', grant.access_token), expiresInSeconds: grant.expires_in };
}

/**
 * `GET /oauth/access_token?code=…`: the code of the callback for a user token of an hour or two. A code works once.
 * @throws GraphError `login-code-used`, or `answer-lost`, after which only a new login helps
 */
export async function exchangeCode(
  client: GraphClient,
  login: { readonly appId: string; readonly redirectUri: string; readonly code: string },
): Promise<UserTokenGrant> {
  const params = { client_id: login.appId, redirect_uri: login.redirectUri, code: login.code };
  return userGrant(await client.oauth('/oauth/access_token', params, tokenGrant, { secrets: [login.code] }));
}

/** `GET /oauth/access_token?grant_type=fb_exchange_token`: a user token of about 60 days. Safe to repeat. */
export async function exchangeLongLived(
  client: GraphClient,
  exchange: { readonly appId: string; readonly token: AccessToken<'user'> },
): Promise<UserTokenGrant> {
  const text = exchange.token.reveal();
  const params = { grant_type: 'fb_exchange_token', client_id: exchange.appId, fb_exchange_token: text };
  return userGrant(await client.oauth('/oauth/access_token', params, tokenGrant, { secrets: [text] }));
}

const unixSeconds = v.optional(v.number());
const debugged = v.object({
  data: v.object({
    app_id: v.optional(graphId),
    type: v.optional(v.string()),
    is_valid: v.boolean(),
    user_id: v.optional(graphId),
    expires_at: unixSeconds,
    data_access_expires_at: unixSeconds,
    scopes: v.optional(v.array(v.string()), []),
    granular_scopes: v.optional(v.array(v.object({ scope: v.string(), target_ids: v.optional(v.array(graphId)) })), []),
    error: v.optional(v.object({ code: v.optional(v.number()), subcode: v.optional(v.number()) })),
  }),
});

/** What Meta says about a token. */
export interface TokenFacts {
  readonly isValid: boolean;
  /** The app it was issued to: compare with ours. */
  readonly appId?: string | undefined;
  /** e.g. `USER`, `SYSTEM_USER`. */
  readonly type?: string | undefined;
  /** App-scoped id of the person or system user. */
  readonly userId?: string | undefined;
  /** Epoch milliseconds; absent: never. */
  readonly expiresAtMs?: number | undefined;
  /** When the person's 90 days of data access end, epoch milliseconds; absent: never. */
  readonly dataAccessExpiresAtMs?: number | undefined;
  readonly scopes: readonly string[];
  /** A scope without `targetIds` covers everything the person has. */
  readonly granularScopes: readonly { readonly scope: string; readonly targetIds?: readonly string[] | undefined }[];
  /** Why the token is not valid. */
  readonly errorCode?: number | undefined;
  readonly errorSubcode?: number | undefined;
}

/** `GET /debug_token?input_token=…` with the **app** token. An invalid token is an answer (`isValid: false`), not an error. */
export async function debugToken(
  graph: GraphAs<CredentialFor<'inspect-token'>>,
  token: AccessToken,
): Promise<TokenFacts> {
  const text = token.reveal();
  const { data } = await graph.get('/debug_token', { input_token: text }, debugged, { secrets: [text] });
  // Meta writes "never" as 0.
  const toMs = (seconds: number | undefined): number | undefined => (seconds ? seconds * 1_000 : undefined);
  return {
    isValid: data.is_valid,
    appId: data.app_id,
    type: data.type,
    userId: data.user_id,
    expiresAtMs: toMs(data.expires_at),
    dataAccessExpiresAtMs: toMs(data.data_access_expires_at),
    scopes: data.scopes,
    granularScopes: data.granular_scopes.map(({ scope, target_ids }) => ({ scope, targetIds: target_ids })),
    errorCode: data.error?.code,
    errorSubcode: data.error?.subcode,
  };
}

/** `GET /oauth/revoke?revoke_token=…`: ends one token. A token that is dead already counts as revoked. */
export async function revokeToken(
  client: GraphClient,
  revocation: { readonly appId: string; readonly token: AccessToken },
): Promise<void> {
  const appToken = (await client.appToken(revocation.appId)).reveal();
  const text = revocation.token.reveal();
  const params = { client_id: revocation.appId, revoke_token: text, access_token: appToken };
  try {
    await client.oauth('/oauth/revoke', params, v.unknown(), { secrets: [text, appToken] });
  } catch (error) {
    if (!(error instanceof GraphError) || error.class !== 'token-dead') throw error;
  }
}
