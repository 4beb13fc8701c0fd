import { hash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { fixedNow, startForTest, type GraphCaller } from './graph-caller.ts';
import { seed } from './seed.ts';
import type { Simulator } from './server.ts';

let simulator: Simulator;
let graph: GraphCaller;
let token: string;
let pixel: string;
const fields = 'web{event_name,event_match_quality,dedupe_key_feedback,data_freshness}';
const web = { client_ip_address: '2001:db8::1', client_user_agent: 'Mozilla/5.0' };

beforeAll(async () => {
  ({ simulator, graph } = await startForTest());
});
beforeEach(async () => {
  simulator.reset();
  const child = await graph.newChild(await graph.logIn());
  ({ token } = child);
  pixel = await graph.newPixel(child, await graph.newAdAccount(child));
});
afterAll(() => simulator.close());

async function send(name: string, count: number, userData: object, changes: object = {}): Promise<void> {
  const data = Array.from({ length: count }, (_one, index) => ({
    event_name: name,
    event_time: fixedNow.getTime() / 1_000 - 60,
    event_id: `${name}-${String(index)}`,
    action_source: 'website',
    event_source_url: 'https://shop.acme.example/',
    user_data: { ...web, ...userData },
    ...changes,
  }));
  await graph.done(graph.post(`/${pixel}/events`, token, { data }));
}

const read = async (): Promise<{ web: Record<string, unknown>[] }> =>
  graph.done(graph.get('/dataset_quality', token, { dataset_id: pixel, fields }));

test('events that carry more identifiers score higher, each event name by itself', async () => {
  await send('ViewContent', 20, {});
  await send('Lead', 20, { em: hash('sha256', 'a@example.com'), ph: hash('sha256', '905321234567') });
  const answer = await read();
  const score = (index: number): number =>
    (answer.web[index]!['event_match_quality'] as { composite_score: number }).composite_score;
  expect(answer.web.map(({ event_name: name }) => name)).toEqual(['ViewContent', 'Lead']);
  expect(score(1)).toBeGreaterThan(score(0) + 2);
  expect(answer.web[1]).toMatchObject({
    event_match_quality: {
      match_key_feedback: expect.arrayContaining([{ identifier: 'email', coverage: { percentage: 100 } }]) as unknown,
    },
    dedupe_key_feedback: [{ dedupe_key: 'event_id', server_events_with_dedupe_key: { percentage: 100 } }],
    data_freshness: { upload_frequency: 'real_time' },
  });
});

test('too few events have no score, and events that are not of the web have no row', async () => {
  await send('ViewContent', 3, {});
  await send(
    'Purchase',
    30,
    { em: hash('sha256', 'a@example.com') },
    { action_source: 'physical_store', custom_data: { value: 1, currency: 'TRY' } },
  );
  const answer = await read();
  expect(answer.web).toHaveLength(1);
  expect(answer.web[0]?.['event_match_quality']).not.toHaveProperty('composite_score');
});

test('events older than two days no longer count', async () => {
  await send('ViewContent', 20, {});
  await graph.control('POST', '/clock', { advanceMs: 49 * 3_600_000 });
  expect(await read()).toEqual({ web: [] });
});

test('a dataset of somebody else does not exist, and ads_read is needed', async () => {
  const { users } = await graph.control<{ users: { id: string; pages: { id: string }[] }[] }>('POST', '/users', {
    pages: [{}],
  });
  const other = await graph.newChild(await graph.logIn({ sim_user: users[0]!.id }), {
    shared_page_id: users[0]!.pages[0]!.id,
    child_business_external_id: 'kobi_other_meta',
  });
  const foreign = await graph.refused(graph.get('/dataset_quality', other.token, { dataset_id: pixel, fields }));
  const { access_token: narrow } = await graph.done<{ access_token: string }>(
    graph.post(`/${other.id}/access_token`, seed.parentSystemUserToken, {
      app_id: seed.appId,
      scope: 'business_management',
    }),
  );
  const unscoped = await graph.refused(graph.get('/dataset_quality', narrow, { dataset_id: pixel, fields }));
  const unasked = await graph.refused(graph.get('/dataset_quality', token, { dataset_id: pixel }));
  expect([foreign.code, foreign.error_subcode, unscoped.code, unasked.code]).toEqual([100, 33, 200, 100]);
});

test('what Dataset Quality says can be planted and taken back', async () => {
  await graph.control('POST', '/quality', { dataset: pixel, web: [{ eventName: 'Purchase', compositeScore: 4.2 }] });
  expect((await read()).web).toMatchObject([{ event_name: 'Purchase', event_match_quality: { composite_score: 4.2 } }]);
  await graph.control('POST', '/quality', { dataset: pixel });
  expect(await read()).toEqual({ web: [] });
});
