import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startForTest, type GraphCaller } from './graph-caller.ts';
import { seed } from './seed.ts';
import { startSimulator, type Simulator } from './server.ts';
import { switchDefinitions } from './switches.ts';

let simulator: Simulator;
let graph: GraphCaller;

beforeAll(async () => {
  ({ simulator, graph } = await startForTest({ switches: { future_tolerance_s: 5 } }));
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.close());

test('every switch states its reason, value and default', async () => {
  const switches = await graph.control<Record<string, { reason: string; value: unknown; default: unknown }>>(
    'GET',
    '/switches',
  );
  expect(Object.keys(switches)).toEqual(Object.keys(switchDefinitions));
  for (const { reason } of Object.values(switches)) expect(reason.length).toBeGreaterThan(20);
});

test.each([
  [{ unknown_switch: true }, 'unknown switch'],
  [{ app_mode: 'test' }, 'live | development'],
  [{ external_id_unique: 'yes' }, 'must be boolean'],
])('the switch change %o is refused and changes nothing', async (change, problem) => {
  const { error } = await graph.control<{ error: string }>('POST', '/switches', change);
  expect(error).toContain(problem);
});

test('a reset brings back the seed, the clock and the switches it was started with', async () => {
  await graph.newChild(await graph.logIn());
  await graph.control('POST', '/clock', { advanceMs: 1_000 });
  await graph.control('POST', '/switches', { future_tolerance_s: 900, app_mode: 'development' });
  await graph.control('POST', '/reset');
  expect(simulator.context.switches).toMatchObject({ future_tolerance_s: 5, app_mode: 'live' });
  expect(simulator.store.all('business')).toHaveLength(1);
  expect(await graph.control('GET', '/clock')).toEqual({ now: '2026-11-23T12:00:00.000Z' });
  expect(await graph.control('GET', '/log')).toEqual({ total: 0, entries: [] });
  await graph.done(graph.get(`/${seed.parentBusinessId}`, seed.parentSystemUserToken));
});

test('the clock can be set to a time', async () => {
  expect(await graph.control('POST', '/clock', { now: '2027-01-01T00:00:00Z' })).toEqual({
    now: '2027-01-01T00:00:00.000Z',
  });
  expect(await graph.control('POST', '/clock', {})).toHaveProperty('error');
});

test('many people with Pages and Instagram accounts are made in one call', async () => {
  const { users } = await graph.control<{ users: { id: string; pages: { website: string; instagram: unknown }[] }[] }>(
    'POST',
    '/users',
    { count: 50 },
  );
  expect(new Set(users.map(({ id }) => id)).size).toBe(50);
  expect(new Set(users.map(({ pages }) => pages[0]!.website)).size).toBe(50);
  expect(users[0]!.pages[0]!.instagram).toHaveProperty('username');
});

test('the log can be read from a point on and by operation', async () => {
  await graph.newChild(await graph.logIn());
  const all = await graph.control<{ total: number; entries: { seq: number }[] }>('GET', '/log');
  const after = await graph.control<{ entries: unknown[] }>('GET', `/log?after=${String(all.total - 1)}`);
  const tokens = await graph.control<{ entries: unknown[] }>('GET', '/log?operation=create_child_token');
  expect(all.entries.map(({ seq }) => seq)).toEqual(Array.from({ length: all.total }, (_, index) => index + 1));
  expect([after.entries.length, tokens.entries.length]).toEqual([1, 1]);
  expect(await graph.control('GET', '/log?limit=abc')).toHaveProperty('error');
});

test('with ui_only domains a child lists none until a person adds it', async () => {
  await graph.control('POST', '/switches', { domain_listing: 'ui_only' });
  const child = await graph.newChild(await graph.logIn());
  const list = () => graph.done<{ data: unknown[] }>(graph.get(`/${child.id}/owned_domains`, child.token));
  const before = await list();
  await graph.control('POST', '/domains', { businessId: child.id, domain: 'acme.example' });
  expect([before.data.length, (await list()).data]).toMatchObject([0, [{ domain_name: 'acme.example' }]]);
});

test('an unknown control path is 404 and names what there is', async () => {
  const { known } = await graph.control<{ known: string[] }>('GET', '/nothing');
  expect(known).toContain('GET /_sim/log');
});

test('closing drops kept-alive connections and frees the port', async () => {
  const other = await startSimulator();
  await (await fetch(`${other.url}/_sim/clock`)).text();
  await other.close();
  const again = await startSimulator({ port: other.port });
  expect(again.port).toBe(other.port);
  await again.close();
});

test('a wrong option ends the command with exit code 2 and says what is right', () => {
  const main = new URL('main.ts', import.meta.url).pathname;
  const { status, stderr } = spawnSync(process.execPath, [main, '--port', 'abc'], { encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toContain('--port must be a number from 0 to 65535, not "abc"');
});
