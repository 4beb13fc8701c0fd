import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { MockAgent } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { AccessToken } from './access-token.ts';
import { adAccountNamed, createAdAccount, listOwnedAdAccounts, readSpendCapMinor, setSpendCap } from './ad-accounts.ts';
import { createChildBusiness } from './businesses.ts';
import { sendEvents } from './conversions.ts';
import { GraphError } from './errors.ts';
import { createGraphClient } from './graph-client.ts';
import type { GraphClient, GraphClientOptions } from './graph-client.ts';
import { debugToken, exchangeCode, exchangeLongLived, loginDialogUrl, revokeToken } from './oauth.ts';
import type { GraphCall } from './observer.ts';
import { createPixel } from './pixels.ts';

const secret = 'app-secret-canary';
const userText = 'EAAuserTokenCanary0123456789';
const childText = 'EAAchildTokenCanary0123456789';
const user = new AccessToken('user', userText);
const child = new AccessToken('child', childText);

interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly body: string;
}
type Answering = (seen: Seen, response: ServerResponse, request: IncomingMessage) => void;

/** What a JSON answer of Graph looks like on the wire. */
const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answering =>
  (_seen, response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

const graphFailure = (code: number, more: Record<string, unknown> = {}): unknown => ({
  error: { message: 'Invalid parameter', type: 'OAuthException', code, fbtrace_id: 'Atrace1', ...more },
});

const findByName = async (client: GraphClient, { businessId, name }: { businessId: string; name: string }) =>
  adAccountNamed(await listOwnedAdAccounts(client.as(child), businessId), name);

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A Graph on loopback that gives each of `answers` once, the last one for ever, and remembers what it was asked. */
async function graphThat(...answers: [Answering, ...Answering[]]) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '', 'http://graph');
      const asked = { method: request.method ?? '', url, authorization: request.headers.authorization };
      seen.push({ ...asked, body: Buffer.concat(chunks).toString() });
      const answering = answers[Math.min(seen.length, answers.length) - 1];
      answering?.(seen.at(-1)!, response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  closers.push(() => Promise.resolve(server.closeAllConnections()));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { seen, baseUrl: `http://127.0.0.1:${port}` };
}

/** A client on a clock that only moves when it sleeps or the test says so. */
function clientOf(baseUrl: string, more: Partial<GraphClientOptions> = {}) {
  const clock = { nowMs: Date.UTC(2026, 0, 1), slept: [] as number[] };
  const calls: GraphCall[] = [];
  const client: GraphClient = createGraphClient({
    baseUrl,
    appSecret: async () => secret,
    now: () => clock.nowMs,
    onCall: (call) => calls.push(call),
    random: () => 0,
    sleep: async (ms) => {
      clock.slept.push(ms);
      clock.nowMs += ms;
    },
    ...more,
  });
  closers.push(() => client.close());
  return { client, clock, calls };
}

async function failureOf(work: Promise<unknown>): Promise<GraphError> {
  const error: unknown = await work.then(
    () => expect.unreachable('it should have failed'),
    (failure: unknown) => failure,
  );
  if (!(error instanceof GraphError)) throw new TypeError(`not a GraphError: ${inspect(error)}`);
  return error;
}

const newBusiness = {
  parentBusinessId: '100',
  name: 'kobi_acme_meta',
  vertical: 'RETAIL',
  childBusinessExternalId: 'kobi_acme_meta',
  sharedPageId: '200',
} as const;
const newAccount = {
  businessId: '300',
  name: 'kobi_acme_meta',
  currency: 'TRY',
  timezoneId: 135,
  endAdvertiser: '200',
} as const;

describe('what leaves for Meta', () => {
  test('the token is only in the Authorization header, its proof beside the parameters', async () => {
    const graph = await graphThat(json({ id: '400', name: 'kobi_acme_meta' }));
    const { client } = clientOf(graph.baseUrl);
    await createChildBusiness(client.as(user), newBusiness);

    const [sent] = graph.seen;
    expect(sent?.method).toBe('POST');
    expect(sent?.url.pathname).toBe('/v25.0/100/owned_businesses');
    expect(sent?.url.search).toBe('');
    expect(sent?.authorization).toBe(`Bearer ${userText}`);
    expect(Object.fromEntries(new URLSearchParams(sent?.body))).toEqual({
      name: 'kobi_acme_meta',
      vertical: 'RETAIL',
      child_business_external_id: 'kobi_acme_meta',
      shared_page_id: '200',
      page_permitted_tasks: '["ADVERTISE","ANALYZE"]',
      appsecret_proof: createHmac('sha256', secret).update(userText).digest('hex'),
    });
    expect(sent?.body).not.toContain(userText);
  });

  test('whose permission ends while a secret is read makes no call: nothing is waited for after the permission', async () => {
    const graph = await graphThat(json({ id: '1' }));
    let mayCall = true;
    const { client } = clientOf(graph.baseUrl, {
      appSecret: async () => {
        mayCall = false;
        return secret;
      },
      beforeCall: async () => {
        if (!mayCall) throw new Error('the lease is over');
      },
    });
    await expect(client.as(child).post('/1', {}, v.object({ id: v.string() }))).rejects.toThrow('the lease is over');
    expect(graph.seen).toEqual([]);
  });

  test('a new app secret makes a new proof at the next call', async () => {
    const graph = await graphThat(json({ id: '1' }));
    let current = 'first';
    const { client } = clientOf(graph.baseUrl, { appSecret: async () => current });
    const as = client.as(child);
    const answer = v.object({ id: v.string() });
    await as.get('/1', {}, answer);
    current = 'second';
    await as.get('/1', {}, answer);
    const proofs = graph.seen.map(({ url }) => url.searchParams.get('appsecret_proof'));
    expect(proofs).toEqual(['first', 'second'].map((key) => createHmac('sha256', key).update(childText).digest('hex')));
  });

  test('a spend cap of 1 500 000 minor TRY is sent as 15000 and reads back as 1 500 000; zero, no cap at Meta, is never sent', async () => {
    const graph = await graphThat(json({ success: true }), json({ spend_cap: '1500000' }), json({ spend_cap: '0' }));
    const { client } = clientOf(graph.baseUrl);
    await setSpendCap(client.as(child), { adAccountId: '7', capMinor: 1_500_000, currency: 'TRY' });
    expect(graph.seen[0]?.url.pathname).toBe('/v25.0/act_7');
    expect(new URLSearchParams(graph.seen[0]?.body).get('spend_cap')).toBe('15000');
    expect(await readSpendCapMinor(client.as(child), 'act_7')).toBe(1_500_000);
    expect(await readSpendCapMinor(client.as(child), 'act_7')).toBeUndefined();
    const zero = setSpendCap(client.as(child), { adAccountId: '7', capMinor: 0, currency: 'TRY' });
    await expect(zero).rejects.toThrow('no cap');
    expect(graph.seen).toHaveLength(3);
  });

  test('events go as one JSON body, at most a thousand, and never when there are none', async () => {
    const graph = await graphThat(json({ events_received: 2, messages: [], fbtrace_id: 'A1' }));
    const { client } = clientOf(graph.baseUrl);
    const events = [{ event_name: 'Lead' }, { event_name: 'Purchase' }];
    const receipt = await sendEvents(client.as(child), { datasetId: '9', events, testEventCode: 'TEST1' });
    expect(receipt).toEqual({ eventsReceived: 2, messages: [], fbtraceId: 'A1' });
    const body = v.parse(v.record(v.string(), v.unknown()), JSON.parse(graph.seen[0]!.body));
    expect(body).toMatchObject({ data: events, test_event_code: 'TEST1' });
    expect(Object.keys(body)).toEqual(['data', 'test_event_code', 'appsecret_proof']);
    for (const count of [0, 1_001]) {
      const refused = sendEvents(client.as(child), {
        datasetId: '9',
        events: Array.from({ length: count }, () => ({})),
      });
      expect(await failureOf(refused)).toMatchObject({ reason: 'bad-request', outcome: 'not-applied' });
    }
    expect(graph.seen).toHaveLength(1);
  });

  test('an id that could change the path never leaves', async () => {
    const graph = await graphThat(json({}));
    const { client } = clientOf(graph.baseUrl);
    for (const id of ['../me', '1/accounts', '1?access_token=x', '']) {
      await expect(findByName(client, { businessId: id, name: 'x' })).rejects.toThrow(TypeError);
    }
    expect(graph.seen).toHaveLength(0);
  });
});

describe('lists', () => {
  const page = (names: string[], after?: string): Answering =>
    json({
      data: names.map((name, index) => ({ id: `act_${index}${name.length}`, name })),
      paging: {
        cursors: { before: 'b', after: after ?? 'end' },
        ...(after && {
          next: `https://graph.facebook.com/v25.0/300/owned_ad_accounts?access_token=${childText}&after=${after}`,
        }),
      },
    });

  test('every page is read, by cursor and never by the address that carries the token', async () => {
    const graph = await graphThat(page(['a', 'bb'], 'c1'), page(['ccc'], 'c2'), page(['kobi_acme_meta']));
    const { client } = clientOf(graph.baseUrl);
    const found = await findByName(client, { businessId: '300', name: 'kobi_acme_meta' });
    expect(found).toEqual({ id: 'act_014' });
    expect(graph.seen.map(({ url }) => url.searchParams.get('after'))).toEqual([null, 'c1', 'c2']);
    for (const { url } of graph.seen) expect(url.href).not.toContain(childText);
  });

  test('a name matches exactly, and two of one name are an error instead of a choice', async () => {
    const graph = await graphThat(page(['KOBI_ACME_META', 'kobi_acme_meta2']), page(['same', 'same']));
    const { client } = clientOf(graph.baseUrl);
    const key = { businessId: '300', name: 'kobi_acme_meta' };
    expect(await findByName(client, key)).toBeUndefined();
    const two = await failureOf(findByName(client, { businessId: '300', name: 'same' }));
    expect(two).toMatchObject({ reason: 'ambiguous-match', outcome: 'not-applied' });
  });

  test('a cursor that does not move is an error, never half a list', async () => {
    const graph = await graphThat(page(['a'], 'c1'), page(['b'], 'c1'));
    const { client } = clientOf(graph.baseUrl);
    const stuck = await failureOf(findByName(client, { businessId: '300', name: 'z' }));
    expect(stuck).toMatchObject({ reason: 'unexpected-answer' });
  });
});

describe('when the answer does not come', () => {
  const hangUp: Answering = (_seen, _response, request) => void request.socket.destroy();
  const html =
    (status: number): Answering =>
    (_seen, response) =>
      void response.writeHead(status, { 'content-type': 'text/html' }).end('<html>Sorry</html>');
  const cutShort: Answering = (_seen, response) => void response.writeHead(200).end('{"id":"act_1');
  const halfway: Answering = (_seen, response) => {
    response.writeHead(200, { 'content-length': '500' });
    response.write('{"id":');
    setImmediate(() => response.destroy());
  };
  const never: Answering = () => undefined;

  test.each([
    ['the socket closes after sending', hangUp],
    ['a gateway answers 502 in HTML', html(502)],
    ['HTML comes with status 200', html(200)],
    ['the JSON is cut short', cutShort],
    ['the connection drops in the middle of the body', halfway],
    ['the answer lacks the id', json({})],
    ['Graph itself answers 500', json(graphFailure(1), 500)],
  ])('a write is unknown, and sent only once, when %s', async (_when, answering) => {
    const graph = await graphThat(answering);
    const { client } = clientOf(graph.baseUrl);
    const error = await failureOf(createAdAccount(client.as(child), newAccount));
    expect(error.outcome).toBe('unknown');
    expect(graph.seen).toHaveLength(1);
  });

  test('a write is unknown when the timeout passes', async () => {
    const graph = await graphThat(never);
    const { client } = clientOf(graph.baseUrl);
    const late = client.as(child).post('/1/adaccount', {}, v.unknown(), { timeoutMs: 30 });
    expect(await failureOf(late)).toMatchObject({
      class: 'unknown-outcome',
      outcome: 'unknown',
      reason: 'answer-lost',
      transportCode: 'TIMEOUT',
    });
  });

  test('a write that was refused a connection is known not to be applied', async () => {
    const graph = await graphThat(json({}));
    for (const close of closers.splice(0).toReversed()) await close();
    const { client } = clientOf(graph.baseUrl);
    const error = await failureOf(createAdAccount(client.as(child), newAccount));
    expect(error).toMatchObject({ class: 'transient', reason: 'not-reached', outcome: 'not-applied' });
    expect(error.transportCode).toBe('ECONNREFUSED');
  });

  test.each([
    ['ENOTFOUND', 'not-applied'],
    ['EAI_AGAIN', 'not-applied'],
    ['UND_ERR_CONNECT_TIMEOUT', 'not-applied'],
    ['ECONNRESET', 'unknown'],
    ['EPIPE', 'unknown'],
    ['UND_ERR_SOCKET', 'unknown'],
    ['UND_ERR_DESTROYED', 'unknown'],
    ['something new', 'unknown'],
  ])('a write that failed with %s is %s', async (code, outcome) => {
    const dispatcher = new MockAgent();
    dispatcher.disableNetConnect();
    const pool = dispatcher.get('http://graph.test');
    pool.intercept({ path: () => true, method: 'POST' }).replyWithError(Object.assign(new Error(code), { code }));
    const { client } = clientOf('http://graph.test', { dispatcher });
    expect((await failureOf(createAdAccount(client.as(child), newAccount))).outcome).toBe(outcome);
    await dispatcher.close();
  });

  test("a write that Graph refused is known not to be applied, with Meta's trace id", async () => {
    const graph = await graphThat(json(graphFailure(100, { error_subcode: 3979 }), 400));
    const { client } = clientOf(graph.baseUrl);
    const error = await failureOf(createAdAccount(client.as(child), newAccount));
    expect(error).toMatchObject({
      class: 'quota',
      reason: 'ad-account-limit',
      outcome: 'not-applied',
      code: 100,
      subcode: 3979,
      httpStatus: 400,
      fbtraceId: 'Atrace1',
    });
    expect(error.message).toContain('Atrace1');
  });

  test('a read is tried three times with growing pauses, and may succeed on the last', async () => {
    const graph = await graphThat(hangUp, json(graphFailure(2), 500), json({ spend_cap: '5' }));
    const { client, clock, calls } = clientOf(graph.baseUrl);
    expect(await readSpendCapMinor(client.as(child), '7')).toBe(5);
    expect(clock.slept).toEqual([250, 500]);
    expect(calls.map(({ status }) => status)).toEqual([undefined, 500, 200]);
  });

  test('a read gives up after three tries, and at once when trying again cannot help', async () => {
    const broken = await graphThat(html(503));
    const { client } = clientOf(broken.baseUrl);
    expect(await failureOf(readSpendCapMinor(client.as(child), '7'))).toMatchObject({ class: 'transient' });
    expect(broken.seen).toHaveLength(3);

    const dead = await graphThat(json(graphFailure(190, { error_subcode: 463 }), 400));
    const other = clientOf(dead.baseUrl);
    expect(await failureOf(readSpendCapMinor(other.client.as(child), '7'))).toMatchObject({ reason: 'token-expired' });
    expect(dead.seen).toHaveLength(1);
  });
});

describe('limits', () => {
  const regain = (minutes: number, subject = '7'): Record<string, string> => ({
    'x-business-use-case-usage': JSON.stringify({
      [subject]: [{ type: 'ads_management', call_count: 100, estimated_time_to_regain_access: minutes }],
    }),
  });

  test('no call is made before the time Meta named, and the next one after it is', async () => {
    const graph = await graphThat(json(graphFailure(80004), 400, regain(3)), json({ spend_cap: '1' }));
    const { client, clock } = clientOf(graph.baseUrl);
    const startMs = clock.nowMs;
    const first = await failureOf(readSpendCapMinor(client.as(child), '7'));
    expect(first).toMatchObject({ class: 'throttled', outcome: 'not-applied', retryAtMs: startMs + 180_000 });

    clock.nowMs = startMs + 179_999;
    const early = await failureOf(setSpendCap(client.as(child), { adAccountId: '7', capMinor: 100, currency: 'TRY' }));
    expect(early).toMatchObject({ reason: 'blocked-until', retryAtMs: startMs + 180_000, outcome: 'not-applied' });
    expect(graph.seen).toHaveLength(1);

    clock.nowMs = startMs + 180_000;
    expect(await readSpendCapMinor(client.as(child), '7')).toBe(1);
  });

  test('the limit of one account keeps no other account back', async () => {
    const graph = await graphThat(json(graphFailure(17, { error_subcode: 2446079 }), 400), json({ spend_cap: '1' }));
    const { client } = clientOf(graph.baseUrl);
    await failureOf(readSpendCapMinor(client.as(child), '7'));
    expect(await readSpendCapMinor(client.as(child), '8')).toBe(1);
  });

  test("the app's own limit keeps every call back, a limit on reports only the reports of that account", async () => {
    const reports = await graphThat(json(graphFailure(4, { error_subcode: 1504022 }), 400), json({ spend_cap: '1' }));
    const one = clientOf(reports.baseUrl);
    const answer = v.object({ data: v.array(v.unknown()) });
    await failureOf(one.client.as(child).get('/act_7/insights', {}, answer));
    expect(await readSpendCapMinor(one.client.as(child), '7')).toBe(1);
    expect(await failureOf(one.client.as(child).get('/act_7/insights', {}, answer))).toMatchObject({
      reason: 'blocked-until',
    });

    const app = await graphThat(json(graphFailure(4), 400));
    const other = clientOf(app.baseUrl);
    await failureOf(readSpendCapMinor(other.client.as(child), '7'));
    expect(await failureOf(readSpendCapMinor(other.client.as(child), '8'))).toMatchObject({
      reason: 'blocked-until',
      retryAtMs: other.clock.nowMs + 60_000,
    });
  });

  test('ten spend cap changes used up keep only that change back until tomorrow', async () => {
    const graph = await graphThat(json(graphFailure(17, { error_subcode: 1885172 }), 400), json({ spend_cap: '1' }));
    const { client, clock } = clientOf(graph.baseUrl);
    const cap = setSpendCap(client.as(child), { adAccountId: '7', capMinor: 100, currency: 'TRY' });
    expect(await failureOf(cap)).toMatchObject({ class: 'rescheduled', retryAtMs: clock.nowMs + 86_400_000 });
    expect(await readSpendCapMinor(client.as(child), '7')).toBe(1);
  });

  test('calls are spaced out when a limit is near, before it is reached', async () => {
    const near = { 'x-ad-account-usage': JSON.stringify({ acc_id_util_pct: 90, reset_time_duration: 0 }) };
    const graph = await graphThat(json({ spend_cap: '1' }, 200, near));
    const { client, clock } = clientOf(graph.baseUrl);
    await readSpendCapMinor(client.as(child), '7');
    expect(clock.slept).toEqual([]);
    await readSpendCapMinor(client.as(child), '7');
    expect(clock.slept).toEqual([1_000]);
  });
});

describe('what is seen from outside', () => {
  test('no token, secret, code or personal datum reaches an error, its text or the observer, though Graph echoes them', async () => {
    const echo = (seen: Seen) =>
      `Bad value ${childText} ${[...seen.url.searchParams.values()].join(' ')} ${seen.url.search} ${seen.body} for jane@example.com, +90 532 111 22 33, 62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f`;
    const graph = await graphThat((seen, response) => {
      const texts = { message: echo(seen), error_user_title: echo(seen), error_user_msg: echo(seen) };
      const more = { ...texts, error_data: JSON.stringify({ blame_field_specs: [['name'], [childText + '@']] }) };
      response.writeHead(400).end(JSON.stringify(graphFailure(100, more)));
    });
    const { client, calls } = clientOf(graph.baseUrl);
    const code = 'login-code-canary';
    const inspected = new AccessToken('user', userText);
    const app = await client.appToken('42');
    const errors = [
      await failureOf(createAdAccount(client.as(child), newAccount)),
      await failureOf(exchangeCode(client, { appId: '42', redirectUri: 'https://kobi.example/cb', code })),
      await failureOf(exchangeLongLived(client, { appId: '42', token: inspected })),
      await failureOf(debugToken(client.as(app), inspected)),
      await failureOf(revokeToken(client, { appId: '42', token: inspected })),
    ];
    expect(graph.seen).toHaveLength(5);
    const proofs = [childText, app.reveal()].map((text) => createHmac('sha256', secret).update(text).digest('hex'));
    const visible = errors.map(
      (error) => `${inspect(error, { depth: 9 })} ${JSON.stringify(Object.entries(error))} ${error.stack}`,
    );
    const outside = [...visible, JSON.stringify(calls), inspect([child, client], { depth: 9 })].join('\n');
    for (const canary of [childText, userText, secret, code, app.reveal(), ...proofs, 'jane@', '532 111', '62a14e44']) {
      expect(outside).not.toContain(canary);
    }
    expect(errors[0]?.blameFields).toEqual(['name']);
  });

  test('the observer learns path template, edge, credential, status, trace and a version that is not ours', async () => {
    const answer = json({ id: 'act_5' }, 200, { 'facebook-api-version': 'v26.0', 'x-fb-trace-id': 'Atrace2' });
    const graph = await graphThat(answer);
    const { client, calls } = clientOf(graph.baseUrl);
    await createAdAccount(client.as(child), newAccount);
    expect(calls).toEqual([
      {
        method: 'POST',
        path: '/{id}/adaccount',
        edge: 'adaccount',
        credential: 'child',
        status: 200,
        ms: 0,
        fbtraceId: 'Atrace2',
        usage: [],
        answeredVersion: 'v26.0',
      },
    ]);
  });

  test('an answer of unexpected form names the field that is missing, never the values that came', async () => {
    const graph = await graphThat(json({ id: { nested: childText }, name: 'x' }));
    const { client } = clientOf(graph.baseUrl);
    const error = await failureOf(createAdAccount(client.as(child), newAccount));
    expect(error).toMatchObject({ class: 'config-bug', reason: 'unexpected-answer', outcome: 'unknown' });
    expect(error.message).toContain('id');
    expect(error.message).not.toContain(childText);
  });
});

describe('endpoints with a rule of their own', () => {
  test('a pixel that exists already is returned, not created twice', async () => {
    const graph = await graphThat(json(graphFailure(6200), 400), json({ data: [{ id: '55', name: 'another name' }] }));
    const { client } = clientOf(graph.baseUrl);
    const pixel = await createPixel(client.as(child), { adAccountId: '7', name: 'kobi_acme_meta' });
    expect(pixel).toEqual({ id: '55', existed: true });
  });

  test('of several pixels the one of our name is taken, and none when that is not clear', async () => {
    const several = [
      { id: '1', name: 'old' },
      { id: '2', name: 'kobi_acme_meta' },
    ];
    const graph = await graphThat(
      json(graphFailure(100, { error_subcode: 6202 }), 400),
      json({ data: several }),
      json(graphFailure(6202), 400),
      json({ data: several.map(({ id }) => ({ id, name: 'same' })) }),
    );
    const { client } = clientOf(graph.baseUrl);
    const pixelOf = { adAccountId: '7', name: 'kobi_acme_meta' };
    expect(await createPixel(client.as(child), pixelOf)).toEqual({ id: '2', existed: true });
    expect(await failureOf(createPixel(client.as(child), pixelOf))).toMatchObject({ reason: 'ambiguous-match' });
  });

  test('a login code is exchanged once, even when the answer is lost', async () => {
    const graph = await graphThat((_seen, _response, request) => void request.socket.destroy());
    const { client } = clientOf(graph.baseUrl);
    await failureOf(exchangeCode(client, { appId: '42', redirectUri: 'https://kobi.example/cb', code: 'c' }));
    expect(graph.seen).toHaveLength(1);
  });

  test('debug_token tells an expired token from one that never ends, and a scope for everything from one for some', async () => {
    const graph = await graphThat(
      json({
        data: {
          app_id: '42',
          type: 'SYSTEM_USER',
          is_valid: true,
          expires_at: 0,
          data_access_expires_at: 1_767_225_600,
          scopes: ['ads_management'],
          granular_scopes: [{ scope: 'ads_management' }, { scope: 'pages_show_list', target_ids: ['200'] }],
          user_id: '77',
        },
      }),
      json({ data: { is_valid: false, error: { code: 190, message: 'expired', subcode: 463 }, scopes: [] } }),
    );
    const { client } = clientOf(graph.baseUrl);
    const app = client.as(await client.appToken('42'));
    const facts = await debugToken(app, child);
    expect(facts).toMatchObject({ isValid: true, appId: '42', dataAccessExpiresAtMs: 1_767_225_600_000 });
    expect(facts.expiresAtMs).toBeUndefined();
    expect(facts.granularScopes).toEqual([
      { scope: 'ads_management', targetIds: undefined },
      { scope: 'pages_show_list', targetIds: ['200'] },
    ]);
    expect(await debugToken(app, child)).toMatchObject({ isValid: false, errorCode: 190, errorSubcode: 463 });
    expect(graph.seen[0]?.authorization).toBe(`Bearer 42|${secret}`);
  });

  test('revoking a token that is dead already succeeds', async () => {
    const graph = await graphThat(json(graphFailure(190), 400));
    const { client } = clientOf(graph.baseUrl);
    await expect(revokeToken(client, { appId: '42', token: user })).resolves.toBeUndefined();
  });

  test('the login dialog asks by configuration, without scopes', () => {
    const dialog = { appId: '42', redirectUri: 'https://kobi.example/cb?x=1', state: 's+/=', configId: '9' };
    const url = new URL(loginDialogUrl({ dialogUrl: 'https://www.facebook.com', ...dialog }));
    expect(`${url.origin}${url.pathname}`).toBe('https://www.facebook.com/v25.0/dialog/oauth');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: '42',
      redirect_uri: 'https://kobi.example/cb?x=1',
      config_id: '9',
      state: 's+/=',
      response_type: 'code',
    });
    expect(loginDialogUrl({ dialogUrl: 'http://127.0.0.1:8090/v25.0/dialog/oauth', ...dialog })).toMatch(
      /^http:\/\/127\.0\.0\.1:8090\/v25\.0\/dialog\/oauth\?/,
    );
  });
});
