import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Outbox } from '../../../shared/gcp/outbox.ts';
import { PathChange } from '../../../shared/gcp/path-change.ts';
import { ReadinessStore } from '../../../shared/gcp/readiness-store.ts';
import { RunControl } from '../../../shared/gcp/run-control.ts';
import { AccessToken } from '../../../shared/meta/access-token.ts';
import { createGraphClient } from '../../../shared/meta/graph-client.ts';
import type { GraphClient } from '../../../shared/meta/graph-client.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import type { JobReport } from '../../../shared/runtime/scheduled-function.ts';
import { startFallbackWorld } from '../../../test/faults/fallback-world.ts';
import type { FallbackWorld } from '../../../test/faults/fallback-world.ts';
import { seed } from '../../../test/simulator/seed.ts';
import { askMeta } from './ask-meta.ts';
import { checkReadiness } from './check-readiness.ts';

const once = { times: 1, reversed: false };
const minuteMs = 60_000;
let fallback: FallbackWorld;
let graph: GraphClient;
let accessTier: string | undefined;
beforeAll(async () => {
  fallback = await startFallbackWorld();
  graph = createGraphClient({
    baseUrl: fallback.simulator.url,
    appSecret: async () => seed.appSecret,
    now: () => fallback.clock.now.getTime(),
    onCall: ({ usage }) => void (accessTier = usage.find((row) => row.accessTier)?.accessTier ?? accessTier),
    sleep: async () => undefined,
  });
});
afterAll(async () => {
  await graph.close();
  await fallback.close();
});

const ask = (): ReturnType<typeof askMeta> =>
  askMeta({
    graph,
    parent: new AccessToken('parent', seed.parentSystemUserToken),
    app: new AccessToken('app', `${seed.appId}|${seed.appSecret}`),
    kobi: seed,
    accessTier: () => accessTier,
  });

/** One minute's run of the job. What it publishes stays in the outbox, where the world's sweeper finds it. */
async function check(): Promise<JobReport> {
  const { db, clock } = fallback;
  const now = (): Date => clock.now;
  const outbox = new Outbox(db, { publish: async () => {}, publishJson: async () => {}, close: async () => {} });
  const runs = { db, outbox, now, leaseMs: 150_000 };
  return checkReadiness({
    readiness: new ReadinessStore(db, now),
    askMeta: ask,
    steps: new RunControl(runs),
    pathChange: new PathChange(runs),
    pathSetting: 'auto',
    outbox: { deliver: async () => undefined },
    log: createLogger({ level: 'silent', functionName: 'readiness-check' }),
    now,
  });
}

describe('what Meta can tell', () => {
  it('is told: credit line, tier, permissions; PRE-10 never', async () => {
    await fallback.reset();
    const findings = await ask();
    expect(findings).toMatchObject({
      pre2: { state: 'ready' },
      pre8: { state: 'ready' },
      pre10: { state: 'unknown' },
      accessTier: { state: 'ready' },
      permissions: { state: 'ready' },
    });
    Object.assign(fallback.simulator.context.switches, {
      credit_line_available: false,
      ads_api_access_tier: 'development_access',
    });
    fallback.simulator.store.get('business', seed.parentBusinessId).isVerified = false;
    expect(await ask()).toMatchObject({
      pre2: { state: 'missing' },
      pre8: { state: 'missing', detail: 'Meta says: not_verified' },
      accessTier: { state: 'missing', detail: 'Meta says: development_access' },
    });
  });

  it('is unknown, not missing, while Meta does not answer', async () => {
    await fallback.reset();
    fallback.simulator.faults.plant({
      path: '/{business}/extendedcredits',
      times: 0,
      error: { code: 2, httpStatus: 500 },
    });
    expect((await ask()).pre2).toEqual({ state: 'unknown', detail: null });
  });
});

describe('readiness-check', () => {
  it('within a minute of PRE-10 takes a live tenant off the parent and wakes the one that waited for it, once', async () => {
    const world = await fallback.reset();
    await fallback.connect(world, 'on-parent', { skus: [] });
    await world.deliverAll(once);
    for (let index = 0; index < 5; index += 1) {
      await fallback.connect(world, `more-${index}`, { skus: [] });
      await world.deliverAll(once);
    }
    const { db, clock } = fallback;
    const store = new ReadinessStore(db, () => clock.now);
    const before = await check();
    expect(before).toMatchObject({ moved: 0, woken: 0 });
    await store.set({ pre10: true }, 'Meta has written so.', 'ada@kobi.example');
    clock.now = new Date(clock.now.getTime() + minuteMs);
    expect(await check()).toMatchObject({ moved: 5, woken: 1 });
    expect(await check()).toMatchObject({ moved: 0, woken: 0 });
    expect((await world.tenant('on-parent'))?.currentRunId).toBe('run-1-two-tier');
    await world.close();
  });

  it('asks Meta hourly, keeps what a person said about PRE-10, and takes PRE-2 from Meta', async () => {
    await fallback.reset();
    const { db, clock } = fallback;
    const store = new ReadinessStore(db, () => clock.now);
    await store.set({ pre2: false, pre10: true }, 'Meta has written so.', 'ada@kobi.example');
    expect(await check()).toMatchObject({ asked: 1 });
    expect(await check()).toMatchObject({ asked: 0 });
    expect(await store.read()).toMatchObject({ pre2: true, pre10: true, items: { pre10: { by: 'ada@kobi.example' } } });
    clock.now = new Date(clock.now.getTime() + 60 * minuteMs);
    expect(await check()).toMatchObject({ asked: 1 });
  });
});
