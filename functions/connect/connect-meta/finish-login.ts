import { secretName } from '../../../shared/domain/naming.ts';
import { deliverOrLeave } from '../../../shared/runtime/deliver-or-leave.ts';
import type { HttpAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpCall, HttpRoute } from '../../../shared/runtime/http-function.ts';
import { browserOf } from './browser-cookie.ts';
import type { Consent } from './meta-login.ts';
import { choosePagePage, connectedPage, declinedPage, refusalPage } from './pages.ts';
import { choiceState, randomText } from './services.ts';
import type { ConnectServices } from './services.ts';
import { stateRefusal } from './state-refusal.ts';

const textPattern = /^[\w-]{43}$/;

/**
 * `GET /callback`: where Facebook sends the person back to.
 *
 * Nothing is stored unless the state is this browser's, unused and fresh. Then the token goes to Secret Manager and
 * nowhere else, and the connection is recorded together with the message that announces it. A crash between the two
 * leaves a token version nobody refers to; the person's next attempt replaces it.
 */
export function finishLogin(services: ConnectServices): HttpRoute['handle'] {
  const { links, login, states, tenants } = services;
  return async (call) => {
    const state = call.query.get('state') ?? '';
    if (!textPattern.test(state)) return stateRefusal('unknown');
    const verdict = await states.consume({ state, browser: browserOf(call) ?? '' });
    if (verdict.kind === 'used') return stateRefusal('used', await links.urlFor(verdict.tenantId));
    if (verdict.kind !== 'ok') {
      call.log.warn({ verdict: verdict.kind }, 'state refused');
      return stateRefusal(verdict.kind);
    }
    const { tenantId } = verdict;
    const startUrl = await links.urlFor(tenantId);
    const code = call.query.get('code');
    if (code === null || code === '') {
      const error = call.query.get('error');
      call.log.info({ tenantId, denied: error === 'access_denied' }, 'the dialog ended without a code');
      if (error === 'access_denied') return declinedPage(startUrl);
      return refusalPage(400, 'Facebook sent no answer', 'The dialog ended without a result.', startUrl);
    }
    if ((await tenants.read(tenantId)) === undefined) {
      return refusalPage(404, 'Unknown tenant', 'Kobi no longer knows this tenant. Ask your contact at Kobi.');
    }
    const consent = await login.consentOf(code);
    if ('failure' in consent) {
      call.log.warn({ tenantId, failure: consent.failure, reason: consent.reason }, 'no consent');
      return consent.failure === 'trouble'
        ? refusalPage(503, 'Facebook does not answer', 'Try again in a few minutes; nothing was stored.', startUrl)
        : refusalPage(
            400,
            'Facebook did not confirm',
            'The consent could not be confirmed; nothing was stored.',
            startUrl,
          );
    }
    return keep(services, call, tenantId, consent);
  };
}

async function keep(
  services: ConnectServices,
  call: HttpCall,
  tenantId: string,
  consent: Consent,
): Promise<HttpAnswer> {
  const { baseUrl, deliver, links, randomBytes, secrets, states, tenants } = services;
  const { metaUserId, pages, token } = consent;
  const userTokenVersion = await secrets.add(secretName.userToken(tenantId), token.reveal(), {
    tenant: tenantId,
    credential: 'user',
  });
  if (pages.length > 1) {
    const nonce = randomText(randomBytes);
    await states.open(tenantId, { state: choiceState(nonce), browser: browserOf(call) ?? '' });
    const offered = pages.map(({ id, name }) => ({ id, name }));
    const choice = await links.signChoice({ nonce, tenantId, metaUserId, userTokenVersion, pages: offered });
    call.log.info({ tenantId, pages: pages.length }, 'several Pages, the person chooses');
    return choosePagePage(pages, `${baseUrl}/page`, choice);
  }
  const page = pages[0];
  const pageId = page?.id ?? null;
  const connected = await tenants.connect({ tenantId, metaUserId, pageId, userTokenVersion }, call.traceparent);
  if (connected.kind !== 'connected') throw new Error(`tenant ${tenantId} could not be connected: ${connected.kind}`);
  call.log.info({ tenantId, connection: connected.connection, pageId }, 'connected');
  await deliverOrLeave(deliver, connected.messages, call.log);
  return connectedPage(page === undefined ? null : page.name || page.id);
}
