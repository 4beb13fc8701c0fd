import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Firestore } from '@google-cloud/firestore';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectStateLifeMs, ConnectStateStore } from '../../../shared/gcp/connect-state-store.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { createSecretStore } from '../../../shared/gcp/secret-store.ts';
import type { SecretStore } from '../../../shared/gcp/secret-store.ts';
import { TenantStore } from '../../../shared/gcp/tenant-store.ts';
import { WaitControl } from '../../../shared/gcp/wait-control.ts';
import { createGraphClient } from '../../../shared/meta/graph-client.ts';
import type { GraphClient } from '../../../shared/meta/graph-client.ts';
import { createConnectLinks } from '../../../shared/runtime/connect-links.ts';
import type { ConnectLinks } from '../../../shared/runtime/connect-links.ts';
import { httpFunction } from '../../../shared/runtime/http-function.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { createResumeLinks } from '../../../shared/runtime/resume-links.ts';
import { startEmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import { GrpcCode } from '../../../test/local/google/grpc-service.ts';
import { startEmbeddedSecretManager } from '../../../test/local/google/secret-manager/embedded-secret-manager.ts';
import type { EmbeddedSecretManager } from '../../../test/local/google/secret-manager/embedded-secret-manager.ts';
import { createMetaLogin } from './meta-login.ts';
import { problemPage } from './pages.ts';
import { connectRoutes } from './routes.ts';

const baseUrl = 'https://connect.example/connect-meta';
const userToken = 'EAAlongLivedUserTokenCanary0123456789';
const shopPage = { id: '501', name: 'Acme <Shop>', tasks: ['ADVERTISE', 'MANAGE'] };
const cafePage = { id: '502', name: 'Acme Café', tasks: ['MANAGE'] };

/** What Meta answers, by path; a test changes what it is about. */
const meta = {
  codes: new Map<string, string>(),
  pages: [shopPage] as unknown[],
  tokenFacts: {} as Record<string, unknown>,
  trouble: undefined as { path: string; status: number; code: number } | undefined,
  requests: [] as string[],
};

const clock = { now: new Date('2026-11-23T10:00:00.000Z') };
const published: string[] = [];
const lines: string[] = [];
let isPubsubDown = false;
let firestore: EmbeddedFirestore;
let db: Firestore;
let secretManager: EmbeddedSecretManager;
let secrets: SecretStore;
let graphServer: Server;
let graph: GraphClient;
let links: ConnectLinks;
let tenants: TenantStore;
let server: Server;
let origin: string;
let random = 0;

beforeAll(async () => {
  [firestore, secretManager] = await Promise.all([
    startEmbeddedFirestore({ projectId: 'kobi-test' }),
    startEmbeddedSecretManager(),
  ]);
  vi.stubEnv('FIRESTORE_EMULATOR_HOST', firestore.host);
  db = connectFirestore('kobi-test');
  const now = () => clock.now;
  secrets = createSecretStore({ projectId: 'kobi-test', emulatorHost: secretManager.host, now });
  await secrets.add('connect-state-key', 'k'.repeat(43), {});
  const outbox = new Outbox(db, {
    publish: async () => {},
    publishJson: async (topic, json) => {
      if (isPubsubDown) throw new Error('Pub/Sub is down');
      published.push(`${topic} ${json}`);
    },
    close: async () => {},
  });
  graphServer = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://graph');
    meta.requests.push(`${request.method} ${url.pathname}`);
    const [status, body] = metaAnswer(url);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  graph = createGraphClient({
    baseUrl: await listen(graphServer),
    appSecret: async () => 'app-secret-canary',
    now: () => clock.now.getTime(),
    sleep: async () => {},
  });
  links = createConnectLinks({ secrets, now, baseUrl });
  tenants = new TenantStore({ db, outbox, now });
  const log = createLogger({
    level: 'debug',
    functionName: 'test',
    destination: { write: (line) => lines.push(line) },
  });
  const routes = connectRoutes({
    login: createMetaLogin({
      graph,
      appId: '77',
      configId: '88',
      dialogUrl: 'https://www.facebook.example',
      redirectUri: `${baseUrl}/callback`,
    }),
    links,
    resumeLinks: createResumeLinks({ secrets, now, baseUrl }),
    waits: new WaitControl({ db, outbox, now, leaseMs: 60_000 }),
    states: new ConnectStateStore(db, now),
    tenants,
    secrets,
    deliver: (messages) => outbox.deliver(messages),
    randomBytes: (size) => Buffer.alloc(size, String((random += 1))),
    baseUrl,
  });
  http(
    'connect-meta-test',
    httpFunction(() => ({ projectId: 'kobi-test', log, routes, answerProblem: problemPage })),
  );
  server = getTestServer('connect-meta-test');
  origin = await listen(server);
});

afterAll(async () => {
  for (const open of [server, graphServer]) {
    open.close();
    open.closeAllConnections();
  }
  await Promise.all([db.terminate(), secrets.close(), graph.close()]);
  await Promise.all([firestore.close(), secretManager.close()]);
});

beforeEach(async () => {
  firestore.clear();
  await secrets.destroyAll('meta-acme-user-token');
  Object.assign(meta, {
    codes: new Map([['good-code', 'EAAshortLivedCanary']]),
    pages: [shopPage],
    trouble: undefined,
  });
  meta.tokenFacts = { app_id: '77', is_valid: true, user_id: '4001', type: 'USER', scopes: [] };
  for (const list of [meta.requests, published, lines]) list.length = 0;
  isPubsubDown = false;
  clock.now = new Date('2026-11-23T10:00:00.000Z');
  const facts = {
    slug: 'acme',
    name: 'Acme',
    planId: 'starter',
    vertical: 'ecommerce',
    skus: [],
    country: 'TR',
    currency: 'TRY',
    timezone: 'Europe/Istanbul',
    domains: [],
  } as const;
  await tenants.create({ ...facts, skus: [], domains: [] }, 'test');
  await tenants.acceptTerms('acme', 'client-1', 'test');
});

async function listen(opened: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    opened.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(opened.address() as AddressInfo).port}`;
}

function metaAnswer(url: URL): [number, unknown] {
  const path = url.pathname.replace('/v25.0', '');
  const refused = (status: number, code: number): [number, unknown] => [status, { error: { message: 'x', code } }];
  if (meta.trouble?.path === path) return refused(meta.trouble.status, meta.trouble.code);
  if (path === '/oauth/access_token') {
    if (url.searchParams.has('fb_exchange_token')) return [200, { access_token: userToken, expires_in: 5_184_000 }];
    if (url.searchParams.get('redirect_uri') !== `${baseUrl}/callback`) return refused(400, 191);
    const token = meta.codes.get(url.searchParams.get('code') ?? '');
    return token === undefined ? refused(400, 100) : [200, { access_token: token, expires_in: 3600 }];
  }
  if (path === '/debug_token') return [200, { data: meta.tokenFacts }];
  if (path === '/me/accounts') return [200, { data: meta.pages }];
  return refused(400, 2500);
}

interface Browser {
  cookie: string;
}

async function visit(browser: Browser, path: string, form?: Record<string, string>) {
  const init = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) };
  const answer = await fetch(`${origin}${path}`, { redirect: 'manual', headers: { cookie: browser.cookie }, ...init });
  const setCookie = answer.headers.get('set-cookie');
  if (setCookie !== null) browser.cookie = setCookie.split(';')[0] ?? '';
  return { status: answer.status, headers: answer.headers, text: await answer.text(), setCookie };
}

/** The path and query of a signed link of the tenant. */
async function startPath(tenantId = 'acme'): Promise<string> {
  return (await links.urlFor(tenantId)).slice(baseUrl.length);
}

/** Starts a connection and gives the state Facebook would send back. */
async function start(browser: Browser): Promise<string> {
  const answer = await visit(browser, await startPath());
  return new URL(answer.headers.get('location') ?? '').searchParams.get('state') ?? '';
}

function callback(state: string, code = 'good-code'): string {
  return `/callback?${new URLSearchParams({ code, state }).toString()}`;
}

async function connection() {
  return (await tenants.read('acme'))?.connection ?? null;
}

function tokenVersions(): (string | undefined)[] {
  const secret = secretManager.dump().find(({ name }) => name.endsWith('/meta-acme-user-token'));
  return (secret?.versions ?? []).map(({ payload }) => payload).filter((payload) => payload !== undefined);
}

/** Nothing of a connection exists: no token, no connection, no message. */
async function expectNothingStored(): Promise<void> {
  expect(tokenVersions()).toEqual([]);
  expect(await connection()).toBeNull();
  expect(published).toEqual([]);
  expect(Object.keys(firestore.dump()).filter((path) => path.startsWith('outbox/'))).toEqual([]);
}

describe('GET /start', () => {
  it('sends the person to the dialog with a state, and binds the state to the browser', async () => {
    const browser = { cookie: '' };
    const { headers, setCookie, status } = await visit(browser, await startPath());
    const dialog = new URL(headers.get('location') ?? '');
    expect(status).toBe(302);
    expect(`${dialog.origin}${dialog.pathname}`).toBe('https://www.facebook.example/v25.0/dialog/oauth');
    expect(Object.fromEntries(dialog.searchParams)).toEqual({
      client_id: '77',
      redirect_uri: `${baseUrl}/callback`,
      config_id: '88',
      response_type: 'code',
      state: expect.stringMatching(/^[\w-]{43}$/) as string,
    });
    expect(dialog.href).not.toContain('pages_manage_posts');
    expect(setCookie).toMatch(
      /^kobi_connect=[\w-]{43}; Path=\/connect-meta; Max-Age=3600; HttpOnly; SameSite=Lax; Secure$/,
    );
    expect(JSON.stringify(firestore.dump())).not.toContain(dialog.searchParams.get('state'));
    expect(JSON.stringify(firestore.dump())).not.toContain(browser.cookie.split('=')[1]);
  });

  it('opens only with the tenant’s own signed link, and not after a week', async () => {
    const browser = { cookie: '' };
    const foreign = new URL(await links.urlFor('other')).searchParams.get('link') ?? '';
    const path = await startPath();
    expect((await visit(browser, '/start')).status).toBe(400);
    expect((await visit(browser, '/start?tenant=..%2Fx&link=1')).status).toBe(404);
    expect((await visit(browser, '/start?tenant=acme')).status).toBe(403);
    expect((await visit(browser, `/start?tenant=acme&link=${foreign}`)).status).toBe(403);
    clock.now = new Date(clock.now.getTime() + 7 * 24 * 60 * 60 * 1000);
    const expired = await visit(browser, path);
    expect([expired.status, expired.text]).toEqual([403, expect.stringContaining('expired')]);
    expect(Object.keys(firestore.dump()).filter((key) => key.startsWith('connectStates/'))).toEqual([]);
  });

  it('refuses a tenant that does not exist, or has not accepted the terms', async () => {
    expect((await visit({ cookie: '' }, await startPath('nobody'))).status).toBe(404);
    await db.doc('tenants/acme').update({ terms: null });
    expect((await visit({ cookie: '' }, await startPath())).status).toBe(409);
    expect(Object.keys(firestore.dump()).filter((path) => path.startsWith('connectStates/'))).toEqual([]);
  });
});

describe('GET /callback', () => {
  it('records the connection, announces it once, and keeps the token in Secret Manager only', async () => {
    const browser = { cookie: '' };
    const { headers, status, text } = await visit(browser, callback(await start(browser)));
    expect(status).toBe(200);
    expect(text).toContain('Acme &#60;Shop&#62;');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(await connection()).toEqual({
      number: 1,
      metaUserId: '4001',
      pageId: '501',
      deauthorizedAt: null,
      userTokenVersion: '1',
      connectedAt: clock.now.toISOString(),
    });
    expect(published).toHaveLength(1);
    expect(published[0]).toMatch(/^tenant-connected .*"eventId":"acme:connected:1".*"data":{"connection":1}/);
    expect(tokenVersions()).toEqual([userToken]);
    const elsewhere = JSON.stringify([firestore.dump(), published, lines, text, [...headers]]);
    expect(elsewhere).not.toMatch(/EAA|app-secret-canary|good-code/);
  });

  it('refuses a state that nobody handed out, and stores nothing', async () => {
    const browser = { cookie: '' };
    await start(browser);
    for (const state of ['', 'x', '../x', 'A'.repeat(43)]) {
      expect((await visit(browser, callback(state))).status).toBe(400);
    }
    expect(meta.requests).toEqual([]);
    await expectNothingStored();
  });

  it('refuses a state a second time, and stores nothing more', async () => {
    const browser = { cookie: '' };
    const state = await start(browser);
    await visit(browser, callback(state));
    const asked = meta.requests.length;
    const again = await visit(browser, callback(state));
    expect([again.status, again.text]).toEqual([400, expect.stringContaining('Already used')]);
    expect(meta.requests).toHaveLength(asked);
    expect(tokenVersions()).toHaveLength(1);
    expect(published).toHaveLength(1);
  });

  it('of two simultaneous callbacks with one state, one connects', async () => {
    const browser = { cookie: '' };
    const state = await start(browser);
    const answers = await Promise.all([visit(browser, callback(state)), visit(browser, callback(state))]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400]);
    expect((await connection())?.number).toBe(1);
  });

  it('refuses another browser’s state, stores nothing, and leaves the state to its own browser', async () => {
    const browser = { cookie: '' };
    const stranger = { cookie: '' };
    const state = await start(browser);
    await start(stranger);
    for (const foreign of [stranger, { cookie: '' }, { cookie: 'kobi_connect=x' }]) {
      expect((await visit(foreign, callback(state))).status).toBe(403);
    }
    await expectNothingStored();
    expect((await visit(browser, callback(state))).status).toBe(200);
  });

  it('refuses a state after its 15 minutes', async () => {
    const browser = { cookie: '' };
    const state = await start(browser);
    clock.now = new Date(clock.now.getTime() + connectStateLifeMs);
    expect((await visit(browser, callback(state))).status).toBe(400);
    await expectNothingStored();
  });

  it('lets a browser finish a connection it started before another', async () => {
    const browser = { cookie: '' };
    const first = await start(browser);
    await start(browser);
    expect((await visit(browser, callback(first))).status).toBe(200);
  });

  it('says that Kobi waits when the person declined, stores nothing, and offers to start again', async () => {
    const browser = { cookie: '' };
    const query = new URLSearchParams({
      error: 'access_denied',
      error_reason: 'user_denied',
      state: await start(browser),
    });
    const { status, text } = await visit(browser, `/callback?${query.toString()}`);
    expect([status, text]).toEqual([200, expect.stringContaining('Kobi waits for you')]);
    await expectNothingStored();
    const again = /href="([^"]+)"/.exec(text)?.[1]?.replaceAll('&#38;', '&') ?? '';
    expect((await visit(browser, again.slice(baseUrl.length))).status).toBe(302);
    expect((await visit(browser, `/callback?${query.toString()}`)).status).toBe(400);
  });

  it.each<[string, Record<string, unknown>]>([
    ['another app’s token', { app_id: '78', is_valid: true, user_id: '1' }],
    ['a token Meta calls invalid', { app_id: '77', is_valid: false, user_id: '1' }],
    ['a token of nobody', { app_id: '77', is_valid: true }],
  ])('refuses %s and stores nothing', async (_name, facts) => {
    meta.tokenFacts = facts;
    const browser = { cookie: '' };
    expect((await visit(browser, callback(await start(browser)))).status).toBe(400);
    await expectNothingStored();
  });

  it('refuses a code Meta does not know, and stores nothing', async () => {
    const browser = { cookie: '' };
    expect((await visit(browser, callback(await start(browser), 'bad-code'))).status).toBe(400);
    await expectNothingStored();
  });

  it.each(['/oauth/access_token', '/debug_token', '/me/accounts'])(
    'answers passing trouble at %s with 503 and a way to start again, storing nothing',
    async (path) => {
      meta.trouble = { path, status: 503, code: 2 };
      const browser = { cookie: '' };
      const { status, text } = await visit(browser, callback(await start(browser)));
      expect([status, text]).toEqual([503, expect.stringContaining('Start again')]);
      await expectNothingStored();
    },
  );

  it('connects without a Page when none was shared or none may be listed, so that the tenant waits on the client', async () => {
    for (const [number, trouble] of [undefined, { path: '/me/accounts', status: 403, code: 10 }].entries()) {
      Object.assign(meta, { pages: [{ ...shopPage, tasks: ['ANALYZE'] }], trouble });
      const browser = { cookie: '' };
      const { status, text } = await visit(browser, callback(await start(browser)));
      expect([status, text]).toEqual([200, expect.stringContaining('waits for you')]);
      expect(await connection()).toMatchObject({ number: number + 1, pageId: null });
    }
    expect(published).toHaveLength(2);
  });

  it('a crash after the token was kept is repaired by connecting again', async () => {
    const browser = { cookie: '' };
    const state = await start(browser);
    const isConnection = (request: object) => JSON.stringify(request).includes('acme:connected');
    firestore.faults.next({ method: 'commit', code: GrpcCode.PERMISSION_DENIED, when: isConnection });
    expect((await visit(browser, callback(state))).status).toBe(500);
    expect(await connection()).toBeNull();
    expect(tokenVersions()).toEqual([userToken]);
    expect((await visit(browser, callback(await start(browser)))).status).toBe(200);
    const version = (await connection())?.userTokenVersion;
    expect((await secrets.latest('meta-acme-user-token'))?.version).toBe(version);
    expect(published).toHaveLength(1);
  });

  it('says Connected when Pub/Sub is down: the message stays for the sweeper', async () => {
    isPubsubDown = true;
    const browser = { cookie: '' };
    expect((await visit(browser, callback(await start(browser)))).status).toBe(200);
    expect(firestore.dump()).toHaveProperty(['outbox/acme:connected:1', 'topic'], 'tenant-connected');
  });
});

describe('several Pages', () => {
  async function offered(browser: Browser): Promise<{ choice: string; text: string }> {
    meta.pages = [shopPage, cafePage];
    const { text } = await visit(browser, callback(await start(browser)));
    return { choice: /name="choice" value="([^"]+)"/.exec(text)?.[1] ?? '', text };
  }

  it('are offered in a form; the chosen one is connected, once, however often the form is sent', async () => {
    const browser = { cookie: '' };
    const { choice, text } = await offered(browser);
    expect(text).toContain('value="502"');
    expect(text).not.toMatch(/EAA|<script/);
    expect(await connection()).toBeNull();
    const { status, text: done } = await visit(browser, '/page', { choice, page: '502' });
    expect([status, done]).toEqual([200, expect.stringContaining('Acme Café')]);
    expect(await connection()).toMatchObject({ number: 1, pageId: '502', metaUserId: '4001' });
    expect((await visit(browser, '/page', { choice, page: '501' })).status).toBe(400);
    expect(await connection()).toMatchObject({ number: 1, pageId: '502' });
    expect(published).toHaveLength(1);
  });

  it('a choice from another browser, of another Page, forged or late connects nothing', async () => {
    const browser = { cookie: '' };
    const { choice } = await offered(browser);
    expect((await visit({ cookie: '' }, '/page', { choice, page: '502' })).status).toBe(403);
    expect((await visit(browser, '/page', { choice, page: '999' })).status).toBe(400);
    expect((await visit(browser, '/page', { choice: `x${choice}`, page: '502' })).status).toBe(400);
    expect((await visit(browser, '/page', {})).status).toBe(400);
    clock.now = new Date(clock.now.getTime() + connectStateLifeMs);
    expect((await visit(browser, '/page', { choice, page: '502' })).status).toBe(400);
    expect(await connection()).toBeNull();
  });

  it('the nonce of a choice is no login state', async () => {
    const browser = { cookie: '' };
    const { choice } = await offered(browser);
    const { nonce } = JSON.parse(Buffer.from(choice.split('.')[0] ?? '', 'base64url').toString()) as { nonce: string };
    meta.pages = [shopPage];
    expect((await visit(browser, callback(nonce))).status).toBe(400);
    expect(await connection()).toBeNull();
  });
});

it('connecting again raises the number and replaces what was connected', async () => {
  for (const number of [1, 2]) {
    const browser = { cookie: '' };
    await visit(browser, callback(await start(browser)));
    expect((await connection())?.number).toBe(number);
  }
  expect(published.map((message) => /acme:connected:\d/.exec(message)?.[0])).toEqual([
    'acme:connected:1',
    'acme:connected:2',
  ]);
});
