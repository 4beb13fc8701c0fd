/**
 * `npm run bench:catalog -- --items N --format csv|xml|jsonl`: a catalog of a million items of which a few have changed.
 * Only those are sent, in bounded memory and processor time, and a worker that is killed in the middle of sending is
 * taken over without anything being sent twice.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { feedFormats } from '../../shared/contracts/catalog-documents.ts';
import { paths } from '../../shared/contracts/documents.ts';
import { newCatalog } from '../../shared/gcp/catalog-store.ts';
import { acceptedTable, benchItem, writeFeed } from './bench-feed.ts';
import type { WorkerNews, WorkerOrder } from './bench-worker.ts';
import { startCatalogWorld, traceparent } from './catalog-world.ts';

const bars = { cpuMs: 120_000, maxRssMiB: 512 };

const { values } = parseArgs({
  options: { items: { type: 'string', default: '1000000' }, format: { type: 'string', default: 'csv' } },
});
const total = v.parse(v.pipe(v.string(), v.digits(), v.transform(Number), v.minValue(1_000)), values.items);
const format = v.parse(v.picklist(feedFormats), values.format);
const changedEvery = 100;
const removedEvery = 1_000;
const added = Math.ceil(total / 500);

function* before(): Generator<ReturnType<typeof benchItem>> {
  for (let n = 1; n <= total; n += 1) yield benchItem(n, 0);
}
function* after(): Generator<ReturnType<typeof benchItem>> {
  // Another order than the one Meta was told in.
  for (let n = total + added; n >= 1; n -= 1) {
    if (n <= total && n % removedEvery === 7) continue;
    yield benchItem(n, n <= total && n % changedEvery === 3 ? 1 : 0);
  }
}
const idOf = (n: number): string => benchItem(n, 0).get('id') ?? '';

const world = await startCatalogWorld({
  // Meta's side is not what is measured.
  switches: { catalog_batch_seconds: 0, catalog_batch_calls_per_minute: 100_000 },
});
const { clock } = world.meta.simulator.context;
clock.set(Date.now());
const path = join(tmpdir(), `kobi-catalog-bench-${process.pid}.${format}`);
const wrong: string[] = [];
try {
  const sha256 = await writeFeed(path, format, after());
  await world.services.items.save(world.tenantId, 1, acceptedTable(before(), total), async () => undefined);
  await world.db.doc(paths.catalog(world.tenantId)).set({ ...newCatalog(world.tenantId), generation: 1, items: total });

  const { catalogId } = await world.services.openCatalog(world.tenantId).then((opened) => opened);
  const order: WorkerOrder = {
    projectId: 'kobi-catalog',
    graphUrl: world.meta.simulator.url,
    secrets: Object.fromEntries(world.meta.secrets),
    catalogId,
    datasetId: (await world.services.openCatalog(world.tenantId)).datasetId,
    envelope: {
      eventId: 'bench',
      type: 'feed-updated',
      version: 1,
      tenantId: world.tenantId,
      at: new Date().toISOString(),
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
  const catalog = world.atMeta();
  const startedMs = performance.now();
  const first = await runWorker(order, () => catalog.batches.size >= 2);
  const sentByFirst = catalog.batches.size;
  /** Killed between Meta's answer and its own write, a worker cannot know of it: that batch, and no other, comes twice. */
  const inFlight = [...catalog.batches.values()].at(-1)?.size ?? 0;
  const second = await runWorker(order, () => false);
  const seconds = Math.round((performance.now() - startedMs) / 1_000);

  if (first.outcome !== null) wrong.push(`the first worker was not killed: ${first.outcome}`);
  if (second.outcome !== 'done') wrong.push(`the second worker ended ${second.outcome ?? 'without a word'}`);
  const expected = new Set<string>();
  const removed = new Set<string>();
  for (let n = 1; n <= total + added; n += 1) {
    if (n <= total && n % removedEvery === 7) removed.add(idOf(n));
    else if (n > total || n % changedEvery === 3) expected.add(idOf(n));
  }
  const batches = [...catalog.batches.values()];
  const sent = batches.reduce((sum, { size }) => sum + size, 0);
  const deleted = new Set(batches.flatMap(({ warnings }) => warnings.map(({ id }) => id)));
  const changes = expected.size + removed.size;
  const again = sent - changes;
  if (again < 0 || again > inFlight)
    wrong.push(`${sent} requests were sent for ${changes} changes, ${inFlight} in flight`);
  if (catalog.items.size !== expected.size || [...expected].some((id) => !catalog.items.has(id)))
    wrong.push('other items were sent than changed');
  if (deleted.size !== removed.size || [...removed].some((id) => !deleted.has(id)))
    wrong.push('other items were deleted than are gone');
  const { history, items } = await world.document();
  if (items !== total + added - removed.size)
    wrong.push(`${items} items are remembered, not ${total + added - removed.size}`);
  if (history[0]?.counts.accepted !== changes)
    wrong.push(`${history[0]?.counts.accepted ?? 0} of ${changes} requests count as accepted`);
  const cpuMs = first.cpuMs + second.cpuMs;
  const maxRssMiB = Math.max(first.maxRssMiB, second.maxRssMiB);
  if (total >= 1_000_000 && cpuMs > bars.cpuMs) wrong.push(`${cpuMs} ms of processor time, more than ${bars.cpuMs}`);
  if (maxRssMiB > bars.maxRssMiB) wrong.push(`${maxRssMiB} MiB, more than ${bars.maxRssMiB}`);
  for (const each of wrong) process.stdout.write(`  ${each}\n`);
  process.stdout.write(
    `bench:catalog: ${total} items as ${format}; ${expected.size} changed or new and ${removed.size} gone, ${sent} requests in ` +
      `${batches.length} batches, ${sentByFirst} of them before the kill, ${again} of the one in flight again; ${cpuMs / 1_000} s of processor time ` +
      `(bar ${bars.cpuMs / 1_000}), ${maxRssMiB} MiB (bar ${bars.maxRssMiB}), ${seconds} s with the wait for the dead one's lease; ` +
      `${wrong.length} violations\n`,
  );
} finally {
  await rm(path, { force: true });
  await world.close();
}
process.exitCode = wrong.length === 0 ? 0 : 1;

/** Runs a worker to its end, or kills it as soon as `isToDie` says so. */
async function runWorker(order: WorkerOrder, isToDie: () => boolean): Promise<WorkerNews> {
  const child = fork(new URL('bench-worker.ts', import.meta.url));
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
