import type { SimulatorContext } from './context.ts';
import type { Credential } from './endpoint.ts';
import { GraphError, invalidToken } from './graph-error.ts';
import { appSecretProof, isSameText } from './tokens.ts';

/** True for `APP_ID|APP_SECRET` of the simulated app. */
export function isAppToken(value: string, context: SimulatorContext): boolean {
  const { appId, appSecret } = context.store.seed;
  return isSameText(value, `${appId}|${appSecret}`);
}

/** Who a token speaks for; no token is 104, a dead or unknown one 190. */
export function credentialOf(value: string | undefined, context: SimulatorContext): Credential {
  if (value === undefined) {
    throw new GraphError({ code: 104, message: 'An access token is required to request this resource.' });
  }
  if (value.includes('|')) {
    if (!isAppToken(value, context)) throw invalidToken('Invalid OAuth access token signature.');
    return { kind: 'app', appId: context.store.seed.appId };
  }
  const token = context.tokens.authenticate(value);
  if (token.kind === 'user') {
    return { kind: 'user', token, person: context.store.get('user', token.ownerId) };
  }
  const systemUser = context.store.get('system_user', token.ownerId);
  const business = context.store.get('business', systemUser.businessId);
  const kind = business.id === context.store.seed.parentBusinessId ? 'parent' : 'child';
  return { kind, token, systemUser, business };
}

/** The proof must be that of this very token; app tokens, which hold the secret themselves, need none. */
export function verifyProof(
  token: string | undefined,
  proof: unknown,
  credential: Credential,
  context: SimulatorContext,
): void {
  if (credential.kind === 'app' || token === undefined) return;
  if (proof === undefined) {
    if (!context.switches.require_appsecret_proof) return;
    throw new GraphError({
      code: 100,
      type: 'GraphMethodException',
      message: 'API calls from the server require an appsecret_proof argument',
    });
  }
  if (typeof proof !== 'string' || !isSameText(proof, appSecretProof(token, context.store.seed.appSecret))) {
    throw new GraphError({
      code: 100,
      type: 'GraphMethodException',
      message: 'Invalid appsecret_proof provided in the API argument',
    });
  }
}
