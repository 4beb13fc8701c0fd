import { debugToken } from '../../../shared/meta/oauth.ts';
import { userPermissions } from '../../../shared/meta/permissions.ts';
import { readMyPages } from '../../../shared/meta/users.ts';
import type { ManagedPage } from '../../../shared/meta/users.ts';
import { Failed, Waiting } from '../../../shared/runtime/outcomes.ts';
import type { StepFactory } from '../services.ts';

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Checks what the client consented to before anything is built on it: the terms, the token, every permission, and a Page
 * the person may advertise for. Whatever is missing makes the tenant wait on the client, in words fit to show.
 * (Document, "Onboarding checklist" step 1.)
 */
export const recordConsent: StepFactory<'record-consent'> =
  ({ graph, credentials, kobi }) =>
  async ({ tenant }) => {
    if (tenant.terms === null) {
      throw clientMust(
        'accept-terms',
        'Accept the terms of service and the data sharing agreement in the Kobi portal.',
      );
    }
    const token = await credentials.user(tenant.tenantId);
    const facts = await debugToken(graph.as(await credentials.app(kobi.appId)), token);
    if (!facts.isValid) {
      throw clientMust(
        'reconnect',
        'Connect Meta & Instagram again: Meta no longer accepts the consent given earlier.',
      );
    }
    if (facts.appId !== kobi.appId) throw new Failed('the user token was issued to another app');

    const required = userPermissions({ catalog: tenant.skus.includes('ecommerce') });
    const missing = required.filter((permission) => !facts.scopes.includes(permission));
    if (missing.length > 0) {
      throw clientMust(
        'permissions',
        `Connect Meta & Instagram again and leave every permission switched on; missing: ${missing.join(', ')}.`,
      );
    }

    const page = choosePage(await readMyPages(graph.as(token)), tenant.connection?.pageId ?? null);
    return {
      products: {
        metaUserId: facts.userId ?? tenant.connection?.metaUserId ?? '',
        pageId: page.id,
        pageName: page.name,
        instagramUserId: page.instagram?.id ?? null,
      },
    };
  };

function choosePage(pages: readonly ManagedPage[], chosenId: string | null): ManagedPage {
  if (pages.length === 0) {
    throw clientMust(
      'page',
      'Connect Meta & Instagram again and select the Facebook Page to advertise: none was shared.',
    );
  }
  const page = pages.find(({ id }) => id === chosenId) ?? (pages.length === 1 ? pages[0] : undefined);
  if (page === undefined) {
    throw clientMust('page', 'Connect Meta & Instagram again and choose which of the shared Pages to advertise.');
  }
  // An empty list means Meta did not say; the next step's call will tell.
  if (page.tasks.length > 0 && !page.tasks.some((task) => task === 'ADVERTISE' || task === 'MANAGE')) {
    throw clientMust(
      'page-task',
      `Ask an admin of the Page “${page.name}” for permission to advertise, then connect again.`,
    );
  }
  return page;
}

function clientMust(awaited: string, what: string): Waiting {
  return new Waiting({ on: 'client', for: awaited, what, pollEveryMs: dayMs });
}
