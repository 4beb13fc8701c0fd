import type { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { startEmbeddedFirestore } from '../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../test/local/google/firestore/embedded-firestore.ts';
import { GrpcCode } from '../../test/local/google/grpc-service.ts';
import { readContentIdsSeen } from './content-ids-seen.ts';
import { connectFirestore } from './firestore.ts';
import { createRelayCounters, latencyBucket, maxNamesPerHour } from './relay-counters.ts';
import { readRelayNumbers } from './relay-numbers.ts';
import type { RelayCounters } from './relay-counters.ts';

let firestore: EmbeddedFirestore;
let db: Firestore;
let nowMs: number;
const start = Date.parse('2026-11-23T20:00:00Z');
const seconds = (n: number): number => n * 1_000;

beforeAll(async () => {
  firestore = await startEmbeddedFirestore({ projectId: 'kobi-test' });
  vi.stubEnv('FIRESTORE_EMULATOR_HOST', firestore.host);
  db = connectFirestore('kobi-test');
});
afterAll(async () => {
  await db.terminate();
  await firestore.close();
});
beforeEach(() => {
  firestore.clear();
  nowMs = start;
});

function counters(
  instance = 'a',
  more: Pick<Parameters<typeof createRelayCounters>[0], 'onFlushFailure' | 'onFlush'> = {},
): RelayCounters {
  return createRelayCounters({ db, now: () => new Date(nowMs), instance, ...more });
}

async function totals(tenantId = 'acme', fromMs = start, toMs = start + 24 * 3_600_000): Promise<unknown> {
  return (await readRelayNumbers(db, tenantId, new Date(fromMs), new Date(toMs))).total;
}

describe('numbers', () => {
  it('are told once each, with what was counted since the write before, over all tenants and names', async () => {
    const told: unknown[] = [];
    const a = counters('a', { onFlush: (counted) => void told.push(counted) });
    a.count('acme', 'Purchase', 'received', 3);
    a.count('acme', 'Lead', 'refused:too_old');
    a.count('other-tenant', 'Purchase', 'refused:no_value', 2);
    a.latency('acme', 'Purchase', 900);
    await a.flush();
    a.count('acme', 'Purchase', 'received');
    a.count('acme', 'Purchase', 'dead:expired', 2);
    await a.flush();
    await a.flush();
    expect(told).toEqual([
      { received: 3, refused: 3 },
      { received: 1, dead: 2 },
    ]);
  });

  it('sum up over instances, hours, names and verdicts, each tenant by itself', async () => {
    const [a, b] = [counters('a'), counters('b')];
    a.count('acme', 'Purchase', 'received', 3);
    b.count('acme', 'Purchase', 'received');
    b.count('acme', 'Purchase', 'refused:too_old');
    b.count('other-tenant', 'Purchase', 'received', 100);
    nowMs += 3_600_000;
    a.count('acme', 'Lead', 'delivered', 2);
    a.latency('acme', 'Lead', 900, 2);
    await Promise.all([a.flush(), b.flush()]);
    expect(await readRelayNumbers(db, 'acme', new Date(start), new Date(nowMs + 1))).toEqual({
      total: { Purchase: { received: 4, 'refused:too_old': 1 }, Lead: { delivered: 2, 'latency:le:1000': 2 } },
      hours: [
        { hour: '2026-11-23T20', counts: { Purchase: { received: 4, 'refused:too_old': 1 } } },
        { hour: '2026-11-23T21', counts: { Lead: { delivered: 2, 'latency:le:1000': 2 } } },
      ],
    });
    expect(await totals('acme', start, start + 3_600_000)).toEqual({ Purchase: { received: 4, 'refused:too_old': 1 } });
  });

  it('are exact when a write is applied and its answer is lost', async () => {
    const a = counters();
    a.count('acme', 'Purchase', 'received', 5);
    firestore.faults.next({ method: 'commit', code: GrpcCode.DEADLINE_EXCEEDED, applied: true });
    await expect(a.flush()).rejects.toMatchObject({ code: GrpcCode.DEADLINE_EXCEEDED });
    a.count('acme', 'Purchase', 'received', 2);
    await a.flush();
    expect(await totals()).toEqual({ Purchase: { received: 7 } });
  });

  it('counted while they are being written are in the next write', async () => {
    const a = counters();
    a.count('acme', 'Purchase', 'received');
    const writing = a.flush();
    a.count('acme', 'Purchase', 'received');
    await writing;
    expect(await totals()).toEqual({ Purchase: { received: 1 } });
    await a.flush();
    expect(await totals()).toEqual({ Purchase: { received: 2 } });
  });

  it.each(['constructor', '__proto__', 'a.b`c', '', 'x'.repeat(500)])('take the event name %j', async (name) => {
    const a = counters();
    a.count('acme', name, 'received');
    await a.flush();
    const sums = (await totals()) as Record<string, unknown>;
    expect(Object.entries(sums)).toEqual([[name === '' ? 'other' : name.slice(0, 60), { received: 1 }]]);
  });
});

describe('content ids', () => {
  it('a few of each hour and process are kept, the first that come, and read back once each', async () => {
    const [a, b] = [counters('a'), counters('b')];
    a.sampleContentIds('acme', ['SKU-1', 2, 'SKU-1', '', null, { id: 1 }, 'x'.repeat(101)], 'product');
    a.sampleContentIds('acme', ['SKU-1'], 'product_group');
    b.sampleContentIds('acme', ['SKU-1', ...Array.from({ length: 50 }, (_, index) => `B-${index}`)], 'hotel');
    a.count('acme', 'ViewContent', 'received');
    b.count('acme', 'ViewContent', 'received');
    a.count('other-tenant', 'ViewContent', 'received');
    await Promise.all([a.flush(), b.flush()]);
    const seen = await readContentIdsSeen(db, 'acme', new Date(nowMs));
    expect(seen?.filter(({ id }) => !id.startsWith('B-'))).toEqual(
      expect.arrayContaining([
        { id: 'SKU-1', type: 'product' },
        { id: '2', type: 'product' },
        { id: 'SKU-1', type: 'product_group' },
        { id: 'SKU-1', type: null },
      ]),
    );
    expect(seen).toHaveLength(23);
    expect(await readContentIdsSeen(db, 'other-tenant', new Date(nowMs))).toBeUndefined();
    expect(await readContentIdsSeen(db, 'acme', new Date(nowMs + 49 * 3_600_000))).toBeUndefined();
  });
});

describe('when numbers are written', () => {
  it('an hour’s first after 30 seconds, then a busy tenant’s every 30 seconds and a quiet one’s every 5 minutes', async () => {
    const a = counters();
    const written = async (): Promise<unknown> => {
      await a.flushIfDue();
      return [await totals('busy'), await totals('quiet')];
    };
    const both = (busy: number, quiet: number): unknown => [
      { Purchase: { received: busy } },
      { Purchase: { received: quiet } },
    ];
    a.count('busy', 'Purchase', 'received', 1);
    a.count('quiet', 'Purchase', 'received', 1);
    expect(a.flushIfDue()).toBeUndefined();
    nowMs += seconds(30);
    expect(await written()).toEqual(both(1, 1));
    a.count('busy', 'Purchase', 'received', 100);
    a.count('quiet', 'Purchase', 'received', 99);
    nowMs += seconds(29);
    expect(await written()).toEqual(both(1, 1));
    nowMs += seconds(1);
    expect(await written()).toEqual(both(101, 1));
    nowMs += seconds(269);
    expect(a.flushIfDue()).toBeUndefined();
    nowMs += seconds(1);
    expect(await written()).toEqual(both(101, 100));
    nowMs += seconds(600);
    expect(a.flushIfDue()).toBeUndefined();
  });

  it('those of an hour that is over at the next request', async () => {
    const a = counters();
    nowMs = start + 3_599_000;
    a.count('acme', 'Purchase', 'received');
    nowMs += 2_000;
    a.count('acme', 'Purchase', 'received');
    await a.flushIfDue();
    expect(Object.keys(firestore.dump())).toEqual(['tenants/acme/relayCounters/2026-11-23T20_a']);
  });

  it('a request is never failed by them: they stay in memory and are written later', async () => {
    const failures: unknown[] = [];
    const a = counters('a', { onFlushFailure: (error) => failures.push(error) });
    a.count('acme', 'Purchase', 'received', 100);
    nowMs += seconds(30);
    firestore.faults.next({ method: 'commit', code: GrpcCode.PERMISSION_DENIED });
    await a.flushIfDue();
    expect([failures.length, firestore.dump()]).toEqual([1, {}]);
    nowMs += seconds(31);
    await a.flushIfDue();
    expect(await totals()).toEqual({ Purchase: { received: 100 } });
  });
});

describe('memory', () => {
  it('a tenant that invents names has 50 of them an hour; the rest are counted as other', async () => {
    const a = counters();
    for (let index = 0; index < 10_000; index += 1) a.count('acme', `Event${index}`, 'received');
    await a.flush();
    const sums = (await totals()) as Record<string, { received: number }>;
    expect(Object.keys(sums)).toHaveLength(maxNamesPerHour + 1);
    expect(sums['other']?.received).toBe(10_000 - maxNamesPerHour);
  });

  it('when full everything is written and put away, and no number is lost or overwritten', async () => {
    const a = counters();
    const round = (): void => {
      for (let tenant = 0; tenant < 250; tenant += 1) {
        for (let name = 0; name < 50; name += 1) {
          for (let code = 0; code < 10; code += 1) a.count(`t${tenant}`, `E${name}`, `refused:${code}`);
        }
      }
    };
    round();
    await a.flushIfDue();
    nowMs += seconds(2);
    a.count('t0', 'E0', 'refused:0');
    await a.flush();
    const sums = (await totals('t0')) as Record<string, Record<string, number>>;
    expect(sums['E0']?.['refused:0']).toBe(2);
    const all = Object.values(sums).flatMap((verdicts) => Object.values(verdicts));
    expect(all.reduce((sum, n) => sum + n, 0)).toBe(501);
  });
});

test.each([
  [0, 'le:250'],
  [250, 'le:250'],
  [251, 'le:500'],
  [3_600_000, 'le:3600000'],
  [3_600_001, 'gt:3600000'],
])('%d ms are in the bucket %s', (ms, bucket) => expect(latencyBucket(ms)).toBe(bucket));

/** A tenth of a day at a million events a day on one instance, each tenant with an equal share. */
test.each([
  [1, 2_900],
  [10, 11_000],
  [100, 33_000],
])('a million events of %d tenants cost at most %d writes per counting function', async (tenants, atMost) => {
  let writes = 0;
  const counting = {
    batch: () => ({ set: () => void (writes += 1), commit: async () => undefined }),
    doc: (path: string) => path,
  } as unknown as Firestore;
  const a = createRelayCounters({ db: counting, now: () => new Date(nowMs), instance: 'a' });
  for (let event = 0; event < 100_000; event += 1) {
    nowMs = start + event * 86.4;
    a.count(`t${event % tenants}`, 'Purchase', 'received');
    const due = a.flushIfDue();
    if (due !== undefined) await due;
  }
  await a.flush();
  expect(writes * 10).toBeLessThanOrEqual(atMost);
});
