import { deliverOrLeave } from '../../../shared/runtime/deliver-or-leave.ts';
import { formBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { browserOf } from './browser-cookie.ts';
import { connectedPage, refusalPage } from './pages.ts';
import { choiceState } from './services.ts';
import type { ConnectServices } from './services.ts';
import { stateRefusal } from './state-refusal.ts';

/**
 * `POST /page`: the person chose one of several Pages. The form carries what was found at Meta, signed, with a single-use
 * nonce bound to this browser; so another site cannot post it, and posting it twice connects once.
 */
export function choosePage(services: ConnectServices): HttpRoute['handle'] {
  const { deliver, links, tenants } = services;
  return async (call) => {
    const form = formBody(call);
    const choice = await links.verifyChoice(form.get('choice') ?? '');
    if (choice === undefined) return stateRefusal('unknown');
    const { metaUserId, nonce, tenantId, userTokenVersion } = choice;
    const page = choice.pages.find(({ id }) => id === form.get('page'));
    if (page === undefined) {
      return refusalPage(400, 'No Page chosen', 'Go back and choose one of the Pages shown.');
    }
    const connected = await tenants.connect(
      { tenantId, metaUserId, pageId: page.id, userTokenVersion },
      call.traceparent,
      {
        state: choiceState(nonce),
        browser: browserOf(call) ?? '',
      },
    );
    if (connected.kind === 'unknown-tenant') {
      return refusalPage(404, 'Unknown tenant', 'Kobi no longer knows this tenant. Ask your contact at Kobi.');
    }
    if (connected.kind === 'refused') {
      const { kind } = connected.verdict;
      return stateRefusal(kind, kind === 'used' ? await links.urlFor(tenantId) : undefined);
    }
    call.log.info({ tenantId, connection: connected.connection, pageId: page.id }, 'connected');
    await deliverOrLeave(deliver, connected.messages, call.log);
    return connectedPage(page.name || page.id);
  };
}
