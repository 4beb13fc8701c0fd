import type { SimulatorContext } from './context.ts';
import { isAppToken } from './credential.ts';
import { endpoint } from './endpoint.ts';
import { GraphError, invalidParameter, missingParameter } from './graph-error.ts';
import { bool, id, oneOf, optional, type ParameterTable, type Parsed, required, text } from './parameters.ts';
import { isSameText, type TokenRecord } from './tokens.ts';

/** Facebook Login's token endpoints; they authenticate by app id and secret, not by an access token. */

const grantParameters = {
  client_id: required(id),
  client_secret: optional(text),
  redirect_uri: optional(text),
  code: optional(text),
  grant_type: optional(oneOf(['authorization_code', 'fb_exchange_token', 'client_credentials'])),
  fb_exchange_token: optional(text),
  set_token_expires_in_60_days: optional(bool),
} satisfies ParameterTable;

function checkApp(clientId: string, clientSecret: string | undefined, { store }: SimulatorContext): void {
  if (clientId !== store.seed.appId) {
    throw new GraphError({ code: 101, message: 'Error validating application. Invalid application ID.' });
  }
  if (clientSecret === undefined) {
    throw new GraphError({ code: 1, httpStatus: 400, message: 'Missing client_secret parameter.' });
  }
  if (!isSameText(clientSecret, store.seed.appSecret)) {
    throw new GraphError({ code: 1, httpStatus: 400, message: 'Error validating client secret.' });
  }
}

function grant(token: TokenRecord, context: SimulatorContext): Record<string, unknown> {
  return {
    access_token: token.value,
    token_type: 'bearer',
    ...(token.expiresAt === 0 ? {} : { expires_in: token.expiresAt - context.clock.nowSeconds() }),
  };
}

const codeError = (subcode: number, message: string): GraphError => new GraphError({ code: 100, subcode, message });

/** A code works once, for the app and the exact redirect address it was issued for, within ten minutes. */
function exchangeCode(params: Parsed<typeof grantParameters>, context: SimulatorContext): Record<string, unknown> {
  if (params.redirect_uri === undefined) throw missingParameter('redirect_uri');
  if (params.code === undefined) throw missingParameter('code');
  const code = context.tokens.code(params.code);
  if (code === undefined || code.clientId !== params.client_id) {
    throw codeError(36009, 'Invalid verification code format.');
  }
  if (code.redirectUri !== params.redirect_uri) {
    throw codeError(
      36008,
      'Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the ' +
        'OAuth dialog request',
    );
  }
  if (code.isUsed) throw codeError(36009, 'This authorization code has been used.');
  if (context.clock.nowSeconds() >= code.expiresAt) throw codeError(36007, 'This authorization code has expired.');
  code.isUsed = true;
  const token = context.tokens.issue({
    kind: 'user',
    ownerId: code.userId,
    businessId: undefined,
    scopes: code.scopes,
    pageIds: new Set(code.pageIds),
    life: 'short',
  });
  return grant(token, context);
}

/** A user token becomes one of 60 days; an expiring system-user token is renewed for another 60. */
function extendToken(params: Parsed<typeof grantParameters>, context: SimulatorContext): Record<string, unknown> {
  if (params.fb_exchange_token === undefined) throw missingParameter('fb_exchange_token');
  const old = context.tokens.authenticate(params.fb_exchange_token);
  if (params.set_token_expires_in_60_days !== undefined && old.kind === 'user') {
    throw invalidParameter('set_token_expires_in_60_days', 'applies to system user tokens.');
  }
  const life = old.kind === 'user' ? 'long' : params.set_token_expires_in_60_days === true ? '60 days' : 'never';
  const { kind, ownerId, businessId, scopes, pageIds } = old;
  return grant(context.tokens.issue({ kind, ownerId, businessId, scopes, pageIds, life }), context);
}

function answerGrant(params: Parsed<typeof grantParameters>, context: SimulatorContext): Record<string, unknown> {
  checkApp(params.client_id, params.client_secret, context);
  if (params.grant_type === 'fb_exchange_token') return extendToken(params, context);
  if (params.grant_type === 'client_credentials') {
    return { access_token: `${context.store.seed.appId}|${context.store.seed.appSecret}`, token_type: 'bearer' };
  }
  return exchangeCode(params, context);
}

const grantByGet = endpoint({
  operation: 'oauth_access_token',
  method: 'GET',
  on: 'root',
  edge: 'oauth/access_token',
  credentials: ['none'],
  parameters: grantParameters,
  handle: ({ params, context }) => answerGrant(params, context),
});

const grantByPost = endpoint({
  operation: 'oauth_access_token',
  method: 'POST',
  on: 'root',
  edge: 'oauth/access_token',
  credentials: ['none'],
  parameters: grantParameters,
  handle: ({ params, context }) => answerGrant(params, context),
});

const revoke = endpoint({
  operation: 'oauth_revoke',
  method: 'GET',
  on: 'root',
  edge: 'oauth/revoke',
  credentials: ['none'],
  parameters: { client_id: required(id), client_secret: optional(text), revoke_token: required(text) },
  handle({ params, context, rawToken }) {
    const isByApp = rawToken !== undefined && isAppToken(rawToken, context);
    checkApp(params.client_id, isByApp ? context.store.seed.appSecret : params.client_secret, context);
    context.tokens.authenticate(params.revoke_token).revokedSubcode = 467;
    return { success: true };
  },
});

/** Which objects each permission covers; without `target_ids` it covers all. */
function granularScopes(token: TokenRecord, { store, switches }: SimulatorContext): Record<string, unknown>[] {
  const pageIds = token.pageIds === undefined || switches.login_grants_global_scope ? undefined : [...token.pageIds];
  const instagramIds = pageIds?.flatMap((pageId) => store.get('page', pageId).instagramId ?? []);
  return [...token.scopes].map((scope) => {
    const targets = scope.startsWith('pages_') ? pageIds : scope === 'instagram_basic' ? instagramIds : undefined;
    return targets === undefined ? { scope } : { scope, target_ids: targets };
  });
}

const debugToken = endpoint({
  operation: 'debug_token',
  method: 'GET',
  on: 'root',
  edge: 'debug_token',
  credentials: ['app', 'user', 'parent', 'child'],
  parameters: { input_token: required(text) },
  handle({ params, context }) {
    const { store, tokens } = context;
    const token = tokens.find(params.input_token);
    if (token === undefined) {
      const error = { code: 190, message: 'Invalid OAuth access token - Cannot parse access token' };
      return { data: { error, is_valid: false, scopes: [] } };
    }
    const isValid = tokens.isAlive(token);
    const subcode = token.revokedSubcode ?? 463;
    return {
      data: {
        app_id: store.seed.appId,
        type: token.kind === 'user' ? 'USER' : 'SYSTEM_USER',
        application: store.seed.appName,
        data_access_expires_at: token.dataAccessExpiresAt,
        expires_at: token.expiresAt,
        issued_at: token.issuedAt,
        is_valid: isValid,
        ...(isValid ? {} : { error: { code: 190, subcode, message: 'Error validating access token.' } }),
        scopes: [...token.scopes],
        granular_scopes: granularScopes(token, context),
        user_id: token.ownerId,
      },
    };
  },
});

export const oauthEndpoints = [grantByGet, grantByPost, revoke, debugToken];
