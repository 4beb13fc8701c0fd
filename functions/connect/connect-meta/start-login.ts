import { slugPattern } from '../../../shared/domain/naming.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { browserCookie, browserOf } from './browser-cookie.ts';
import { refusalPage } from './pages.ts';
import { randomText } from './services.ts';
import type { ConnectServices } from './services.ts';

/**
 * `GET /start?tenant=…&link=…`: sends the client's person to Facebook's dialog. Without the signed link of this tenant
 * anybody could connect a Page of their own to it. (Document, "2-Tier onboarding flow" 2.)
 */
export function startLogin(services: ConnectServices): HttpRoute['handle'] {
  const { baseUrl, links, login, randomBytes, states, tenants } = services;
  return async (call) => {
    const tenantId = call.query.get('tenant') ?? '';
    if (!slugPattern.test(tenantId)) {
      return refusalPage(
        tenantId === '' ? 400 : 404,
        'Whose connection?',
        'This address names no tenant of Kobi. Open Connect Meta & Instagram in the Kobi portal again.',
      );
    }
    const verdict = await links.verify(tenantId, call.query.get('link') ?? '');
    if (verdict !== 'valid') {
      return refusalPage(
        403,
        verdict === 'expired' ? 'This link has expired' : 'This link is not valid',
        'Log in to the Kobi portal and open Connect Meta & Instagram there: it gives you a new link.',
      );
    }
    const tenant = await tenants.read(tenantId);
    if (tenant === undefined) {
      return refusalPage(404, 'Unknown tenant', 'Kobi does not know this tenant. Ask your contact at Kobi.');
    }
    if (tenant.terms === null) {
      return refusalPage(
        409,
        'First the terms',
        'Accept the terms of service and the data sharing agreement in the Kobi portal, then connect.',
      );
    }
    // A browser keeps its secret, so that a flow open in another tab can still be finished.
    const browser = browserOf(call) ?? randomText(randomBytes);
    const state = randomText(randomBytes);
    await states.open(tenantId, { state, browser });
    call.log.info({ tenantId }, 'connection started');
    return {
      status: 302,
      headers: {
        location: login.dialogUrl(state),
        'set-cookie': browserCookie(browser, baseUrl),
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      },
      body: '',
    };
  };
}
