/**
 * What delivering events costs in calls to Meta, Firestore operations and Pub/Sub bytes, counted on the real delivery and
 * its real ledger over the embedded Firestore, and what Google's list prices make of it.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { createDelivery } from '../../functions/relay/capi-deliver/deliver.ts';
import { eventsMessage } from '../../functions/relay/events-message.ts';
import { parseEnvelope } from '../../shared/contracts/topics.ts';
import { judgeServerEvent } from '../../shared/domain/server-event/judge.ts';
import { createDeliveryLedger } from '../../shared/gcp/delivery-ledger.ts';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { createRelayBreaker } from '../../shared/gcp/relay-breaker.ts';
import { AccessToken } from '../../shared/meta/access-token.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { startEmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';
import { purchase } from './relay-events.ts';

/** US dollars, Google's public list prices of November 2026: Firestore multi-region, Pub/Sub per TiB in and out. */
const prices = { readsPerMillion: 0.6, writesPerMillion: 1.8, pubsubPerTib: 40 };
const events = 20_000;
const datasetId = '1234567890123456';

interface Counted {
  readonly calls: number;
  readonly reads: number;
  readonly writes: number;
  readonly bytes: number;
}

/** Queued events of one dataset, in messages of this many, as many at a time as one instance takes. */
async function deliverAll(eventsPerMessage: number): Promise<Counted> {
  const firestore = await startEmbeddedFirestore({ projectId: 'kobi-bench' });
  process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host;
  const db = connectFirestore('kobi-bench');
  let calls = 0;
  const meta = createServer((request, response) => {
    calls += 1;
    const answer = async (): Promise<void> => {
      const { data } = (await json(request)) as { data: unknown[] };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ events_received: data.length, messages: [], fbtrace_id: 'A' }));
    };
    void answer();
  });
  await new Promise<void>((resolve) => meta.listen(0, '127.0.0.1', resolve));
  const now = (): Date => new Date();
  const counted = { read: 0, write: 0, delete: 0 };
  const graph = createGraphClient({
    baseUrl: `http://127.0.0.1:${(meta.address() as AddressInfo).port}`,
    now: () => Date.now(),
  });
  const deliver = createDelivery({
    graph,
    senderOf: async () => new AccessToken('child', 'token'),
    ledger: createDeliveryLedger(db, { now, onOperations: (kind, count) => void (counted[kind] += count) }),
    breaker: createRelayBreaker(db, { now }),
    counters: { count: () => undefined, latency: () => undefined, flushIfDue: () => undefined },
    deadLetters: { record: () => Promise.reject(new Error('no event here is bad')) },
    bringBack: () => Promise.reject(new Error('no event here comes back')),
    partnerAgent: 'kobi_1_0',
    log: createLogger({ level: 'silent', functionName: 'bench' }),
    now,
    schedule: (run, delayMs) => void delay(delayMs).then(run),
  });
  const messages = queued(eventsPerMessage);
  const bytes = messages.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const log = createLogger({ level: 'silent', functionName: 'bench' });
  for (let from = 0; from < messages.length; from += 1_000) {
    await Promise.all(
      messages.slice(from, from + 1_000).map((text) => {
        const parsed = parseEnvelope('capi-events', JSON.parse(text));
        if (!parsed.ok) throw new Error(parsed.problems.join());
        return deliver(parsed.envelope, log);
      }),
    );
  }
  await graph.close();
  meta.closeAllConnections();
  await new Promise((resolve) => meta.close(resolve));
  await db.terminate();
  await firestore.close();
  return { calls, reads: counted.read, writes: counted.write + counted.delete, bytes };
}

/** The messages capi-relay would have queued for shop purchases with every identifier. */
function queued(eventsPerMessage: number): string[] {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const head = {
    tenantId: 'acme',
    datasetId,
    testEventCode: undefined,
    at: new Date().toISOString(),
    traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
  };
  return Array.from({ length: events / eventsPerMessage }, (_message, message) => {
    const judged = Array.from({ length: eventsPerMessage }, (_event, index) => {
      const verdict = judgeServerEvent(purchase(message * eventsPerMessage + index, nowSeconds), {
        nowSeconds,
        country: 'TR',
        eventIdSeed: datasetId,
      });
      if (verdict.verdict !== 'accepted') throw new Error('the bench event is not a good one');
      return { ...verdict.event };
    });
    return eventsMessage(head, judged).json;
  });
}

export async function run(): Promise<{ name: string; ratio: number; bar?: number }[]> {
  const results: { name: string; ratio: number; bar?: number }[] = [];
  for (const eventsPerMessage of [100, 10]) {
    const { calls, reads, writes, bytes } = await deliverAll(eventsPerMessage);
    const perMillion = 1_000_000 / events;
    const [readsM, writesM, bytesM] = [reads * perMillion, writes * perMillion, bytes * perMillion];
    const dollars =
      (readsM * prices.readsPerMillion + writesM * prices.writesPerMillion) / 1_000_000 +
      (2 * bytesM * prices.pubsubPerTib) / 2 ** 40;
    console.log(
      `  messages of ${eventsPerMessage}: ${(calls * 100_000) / events} Graph calls per 100,000 events; per million ` +
        `${readsM.toFixed(0)} Firestore reads, ${writesM.toFixed(0)} writes, ${(bytesM / 1e6).toFixed(0)} MB through ` +
        `Pub/Sub: ${dollars.toFixed(3)} dollars`,
    );
    results.push({
      name: `of the 110 Graph calls per 100,000 events are enough, in messages of ${eventsPerMessage}`,
      ratio: 110 / ((calls * 100_000) / events),
      bar: 1,
    });
  }
  return results;
}
