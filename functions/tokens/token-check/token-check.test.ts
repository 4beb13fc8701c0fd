import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { paths } from '../../../shared/contracts/documents.ts';
import type { Tenant } from '../../../shared/contracts/documents.ts';
import { secretName } from '../../../shared/domain/naming.ts';
import { PersonStore } from '../../../shared/gcp/person-store.ts';
import { createRelayBreaker } from '../../../shared/gcp/relay-breaker.ts';
import { createRelayHeldReader } from '../../../shared/gcp/relay-held.ts';
import { tenantsInPages } from '../../../shared/gcp/tenant-pages.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import type { JobReport } from '../../../shared/runtime/scheduled-function.ts';
import { userTokenOf } from '../../../test/faults/simulated-client.ts';
import { scopes, secretId, startTokenWorld, tenantId, tenantOf } from '../../../test/tokens/token-world.ts';
import type { TokenProcess, TokenWorld } from '../../../test/tokens/token-world.ts';
import { checkTokens } from './check-tokens.ts';

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;
const now = (): Date => world.clock.now;

let world: TokenWorld;
let process: TokenProcess;
beforeAll(async () => {
  world = await startTokenWorld();
});
beforeEach(async () => {
  await world.reset();
  process = world.open();
  await seedTenant({});
});
afterAll(() => world.close());

const later = (ms: number): void => void (world.clock.now = new Date(world.clock.now.getTime() + ms));

async function seedTenant(changes: Partial<Tenant>): Promise<void> {
  const tenant = tenantOf(changes);
  await world.db.doc(paths.tenant(tenant.tenantId)).set(tenant);
}

/** One run of the job, with a breaker that remembers nothing. */
async function check(pageSize = 100): Promise<JobReport> {
  const { lease, mint: systemTokens, secrets } = process;
  return checkTokens({
    systemTokens,
    persons: new PersonStore(world.db, now),
    lease,
    secrets,
    breaker: createRelayBreaker(world.db, { now }),
    isHeld: createRelayHeldReader(world.db),
    log: createLogger({ level: 'silent', functionName: 'test' }),
    now,
    tenants: () => tenantsInPages(world.db, pageSize),
    sleep: async (ms) => later(ms),
  });
}

const isHeld = async (): Promise<boolean> => (await world.db.doc(paths.relayBreaker(tenantId)).get()).exists;

describe('token-check', () => {
  it('finds a sound token sound, writes so, and asks Meta again only a day later', async () => {
    await process.mint.mint(world.request(null));
    later(dayMs);
    expect(await check()).toMatchObject({ ok: 1, skipped: 0 });
    const checkedAt = (await world.record())?.verdict?.lastVerifiedAt ?? '';
    expect(now().getTime() - Date.parse(checkedAt)).toBeLessThan(1_000);
    later(hourMs);
    expect(await check()).toMatchObject({ ok: 0, skipped: 1 });
    expect(world.mints()).toBe(1);
  });

  it('replaces a 60-day token when less than ten days are left, and no earlier', async () => {
    world.simulator.context.switches.child_token_life = '60 days';
    await process.mint.mint(world.request(null));
    expect((await world.record())?.verdict).toMatchObject({ kind: '60-days', state: 'ok' });
    later(49 * dayMs);
    expect(await check()).toMatchObject({ ok: 1 });
    later(2 * dayMs);
    expect(await check()).toMatchObject({ replaced: 1 });
    expect(await world.record()).toMatchObject({ version: '2', verdict: { state: 'ok' } });
    expect(world.isAlive('1')).toBe(true);
  });

  it('never replaces one that does not expire', async () => {
    await process.mint.mint(world.request(null));
    later(400 * dayMs);
    expect(await check()).toMatchObject({ ok: 1, replaced: 0 });
  });

  it('replaces a dead token with the help of the parent', async () => {
    await process.mint.mint(world.request(null));
    world.kill('1');
    later(dayMs);
    expect(await check()).toMatchObject({ replaced: 1 });
    const { version } = (await process.secrets.latest(secretId)) ?? {};
    expect(version).toBe('2');
    expect(world.isAlive('2')).toBe(true);
    expect(await isHeld()).toBe(false);
  });

  it('comes within the hour to a tenant whose events are held back, and lets them flow with the new token', async () => {
    await process.mint.mint(world.request(null));
    world.kill('1');
    const trouble = { reason: 'token-dead', advice: 'a new token' };
    await createRelayBreaker(world.db, { now }).open(tenantId, trouble, 'capi-deliver');
    later(hourMs);
    expect(await check()).toMatchObject({ replaced: 1 });
    expect(await isHeld()).toBe(false);
  });

  it('makes the tenant wait on Kobi and stops its events when the parent cannot help, once, until it can', async () => {
    await process.mint.mint(world.request(null));
    world.kill('1');
    world.simulator.context.switches.parent_app_allow_listed = false;
    later(dayMs);
    const since = now().toISOString();
    expect(await check()).toMatchObject({ dead: 1 });
    later(hourMs);
    await check();
    const record = await world.record();
    expect(record).toMatchObject({
      version: '1',
      lease: null,
      verdict: { state: 'dead' },
      wait: { on: 'kobi', since },
    });
    expect(await isHeld()).toBe(true);

    world.simulator.context.switches.parent_app_allow_listed = true;
    later(hourMs);
    expect(await check()).toMatchObject({ replaced: 1 });
    expect(await world.record()).toMatchObject({ version: '2', verdict: { state: 'ok' }, wait: null });
  });

  it('uses the token that a person at Kobi added for a dead one', async () => {
    await process.mint.mint(world.request(null));
    world.kill('1');
    world.simulator.context.switches.parent_app_allow_listed = false;
    later(dayMs);
    await check();
    await process.secrets.add(secretId, world.issueToken(scopes), {});
    later(hourMs);
    expect(await check()).toMatchObject({ replaced: 1 });
    expect(await world.record()).toMatchObject({ version: '2', verdict: { state: 'ok' }, wait: null });
  });

  it('replaces a token that lacks a permission the tenant has come to need', async () => {
    await process.mint.mint({
      ...world.request(null),
      scopes: scopes.filter((scope) => scope !== 'catalog_management'),
    });
    later(dayMs);
    expect(await check()).toMatchObject({ replaced: 1 });
    expect((await world.record())?.verdict).toMatchObject({ state: 'ok', scopesMissing: [] });
  });

  it('asks Meta once, not daily, for a permission that Meta does not give', async () => {
    world.grantLess('catalog_management');
    await process.mint.mint({
      ...world.request(null),
      scopes: scopes.filter((scope) => scope !== 'catalog_management'),
    });
    later(dayMs);
    expect(await check()).toMatchObject({ 'scopes-missing': 1 });
    const minted = world.mints();
    later(dayMs);
    expect(await check()).toMatchObject({ 'scopes-missing': 1 });
    expect(world.mints()).toBe(minted);
    const { verdict, version, wait } = (await world.record())!;
    expect(verdict).toMatchObject({ state: 'scopes-missing', scopesMissing: ['catalog_management'] });
    expect(version).toBe('1');
    expect(wait).toMatchObject({ on: 'kobi', for: 'child-token' });
    expect(await isHeld()).toBe(false);
  });

  it('disables a replaced version after its grace and destroys it after a week', async () => {
    await process.mint.mint(world.request(null));
    await process.mint.mint(world.request('1'));
    const states = (): string[] => world.versions().map(({ state }) => state);
    await check();
    expect(states()).toEqual(['ENABLED', 'ENABLED']);
    later(hourMs);
    await check();
    expect(states()).toEqual(['DISABLED', 'ENABLED']);
    later(7 * dayMs);
    await check();
    expect(states()).toEqual(['DESTROYED', 'ENABLED']);
    expect((await world.record())?.retiring).toEqual([]);
  });

  it('lets the client connect again when his own token is dead, and forgets it once it is destroyed', async () => {
    const userToken = await userTokenOf(world.simulator.url);
    await process.secrets.add(secretName.userToken(tenantId), userToken, {});
    expect(await check()).toMatchObject({ ok: 1 });
    world.simulator.context.tokens.find(userToken)!.revokedSubcode = 460;
    later(dayMs);
    expect(await check()).toMatchObject({ dead: 1 });
    expect((await world.record())?.user).toMatchObject({ state: 'dead', wait: { on: 'client', for: 'reconnect' } });
    await process.secrets.destroyAll(secretName.userToken(tenantId));
    later(dayMs);
    await check();
    expect((await world.record())?.user).toBeNull();
  });

  it('records nothing when Meta cannot say, and asks again with the next run', async () => {
    await process.mint.mint(world.request(null));
    later(dayMs);
    const before = await world.record();
    world.simulator.faults.plant({ path: '/debug_token', times: 3, error: { code: 2, httpStatus: 500 } });
    expect(await check()).toMatchObject({ unknown: 1 });
    expect(await world.record()).toEqual(before);
    later(hourMs);
    expect(await check()).toMatchObject({ ok: 1 });
  });

  it('goes through all pages, past tenants that are not on their way and past the trouble of others', async () => {
    await process.mint.mint(world.request(null));
    later(dayMs);
    await seedTenant({ slug: 'a-new', tenantId: 'a-new', status: 'terms-accepted' });
    await seedTenant({ slug: 'aa-live', tenantId: 'aa-live', status: 'live' });
    await world.db.doc(paths.token('aa-live')).set({ not: 'a token record' });
    await seedTenant({ slug: 'zz-live', tenantId: 'zz-live', status: 'live' });
    expect(await check(1)).toMatchObject({ ok: 1, unknown: 1, skipped: 1 });
  });

  it('stops in time, and goes on where it stopped', async () => {
    await process.mint.mint(world.request(null));
    await seedTenant({ slug: 'zz-live', tenantId: 'zz-live', status: 'live' });
    later(dayMs);
    const { mint: systemTokens } = process;
    const slow = {
      ...systemTokens,
      verify: (...args: Parameters<typeof systemTokens.verify>) => (later(10 * 60_000), systemTokens.verify(...args)),
    };
    process = { ...process, mint: slow };
    expect(await check()).toMatchObject({ ok: 1, left: 1 });
    expect(await check()).toMatchObject({ ok: 0, left: 0, skipped: 2 });
  });
});

const connectedBy = (metaUserId: string): Tenant['connection'] => ({
  number: 1,
  metaUserId,
  userTokenVersion: '1',
  pageId: '12',
  connectedAt: now().toISOString(),
});

describe('the deletion of a person’s data that was cut off', () => {
  const confirmationCode = 'a'.repeat(32);
  const metaUserId = '11000000000000077';

  it('at any place is carried out by the next run: token, id in tenant and request gone, the page says done', async () => {
    const persons = new PersonStore(world.db, now);
    const cuts: (() => Promise<unknown>)[] = [
      async () => undefined,
      async () => persons.markDeauthorized(tenantId, metaUserId),
      async () => {
        await persons.markDeauthorized(tenantId, metaUserId);
        await process.secrets.destroyAll(secretName.userToken(tenantId));
      },
    ];
    for (const cut of cuts) {
      await seedTenant({ connection: connectedBy(metaUserId) });
      const userToken = secretName.userToken(tenantId);
      await process.secrets.add(userToken, await userTokenOf(world.simulator.url), {});
      await world.db.doc(paths.deletionRequest(confirmationCode)).delete();
      await persons.openRequest(confirmationCode, metaUserId);
      await cut();
      expect(await check()).toMatchObject({ deletions: 0 });
      later(11 * 60_000);
      expect(await check()).toMatchObject({ deletions: 1 });
      expect(await process.secrets.latest(userToken)).toBeUndefined();
      expect((await world.db.doc(paths.tenant(tenantId)).get()).get('connection.metaUserId')).toBeNull();
      expect(await persons.readRequest(confirmationCode)).toMatchObject({ state: 'done', metaUserId: null });
      expect(await check()).toMatchObject({ deletions: 0 });
    }
  });

  it('that fails again is tried again an hour later, and keeps neither others nor the tokens waiting', async () => {
    const persons = new PersonStore(world.db, now);
    await seedTenant({ connection: connectedBy(metaUserId) });
    await persons.openRequest(confirmationCode, metaUserId);
    await persons.openRequest('b'.repeat(32), '11000000000000078');
    later(11 * 60_000);
    const destroyAll = process.secrets.destroyAll.bind(process.secrets);
    process.secrets.destroyAll = () => Promise.reject(new Error('Secret Manager is away'));
    expect(await check()).toMatchObject({ deletions: 1 });
    expect(await persons.readRequest(confirmationCode)).toMatchObject({ state: 'received', metaUserId });
    process.secrets.destroyAll = destroyAll;
    expect(await check()).toMatchObject({ deletions: 1 });
    expect(await persons.readRequest(confirmationCode)).toMatchObject({ state: 'done', metaUserId: null });
  });
});
