import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { adAccountParams, childParams, childScopes, startForTest, type GraphCaller } from './graph-caller.ts';
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

test("Meta's own two-tier sequence goes from login to a pixel that takes events", async () => {
  const user = await graph.logIn();
  const child = await graph.newChild(user);
  await graph.done(
    graph.post(`/${seed.extendedCreditId}/owning_credit_allocation_configs`, parent, {
      receiving_business_id: child.id,
      amount: { amount: '1500.50', currency: 'TRY' },
    }),
  );
  const credits = await graph.done<{ data: { id: string }[] }>(graph.get(`/${child.id}/extendedcredits`, child.token));
  const account = await graph.newAdAccount(child, { funding_id: credits.data[0]?.id });
  const pixel = await graph.newPixel(child, account);
  const pages = await graph.done(graph.get(`/${account}/promote_pages`, child.token, { fields: 'id' }));
  expect(pages).toMatchObject({ data: [{ id: seed.page.id }] });
  await graph.done(
    graph.post(`/${seed.instagram.id}/authorized_adaccounts`, child.token, {
      business: child.id,
      account_id: account.slice('act_'.length),
    }),
  );
  const linked = await graph.done(graph.get(`/${account}/instagram_accounts`, child.token, { fields: 'id,username' }));
  expect(linked).toMatchObject({ data: [{ id: seed.instagram.id, username: seed.instagram.username }] });
  const catalog = await graph.done<{ id: string }>(
    graph.post(`/${child.id}/owned_product_catalogs`, child.token, { name: 'Products' }),
  );
  await graph.done(
    graph.post(`/${catalog.id}/external_event_sources`, child.token, { external_event_sources: [pixel] }),
  );
  const sources = await graph.done(graph.get(`/${catalog.id}/external_event_sources`, child.token));
  expect(sources).toMatchObject({ data: [{ id: pixel, source_type: 'PIXEL' }] });
  expect(simulator.log.entries().filter(({ status }) => status !== 200)).toEqual([]);
});

test('only a user token creates a child business, and only a parent token looks one up', async () => {
  const user = await graph.logIn();
  const byParent = await graph.refused(graph.post(ownedBusinesses, parent, childParams));
  const child = await graph.newChild(user);
  const query = { child_business_external_id: childParams.child_business_external_id };
  const byUser = await graph.refused(graph.get(ownedBusinesses, user, query));
  const byChild = await graph.refused(graph.get(ownedBusinesses, child.token, query));
  const found = await graph.done(graph.get(ownedBusinesses, parent, query));
  const other = await graph.done(graph.get(ownedBusinesses, parent, { child_business_external_id: 'kobi_acme' }));

  expect([byParent.code, byUser.code, byChild.code]).toEqual([3913, 10, 10]);
  expect(found).toMatchObject({ data: [{ id: child.id, name: childParams.name }] });
  expect(other).toEqual({ data: [] });
});

test('a client that does not look first really makes a second child business', async () => {
  const user = await graph.logIn();
  await graph.newChild(user);
  await graph.newChild(user);
  const found = await graph.done<{ data: unknown[] }>(
    graph.get(ownedBusinesses, parent, { client_user_id: seed.user.id }),
  );
  expect(found.data).toHaveLength(2);
});

test('a Page is shared only by its admin, and only with the tasks named', async () => {
  const { users } = await graph.control<{ users: { id: string; pages: { id: string }[] }[] }>('POST', '/users', {
    pages: [{ tasks: ['ADVERTISE', 'ANALYZE'], instagram: false }],
  });
  const editor = users[0]!;
  const user = await graph.logIn({ sim_user: editor.id });
  const asEditor = { ...childParams, shared_page_id: editor.pages[0]!.id };
  const stranger = await graph.refused(graph.post(ownedBusinesses, user, childParams));
  const noAdmin = await graph.refused(graph.post(ownedBusinesses, user, asEditor));
  const noTasks = await graph.refused(
    graph.post(ownedBusinesses, await graph.logIn(), { ...childParams, page_permitted_tasks: undefined }),
  );
  expect([stranger.error_subcode, noAdmin.error_subcode]).toEqual([1690138, 1690138]);
  expect(noTasks.message).toBe('(#100) The parameter page_permitted_tasks is required');
});

test.each([
  [{ business_name_rejects_underscore: '1690090' }, { name: 'kobi_acme_meta' }, 1690090],
  [{ business_name_rejects_underscore: '3974' }, { name: 'kobi_acme_meta' }, 3974],
  [{ business_name_unique: true }, {}, 1690062],
  [{ business_name_unique_per_user: true }, {}, 3947],
  [{ one_child_per_user: '1690165' }, {}, 1690165],
  [{ one_child_per_user: '1752089' }, {}, 1752089],
  [{ child_primary_page_unique: true }, {}, 1690232],
  [{ app_owned_by_parent: false }, {}, 1690192],
] as const)('with %o a second child business is refused with its number', async (switches, params, number) => {
  const user = await graph.logIn();
  await graph.newChild(user);
  await graph.control('POST', '/switches', switches);
  const error = await graph.refused(graph.post(ownedBusinesses, user, { ...childParams, ...params }));
  expect(error.error_subcode ?? error.code).toBe(number);

  await graph.control('POST', '/switches', { business_error_placement: 'code' });
  const placed = await graph.refused(graph.post(ownedBusinesses, user, { ...childParams, ...params }));
  expect(placed.code).toBe(number);
});

test('an app in development mode creates two child businesses and no third', async () => {
  const user = await graph.logIn();
  await graph.control('POST', '/switches', { app_mode: 'development' });
  await graph.newChild(user);
  await graph.newChild(user);
  expect((await graph.refused(graph.post(ownedBusinesses, user, childParams))).code).toBe(270);
});

test("asking for the child's token again gives another, of the same one admin system user", async () => {
  const child = await graph.newChild(await graph.logIn());
  const again = await graph.done(
    graph.post(`/${child.id}/access_token`, parent, { app_id: seed.appId, scope: childScopes.split(',') }),
  );
  const users = await graph.done<{ data: unknown[] }>(graph.get(`/${child.id}/system_users`, child.token));
  const admin = await graph.refused(graph.post(`/${child.id}/system_users`, child.token, { name: 'b', role: 'ADMIN' }));
  expect(again['access_token']).not.toBe(child.token);
  expect(users.data).toHaveLength(1);
  expect(admin.code).toBe(3965);
});

test('a child token ends after 60 days where Meta gives that kind, and its renewal lives another 60', async () => {
  await graph.control('POST', '/switches', { child_token_life: '60 days' });
  const child = await graph.newChild(await graph.logIn());
  const renewed = await graph.done<{ access_token: string; expires_in: number }>(
    graph.get('/oauth/access_token', undefined, {
      client_id: seed.appId,
      client_secret: seed.appSecret,
      grant_type: 'fb_exchange_token',
      set_token_expires_in_60_days: 'true',
      fb_exchange_token: child.token,
    }),
  );
  expect(renewed.expires_in).toBe(60 * 86_400);
  await graph.control('POST', '/clock', { advanceMs: 60 * 86_400_000 });
  const refused = await graph.refused(graph.get(`/${child.id}/system_users`, child.token));
  expect([refused.code, refused.error_subcode]).toEqual([190, 463]);
});

test('a child acts in its own business only', async () => {
  const user = await graph.logIn();
  const [one, two] = [await graph.newChild(user), await graph.newChild(user)];
  const foreignBusiness = await graph.refused(graph.post(`/${two.id}/adaccount`, one.token, adAccountParams));
  const account = await graph.newAdAccount(two);
  const foreignAccount = await graph.refused(graph.get(`/${account}`, one.token));
  const parentInChild = await graph.refused(graph.post(`/${one.id}/adaccount`, parent, adAccountParams));
  const childInParent = await graph.refused(graph.get(`/${seed.parentBusinessId}/system_users`, one.token));
  expect([foreignBusiness, foreignAccount].map(({ code, error_subcode: sub }) => [code, sub])).toEqual([
    [100, 33],
    [100, 33],
  ]);
  expect([parentInChild.code, childInParent.code]).toEqual([200, 200]);
});

test('an asset without an assignment answers its own system user with 100/33', async () => {
  const child = await graph.newChild(await graph.logIn());
  const { id } = await graph.done<{ id: string }>(graph.post(`/${child.id}/adaccount`, child.token, adAccountParams));
  const cap = await graph.refused(graph.post(`/${id}`, child.token, { spend_cap: '100' }));
  const pixel = await graph.refused(graph.post(`/${id}/adspixels`, child.token, { name: 'p' }));
  expect([cap, pixel].map(({ code, error_subcode: sub }) => [code, sub])).toEqual([
    [100, 33],
    [100, 33],
  ]);
});

test('tasks that skip a level are refused with 1752129', async () => {
  const child = await graph.newChild(await graph.logIn());
  const { id } = await graph.done<{ id: string }>(graph.post(`/${child.id}/adaccount`, child.token, adAccountParams));
  const error = await graph.refused(
    graph.post(`/${id}/assigned_users`, child.token, { user: child.systemUserId, tasks: ['MANAGE'] }),
  );
  expect([error.code, error.error_subcode]).toEqual([100, 1752129]);
});

test('the sixth ad account of a business is 3979', async () => {
  const child = await graph.newChild(await graph.logIn());
  for (let made = 0; made < 5; made += 1) {
    await graph.done(graph.post(`/${child.id}/adaccount`, child.token, adAccountParams));
  }
  const sixth = await graph.refused(graph.post(`/${child.id}/adaccount`, child.token, adAccountParams));
  const listed = await graph.done(
    graph.get(`/${child.id}/owned_ad_accounts`, child.token, { limit: 1, summary: 'total_count' }),
  );
  expect(sixth.code).toBe(3979);
  expect(listed).toMatchObject({ summary: { total_count: 5 } });
});

test.each([
  ['TRY', '1500', '150000'],
  ['USD', '23.50', '2350'],
  ['JPY', '5000', '5000'],
])('a spend cap in %s is written as %s units and read as %s minor units', async (currency, written, read) => {
  const child = await graph.newChild(await graph.logIn());
  const account = await graph.newAdAccount(child, { currency });
  await graph.done(graph.post(`/${account}`, child.token, { spend_cap: written }));
  const node = await graph.done(graph.get(`/${account}`, child.token, { fields: 'spend_cap,amount_spent' }));
  expect(node).toMatchObject({ spend_cap: read, amount_spent: '0' });
});

test('the eleventh change of a spend cap within a day is 17/1885172, and the next day it works', async () => {
  const child = await graph.newChild(await graph.logIn());
  const account = await graph.newAdAccount(child);
  const change = (): ReturnType<GraphCaller['post']> => graph.post(`/${account}`, child.token, { spend_cap: '10' });
  for (let made = 0; made < 10; made += 1) await graph.done(change());
  const error = await graph.refused(change());
  expect([error.code, error.error_subcode]).toEqual([17, 1885172]);
  await graph.control('POST', '/clock', { advanceMs: 24 * 3_600_000 });
  await graph.done(change());
});

test('a second pixel of one ad account is 6200', async () => {
  const child = await graph.newChild(await graph.logIn());
  const account = await graph.newAdAccount(child);
  await graph.newPixel(child, account);
  expect((await graph.refused(graph.post(`/${account}/adspixels`, child.token, { name: 'p' }))).code).toBe(6200);
});

test('funding must be a credit the child itself received, and a revoked one no longer funds', async () => {
  const child = await graph.newChild(await graph.logIn());
  const share = { receiving_business_id: child.id };
  const edge = `/${seed.extendedCreditId}/owning_credit_allocation_configs`;
  const allocation = await graph.done<{ id: string }>(graph.post(edge, parent, share));
  const credits = await graph.done<{ data: { id: string }[] }>(graph.get(`/${child.id}/extendedcredits`, child.token));
  const funding = credits.data[0]!.id;
  const withParents = { ...adAccountParams, funding_id: seed.extendedCreditId };
  const foreign = await graph.refused(graph.post(`/${child.id}/adaccount`, child.token, withParents));
  await graph.newAdAccount(child, { funding_id: funding });
  await graph.done(graph.delete(`/${allocation.id}`, parent));
  const found = await graph.done(graph.get(edge, parent, share));
  const revoked = await graph.refused(
    graph.post(`/${child.id}/adaccount`, child.token, { ...adAccountParams, funding_id: funding }),
  );
  expect([foreign.code, revoked.code]).toEqual([100, 100]);
  expect(found).toEqual({ data: [] });
});

test('a domain is verified once its TXT record is published, and not before', async () => {
  const child = await graph.newChild(await graph.logIn());
  const read = async () =>
    (
      await graph.done<{ data: { domain_name: string; status: string; verification_code: string }[] }>(
        graph.get(`/${child.id}/owned_domains`, child.token, { fields: 'domain_name,status,verification_code' }),
      )
    ).data[0]!;
  const before = await read();
  await graph.control('POST', '/dns', { domain: before.domain_name, txt: 'facebook-domain-verification=wrong' });
  const stillOpen = await read();
  await graph.control('POST', '/dns', {
    domain: before.domain_name,
    txt: `facebook-domain-verification=${before.verification_code}`,
  });
  expect(before).toMatchObject({ domain_name: 'acme.example', status: 'not_verified' });
  expect(stillOpen.status).toBe('not_verified');
  expect((await read()).status).toBe('verified');
});

test('a requested Page stays pending until its admin shares it', async () => {
  const user = await graph.logIn();
  const child = await graph.newChild(user, { shared_page_id: undefined, page_permitted_tasks: undefined });
  const asked = await graph.done(
    graph.post(`/${child.id}/client_pages`, child.token, { page_id: seed.page.id, permitted_tasks: ['ADVERTISE'] }),
  );
  const pending = await graph.done<{ data: unknown[] }>(graph.get(`/${child.id}/pending_client_pages`, child.token));
  await graph.done(
    graph.post(`/${seed.page.id}/agencies`, user, { business: child.id, permitted_tasks: ['ADVERTISE', 'ANALYZE'] }),
  );
  const after = await graph.done(graph.get(`/${child.id}/pending_client_pages`, child.token));
  const shared = await graph.done(graph.get(`/${child.id}/client_pages`, child.token));
  expect(asked).toMatchObject({ access_status: 'PENDING' });
  expect(pending.data).toMatchObject([{ page: { id: seed.page.id } }]);
  expect(after).toEqual({ data: [] });
  expect(shared).toMatchObject({ data: [{ id: seed.page.id }] });
});

test('a pixel reaches an ad account of another business only after that business got access to it', async () => {
  const user = await graph.logIn();
  const [owner, partner] = [await graph.newChild(user), await graph.newChild(user)];
  const pixel = await graph.newPixel(owner, await graph.newAdAccount(owner));
  const account = await graph.newAdAccount(partner);
  const share = { account_id: account.slice('act_'.length), business: partner.id };
  const early = await graph.refused(graph.post(`/${pixel}/shared_accounts`, owner.token, share));
  const hidden = await graph.refused(graph.get(`/${pixel}`, partner.token));
  await graph.done(
    graph.post(`/${pixel}/agencies`, owner.token, { business: partner.id, permitted_tasks: ['ADVERTISE', 'ANALYZE'] }),
  );
  await graph.done(graph.post(`/${pixel}/shared_accounts`, owner.token, share));
  const pixels = await graph.done(graph.get(`/${account}/adspixels`, partner.token));
  expect([early.code, hidden.error_subcode]).toEqual([100, 33]);
  expect(pixels).toMatchObject({ data: [{ id: pixel }] });
});
