/** Delivery by processes that each die after some call, to a Meta in trouble: the soak in small, with its own clock. */
import type { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDelivery } from '../../functions/relay/capi-deliver/deliver.ts';
import { parseEnvelope } from '../../shared/contracts/topics.ts';
import { DeadLetterStore } from '../../shared/gcp/dead-letter-store.ts';
import { createDeliveryLedger } from '../../shared/gcp/delivery-ledger.ts';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { createRelayBreaker } from '../../shared/gcp/relay-breaker.ts';
import { AccessToken } from '../../shared/meta/access-token.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { startEmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';
import { GraphCaller } from '../simulator/graph-caller.ts';
import { seed } from '../simulator/seed.ts';
import { startSimulator } from '../simulator/server.ts';
import type { Simulator } from '../simulator/server.ts';
import { seededRandom } from '../random.ts';
import { makeTraffic, poisonReason } from '../soak/traffic.ts';
import { startTroubledMeta } from '../soak/troubled-meta.ts';
import type { TroubledMeta } from '../soak/troubled-meta.ts';
import { judge } from '../soak/verdict.ts';
import { CrashDispatcher } from './crash-dispatcher.ts';

let firestore: EmbeddedFirestore;
let simulator: Simulator;
let meta: TroubledMeta;
let db: Firestore;
let nowMs = Date.parse('2026-11-23T12:00:00Z');
const now = (): Date => new Date(nowMs);
const log = createLogger({ level: 'silent', functionName: 'capi-deliver' });

beforeAll(async () => {
  firestore = await startEmbeddedFirestore({ projectId: 'kobi-crash' });
  simulator = await startSimulator({ now });
  meta = await startTroubledMeta(simulator.url, () => nowMs);
  process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host;
  db = connectFirestore('kobi-crash');
});
afterAll(async () => {
  await db.terminate();
  await Promise.all([firestore.close(), meta.close()]);
  await simulator.close();
});

/** One instance that is dead from its n-th call to Meta on: Meta did what it was asked, nobody hears of it. */
function startInstance(token: string, diesAfterCalls: number, bringBack: (json: string, at: Date) => void) {
  const death = Promise.withResolvers<'dead'>();
  const dispatcher = new CrashDispatcher({ onCall: () => undefined, onCrash: () => death.resolve('dead') });
  dispatcher.crashAfter = diesAfterCalls;
  const graph = createGraphClient({
    baseUrl: meta.url,
    appSecret: async () => seed.appSecret,
    now: () => nowMs,
    dispatcher,
    sleep: async () => undefined,
    random: () => 0,
  });
  const deliver = createDelivery({
    graph,
    senderOf: async () => new AccessToken('child', token),
    deadLetters: new DeadLetterStore(db, now),
    ledger: createDeliveryLedger(db, { now }),
    breaker: createRelayBreaker(db, { now }),
    counters: { count: () => undefined, latency: () => undefined, flushIfDue: () => undefined },
    bringBack: async (envelope, at) => bringBack(JSON.stringify(envelope), at),
    partnerAgent: 'kobi_1_0',
    log,
    now,
    schedule: (run) => void setImmediate(run),
  });
  const handle = async (json: string): Promise<string> => {
    const parsed = parseEnvelope('capi-events', JSON.parse(json));
    if (!parsed.ok) throw new Error(parsed.problems.join('; '));
    const { envelope } = parsed;
    return Promise.race([deliver(envelope, log).then(({ kind }) => kind), death.promise]);
  };
  return { handle, close: () => dispatcher.destroy() };
}

test('with processes that die at any call and a Meta that fails, loses answers and throttles, each good event reaches Meta once, or again only where the ledger is uncertain', async () => {
  const caller = new GraphCaller(simulator.url);
  const child = await caller.newChild(await caller.logIn());
  const datasetId = await caller.newPixel(child, await caller.newAdAccount(child));
  const random = seededRandom(7);
  const traffic = makeTraffic({ tenantId: 'acme', datasetId }, { events: 1_000, poisonEvery: 250, random, nowMs });
  meta.begin({ errorShare: 0.05, lostShare: 0.05, random: seededRandom(8) });

  const queue = [...traffic.messages];
  const tasks: { readonly json: string; readonly at: Date }[] = [];
  let deaths = 0;
  for (let round = 0; queue.length + tasks.length > 0; round += 1) {
    expect(round).toBeLessThan(400);
    if (queue.length === 0) nowMs = Math.max(nowMs, Math.min(...tasks.map(({ at }) => at.getTime())));
    for (const task of tasks.splice(0)) {
      if (task.at.getTime() <= nowMs) queue.push(task.json);
      else tasks.push(task);
    }
    if (round >= 4 && meta.counts.throttled === 0) meta.throttleFor(15_000);
    const instance = startInstance(child.token, 1 + Math.floor(random() * 20), (json, at) => tasks.push({ json, at }));
    const delivered = queue.splice(0, 12);
    const ends = await Promise.all(delivered.map((json) => instance.handle(json)));
    if (ends.includes('dead')) deaths += 1;
    queue.push(...delivered.filter((_json, index) => ends[index] === 'dead'));
    await instance.close();
  }

  const accepted = simulator.context.events.retained(datasetId);
  const verdict = judge(datasetId, traffic, accepted, firestore.dump(), poisonReason);
  expect(verdict.violations).toEqual([]);
  expect(deaths).toBeGreaterThan(2);
  expect(Object.entries(meta.counts).filter(([, count]) => count === 0)).toEqual([]);
  expect(verdict).toMatchObject({ good: 996, poison: 4, deadLetters: 4 });
}, 120_000);
