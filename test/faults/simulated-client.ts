/** What the client does at Meta, and what Meta then has: played over HTTP against the simulator. */
import type { TxtLookup } from '../../shared/runtime/txt-lookup.ts';
import { seed } from '../simulator/seed.ts';
import type { Simulator } from '../simulator/server.ts';

const redirectUri = 'http://127.0.0.1:1/callback';

/** What the person does in the dialog other than agreeing to everything. */
export interface ConsentChoices {
  readonly deniedScopes?: readonly string[];
  /** Ids of the Pages shared; all when absent. */
  readonly pageIds?: readonly string[];
}

/** Consents in the login dialog and exchanges the code, as `connect-meta` does: a long-lived user token. */
export async function userTokenOf(
  simulatorUrl: string,
  userId = seed.user.id,
  { deniedScopes, pageIds }: ConsentChoices = {},
): Promise<string> {
  const dialog = new URL('/v25.0/dialog/oauth', simulatorUrl);
  dialog.search = new URLSearchParams({
    client_id: seed.appId,
    redirect_uri: redirectUri,
    state: 'state',
    config_id: seed.loginConfigId,
    response_type: 'code',
    sim_mode: 'direct',
    sim_user: userId,
    ...(deniedScopes && { sim_deny_scopes: deniedScopes.join(',') }),
    ...(pageIds && { sim_pages: pageIds.join(',') }),
  }).toString();
  const answer = await fetch(dialog, { redirect: 'manual' });
  const code = new URL(answer.headers.get('location') ?? '', simulatorUrl).searchParams.get('code');
  if (code === null) throw new Error(`the dialog gave no code: ${answer.status} ${await answer.text()}`);
  const app = { client_id: seed.appId, client_secret: seed.appSecret };
  const short = await exchange(simulatorUrl, { ...app, redirect_uri: redirectUri, code });
  return exchange(simulatorUrl, { ...app, grant_type: 'fb_exchange_token', fb_exchange_token: short });
}

async function exchange(simulatorUrl: string, query: Record<string, string>): Promise<string> {
  const url = new URL('/v25.0/oauth/access_token', simulatorUrl);
  url.search = new URLSearchParams(query).toString();
  const answer = (await (await fetch(url)).json()) as { access_token?: string };
  if (answer.access_token === undefined) throw new Error(`no token: ${JSON.stringify(answer)}`);
  return answer.access_token;
}

/** Publishes the TXT records a waiting tenant was told to publish. */
export async function publishDnsRecord(simulatorUrl: string, what: string): Promise<void> {
  for (const [, domain, txt] of what.matchAll(/(\S+) TXT "([^"]+)"/g)) {
    const answer = await fetch(new URL('/_sim/dns', simulatorUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ domain, txt }),
    });
    if (!answer.ok) throw new Error(`publishing ${domain} answered ${answer.status}`);
  }
}

/** An admin of the Page accepts every request for it in Meta's interface. */
export async function acceptPageRequest(simulator: Simulator): Promise<void> {
  for (const business of simulator.store.all('business')) {
    for (const pageId of business.pendingPages.keys()) {
      const answer = await fetch(new URL('/_sim/client-pages', simulator.url), {
        method: 'POST',
        body: JSON.stringify({ businessId: business.id, pageId, decision: 'accept' }),
      });
      if (!answer.ok) throw new Error(`accepting the request for ${pageId} answered ${answer.status}`);
    }
  }
}

/** What public DNS shows in the simulated world. */
export function lookUpTxtIn(simulatorUrl: string): TxtLookup {
  return async (name) => {
    const answer = await fetch(new URL(`/_sim/dns?domain=${encodeURIComponent(name)}`, simulatorUrl));
    const { txt } = (await answer.json()) as { txt: string[] };
    return txt.length === 0 ? { kind: 'none' } : { kind: 'found', values: txt };
  };
}

/** What Meta has of a tenant, counted: the parent's own business and system user are not. */
export async function metaCensus(simulatorUrl: string): Promise<Record<string, unknown>> {
  const state = (await (await fetch(new URL('/_sim/state', simulatorUrl))).json()) as {
    counts: Record<string, number>;
    nodes: { ad_account: { spendCapMinor: string }[] };
  };
  const count = (kind: string): number => state.counts[kind] ?? 0;
  return {
    childBusinesses: count('business') - 1,
    systemUsers: count('system_user') - 1,
    creditAllocations: count('credit_allocation'),
    adAccounts: count('ad_account'),
    pixels: count('pixel'),
    catalogs: count('catalog'),
    spendCaps: state.nodes.ad_account.map(({ spendCapMinor }) => spendCapMinor),
  };
}
