import type { AccessToken } from '../../../shared/meta/access-token.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import type { GraphClient } from '../../../shared/meta/graph-client.ts';
import { debugToken, exchangeCode, exchangeLongLived, loginDialogUrl } from '../../../shared/meta/oauth.ts';
import { readMyPages } from '../../../shared/meta/users.ts';
import type { ManagedPage } from '../../../shared/meta/users.ts';

/** A consent that Meta confirmed: the long-lived token, checked to be ours and alive. */
export interface Consent {
  readonly token: AccessToken<'user'>;
  /** App-scoped. */
  readonly metaUserId: string;
  /** Pages the person shared and may advertise for. */
  readonly pages: readonly ManagedPage[];
}

/** Why a code gave no consent. `trouble`: Meta's or the network's, worth trying again; `refused`: it is not. */
export type LoginFailure = { readonly failure: 'trouble' | 'refused'; readonly reason: string };

/** Facebook Login for Business, as the connection flow needs it. */
export interface MetaLogin {
  dialogUrl(state: string): string;
  /** Code → user token → long-lived token → checked → Pages. The code is used up whatever happens. */
  consentOf(code: string): Promise<Consent | LoginFailure>;
}

export function createMetaLogin(options: {
  graph: GraphClient;
  appId: string;
  configId: string;
  /** `https://www.facebook.com`. */
  dialogUrl: string;
  /** Registered at Meta; sent alike to the dialog and to the exchange. */
  redirectUri: string;
}): MetaLogin {
  const { appId, configId, dialogUrl, graph, redirectUri } = options;
  return {
    dialogUrl: (state) => loginDialogUrl({ dialogUrl, appId, redirectUri, state, configId }),
    async consentOf(code) {
      try {
        const shortLived = await exchangeCode(graph, { appId, redirectUri, code });
        const { token } = await exchangeLongLived(graph, { appId, token: shortLived.token });
        const facts = await debugToken(graph.as(await graph.appToken(appId)), token);
        if (!facts.isValid || facts.appId !== appId || facts.userId === undefined) {
          return { failure: 'refused', reason: facts.isValid ? 'token-of-another-app' : 'token-not-valid' };
        }
        return { token, metaUserId: facts.userId, pages: await usablePages(graph, token) };
      } catch (error) {
        if (!(error instanceof GraphError)) throw error;
        return { failure: isPassing(error) ? 'trouble' : 'refused', reason: error.message };
      }
    },
  };
}

/**
 * Pages with the `ADVERTISE` or `MANAGE` task; one of which Meta does not tell the tasks stays in. Without permission to
 * list Pages there are none: the step that records the consent then says what is missing.
 */
async function usablePages(graph: GraphClient, token: AccessToken<'user'>): Promise<ManagedPage[]> {
  try {
    const pages = await readMyPages(graph.as(token));
    return pages.filter(({ tasks }) => tasks.length === 0 || tasks.includes('ADVERTISE') || tasks.includes('MANAGE'));
  } catch (error) {
    if (error instanceof GraphError && error.class === 'permission') return [];
    throw error;
  }
}

function isPassing(error: GraphError): boolean {
  return ['transient', 'throttled', 'rescheduled', 'unknown-outcome'].includes(error.class);
}
