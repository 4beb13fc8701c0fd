/**
 * The whole local stack while Pub/Sub delivers every message three times, newest first: the real push deliveries, the real
 * functions, concurrently. The demo, then a tenant that goes live on the parent business and is moved to its own.
 */
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { metaCensus } from '../faults/simulated-client.ts';
import { Browser } from '../local/browser.ts';
import { feedServiceOf } from '../local/demo-catalog.ts';
import { runDemo } from '../local/demo.ts';
import type { DemoSummary } from '../local/demo.ts';
import { DemoPrinter } from '../local/demo-printer.ts';
import { Operator } from '../local/operator.ts';
import type { TenantView } from '../local/operator.ts';
import { startStack } from '../local/stack.ts';
import type { Stack } from '../local/stack.ts';
import { GraphCaller } from '../simulator/graph-caller.ts';
import { seed } from '../simulator/seed.ts';

let stack: Stack;
let summary: DemoSummary;

beforeAll(async () => {
  stack = await startStack({ port: 0, simulatorPort: 0 });
  stack.google.pubsub?.setChaos({ deliverTimes: 3, order: 'reverse' });
  summary = await runDemo({
    url: stack.url,
    simulator: stack.simulator,
    feedService: feedServiceOf(stack),
    print: new DemoPrinter(new PassThrough()),
  });
}, 60_000);

afterAll(() => stack.close());

test('a tenant goes live, and Meta has one object of each kind', async () => {
  expect(summary.status).toBe('live');
  expect(await metaCensus(stack.graphUrl)).toEqual({
    childBusinesses: 1,
    systemUsers: 1,
    creditAllocations: 1,
    adAccounts: 1,
    pixels: 1,
    catalogs: 1,
    spendCaps: ['9000000'],
  });
});

test('a tenant goes live on the parent business while PRE-10 is pending, and is moved when it is granted: each event once', async () => {
  const operator = new Operator(stack.url);
  await operator.setPre10(false);
  const meta = new GraphCaller(stack.graphUrl);
  const { users } = await meta.control<{ users: { id: string }[] }>('POST', '/users', {
    name: 'Owner',
    pages: [{ name: 'Beta Bikes', instagram: 'beta' }],
  });
  const connect = async (connectUrl: string): Promise<void> => {
    const { title } = await new Browser().open(connectUrl, (to) => {
      if (to.pathname.endsWith('/dialog/oauth')) {
        to.searchParams.set('sim_mode', 'direct');
        to.searchParams.set('sim_user', users[0]?.id ?? '');
      }
      return to;
    });
    expect(title).toMatch(/^Connected/);
  };
  const tenantId = await operator.createTenant({
    slug: 'beta-bikes',
    name: 'Beta Bikes',
    planId: 'starter',
    vertical: 'ecommerce',
    skus: ['crm'],
    country: 'TR',
    currency: 'TRY',
    timezone: 'Europe/Istanbul',
    domains: [],
  });
  const until = (what: (view: TenantView) => boolean): Promise<TenantView> =>
    vi.waitFor(
      async () => {
        const view = await operator.tenant(tenantId);
        expect(what(view), JSON.stringify(view.steps.filter(({ state }) => state !== 'done'))).toBe(true);
        return view;
      },
      { timeout: 60_000, interval: 50 },
    );

  await connect(await operator.acceptTerms(tenantId, 'owner'));
  const former = (await until(({ status }) => status === 'live')).operatedWith;
  expect(former).toMatchObject({ operator: 'fallback', businessId: seed.parentBusinessId });
  const { datasetId = '' } = former ?? {};
  const key = await operator.relayKey(tenantId, 'server');
  const sent: string[] = [];
  const send = async (eventId: string): Promise<void> => {
    const event_time = Math.floor(Date.now() / 1_000);
    const user_data = { em: `${eventId}@example.com` };
    const event = { event_name: 'Lead', event_id: eventId, event_time, action_source: 'system_generated', user_data };
    const answer = await fetch(`${stack.url}/capi-relay/${datasetId}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ data: [event], access_token: key }),
    });
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('events_received')]);
    sent.push(eventId);
  };

  await send('before');
  await operator.setPre10(true);
  expect(await stack.runSchedule('readiness-check')).toMatchObject({ moved: 1 });
  const waiting = await until(({ waits }) => waits.some((wait) => wait.for === 'reconnect'));
  await send('while-waiting');
  await connect(waiting.connectUrl ?? '');
  for (let count = 0; ; count += 1) {
    await send(`meanwhile-${count}`);
    if ((await operator.tenant(tenantId)).operatedWith?.operator === 'child') break;
  }
  await send('after');
  const { operatedWith } = await until(({ steps }) => steps.every(({ state }) => ['done', 'skipped'].includes(state)));
  expect(operatedWith).toMatchObject({ operator: 'child', datasetId });
  expect(operatedWith?.adAccountId).not.toBe(former?.adAccountId);

  const { events } = stack.ownSimulator!.context;
  await vi.waitFor(() => expect(events.summary(datasetId).accepted).toBe(sent.length), { timeout: 60_000 });
  await stack.google.pubsub?.idle();
  expect(
    events
      .retained(datasetId)
      .map(({ event_id: id }) => id ?? '')
      .toSorted(),
  ).toEqual(sent.toSorted());
  const caps = stack.ownSimulator!.store.all('ad_account').map(({ id, spendCapMinor }) => [id, spendCapMinor]);
  expect(Object.fromEntries(caps)).toMatchObject({
    [former?.adAccountId ?? '']: 100n,
    [operatedWith?.adAccountId ?? '']: 1_500_000n,
  });
  expect(await operator.auditProblems(tenantId)).toEqual([]);
}, 180_000);
