/** `npm run doctor` against the local stack: sound, and with one thing broken after another. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { PubSub } from '@google-cloud/pubsub';
import { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { adAccountWebhookFields } from '../../shared/domain/ad-issues.ts';
import { emulatorEndpoint } from '../../shared/gcp/emulator-endpoint.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import { checkApis } from '../../terraform/doctor/check-google.ts';
import { checkWebhook } from '../../terraform/doctor/check-webhook.ts';
import { doctorVariables, examine, report, subscribeWebhooks } from '../../terraform/doctor/doctor.ts';
import type { DoctorOptions } from '../../terraform/doctor/doctor.ts';
import type { Finding } from '../../terraform/doctor/finding.ts';
import { operatorToken } from '../local/gateway.ts';
import { startStack } from '../local/stack.ts';
import type { Stack } from '../local/stack.ts';
import type { AppSubscription } from '../simulator/app-settings.ts';
import { seed } from '../simulator/seed.ts';
import type { Simulator } from '../simulator/server.ts';

let stack: Stack;
let options: DoctorOptions;
let secrets: SecretManagerServiceClient;

beforeAll(async () => {
  stack = await startStack({ port: 0, simulatorPort: 0, environment: {}, onLogLine: () => undefined });
  options = {
    config: readConfig(doctorVariables),
    manifests: stack.functions.map(({ manifest }) => manifest),
    apis: [],
    authorization: `Bearer ${operatorToken}`,
    google: { missing: 'no Service Usage API here' },
  };
  secrets = new SecretManagerServiceClient({
    projectId: 'kobi-local',
    ...emulatorEndpoint(stack.google.hosts.secretManager),
  });
}, 120_000);

afterAll(async () => {
  await secrets.close();
  await stack.close();
});

const wrongOnes = (findings: readonly Finding[]): string[] =>
  findings.filter(({ state }) => state === 'wrong').map(({ subject }) => subject);

async function simulator(path: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${stack.graphUrl}/_sim/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(answer.status).toBe(200);
}

const addVersion = (secretId: string, value: string): Promise<unknown> =>
  secrets.addSecretVersion({
    parent: `projects/kobi-local/secrets/${secretId}`,
    payload: { data: Buffer.from(value) },
  });

test('finds nothing wrong with a sound stack, and says what it could not look at', async () => {
  const findings = await examine(options);
  expect(report(findings)).toContain('Nothing is wrong.');
  expect(wrongOnes(findings)).toEqual([]);
  expect(findings.find(({ subject }) => subject === 'Google APIs')).toMatchObject({ state: 'not-checked' });
  expect(findings.length).toBeGreaterThanOrEqual(14);
});

test('shows no secret, whatever it finds', async () => {
  const text = report(await examine(options));
  for (const { versions } of stack.google.secretManager.dump()) {
    for (const { payload } of versions) expect(text).not.toContain(payload);
  }
});

test('names a secret without a version, and the command that adds one', async () => {
  const name = 'projects/kobi-local/secrets/connect-state-key/versions/1';
  await secrets.disableSecretVersion({ name });
  const findings = await examine(options);
  await secrets.enableSecretVersion({ name });
  expect(wrongOnes(findings)).toContain('secret connect-state-key');
  expect(report(findings)).toContain('gcloud secrets versions add connect-state-key');
});

test('names an app secret of another app', async () => {
  await addVersion('meta-app-secret', '0'.repeat(32));
  const findings = await examine(options);
  await addVersion('meta-app-secret', seed.appSecret);
  expect(wrongOnes(findings)).toEqual(['Meta app token']);
});

test('names a Graph version that Meta no longer serves', async () => {
  await simulator('switches', { answered_version: 'oldest_left' });
  const findings = await examine(options);
  await simulator('switches', { answered_version: 'asked' });
  expect(wrongOnes(findings)).toEqual(['Graph version']);
  expect(report(findings)).toContain('v26.0');
});

test('names a subscription that is not there', async () => {
  await new PubSub({ projectId: 'kobi-local' }).subscription('capi-deliver').delete();
  expect(wrongOnes(await examine(options))).toEqual(['subscription capi-deliver']);
});

test('names a dead parent token, and where to make another', async () => {
  await simulator('tokens/revoke', { ownerId: seed.parentSystemUserId });
  const findings = await examine(options);
  expect(wrongOnes(findings)).toContain('parent token');
  expect(report(findings)).toContain('Generate token');
});

describe('what Meta tells the app', () => {
  type Subscriptions = Simulator['context']['app']['subscriptions'];
  const subscriptions = (): Subscriptions => {
    if (stack.ownSimulator === undefined) throw new Error('this stack has no simulator of its own');
    return stack.ownSimulator.context.app.subscriptions;
  };
  const adAccount = (): AppSubscription => {
    const found = subscriptions().get('ad_account');
    if (found === undefined) throw new Error('the app is not subscribed to ad_account');
    return found;
  };
  const right = (): string => `${stack.url}/meta-webhook/ads`;
  const found = async (): Promise<Finding | undefined> =>
    (await examine(options)).find(({ subject }) => subject === 'webhook subscription');

  afterEach(() => subscribeWebhooks(options));

  test.each<[string, () => void, RegExp]>([
    ['no subscription to ad accounts', () => subscriptions().clear(), /not subscribed to ad_account/],
    [
      'a field that is missing',
      () => adAccount().fields.delete('effective_status'),
      /^Meta does not tell effective_status$/,
    ],
    ['a subscription that Meta has stopped', () => void (adAccount().isActive = false), /has stopped it/],
    [
      'an address of another environment',
      () => void (adAccount().callbackUrl = 'https://dev.kobi.example/meta-webhook/ads'),
      /calls https:\/\/dev\.kobi\.example\/meta-webhook\/ads instead of http/,
    ],
  ])('names %s, and the command that mends it', async (_what, breakIt, says) => {
    breakIt();
    const finding = await found();
    expect(finding).toMatchObject({ state: 'wrong', says: expect.stringMatching(says) as string });
    expect(finding?.mend).toContain('npm run doctor -- --env-file FILE --subscribe');
    expect(finding?.mend).toContain(right());
    expect(await subscribeWebhooks(options)).toBeUndefined();
    expect(await found()).toMatchObject({ state: 'ok' });
  });

  test('names a deauthorize callback of another address, and says when Meta shows none', async () => {
    const app = stack.ownSimulator?.context.app;
    if (app === undefined) throw new Error('this stack has no simulator of its own');
    const deauthorize = app.deauthorize ?? '';
    const finding = async (): Promise<Finding | undefined> =>
      (await examine(options)).find(({ subject }) => subject === 'deauthorize callback');
    expect(await finding()).toMatchObject({ state: 'ok' });
    app.deauthorize = 'https://dev.kobi.example/meta-webhook/deauthorize';
    expect(await finding()).toMatchObject({ state: 'wrong', mend: expect.stringContaining(deauthorize) as string });
    await simulator('switches', { app_shows_deauth_callback: false });
    expect(await finding()).toMatchObject({
      state: 'not-checked',
      says: expect.stringContaining(deauthorize) as string,
    });
    await simulator('switches', { app_shows_deauth_callback: true });
    app.deauthorize = deauthorize;
  });

  test('a subscription set again keeps the fields a person added, whether Meta replaces or adds', async () => {
    for (const how of ['replaces', 'adds']) {
      await simulator('switches', { app_subscription_post: how });
      adAccount().fields.clear();
      adAccount().fields.add('subscriptions');
      expect(await subscribeWebhooks(options)).toBeUndefined();
      expect(adAccount()).toMatchObject({ callbackUrl: right(), isActive: true, includeValues: true });
      expect([...adAccount().fields].toSorted()).toEqual(['subscriptions', ...adAccountWebhookFields].toSorted());
    }
  });

  test('a subscription that Meta refuses says why, and keeps what was there', async () => {
    subscriptions().clear();
    const elsewhere = { ...options, config: { ...options.config, PUBLIC_BASE_URL: 'http://127.0.0.1:1' } };
    const problem = await subscribeWebhooks(elsewhere);
    expect(problem).toMatch(/callback-not-verified.*code 2200.*reached from the internet/);
    expect(subscriptions().size).toBe(0);
  });
});

test('names an API that is not enabled, page after page', async () => {
  const pages = [
    { services: [{ config: { name: 'run.googleapis.com' } }], nextPageToken: 'next' },
    { services: [{ config: { name: 'pubsub.googleapis.com' } }] },
  ];
  const get = (url: string): Promise<unknown> =>
    Promise.resolve(new URL(url).searchParams.get('pageToken') === 'next' ? pages[1] : pages[0]);
  expect(await checkApis(get, 'p', ['run.googleapis.com', 'pubsub.googleapis.com'])).toMatchObject({ state: 'ok' });
  const found = await checkApis(get, 'p', ['run.googleapis.com', 'iap.googleapis.com']);
  expect(found).toMatchObject({ state: 'wrong', mend: 'gcloud services enable iap.googleapis.com --project p' });
});

test('names a webhook that cannot be reached, that does not answer the challenge, or that takes any token', async () => {
  expect(await checkWebhook('http://127.0.0.1:1/meta-webhook/ads', 'right')).toMatchObject({ state: 'wrong' });
  const answers: Record<string, (given: URLSearchParams) => [number, string]> = {
    '/sound': (given) =>
      given.get('hub.verify_token') === 'right' ? [200, given.get('hub.challenge') ?? ''] : [403, ''],
    '/open': (given) => [200, given.get('hub.challenge') ?? ''],
    '/deaf': () => [200, 'hello'],
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://local');
    const [status, body] = answers[url.pathname]?.(url.searchParams) ?? [404, ''];
    response.writeHead(status).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const base = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const states = await Promise.all(
    ['/sound', '/open', '/deaf'].map(async (path) => (await checkWebhook(base + path, 'right')).state),
  );
  server.closeAllConnections();
  server.close();
  expect(states).toEqual(['ok', 'wrong', 'wrong']);
});
