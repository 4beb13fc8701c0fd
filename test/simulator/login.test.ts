import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { redirectUri, startForTest, type GraphCaller, type GraphReply } from './graph-caller.ts';
import { seed } from './seed.ts';
import type { Simulator } from './server.ts';

let simulator: Simulator;
let graph: GraphCaller;
const appToken = `${seed.appId}|${seed.appSecret}`;
const app = { client_id: seed.appId, client_secret: seed.appSecret };

beforeAll(async () => {
  ({ simulator, graph } = await startForTest());
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.close());

const exchange = (code: string | null, changes: Record<string, string> = {}): Promise<GraphReply> =>
  graph.get('/oauth/access_token', undefined, { ...app, redirect_uri: redirectUri, code, ...changes });

async function newCode(params: Record<string, string> = {}): Promise<string> {
  return String((await graph.dialog(params)).location.searchParams.get('code'));
}

interface Debugged {
  data: {
    is_valid: boolean;
    type: string;
    expires_at: number;
    scopes: string[];
    error?: { subcode: number };
    granular_scopes: { scope: string; target_ids?: string[] }[];
  };
}
const debug = async (token: string): Promise<Debugged['data']> =>
  (await graph.done<Debugged>(graph.get('/debug_token', appToken, { input_token: token }))).data;

test('the dialog returns to the app with a code and the untouched state', async () => {
  const { status, location } = await graph.dialog({ state: 'a&b=c/ü' });
  expect(status).toBe(302);
  expect(location.origin + location.pathname).toBe(redirectUri);
  expect(location.searchParams.get('state')).toBe('a&b=c/ü');
});

test('a person who cancels returns with access_denied and no code', async () => {
  const { location } = await graph.dialog({ sim_cancel: '1' });
  expect(Object.fromEntries(location.searchParams)).toMatchObject({
    error: 'access_denied',
    error_reason: 'user_denied',
    state: 'state-1',
  });
  expect(location.searchParams.has('code')).toBe(false);
});

test.each([
  ['a foreign app', { client_id: '1' }],
  ['a relative return address', { redirect_uri: '/callback' }],
  ['another scheme', { redirect_uri: 'javascript:alert(1)' }],
  ['an unknown configuration', { config_id: '1' }],
  ['another response type', { response_type: 'token' }],
  ['an unknown parameter', { redirect_url: 'https://a.example' }],
  ['a person who does not exist', { sim_user: '1' }],
  ['a Page of someone else', { sim_pages: '1' }],
])('%s ends on an error page and never redirects', async (_case, params) => {
  expect((await graph.dialog(params)).status).toBe(400);
});

test('the page names app, person, Pages and permissions, and Continue leads back with what was left ticked', async () => {
  const query = new URLSearchParams({
    client_id: seed.appId,
    redirect_uri: redirectUri,
    state: '<script>',
    config_id: seed.loginConfigId,
    response_type: 'code',
  });
  const address = `${graph.url}/v25.0/dialog/oauth?${query.toString()}`;
  const html = await (await fetch(address)).text();
  for (const shown of [seed.appName, seed.user.name, seed.page.name, 'business_management', 'Continue', 'Cancel']) {
    expect(html).toContain(shown);
  }
  expect(html).not.toContain('<script>');
  const body = new URLSearchParams([
    ['sim_user', seed.user.id],
    ['sim_page', seed.page.id],
    ['sim_scope', 'business_management'],
  ]);
  const back = await fetch(address, { method: 'POST', body, redirect: 'manual' });
  const code = new URL(String(back.headers.get('location'))).searchParams.get('code');
  const { access_token: token } = await graph.done<{ access_token: string }>(exchange(code));
  expect((await debug(token)).scopes).toEqual(['public_profile', 'business_management']);
});

test('a code works once', async () => {
  const code = await newCode();
  await graph.done(exchange(code));
  expect(await graph.refused(exchange(code))).toMatchObject({ code: 100, error_subcode: 36009 });
});

test('a code is bound to its return address and its ten minutes, and needs the app secret', async () => {
  const code = await newCode();
  const elsewhere = await graph.refused(exchange(code, { redirect_uri: `${redirectUri}/` }));
  const wrongSecret = await graph.refused(exchange(code, { client_secret: 'wrong' }));
  await graph.control('POST', '/clock', { advanceMs: 600_000 });
  const late = await graph.refused(exchange(code));
  expect([elsewhere.error_subcode, wrongSecret.code, late.error_subcode]).toEqual([36008, 1, 36007]);
});

test('a short-lived token becomes one of 60 days, and each ends when its time is over', async () => {
  const short = await graph.logIn();
  const grant = await graph.done<{ access_token: string; expires_in: number }>(
    graph.get('/oauth/access_token', undefined, { ...app, grant_type: 'fb_exchange_token', fb_exchange_token: short }),
  );
  expect(grant.expires_in).toBe(60 * 86_400);
  await graph.control('POST', '/clock', { advanceMs: 2 * 3_600_000 });
  const expired = await graph.refused(graph.get('/me', short));
  await graph.done(graph.get('/me', grant.access_token));
  await graph.control('POST', '/clock', { advanceMs: 60 * 86_400_000 });
  const later = await graph.refused(graph.get('/me', grant.access_token));
  expect([expired, later].map(({ code, error_subcode: sub }) => [code, sub])).toEqual([
    [190, 463],
    [190, 463],
  ]);
});

test('debug_token tells owner, scopes, chosen Pages and death, and needs a token of the app', async () => {
  const { users } = await graph.control<{ users: { id: string; pages: { id: string }[] }[] }>('POST', '/users', {
    pages: [{}, {}],
  });
  const [chosen, other] = users[0]!.pages.map(({ id }) => id);
  const token = await graph.logIn({ sim_user: users[0]!.id, sim_pages: String(chosen), sim_deny_scopes: 'ads_read' });
  const facts = await debug(token);
  expect(facts).toMatchObject({ is_valid: true, type: 'USER', user_id: users[0]!.id, app_id: seed.appId });
  expect(facts.scopes).not.toContain('ads_read');
  expect(facts.granular_scopes).toContainEqual({ scope: 'pages_show_list', target_ids: [chosen] });
  expect(facts.granular_scopes).toContainEqual({ scope: 'business_management' });

  const pages = await graph.done(graph.get('/me/accounts', token, { fields: 'id,tasks' }));
  expect(pages).toMatchObject({ data: [{ id: chosen }] });
  expect((await graph.refused(graph.get(`/${String(other)}`, token))).error_subcode).toBe(33);

  await graph.control('POST', '/tokens/revoke', { tokenKind: 'user', ownerId: users[0]!.id, subcode: 460 });
  expect(await debug(token)).toMatchObject({ is_valid: false, error: { subcode: 460 } });
  const anonymous = await graph.refused(graph.get('/debug_token', undefined, { input_token: token }));
  expect(anonymous.code).toBe(104);
});

test('removing the app ends every token of the person with 458', async () => {
  const [first, second] = [await graph.logIn(), await graph.logIn()];
  await graph.done(graph.delete('/me/permissions', first));
  const errors = [await graph.refused(graph.get('/me', first)), await graph.refused(graph.get('/me', second))];
  expect(errors.map(({ code, error_subcode: sub }) => [code, sub])).toEqual([
    [190, 458],
    [190, 458],
  ]);
});

test('a revoked token is 467, and so is the child token whose business the control API ends', async () => {
  const user = await graph.logIn();
  const child = await graph.newChild(user);
  await graph.done(graph.get('/oauth/revoke', undefined, { ...app, revoke_token: user }));
  await graph.control('POST', '/tokens/revoke', { tokenKind: 'child', businessId: child.id });
  const errors = [await graph.refused(graph.get('/me', user)), await graph.refused(graph.get('/me', child.token))];
  expect(errors.map(({ error_subcode: sub }) => sub)).toEqual([467, 467]);
});

test('declined permissions are listed as declined', async () => {
  const token = await graph.logIn({ sim_deny_scopes: 'catalog_management' });
  const { data } = await graph.done<{ data: unknown[] }>(graph.get('/me/permissions', token));
  expect(data).toContainEqual({ permission: 'catalog_management', status: 'declined' });
  expect(data).toContainEqual({ permission: 'ads_management', status: 'granted' });
});
