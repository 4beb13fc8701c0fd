import type { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { paths } from '../../../shared/contracts/documents.ts';
import { gaugeMessage, gauges } from '../../../shared/contracts/metrics.ts';
import type { Gauges } from '../../../shared/contracts/metrics.ts';
import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { createGaugeReader } from '../../../shared/gcp/gauge-reader.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { startEmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../../test/local/google/firestore/embedded-firestore.ts';
import { tellGauges } from './tell-gauges.ts';

let firestore: EmbeddedFirestore;
let db: Firestore;
const now = new Date('2026-11-25T12:00:00.000Z');
const secondsAgo = (seconds: number): string => new Date(now.getTime() - seconds * 1_000).toISOString();

beforeAll(async () => {
  firestore = await startEmbeddedFirestore({ projectId: 'kobi-gauges' });
  process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host;
  db = connectFirestore('kobi-gauges');
});
afterAll(async () => {
  await db.terminate();
  await firestore.close();
});
beforeEach(() => firestore.clear());

/** What the job writes to its log, and answers. */
async function told(): Promise<{ line: Record<string, unknown>; report: unknown }> {
  const lines: string[] = [];
  const destination = { write: (line: string): void => void lines.push(line) };
  const log = createLogger({ level: 'info', functionName: 'ops-metrics', destination });
  const report = await tellGauges({ readGauges: createGaugeReader(db, () => now), log });
  expect(lines).toHaveLength(1);
  return { line: JSON.parse(lines[0]!) as Record<string, unknown>, report };
}

test('every gauge is a number in one line, and zero when there is nothing', async () => {
  const { line, report } = await told();
  expect(line).toMatchObject({ message: gaugeMessage, severity: 'INFO' });
  expect(report).toEqual(Object.fromEntries(Object.keys(gauges).map((name) => [name, 0])));
  for (const name of Object.keys(gauges)) expect(line[name], name).toBe(0);
});

test('ages are those of the oldest, of what still goes on; counts are over all tenants', async () => {
  const step = (tenant: string, run: string, on: string | null): Promise<unknown> =>
    db.doc(`tenants/${tenant}/runs/${run}/steps/verify-domain`).set({ wait: on === null ? null : { on } });
  await Promise.all([
    db.doc('tenants/a/runs/1').set({ state: 'done', startedAt: secondsAgo(9_000) }),
    db.doc('tenants/a/runs/2').set({ state: 'running', startedAt: secondsAgo(300) }),
    db.doc('tenants/b/runs/1').set({ state: 'running', startedAt: secondsAgo(7_200) }),
    step('a', '1', null),
    step('a', '2', 'client'),
    step('b', '1', 'client'),
    step('c', '1', 'meta'),
    db.doc(paths.outboxMessage('new')).set({ createdAt: secondsAgo(5) }),
    db.doc(paths.outboxMessage('old')).set({ createdAt: secondsAgo(90) }),
    db.doc(paths.deadLetter('one')).set({ topic: 'capi-events' }),
    db.doc(paths.alert('a', 'emq-drop' as never)).set({ resolvedAt: null, since: secondsAgo(60) }),
    db.doc(paths.alert('b', 'emq-drop' as never)).set({ resolvedAt: secondsAgo(5), since: secondsAgo(60) }),
    db.doc(paths.token('a')).set({ verdict: { state: 'dead', lastVerifiedAt: secondsAgo(60) } }),
    db.doc(paths.token('b')).set({ verdict: { state: 'ok', lastVerifiedAt: secondsAgo(86_400) } }),
    db.doc(paths.token('c')).set({ verdict: null }),
  ]);
  const expected: Gauges = {
    oldestRunSeconds: 7_200,
    stepsWaitingOnClient: 2,
    stepsWaitingOnMeta: 1,
    stepsWaitingOnKobi: 0,
    oldestOutboxSeconds: 90,
    deadLetters: 1,
    heldEvents: 0,
    openAlerts: 1,
    deadTokens: 1,
    oldestTokenCheckSeconds: 86_400,
  };
  expect((await told()).report).toEqual(expected);
});
