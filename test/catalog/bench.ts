/**
 * `npm run bench:catalog -- --items N --format csv|xml|jsonl`: a catalog of a million items, first sent whole and then with a
 * few changes. Both in bounded memory and processor time, and in both the worker is killed in the middle of sending: the next
 * goes on without sending again what was accepted.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import manifest from '../../functions/catalog/catalog-sync/function.json' with { type: 'json' };
import { feedFormats } from '../../shared/contracts/catalog-documents.ts';
import { catalogLeaseMs } from '../../shared/gcp/catalog-store.ts';
import { maxItemsPerBatch } from '../../shared/meta/catalog-items.ts';
import type { ItemsBatch } from '../simulator/world.ts';
import { benchItem, writeFeed } from './bench-feed.ts';
import type { WorkerNews, WorkerOrder } from './bench-worker.ts';
import { startCatalogWorld, traceparent } from './catalog-world.ts';

/** Of a million items; the changes' are operations.md D-6, nobody sets one for the first sync. */
const bars = { firstCpuMs: 300_000, changesCpuMs: 120_000, maxRssMiB: 512 };

const { values } = parseArgs({
  options: { items: { type: 'string', default: '1000000' }, format: { type: 'string', default: 'csv' } },
});
const total = v.parse(v.pipe(v.string(), v.digits(), v.transform(Number), v.minValue(1_000)), values.items);
const format = v.parse(v.picklist(feedFormats), values.format);
/** What Node takes for its heap in a container of this function's memory. */
const heapMiB = manifest.memoryMiB / 2;
const changedEvery = 100;
const removedEvery = 1_000;
const added = Math.ceil(total / 500);
/** Batches enough to be killed among, also in a small run. */
const perBatch = Math.min(maxItemsPerBatch, Math.ceil(total / 300));

type Items = Generator<ReturnType<typeof benchItem>>;
function* before(): Items {
  for (let n = 1; n <= total; n += 1) yield benchItem(n, 0);
}
function* after(): Items {
  // Another order than the one Meta was told in.
  for (let n = total + added; n >= 1; n -= 1) {
    if (n <= total && n % removedEvery === 7) continue;
    yield benchItem(n, n <= total && n % changedEvery === 3 ? 1 : 0);
  }
}
const idOf = (n: number): string => benchItem(n, 0).get('id') ?? '';

const world = await startCatalogWorld({
  otherProcesses: true,
  // Meta's side is not what is measured.
  switches: { catalog_batch_seconds: 0, catalog_batch_calls_per_minute: 100_000 },
});
const { clock } = world.meta.simulator.context;
clock.set(Date.now());
const catalog = world.atMeta();
const { catalogId, datasetId } = await world.services.openCatalog(world.tenantId);
const wrong: string[] = [];
let clockAheadMs = 0;
try {
  const first = await sync('first', before(), () => Math.floor(total / perBatch / 2));
  if (first.sent < total || first.sent - total > first.inFlight)
    wrong.push(`first: ${first.sent} requests for ${total} items, ${first.inFlight} in flight at the kill`);
  if (catalog.items.size !== total) wrong.push(`first: ${catalog.items.size} items at Meta, not ${total}`);
  await remembers('first', total, total);
  tell('first', first, total, bars.firstCpuMs);

  const changed: string[] = [];
  const removed: string[] = [];
  for (let n = 1; n <= total + added; n += 1) {
    if (n <= total && n % removedEvery === 7) removed.push(idOf(n));
    else if (n > total || n % changedEvery === 3) changed.push(idOf(n));
  }
  const changes = changed.length + removed.length;
  const second = await sync('changes', after(), () => 2);
  if (second.sent < changes || second.sent - changes > second.inFlight)
    wrong.push(`changes: ${second.sent} requests for ${changes} changes, ${second.inFlight} in flight at the kill`);
  for (const id of removed)
    if (catalog.items.has(id)) wrong.push(`changes: ${id} is gone from the feed, not from Meta`);
  for (const id of changed) if (!second.ids.has(id)) wrong.push(`changes: ${id} was not sent`);
  if (second.ids.size !== changes) wrong.push(`changes: ${second.ids.size} items were sent, ${changes} changed`);
  await remembers('changes', total + added - removed.length, changes);
  tell('changes', second, changes, bars.changesCpuMs);
} finally {
  await world.close();
}
for (const each of wrong.slice(0, 20)) process.stdout.write(`  ${each}\n`);
process.stdout.write(`bench:catalog: ${wrong.length} violations\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;

interface Run {
  /** Requests Meta was sent, those twice counted twice. */
  readonly sent: number;
  /** Only filled while few are sent. */
  readonly ids: ReadonlySet<string>;
  readonly batches: number;
  readonly batchesAtKill: number;
  /** Killed between Meta's answer and its own write, a worker cannot know of it: that batch, and no other, comes twice. */
  readonly inFlight: number;
  readonly cpuMs: number;
  readonly maxRssMiB: number;
  readonly seconds: number;
}

/** Announces a feed to a worker that dies once `killAfter` batches are at Meta, and to one that goes on when its lease ended. */
async function sync(name: string, items: Items, killAfter: () => number): Promise<Run> {
  const path = join(tmpdir(), `kobi-catalog-bench-${process.pid}-${name}.${format}`);
  try {
    const ids = new Set<string>();
    const sent: ItemsBatch[] = [];
    catalog.batches = watched((batch) => {
      sent.push(batch);
      if (name === 'changes') for (const { data } of batch.requests) ids.add(String(data['id']));
    });
    const sha256 = await writeFeed(path, format, items);
    clock.set(Date.now() + clockAheadMs);
    const order: WorkerOrder = {
      projectId: 'kobi-catalog',
      graphUrl: world.meta.simulator.url,
      secrets: Object.fromEntries(world.meta.secrets),
      catalogId,
      datasetId,
      clockAheadMs,
      maxItemsPerBatch: perBatch,
      envelope: {
        eventId: `bench-${name}`,
        type: 'feed-updated',
        version: 1,
        tenantId: world.tenantId,
        at: new Date(Date.now() + clockAheadMs).toISOString(),
        traceparent,
        data: {
          source: { kind: 'object', bucket: 'bench', object: path },
          format,
          sha256,
          intervalHours: 24,
          cause: 'updated',
        },
      },
    };
    const startedMs = performance.now();
    const killed = await runWorker(order, () => sent.length >= killAfter());
    const [batchesAtKill, inFlight] = [sent.length, sent.at(-1)?.size ?? 0];
    // The next finds the dead one's lease over.
    clockAheadMs += catalogLeaseMs + 1_000;
    clock.set(Date.now() + clockAheadMs);
    const ended = await runWorker({ ...order, clockAheadMs }, () => false);
    if (killed.outcome !== null) wrong.push(`${name}: the first worker was not killed: ${killed.outcome}`);
    if (ended.outcome !== 'done') wrong.push(`${name}: the second worker ended ${ended.outcome ?? 'without a word'}`);
    return {
      sent: sent.reduce((sum, { size }) => sum + size, 0),
      ids,
      batches: sent.length,
      batchesAtKill,
      inFlight,
      cpuMs: killed.cpuMs + ended.cpuMs,
      maxRssMiB: Math.max(killed.maxRssMiB, ended.maxRssMiB),
      seconds: Math.round((performance.now() - startedMs) / 1_000),
    };
  } finally {
    await rm(path, { force: true });
  }
}

/** Runs a worker to its end, or kills it as soon as `isToDie` says so. */
async function runWorker(order: WorkerOrder, isToDie: () => boolean): Promise<WorkerNews> {
  const child = fork(new URL('bench-worker.ts', import.meta.url), { execArgv: [`--max-old-space-size=${heapMiB}`] });
  let news: WorkerNews = { cpuMs: 0, maxRssMiB: 0, outcome: null };
  child.on('message', (told: WorkerNews) => void (news = told));
  const isOver = once(child, 'exit');
  child.send(order);
  while (child.exitCode === null && child.signalCode === null) {
    if (isToDie()) child.kill('SIGKILL');
    await Promise.race([isOver, delay(5)]);
  }
  return news;
}

async function remembers(name: string, items: number, accepted: number): Promise<void> {
  const document = await world.document();
  if (document.items !== items) wrong.push(`${name}: ${document.items} items are remembered, not ${items}`);
  const counted = document.history[0]?.counts.accepted ?? 0;
  if (counted !== accepted) wrong.push(`${name}: ${counted} of ${accepted} requests count as accepted`);
}

function tell(name: string, run: Run, wanted: number, cpuBarMs: number): void {
  const { batches, batchesAtKill, cpuMs, maxRssMiB, seconds, sent } = run;
  if (total >= 1_000_000 && cpuMs > cpuBarMs)
    wrong.push(`${name}: ${cpuMs} ms of processor time, more than ${cpuBarMs}`);
  if (maxRssMiB > bars.maxRssMiB) wrong.push(`${name}: ${maxRssMiB} MiB, more than ${bars.maxRssMiB}`);
  process.stdout.write(
    `bench:catalog ${name}: ${total} items as ${format}, ${wanted} to send, ${sent} sent in ${batches} batches, ` +
      `${batchesAtKill} of them before the kill, ${sent - wanted} again; ${cpuMs / 1_000} s of processor time ` +
      `(bar ${cpuBarMs / 1_000}), ${maxRssMiB} MiB (bar ${bars.maxRssMiB}), ${seconds} s\n`,
  );
}

/** The batches at Meta; each is shown as it arrives. */
function watched(show: (batch: ItemsBatch) => void): Map<string, ItemsBatch> {
  const batches = new Map<string, ItemsBatch>();
  const set = batches.set.bind(batches);
  batches.set = (handle, batch) => {
    show(batch);
    return set(handle, batch);
  };
  return batches;
}
