import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { adAccountParams, childParams, startForTest, type GraphCaller } from './graph-caller.ts';
import { seed } from './seed.ts';
import type { Simulator } from './server.ts';

let simulator: Simulator;
let graph: GraphCaller;
const parent = seed.parentSystemUserToken;
const ownedBusinesses = `/${seed.parentBusinessId}/owned_businesses`;

beforeAll(async () => {
  ({ simulator, graph } = await startForTest());
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.close());

test.each([
  ['an unknown parameter', { nmae: 'Acme' }, '(#100) Unknown parameter: nmae'],
  ['a missing parameter', { vertical: undefined }, '(#100) The parameter vertical is required'],
  ['an enum value outside Meta’s', { vertical: 'ecommerce' }, 'got "ecommerce"'],
  ['an enum value inside a list', { page_permitted_tasks: ['ADVERTISE', 'ADMIN'] }, 'got "ADMIN"'],
  ['a text where a list belongs', { page_permitted_tasks: 'ADVERTISE' }, 'must be an array'],
  ['a word where a number belongs', { survey_num_people: 'many' }, 'must be a non-negative integer'],
  ['a word where an id belongs', { shared_page_id: 'acme' }, 'must be a valid ID string'],
  ['list parameters on a write', { limit: '5' }, '(#100) Unknown parameter: limit'],
])('%s is code 100, named, and creates nothing', async (_case, params, message) => {
  const user = await graph.logIn();
  const error = await graph.refused(graph.post(ownedBusinesses, user, { ...childParams, ...params }));
  expect(error).toMatchObject({ status: 400, code: 100, type: 'OAuthException', is_transient: false });
  expect(error.message).toContain(message);
  expect(simulator.store.all('business')).toHaveLength(1);
});

test('a call without the proof, or with the proof of another token, is refused', async () => {
  const user = await graph.logIn();
  const foreign = createHmac('sha256', seed.appSecret).update(parent).digest('hex');
  const wrong = await graph.refused(graph.get('/me', user, { appsecret_proof: foreign }));
  const response = await fetch(`${graph.url}/v25.0/me`, { headers: { authorization: `Bearer ${user}` } });
  const missing = ((await response.json()) as { error: { code: number; type: string } }).error;
  expect(wrong).toMatchObject({ code: 100, type: 'GraphMethodException' });
  expect(missing).toMatchObject({ code: 100, type: 'GraphMethodException' });

  await graph.control('POST', '/switches', { require_appsecret_proof: false });
  const open = await fetch(`${graph.url}/v25.0/me`, { headers: { authorization: `Bearer ${user}` } });
  expect(open.status).toBe(200);
});

test('expired versions are 2635, unknown ones 2500, and the served version is named in the answer', async () => {
  const expired = await graph.refused(graph.get('/v24.0/me', parent));
  const unknown = await graph.refused(graph.get('/v99.0/me', parent));
  const next = await graph.get(`/v26.0/${seed.parentBusinessId}`, parent);
  expect([expired.code, unknown.code, next.status]).toEqual([2635, 2500, 200]);
  expect(next.headers.get('facebook-api-version')).toBe('v26.0');
});

test('no token is 104, an unreadable one 190 with HTTP 401, an alias 803, an unknown id 100/33', async () => {
  const none = await graph.refused(graph.get('/me', undefined));
  const unreadable = await graph.refused(graph.get('/me', 'EAASIMnonsense'));
  const alias = await graph.refused(graph.get('/acme', parent));
  const unknown = await graph.refused(graph.get('/99999999999999999', parent));
  expect([none.code, unreadable.code, unreadable.status]).toEqual([104, 190, 401]);
  expect([alias.code, unknown.code, unknown.error_subcode]).toEqual([803, 100, 33]);
});

test('a token is read from the header, the query or the body, and the log says where it was', async () => {
  const user = await graph.logIn();
  const proof = createHmac('sha256', seed.appSecret).update(user).digest('hex');
  const query = new URLSearchParams({ access_token: user, appsecret_proof: proof }).toString();
  await fetch(`${graph.url}/v25.0/me?${query}`);
  await fetch(`${graph.url}/v25.0${ownedBusinesses}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...childParams, access_token: user, appsecret_proof: proof }),
  });
  await graph.get('/me', user);
  const entries = simulator.log.entries().slice(-3);
  expect(entries.map(({ tokenIn, status }) => [tokenIn, status])).toEqual([
    ['query', 200],
    ['body', 200],
    ['header', 200],
  ]);
});

test('a JSON body may hold lists and objects as they are', async () => {
  const user = await graph.logIn();
  const response = await fetch(`${graph.url}/v25.0${ownedBusinesses}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${user}` },
    body: JSON.stringify({
      ...childParams,
      appsecret_proof: createHmac('sha256', seed.appSecret).update(user).digest('hex'),
    }),
  });
  expect(await response.json()).toMatchObject({ name: 'Acme' });
});

test('a read gives the asked fields and nothing else, nested ones too; a misspelt field is an error', async () => {
  const user = await graph.logIn();
  const plain = await graph.done(graph.get(`/${seed.page.id}`, user));
  const nested = await graph.done(
    graph.get(`/${seed.page.id}`, user, { fields: 'website,instagram_business_account{username}' }),
  );
  const empty = await graph.done(graph.get(`/${seed.page.id}`, user, { fields: 'fan_count' }));
  const misspelt = await graph.refused(graph.get(`/${seed.page.id}`, user, { fields: 'websiet' }));
  const broken = await graph.refused(graph.get(`/${seed.page.id}`, user, { fields: 'id,name{' }));
  expect(plain).toEqual({ id: seed.page.id, name: seed.page.name });
  expect(nested).toEqual({
    id: seed.page.id,
    website: seed.page.website,
    instagram_business_account: { id: seed.instagram.id, username: seed.instagram.username },
  });
  expect(empty).toEqual({ id: seed.page.id });
  expect([misspelt.code, broken.code]).toEqual([100, 2500]);
});

test('following next through a list meets every object once, and no link holds a token', async () => {
  const user = await graph.logIn();
  const made: string[] = [];
  for (let index = 0; index < 5; index += 1) made.push((await graph.newChild(user)).id);
  const met: string[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < 9; pages += 1) {
    const { data, paging } = await graph.done<{
      data: { id: string }[];
      paging?: { next?: string; cursors: { after: string } };
    }>(graph.get(ownedBusinesses, parent, { limit: 2, after, fields: 'id' }));
    met.push(...data.map(({ id }) => id));
    expect(paging?.next ?? '').not.toContain(parent);
    expect(paging?.next ?? '').not.toContain('appsecret_proof');
    if (paging?.next === undefined) break;
    after = paging.cursors.after;
  }
  expect(met).toEqual(made);
});

test('an edge that does not exist is an error on reads and on writes', async () => {
  const read = await graph.refused(graph.get(`/${seed.parentBusinessId}/owned_bisnesses`, parent));
  const write = await graph.refused(graph.post(`/${seed.page.id}/feed`, await graph.logIn(), { message: 'hi' }));
  expect(read.message).toBe('(#100) Tried accessing nonexisting field (owned_bisnesses) on node type (business)');
  expect([write.code, write.error_subcode]).toEqual([100, 33]);
});

test('a missing permission is 200 on business edges and 10 on Pages', async () => {
  const user = await graph.logIn({ sim_deny_scopes: 'business_management,pages_read_engagement,pages_show_list' });
  const business = await graph.refused(graph.post(ownedBusinesses, user, childParams));
  const page = await graph.refused(graph.get(`/${seed.page.id}`, user));
  expect([business.code, business.status, page.code, page.status]).toEqual([200, 403, 10, 403]);
});

test('every answer carries usage, and the limited tier throttles with the account score', async () => {
  await graph.control('POST', '/switches', { ads_api_access_tier: 'development_access' });
  const child = await graph.newChild(await graph.logIn());
  const account = await graph.newAdAccount(child);
  const read = (): ReturnType<GraphCaller['get']> => graph.get(`/${account}`, child.token);
  const first = await read();
  let last = first;
  for (let calls = 0; calls < 70 && last.status === 200; calls += 1) last = await read();
  const usage = JSON.parse(String(last.headers.get('x-ad-account-usage'))) as Record<string, unknown>;
  expect(JSON.parse(String(first.headers.get('x-app-usage')))).toHaveProperty('call_count');
  expect(JSON.parse(String(first.headers.get('x-business-use-case-usage')))).toHaveProperty([account.slice(4), 0]);
  expect(last.body).toMatchObject({ error: { code: 17, error_subcode: 2446079 } });
  expect(usage).toMatchObject({ acc_id_util_pct: 100, ads_api_access_tier: 'development_access' });

  await graph.control('POST', '/clock', { advanceMs: 300_000 });
  expect((await read()).status).toBe(200);
});

test('the log holds every call in order, with parameters, and no secret', async () => {
  const user = await graph.logIn();
  const child = await graph.newChild(user);
  await graph.newAdAccount(child);
  const log = JSON.stringify(await graph.control('GET', '/log'));
  const state = JSON.stringify(await graph.control('GET', '/state'));
  for (const secret of [user, child.token, parent, seed.appSecret]) {
    expect(log).not.toContain(secret);
    expect(state).not.toContain(secret);
  }
  const { entries } = await graph.control<{ entries: Record<string, unknown>[] }>(
    'GET',
    '/log?operation=create_ad_account',
  );
  expect(entries).toMatchObject([
    {
      method: 'POST',
      edge: '/{business}/adaccount',
      path: `/v25.0/${child.id}/adaccount`,
      params: { name: adAccountParams.name, currency: 'TRY', appsecret_proof: '[removed]' },
      token: { kind: 'child', ownerId: child.systemUserId, businessId: child.id },
      tokenIn: 'header',
      status: 200,
    },
  ]);
});

test('two starts of the same run give the same ids', async () => {
  const run = async (): Promise<string[]> => {
    simulator.reset();
    const child = await graph.newChild(await graph.logIn());
    return [child.id, child.systemUserId, child.token, await graph.newAdAccount(child)];
  };
  expect(await run()).toEqual(await run());
});

test('a parameter given twice, or a body that is not what it says, is refused', async () => {
  const headers = { 'content-type': 'application/json' };
  const twice = await fetch(`${graph.url}/v25.0/oauth/access_token?client_id=1&client_id=2`);
  const broken = await fetch(`${graph.url}/v25.0/oauth/access_token`, { method: 'POST', headers, body: '{' });
  expect([twice.status, broken.status]).toEqual([400, 400]);
});
