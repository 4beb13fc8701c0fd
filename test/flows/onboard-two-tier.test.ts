/**
 * The main job on the whole local stack: one tenant from its terms of service to live, and its first events. The demo
 * drives it over HTTP; this looks at what is left behind in every place.
 */
import { PassThrough } from 'node:stream';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stepNames } from '../../shared/domain/provisioning-steps.ts';
import { flushSpans } from '../../shared/runtime/tracing.ts';
import { feedServiceOf } from '../local/demo-catalog.ts';
import { runDemo } from '../local/demo.ts';
import type { DemoSummary } from '../local/demo.ts';
import { demoSenders, lead, shopper } from '../local/demo-events.ts';
import { DemoPrinter } from '../local/demo-printer.ts';
import type { SimulatorLog } from '../local/simulator-control.ts';
import { startSpanCollector } from '../local/span-collector.ts';
import type { CollectedSpan, SpanCollector } from '../local/span-collector.ts';
import { startStack } from '../local/stack.ts';
import type { Stack } from '../local/stack.ts';
import { seed } from '../simulator/seed.ts';
import { watchFetch } from './watched-fetch.ts';

/** Whose token each Graph call may carry (document, "Token model"); `none`: app id and secret instead of a token. */
const credentialsOfCall: Record<string, string | readonly string[]> = {
  oauth_access_token: 'none',
  debug_token: 'app',
  list_my_pages: 'user',
  create_child_business: 'user',
  list_child_businesses: 'parent',
  create_child_token: 'parent',
  list_credit_allocations: 'parent',
  create_credit_allocation: 'parent',
  list_system_users: 'child',
  /** The child's to pay with; the parent's to be sure that there is one (PRE-2). */
  list_extended_credits: ['child', 'parent'],
  read_business: 'parent',
  list_owned_domains: 'child',
  list_owned_ad_accounts: 'child',
  create_ad_account: 'child',
  list_subscribed_apps: 'child',
  subscribe_app: 'child',
  list_ad_account_users: 'child',
  assign_ad_account_user: 'child',
  read_ad_account: 'child',
  update_ad_account: 'child',
  list_pixels: 'child',
  create_pixel: 'child',
  read_pixel: 'child',
  list_pixel_users: 'child',
  assign_pixel_user: 'child',
  list_client_pages: 'child',
  list_promotable_pages: 'child',
  list_authorized_ad_accounts: 'child',
  authorize_instagram_ad_account: 'child',
  list_catalogs: 'child',
  create_catalog: 'child',
  list_catalog_users: 'child',
  assign_catalog_user: 'child',
  list_event_sources: 'child',
  connect_event_sources: 'child',
  send_events: 'child',
  send_catalog_items: 'child',
  check_batch_request_status: 'child',
  read_catalog: 'child',
  list_product_sets: 'child',
  read_catalog_diagnostics: 'child',
  read_catalog_event_stats: 'child',
};

const node = v.looseObject({ id: v.string() });
const stateSchema = v.object({
  counts: v.record(v.string(), v.number()),
  nodes: v.looseObject({
    business: v.array(v.looseObject({ ...node.entries, name: v.string(), externalId: v.optional(v.string()) })),
    ad_account: v.array(
      v.looseObject({ ...node.entries, name: v.string(), currency: v.string(), spendCapMinor: v.string() }),
    ),
    domain: v.array(v.looseObject({ ...node.entries, isVerified: v.boolean() })),
  }),
  events: v.record(v.string(), v.looseObject({ accepted: v.number(), duplicates: v.number() })),
});

const logLines: string[] = [];
let stack: Stack;
let collector: SpanCollector;
let summary: DemoSummary;
let calls: SimulatorLog['entries'];
let state: v.InferOutput<typeof stateSchema>;
const watch = watchFetch(() => (stack as Stack | undefined)?.url ?? '');
let shown = '';

beforeAll(async () => {
  collector = await startSpanCollector();
  stack = await startStack({
    port: 0,
    simulatorPort: 0,
    // Everything there is to log, and every trace, so that the scan sees all of it.
    environment: { LOG_LEVEL: 'debug', TRACE_SAMPLE_RATIO: '1', TRACE_EMULATOR_HOST: collector.host },
    onLogLine: (line) => void logLines.push(line),
  });
  const setUp = await stack.simulator.callCount();
  const screen = new PassThrough();
  screen.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  summary = await runDemo({
    url: stack.url,
    simulator: stack.simulator,
    feedService: feedServiceOf(stack),
    print: new DemoPrinter(screen),
  });
  calls = (await stack.simulator.log()).entries.filter(({ seq }) => seq > setUp);
  state = v.parse(stateSchema, await stack.simulator.state());
  await flushSpans();
}, 60_000);

afterAll(async () => {
  watch.stop();
  await stack.close();
  collector.close();
});

describe('a tenant goes from its terms of service to live', () => {
  test('every step is done, but for the invitation and the migration, which were not needed', () => {
    const notNeeded: readonly string[] = ['partner-invite', 'migrate-fallback'];
    expect(summary.status).toBe('live');
    expect(Object.fromEntries(summary.steps.map(({ name, state: stepState }) => [name, stepState]))).toEqual(
      Object.fromEntries(stepNames.map((name) => [name, notNeeded.includes(name) ? 'skipped' : 'done'])),
    );
  });

  test('Meta holds exactly one object of each kind for it, beside what was there before', () => {
    expect(state.counts).toMatchObject({
      business: 2,
      system_user: 2,
      extended_credit: 2,
      credit_allocation: 1,
      ad_account: 1,
      pixel: 1,
      catalog: 1,
      domain: 1,
    });
  });

  test('the child business, its external id and its ad account bear the document’s name', () => {
    const child = state.nodes.business.find(({ id }) => id !== seed.parentBusinessId);
    expect(child).toMatchObject({ name: 'kobi_acme-shop_meta', externalId: 'kobi_acme-shop_meta' });
    expect(state.nodes.ad_account).toMatchObject([
      { name: 'kobi_acme-shop_meta', currency: 'TRY', spendCapMinor: '9000000' },
    ]);
  });

  test('the domain is verified only after the client’s DNS record', () => {
    expect(state.nodes.domain).toMatchObject([{ isVerified: true }]);
    expect(shown).toMatch(/verify-domain +waits on client: Publish/);
  });

  test('every Graph call succeeds, carries the expected credential, and never shows it in a URL or body', () => {
    expect(calls.length).toBe(summary.graphCalls);
    const unexpected = calls.filter(
      ({ operation = '', token }) => ![credentialsOfCall[operation] ?? []].flat().includes(token.kind),
    );
    expect(unexpected.map(({ operation, token }) => [operation, token.kind])).toEqual([]);
    expect([...new Set(calls.map(({ status }) => status))]).toEqual([200]);
    expect([...new Set(calls.map(({ tokenIn }) => tokenIn))].sort()).toEqual(['header', 'none']);
  });
});

describe('its first events', () => {
  test('reach Meta once each, and the bad one is refused with its reason', () => {
    expect(summary.events).toEqual({ sent: 6, delivered: 5, refused: 1 });
    expect(Object.values(state.events)).toMatchObject([{ accepted: 5, duplicates: 0 }]);
    expect(shown).toMatch(/1 refused: data\[1\] was refused: custom_data\.value/);
  });
});

describe('its traces', () => {
  /** A span's name, and before it those of what caused it, from the outermost that was recorded. */
  const wayTo = (span: CollectedSpan): string[] => {
    const parent = collector.spans.find(({ spanId }) => spanId === span.parentSpanId);
    if (parent === undefined) return [span.name];
    expect(parent.traceId).toBe(span.traceId);
    expect(parent.startNs).toBeLessThanOrEqual(span.startNs);
    return [...wayTo(parent), span.name];
  };
  const waysTo = (name: string): string[][] => collector.spans.filter((span) => span.name === name).map(wayTo);

  test('every call that Meta saw is one span, under what made it', () => {
    const ofMeta = calls.flatMap(({ fbtraceId }) => (typeof fbtraceId === 'string' ? fbtraceId : []));
    expect(ofMeta.length).toBe(calls.length);
    const spans = collector.spans.filter(({ attributes }) => 'url.template' in attributes);
    expect(spans.map(({ attributes }) => String(attributes['meta.fbtrace_id'])).sort()).toEqual([...ofMeta].sort());
    for (const span of spans) {
      expect(wayTo(span).length, span.name).toBeGreaterThan(1);
      expect(span.failed).toBe(false);
    }
  });

  test('an event is one trace from the request that brought it to the call that took it to Meta', () => {
    const ways = waysTo('POST /{id}/events');
    const later = ['process capi-events', 'deliver batch', 'POST /{id}/events'];
    expect(ways).toContainEqual(['POST /collect', ...later]);
    expect(ways).toContainEqual(['POST /{dataset}/events', ...later]);
    expect(ways.every((way) => later.every((name) => way.includes(name)))).toBe(true);
  });

  test('an onboarding is one trace from the client’s consent, each step under the one that made it ready', () => {
    expect(waysTo('process create-catalog')).toEqual([
      [
        'GET /callback',
        'process tenant-connected',
        'process record-consent',
        'process create-child-business',
        expect.stringMatching(/^process (create-system-user|share-credit-line)$/),
        'process create-ad-account',
        'process create-pixel',
        'process create-catalog',
      ],
    ]);
    expect(waysTo('process finish-run')).toHaveLength(1);
  });

  test('a message that comes back through Cloud Tasks is worked on under the attempt that put it off', () => {
    const [poll] = collector.spans.filter(({ attributes }) => attributes['messaging.system'] === 'gcp_cloud_tasks');
    expect(wayTo(poll!)).toEqual(['process feed-updated', 'process feed-updated']);
    expect(waysTo('GET /{id}/check_batch_request_status')[0]).toContain('process feed-updated');
  });
});

describe('a scan for what must not be anywhere', () => {
  const people = [shopper, lead].flatMap((person) => Object.values(person));
  const digits = (text: string): string => text.replace(/\D/g, '');
  /** As sent, in lower case, and a phone number's own digits without the trunk or country part. */
  const personal = [
    ...new Set(
      people.flatMap((text) => {
        const forms = [text, text.toLowerCase(), text.toLocaleLowerCase('tr')];
        return digits(text).length >= 10 ? [...forms, digits(text), digits(text).slice(-10)] : forms;
      }),
    ),
  ];

  const secrets = (): string[] => {
    const stored = stack.google.secretManager
      .dump()
      .flatMap(({ versions }) => versions.flatMap(({ payload }) => payload ?? []));
    const relayKeys = watch.exchanges.flatMap(
      ({ responseBody }) => responseBody.match(/kobi_[0-9a-f]{16}_[\w-]{43}/g) ?? [],
    );
    const issuedByMeta = Array.from(stack.ownSimulator!.context.tokens.all(), ({ value }) => value);
    return [...new Set([...stored, ...relayKeys, ...issuedByMeta, seed.appSecret])];
  };

  const leaks = (text: string, values: readonly string[]): string[] => values.filter((value) => text.includes(value));

  test('finds what is there: the tokens in Secret Manager, the people in what their shop sent', () => {
    // App secret and link key; the tokens of parent, child and user (short and long); five relay keys.
    expect(secrets().length).toBeGreaterThanOrEqual(11);
    expect(secrets().every((secret) => secret.length >= 20)).toBe(true);
    expect(leaks(JSON.stringify(stack.google.secretManager.dump()), secrets()).length).toBeGreaterThanOrEqual(5);
    expect(leaks(JSON.stringify(demoSenders('https://shop.acme.example', 0)), people)).toEqual(people);
  });

  test('Firestore holds no raw personal datum and no token', () => {
    const text = JSON.stringify(stack.google.firestore?.dump());
    expect(text).toContain('"acme-shop"');
    expect(leaks(text, [...personal, ...secrets()])).toEqual([]);
  });

  test('no message on Pub/Sub holds one', () => {
    const { pubsub } = stack.google;
    const messages = pubsub!.publishedTopics().flatMap((topic) => pubsub!.published(topic));
    const text = messages.map(({ data, attributes }) => `${data.toString()} ${JSON.stringify(attributes)}`).join('\n');
    expect(messages.length).toBeGreaterThan(stepNames.length);
    expect(leaks(text, [...personal, ...secrets()])).toEqual([]);
  });

  test('no line of any function’s log holds one', () => {
    expect(logLines.length).toBeGreaterThan(50);
    expect(leaks(logLines.join('\n'), [...personal, ...secrets()])).toEqual([]);
  });

  test('no span holds one', () => {
    expect(collector.spans.length).toBeGreaterThan(100);
    expect(leaks(collector.bodies.join('\n'), [...personal, ...secrets()])).toEqual([]);
  });

  test('no answer to a caller holds one, but for a relay key in the answer that issues it', () => {
    const others = watch.exchanges.filter(({ url }) => !url.endsWith('/relay-keys'));
    const text = others.map((exchange) => `${exchange.responseHeaders} ${exchange.responseBody}`).join('\n');
    expect(others.length).toBeGreaterThan(10);
    expect(leaks(text, [...personal, ...secrets()])).toEqual([]);
  });

  test('no address that was called, here or at Meta, holds one', () => {
    const addresses = [...watch.exchanges.map(({ url }) => url), ...calls.map(({ path }) => path)].join('\n');
    expect(leaks(decodeURIComponent(addresses), [...personal, ...secrets()])).toEqual([]);
    expect(leaks(JSON.stringify(calls), personal)).toEqual([]);
  });
});

test('a webhook that Meta sends three times, and late, is one issue on the tenant', async () => {
  const asOperator = { headers: { authorization: 'Bearer dev-operator' } };
  const url = `${stack.url}/tenant-api/tenants/${summary.tenant}`;
  const shownTenant = async (): Promise<{ produced: { adAccountId: string }; issues: unknown[] }> =>
    (await (await fetch(url, asOperator)).json()) as never;
  const { adAccountId } = (await shownTenant()).produced;
  const value = {
    id: '29000000000000001',
    level: 'AD',
    error_code: '567',
    error_summary: 'Landing page not reachable',
  };
  const told = await fetch(`${stack.graphUrl}/_sim/webhook`, {
    method: 'POST',
    body: JSON.stringify({ adAccountId, field: 'with_issues_ad_objects', value, copies: 3, time: 1_790_000_000 }),
  });
  expect(await told.json()).toEqual({ statuses: [200, 200, 200] });
  expect((await shownTenant()).issues).toMatchObject([{ objectId: value.id, code: '567' }]);
});

test('a person who removes the app on Facebook and asks for deletion is forgotten: the tenant waits for its client, the code has a page', async () => {
  const answer = await fetch(`${stack.graphUrl}/_sim/remove-app`, {
    method: 'POST',
    body: JSON.stringify({ userId: seed.user.id, deleteData: true }),
  });
  const { deauthorize, dataDeletion } = (await answer.json()) as {
    deauthorize: { status: number };
    dataDeletion: { status: number; body: { url: string; confirmation_code: string } };
  };
  expect([deauthorize.status, dataDeletion.status]).toEqual([200, 200]);
  const { confirmation_code: code, url } = dataDeletion.body;
  const page = await fetch(url);
  expect([page.status, url.endsWith(code), (await page.text()).includes('Deleted')]).toEqual([200, true, true]);
  const shownTenant = await fetch(`${stack.url}/tenant-api/tenants/${summary.tenant}`, {
    headers: { authorization: 'Bearer dev-operator' },
  });
  expect(await shownTenant.json()).toMatchObject({ status: 'live', waits: [{ on: 'client', for: 'reconnect' }] });
  const left = JSON.stringify([stack.google.firestore?.dump(), logLines.filter((line) => line.includes('deletion'))]);
  expect(left).not.toContain(`"${seed.user.id}"`);
});

test.each([
  ['/tenant-api/tenants', { error: { code: 'malformed-json' } }],
  ['/capi-relay/1/events', { error: { code: 100, type: 'OAuthException', is_transient: false } }],
])('a body that is no JSON is answered 400 in the words of %s', async (path, expected) => {
  const answer = await fetch(`${stack.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer dev-operator' },
    body: '{"x":',
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject(expected);
});
