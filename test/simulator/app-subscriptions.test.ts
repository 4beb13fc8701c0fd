/** Webhooks of the app: who may set them, and that Meta asks the address first. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type GraphCaller, startForTest } from './graph-caller.ts';
import { seed } from './seed.ts';
import type { Simulator } from './server.ts';

let simulator: Simulator;
let graph: GraphCaller;
let callbackUrl: string;
const appToken = `${seed.appId}|${seed.appSecret}`;
const path = `/${seed.appId}/subscriptions`;

/** The app's server: repeats the challenge to whoever knows the token, and hears webhooks. */
const heard: string[] = [];
const server = createServer((request, response) => {
  const url = new URL(request.url ?? '', 'http://app');
  if (request.method === 'POST') {
    request.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
    request.on('end', () => response.end());
  } else if (url.pathname === '/deaf') response.end('hello');
  else if (url.searchParams.get('hub.verify_token') !== 'agreed') response.writeHead(403).end();
  else response.end(url.searchParams.get('hub.challenge'));
});

beforeAll(async () => {
  ({ simulator, graph } = await startForTest());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  callbackUrl = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/hook`;
});
beforeEach(async () => {
  simulator.reset();
  await graph.done(graph.delete(path, appToken));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await simulator.close();
});

const wanted = (changes: object = {}): Record<string, unknown> => ({
  object: 'ad_account',
  callback_url: callbackUrl,
  fields: 'with_issues_ad_objects,effective_status',
  include_values: true,
  verify_token: 'agreed',
  ...changes,
});
const listed = async (): Promise<unknown> => (await graph.done<{ data: unknown }>(graph.get(path, appToken))).data;

test('an address that answers the challenge is listed with its fields, one subscription for each object', async () => {
  expect(await graph.done(graph.post(path, appToken, wanted()))).toEqual({ success: true });
  await graph.done(graph.post(path, appToken, wanted({ fields: ['creative_fatigue'] })));
  await graph.done(graph.post(path, appToken, wanted({ object: 'user', fields: ['photos'] })));
  expect(await listed()).toEqual([
    {
      object: 'ad_account',
      callback_url: callbackUrl,
      active: true,
      fields: [{ name: 'creative_fatigue', version: 'v25.0' }],
    },
    { object: 'user', callback_url: callbackUrl, active: true, fields: [{ name: 'photos', version: 'v25.0' }] },
  ]);
});

test('only the app itself may look or subscribe', async () => {
  const user = await graph.logIn();
  for (const token of [user, seed.parentSystemUserToken]) {
    expect((await graph.refused(graph.get(path, token))).code).toBe(15);
    expect((await graph.refused(graph.post(path, token, wanted()))).code).toBe(15);
  }
  expect((await graph.refused(graph.get(path, `${seed.appId}|wrong`))).code).toBe(190);
  expect(await listed()).toEqual([]);
});

test.each<[string, number, () => object]>([
  ['an address that cannot be reached', 2200, () => ({ callback_url: 'http://127.0.0.1:1/hook' })],
  ['a verify token the app does not know', 2200, () => ({ verify_token: 'guessed' })],
  [
    'an address that does not repeat the challenge',
    2201,
    () => ({ callback_url: callbackUrl.replace('hook', 'deaf') }),
  ],
  ['an address without a certificate', 100, () => ({ callback_url: 'http://shop.example/hook' })],
  ['no address', 100, () => ({ callback_url: undefined })],
  ['no verify token', 100, () => ({ verify_token: undefined })],
  ['no field', 100, () => ({ fields: '' })],
  ['an object Meta does not know', 100, () => ({ object: 'adaccount' })],
  ['a field Meta does not know', 100, () => ({ fields: 'with_issues' })],
  ['ad_account without values', 100, () => ({ include_values: false })],
])('%s is refused and leaves the subscription that was there', async (_what, code, changes) => {
  await graph.done(graph.post(path, appToken, wanted({ fields: 'creative_fatigue' })));
  const before = await listed();
  expect((await graph.refused(graph.post(path, appToken, wanted(changes())))).code).toBe(code);
  expect(await listed()).toEqual(before);
});

test('a field is taken back, and with the last one the subscription', async () => {
  await graph.done(graph.post(path, appToken, wanted()));
  await graph.done(graph.delete(path, appToken, { object: 'ad_account', fields: 'effective_status' }));
  expect(await listed()).toMatchObject([{ fields: [{ name: 'with_issues_ad_objects' }] }]);
  await graph.done(graph.delete(path, appToken, { object: 'ad_account' }));
  expect(await listed()).toEqual([]);
});

test('a webhook is told only in a field the app is subscribed to, while the subscription is active', async () => {
  const child = await graph.newChild(await graph.logIn());
  const adAccountId = await graph.newAdAccount(child);
  await graph.done(graph.post(`/${adAccountId}/subscribed_apps`, child.token));
  const tell = (field: string, value: object = {}): Promise<{ statuses: number[] }> =>
    graph.control('POST', '/webhook', { adAccountId, field, value });
  expect(await tell('effective_status')).toEqual({ statuses: [] });
  await graph.done(graph.post(path, appToken, wanted()));
  expect(await tell('effective_status')).toEqual({ statuses: [200] });
  expect(await tell('creative_fatigue')).toEqual({ statuses: [] });
  expect(await tell('field_changed', { changed_fields: ['effective_status'] })).toEqual({ statuses: [200] });
  expect(await tell('field_changed', { changed_fields: ['name'] })).toEqual({ statuses: [] });
  const subscription = simulator.context.app.subscriptions.get('ad_account');
  if (subscription !== undefined) subscription.isActive = false;
  expect(await tell('effective_status')).toEqual({ statuses: [] });
  expect(heard).toHaveLength(2);
});

test('the verify token is in no log', async () => {
  await graph.done(graph.post(path, appToken, wanted()));
  expect(JSON.stringify(await graph.control('GET', '/log'))).not.toContain('agreed');
});
