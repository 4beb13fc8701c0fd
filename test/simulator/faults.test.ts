import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { adAccountParams, childParams, startForTest, type GraphCaller } from './graph-caller.ts';
import { seed } from './seed.ts';
import type { Simulator } from './server.ts';

let simulator: Simulator;
let graph: GraphCaller;
let child: { id: string; token: string; systemUserId: string };
const ownedBusinesses = `/${seed.parentBusinessId}/owned_businesses`;

beforeAll(async () => {
  ({ simulator, graph } = await startForTest());
});
beforeEach(async () => {
  simulator.reset();
  child = await graph.newChild(await graph.logIn());
});
afterAll(() => simulator.close());

const createAccount = () => graph.post(`/${child.id}/adaccount`, child.token, adAccountParams);
const countAccounts = (): number => simulator.store.all('ad_account').length;
const plant = (fault: Record<string, unknown>) => graph.control<{ error?: string }>('POST', '/faults', fault);

test('a lost response is applied: the object exists although the caller saw the connection break', async () => {
  await plant({ method: 'POST', path: '/{id}/adaccount', lostResponse: true });
  await expect(createAccount()).rejects.toThrow('fetch failed');
  expect(countAccounts()).toBe(1);
  await graph.done(createAccount());
  expect(simulator.log.entries().at(-2)).toMatchObject({ status: 0, fault: 'lostResponse' });
});

test('a connection dropped before applying leaves nothing behind', async () => {
  await plant({ path: 'create_ad_account', dropBeforeApply: true });
  await expect(createAccount()).rejects.toThrow('fetch failed');
  expect(countAccounts()).toBe(0);
});

test('an error strikes as often as said, after as many calls as said, and on its edge only', async () => {
  await plant({
    path: '/{business}/adaccount',
    times: 2,
    after: 1,
    error: { code: 2, subcode: 99, httpStatus: 503, isTransient: true, message: 'try later' },
  });
  await graph.done(createAccount());
  const first = await graph.refused(createAccount());
  await graph.done(graph.get(`/${child.id}`, child.token));
  const second = await graph.refused(createAccount());
  await graph.done(createAccount());
  expect(first).toMatchObject({ status: 503, code: 2, error_subcode: 99, is_transient: true, message: 'try later' });
  expect(second.code).toBe(2);
});

test('a throttle refuses until its minutes are over, names them, and counts calls made meanwhile', async () => {
  await plant({ path: 'create_ad_account', throttle: { regainMinutes: 5 } });
  const reply = await createAccount();
  const usage = JSON.parse(String(reply.headers.get('x-business-use-case-usage'))) as Record<string, unknown[]>;
  expect(reply.body).toMatchObject({ error: { code: 80004, error_subcode: 2446079 } });
  expect(usage[child.id]).toMatchObject([{ estimated_time_to_regain_access: 5, call_count: 100 }]);

  await graph.control('POST', '/clock', { advanceMs: 4 * 60_000 });
  expect((await graph.refused(createAccount())).code).toBe(80004);
  const { faults } = await graph.control<{ faults: unknown[] }>('GET', '/faults');
  expect(faults).toMatchObject([{ struck: 1, callsWhileBlocked: 1 }]);
  await graph.control('POST', '/clock', { advanceMs: 60_000 });
  await graph.done(createAccount());
});

test('an HTML body comes with 200 and nothing done', async () => {
  await plant({ path: 'create_ad_account', htmlBody: true });
  await expect(createAccount()).rejects.toThrow(SyntaxError);
  expect(countAccounts()).toBe(0);
});

test('a blind finder leaves out what was made a moment ago', async () => {
  const parent = seed.parentSystemUserToken;
  const find = () =>
    graph.done<{ data: unknown[] }>(
      graph.get(ownedBusinesses, parent, { child_business_external_id: childParams.child_business_external_id }),
    );
  await plant({ method: 'GET', path: ownedBusinesses, times: 2, finderBlindMs: 1_000 });
  await graph.control('POST', '/clock', { advanceMs: 500 });
  const early = await find();
  await graph.control('POST', '/clock', { advanceMs: 500 });
  const late = await find();
  expect([early.data.length, late.data.length]).toEqual([0, 1]);
});

test('a latency holds the answer back and changes nothing else', async () => {
  await plant({ path: 'create_ad_account', latencyMs: 30 });
  const startedAt = performance.now();
  await graph.done(createAccount());
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(29);
});

test('deleting the faults ends them', async () => {
  await plant({ times: 0, error: { code: 1 } });
  expect((await graph.refused(createAccount())).code).toBe(1);
  await graph.control('DELETE', '/faults');
  await graph.done(createAccount());
});

test.each([
  [{ path: 'x' }, 'a fault needs one of'],
  [{ pth: 'x', error: { code: 1 } }, 'unknown fault key pth'],
  [{ error: { message: 'x' } }, 'numeric "code"'],
  [{ times: -1, error: { code: 1 } }, '"times"'],
  [{ throttle: {} }, 'regainMinutes'],
])('the fault %o is refused with what is wrong', async (fault, problem) => {
  expect((await plant(fault)).error).toContain(problem);
});
