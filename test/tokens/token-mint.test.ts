import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tokenLeaseMs } from '../../shared/gcp/token-lease.ts';
import { scopes, secretId, startTokenWorld } from './token-world.ts';
import type { TokenWorld } from './token-world.ts';

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;

let world: TokenWorld;
beforeAll(async () => {
  world = await startTokenWorld();
});
beforeEach(() => world.reset());
afterAll(() => world.close());

const later = (ms: number): void => void (world.clock.now = new Date(world.clock.now.getTime() + ms));
const enabled = (): string[] =>
  world
    .versions()
    .filter(({ state }) => state === 'ENABLED')
    .map(({ version }) => version);

describe('a mint', () => {
  it('ends with a verified version in use, its status written and no token in Firestore', async () => {
    const { mint, secrets } = world.open();
    expect(await mint.mint(world.request(null))).toEqual({ version: '1' });
    expect((await secrets.latest(secretId))?.version).toBe('1');
    expect(await world.record()).toMatchObject({
      version: '1',
      lease: null,
      childBusinessId: world.childBusinessId,
      verdict: { state: 'ok', kind: 'never-expires', expiresAt: null, scopesMissing: [], scopesExtra: [] },
    });
    expect(JSON.stringify(world.firestore.dump())).not.toContain('EAA');
  });

  it('labels the secret with its tenant and credential', async () => {
    const { mint } = world.open();
    await mint.mint(world.request(null));
    expect(await world.labels()).toEqual({ tenant: 'acme-shop', credential: 'system-token' });
  });

  it('whose switch was committed and only the answer lost keeps the version it switched to', async () => {
    const { lease, mint } = world.open();
    const runTransaction = world.db.runTransaction.bind(world.db);
    let repeated = 0;
    // As Google's client does when the answer to a commit is UNAVAILABLE: the same work again, on what it has written.
    world.db.runTransaction = async (work, options) => {
      const result = await runTransaction(work, options);
      if ((await lease.read('acme-shop'))?.version !== '1') return result;
      repeated += 1;
      return runTransaction(work, options);
    };
    try {
      expect(await mint.mint(world.request(null))).toEqual({ version: '1' });
    } finally {
      world.db.runTransaction = runTransaction;
    }
    expect(repeated).toBeGreaterThan(0);
    expect(enabled(), 'a version in use is never destroyed').toEqual(['1']);
    expect(world.isAlive('1')).toBe(true);
  });

  it('keeps the replaced version readable, so that whoever read its number before the switch is not cut off', async () => {
    const { mint, secrets } = world.open();
    await mint.mint(world.request(null));
    await mint.mint(world.request('1'));
    expect((await secrets.latest(secretId))?.version).toBe('2');
    expect(enabled()).toEqual(['1', '2']);
    expect((await world.record())?.retiring).toMatchObject([{ version: '1', disabled: false }]);
  });

  it('never has a third version enabled, however fast one follows another', async () => {
    const { mint } = world.open();
    await mint.mint(world.request(null));
    for (const version of ['1', '2', '3', '4']) await mint.mint(world.request(version));
    expect(world.mostEnabled()).toBe(2);
    expect(enabled()).toEqual(['4', '5']);
  });

  it('is not made again for a version that somebody has already replaced', async () => {
    const { mint } = world.open();
    await mint.mint(world.request(null));
    await mint.mint(world.request('1'));
    expect(await world.open().mint.mint(world.request('1'))).toEqual({ version: '2' });
    expect(world.mints()).toBe(2);
  });

  it('that gives less than was asked for changes nothing but is said', async () => {
    const { mint, secrets } = world.open();
    await mint.mint(world.request(null));
    const asked = { ...world.request('1'), scopes: [...scopes, 'instagram_basic'] };
    world.grantLess('instagram_basic');
    await expect(mint.mint(asked)).rejects.toThrow('it lacks instagram_basic');
    expect((await secrets.latest(secretId))?.version).toBe('1');
    expect(enabled()).toEqual(['1']);
    expect((await world.record())?.lease).toBeNull();
  });

  it('uses a version that a person added by hand instead of minting', async () => {
    const { mint, secrets } = world.open();
    await mint.mint(world.request(null));
    const spare = world.issueToken(scopes);
    await secrets.add(secretId, `${spare}\n`, {});
    world.kill('1');
    expect(await mint.mint(world.request('1'))).toEqual({ version: '2' });
    expect(world.mints()).toBe(1);
  });

  it('takes no version that Meta does not accept, even where one is there', async () => {
    const { mint, secrets } = world.open();
    await mint.mint(world.request(null));
    await secrets.add(secretId, 'EAASIMnobodys', {});
    expect(await mint.mint(world.request('1'))).toEqual({ version: '3' });
    expect(world.versions().map(({ state }) => state)).toEqual(['ENABLED', 'DESTROYED', 'ENABLED']);
  });

  it('that an heir found sound is not destroyed by the maker who lost the lease, whoever comes first', async () => {
    const maker = world.open();
    const late = maker.holdBefore('lease.switchTo');
    const zombie = maker.mint.mint(world.request(null));
    await late.reached;
    later(tokenLeaseMs + 1);
    expect(await world.open().mint.mint(world.request(null)), 'the maker’s version').toEqual({ version: '1' });
    late.go();
    expect(await zombie).toEqual({ version: '1' });
    expect(enabled()).toEqual(['1']);

    await world.reset();
    const [giver, heir] = [world.open(), world.open()];
    const stopped = giver.holdBefore('lease.switchTo');
    const given = giver.mint.mint(world.request(null));
    await stopped.reached;
    later(tokenLeaseMs + 1);
    const looked = heir.holdBefore('lease.switchTo');
    const inherited = heir.mint.mint(world.request(null));
    await looked.reached;
    // The heir is about to use it, and the maker gives it up.
    stopped.go();
    await expect.poll(() => enabled()).toEqual([]);
    looked.go();
    expect(await inherited).toEqual({ version: '2' });
    expect(await given).toEqual({ version: '2' });
    expect((await world.record())?.version).toBe('2');
    expect(enabled()).toEqual(['2']);
  });

  it('of a process that lost its lease while Meta answered leaves nothing behind', async () => {
    const slow = world.open();
    await slow.mint.mint(world.request(null));
    // The answer to the mint comes when another process has long taken over and finished.
    const release = slow.holdBefore('secrets.add');
    const zombie = slow.mint.mint(world.request('1'));
    await release.reached;
    later(tokenLeaseMs + 1);
    expect(await world.open().mint.mint(world.request('1'))).toEqual({ version: '2' });
    release.go();
    expect(await zombie).toEqual({ version: '2' });
    expect((await world.record())?.version).toBe('2');
    expect(enabled()).toEqual(['1', '2']);
  });
});

describe('a process killed while minting', () => {
  const calls = async (replacing: string | null): Promise<string[]> => {
    const probe = world.open();
    await probe.mint.mint(world.request(replacing));
    return probe.calls;
  };

  it('passes the four points between which it can be killed', async () => {
    await calls(null);
    const made = await calls('1');
    const order = ['graph.post', 'secrets.add', 'graph.get', 'lease.switchTo'].map((call) => made.indexOf(call));
    expect(order).toEqual(order.toSorted((left, right) => left - right));
    expect(order).not.toContain(-1);
  });

  it.each([
    ['the first token', null],
    ['a replacement', '1'],
  ])('at whatever call, leaves %s resumable: no moment without a valid token, never a third', async (_, replacing) => {
    if (replacing !== null) await calls(null);
    const steps = (await calls(replacing)).length;
    for (let killBefore = 1; killBefore <= steps; killBefore += 1) {
      await world.reset();
      if (replacing !== null) await calls(null);
      const victim = world.open(killBefore);
      const ended = await Promise.race([victim.mint.mint(world.request(replacing)), victim.death]);
      const at = victim.calls.at(-1);
      expect(ended, at).toBe('killed');
      const between = await world.record();
      const used = between?.version ?? '';
      const isServed = replacing === null || (world.isAlive(used) && enabled().includes(used));
      expect(isServed, at).toBe(true);

      const mintedBefore = world.mints();
      const isAdded = world.versions().length > (replacing === null ? 0 : 1);
      later(tokenLeaseMs + 1);
      const heir = world.open();
      const { version } = await heir.mint.mint(world.request(replacing));
      expect(world.isAlive(version), at).toBe(true);
      expect(enabled(), at).toContain(version);
      expect(await world.record(), at).toMatchObject({ version, lease: null, verdict: { state: 'ok' } });
      expect((await heir.secrets.latest(secretId))?.version, at).toBe(version);
      expect(world.mostEnabled(), at).toBeLessThanOrEqual(2);
      // What was put into Secret Manager is used, not minted again.
      expect(world.mints(), at).toBe(mintedBefore + (isAdded ? 0 : 1));
    }
  });

  it('is taken over when its lease ends, and no earlier', async () => {
    const victim = world.open();
    const hold = victim.holdBefore('secrets.add');
    void victim.mint.mint(world.request(null));
    await hold.reached;
    const began = world.clock.now.getTime();
    const { version } = await world.open().mint.mint(world.request(null));
    const waitedMs = world.clock.now.getTime() - began;
    expect(version).toBe('1');
    expect(waitedMs).toBeGreaterThanOrEqual(tokenLeaseMs);
    expect(waitedMs).toBeLessThan(tokenLeaseMs + 1_000);
  });
});

describe('many callers at once', () => {
  it('in one process make one mint', async () => {
    const { mint } = world.open();
    const all = await Promise.all(Array.from({ length: 100 }, () => mint.mint(world.request(null))));
    expect(new Set(all.map(({ version }) => version))).toEqual(new Set(['1']));
    expect(world.mints()).toBe(1);
  });
});

describe('retirement', () => {
  it('disables after the grace, destroys later, and never what is in use', async () => {
    const { mint, lease } = world.open();
    await mint.mint(world.request(null));
    await mint.mint(world.request('1'));
    expect(await lease.dueToRetire('acme-shop')).toEqual({ disable: [], destroy: [] });
    later(hourMs);
    expect(await lease.dueToRetire('acme-shop')).toEqual({ disable: ['1'], destroy: [] });
    later(7 * dayMs);
    expect(await lease.dueToRetire('acme-shop')).toEqual({ disable: [], destroy: ['1'] });
  });
});
