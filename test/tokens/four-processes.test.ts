/** What holds between instances that share nothing but Google's services and Meta: real processes, real time. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { fanOut } from '../../functions/tokens/token-fanout/fan-out.ts';
import type { FanOutDependencies } from '../../functions/tokens/token-fanout/fan-out.ts';
import { paths } from '../../shared/contracts/documents.ts';
import { DeadLetterStore } from '../../shared/gcp/dead-letter-store.ts';
import { createRelayBreaker } from '../../shared/gcp/relay-breaker.ts';
import { SecretChanges } from '../../shared/gcp/secret-changes.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import type { Notification } from '../local/google/secret-manager/notifications.ts';
import { startProcesses } from './processes.ts';
import type { TokenChild } from './processes.ts';
import { secretId, startTokenWorld, tenantId } from './token-world.ts';
import type { TokenWorld } from './token-world.ts';
import type { Report } from './token-process.ts';

const leaseMs = 2_000;
/** What the system promises between a change of a secret and the last reader that used the old one. */
const promisedMs = 5_000;
const now = (): Date => new Date();

let world: TokenWorld;
let children: TokenChild[] = [];
let dependencies: FanOutDependencies | undefined;

/** Pub/Sub's push, without Pub/Sub. What the world's own start tells is nobody's news. */
const push = async ({ data, attributes }: Notification): Promise<void> => {
  const known = dependencies;
  if (known === undefined) return;
  await fanOut(() => known)({
    specversion: '1.0',
    id: '1',
    source: 'pubsub',
    type: 'google.cloud.pubsub.topic.v1.messagePublished',
    data: { message: { data: data.toString('base64'), attributes, messageId: '1' } },
  });
};
let pushing: Promise<void>[] = [];

beforeAll(async () => {
  world = await startTokenWorld({
    realTime: true,
    publish: (_, message) =>
      void pushing.push(new Promise<void>((resolve) => void setImmediate(resolve)).then(() => push(message))),
  });
  dependencies = {
    changes: new SecretChanges(world.db, now),
    secrets: world.open().secrets,
    breaker: createRelayBreaker(world.db, { now }),
    deadLetters: new DeadLetterStore(world.db, now),
    log: createLogger({ level: 'silent', functionName: 'token-fanout' }),
  };
});
beforeEach(() => world.reset());
afterEach(async () => {
  await Promise.all(children.map((child) => child.kill()));
  await Promise.all(pushing);
  pushing = [];
});
afterAll(() => world.close());

const isMinted = (report: Report): report is Extract<Report, { kind: 'minted' }> => report.kind === 'minted';
const readsVersion =
  (version: string | null) =>
  (report: Report): report is Extract<Report, { kind: 'reads' }> =>
    report.kind === 'reads' && report.version === version;

const start = async (count: number): Promise<void> => void (children = await startProcesses(count, world, leaseMs));

describe('500 callers in four processes', { timeout: 60_000 }, () => {
  it('make one mint, and all get its version', async () => {
    await start(4);
    for (const child of children) child.tell({ kind: 'mint', callers: 125, request: world.request(null) });
    const ended = await Promise.all(children.map((child) => child.until(isMinted)));
    expect(ended.flatMap(({ failures }) => failures)).toEqual([]);
    const versions = ended.flatMap((one) => one.versions);
    expect(versions).toHaveLength(500);
    expect(new Set(versions)).toEqual(new Set(['1']));
    expect(world.mints()).toBe(1);
  });

  it('take over from a holder that was killed, when its lease ends', async () => {
    await start(3);
    const [victim, ...heirs] = children;
    world.simulator.faults.plant({ path: 'create_child_token', latencyMs: 10_000 });
    victim?.tell({ kind: 'mint', callers: 1, request: world.request(null) });
    await vi.waitFor(() => expect(world.mints()).toBe(1), { timeout: promisedMs });
    const heldUntilMs = Date.parse((await world.record())?.lease?.until ?? '');
    await victim?.kill();
    for (const child of heirs) child.tell({ kind: 'mint', callers: 5, request: world.request(null) });
    const ended = await Promise.all(heirs.map((child) => child.until(isMinted)));
    expect(ended.flatMap(({ failures }) => failures)).toEqual([]);
    expect(new Set(ended.flatMap(({ versions }) => versions))).toEqual(new Set(['1']));
    expect(world.versions()).toHaveLength(1);
    const switchedAtMs = Date.parse((await world.record())?.verdict?.lastVerifiedAt ?? '');
    expect(switchedAtMs).toBeGreaterThanOrEqual(heldUntilMs);
    expect(switchedAtMs - heldUntilMs).toBeLessThan(promisedMs);
  });
});

describe('four readers', { timeout: 60_000 }, () => {
  /** How long it takes until all four have read that version, from now on. */
  const allRead = async (version: string | null): Promise<number> => {
    const sinceMs = Date.now();
    const reads = await Promise.all(children.map((child) => child.until(readsVersion(version))));
    expect(new Set(reads.map(({ digest }) => digest)).size).toBe(1);
    return Date.now() - sinceMs;
  };

  it('use a new version, and stop using one destroyed or disabled, within five seconds each', async () => {
    await start(4);
    const { mint, secrets } = world.open();
    await mint.mint(world.request(null));
    for (const child of children) child.tell({ kind: 'read', secretId });
    await allRead('1');

    await mint.mint(world.request('1'));
    expect(await allRead('2')).toBeLessThan(promisedMs);

    for (const child of children) child.forget();
    await secrets.destroy(secretId, '2');
    expect(await allRead('1')).toBeLessThan(promisedMs);
    expect(await world.record()).toMatchObject({ version: '1', retiring: [], wait: null });

    await secrets.disable(secretId, '1');
    expect(await allRead(null)).toBeLessThan(promisedMs);
    await Promise.all(pushing);
    const noneLeft = { verdict: null, wait: { on: 'kobi', for: 'token-version' } };
    expect(await world.record()).toMatchObject(noneLeft);
    expect((await world.db.doc(paths.relayBreaker(tenantId)).get()).exists).toBe(true);
  });
});
