import type { Firestore } from '@google-cloud/firestore';
import { contentTypes } from '../domain/catalog/content-id-form.ts';
import type { SeenContentId } from '../domain/catalog/content-id-form.ts';
import { maxContentIdChars } from '../domain/relay-policy/content-id-pattern.ts';
import { paths } from '../contracts/documents.ts';
import { countedVerdicts } from '../contracts/metrics.ts';
import type { CountedVerdict } from '../contracts/metrics.ts';
import type { RelayCounters as CountersDocument } from '../contracts/relay-documents.ts';

/**
 * What became of an event. `received` is every event of a request that was let in; each of them is then `refused`,
 * `dropped` or `held` by the relay, or queued and later `delivered`, `duplicate` or `dead`. `uncertain`, `warned`,
 * `latency` and, of delivered web events, `keys` (which identifiers they carried) are said beside one of these.
 */
export type RelayVerdict =
  | 'received'
  | 'delivered'
  | 'duplicate'
  | 'uncertain'
  | 'held'
  | `refused:${string}`
  | `dropped:${string}`
  | `warned:${string}`
  | `dead:${string}`
  | `latency:${string}`
  | `keys:${string}`;

/** Where the times from *queued* to *accepted by Meta* are told apart, in milliseconds; the last bucket has no end. */
const latencyBoundsMs = [250, 500, 1_000, 2_500, 5_000, 10_000, 60_000, 600_000, 3_600_000] as const;

/** How long an hour's numbers are kept. */
const relayCountersRetentionMs = 90 * 24 * 60 * 60_000;

export interface RelayCounters {
  /** Adds to a number in memory. Costs no promise and no I/O. */
  count(tenantId: string, eventName: string, verdict: RelayVerdict, n?: number): void;
  /** Counts one event under the bucket its time from *queued* to *accepted* falls into. */
  latency(tenantId: string, eventName: string, latencyMs: number, n?: number): void;
  /** Keeps a few content ids of each hour with their `content_type`, the first that come. Costs no promise and no I/O. */
  sampleContentIds(tenantId: string, ids: Iterable<unknown>, contentType: unknown): void;
  /**
   * Writes what has waited long enough. Await the promise before the answer is sent: Cloud Run gives an instance no
   * processor between requests. Undefined, most of the time, when nothing is due; never rejects.
   */
  flushIfDue(): Promise<void> | undefined;
  /** Writes everything not yet written; for SIGTERM. Rejects when it cannot; the numbers then stay in memory. */
  flush(): Promise<void>;
}

export interface RelayCountersOptions {
  readonly db: Firestore;
  readonly now: () => Date;
  /** Names this process; no other may have the same name. */
  readonly instance: string;
  /** A tenant's document is written no more often than this. */
  readonly minIntervalMs?: number;
  /** Fewer counts than this wait for `maxIntervalMs`, but for the first of an hour. */
  readonly fewCounts?: number;
  /** No count waits longer than this while the instance has requests. */
  readonly maxIntervalMs?: number;
  readonly onFlushFailure?: (error: unknown) => void;
  /** Told, after each write, what was counted since the one before, over all tenants written. */
  readonly onFlush?: (counted: Partial<Record<CountedVerdict, number>>) => void;
}

/** One tenant's counts of one hour, as this process knows them: the whole document. */
interface Page {
  readonly tenantId: string;
  /** Hours since 1970. */
  readonly hourIndex: number;
  /** Rises when pages were put away for memory's sake; part of the document's name, so none is overwritten. */
  readonly generation: number;
  readonly counts: Map<string, number>;
  readonly names: Set<string>;
  readonly contentIds: Map<string, SeenContentId>;
  /** Counts not yet written, and since when. */
  waiting: number;
  waitingSinceMs: number;
  writtenAtMs: number;
  /** What `onFlush` was told of it so far. */
  told: Partial<Record<CountedVerdict, number>>;
}

/** Names a tenant may invent are without end; beyond this many an hour they are counted under `other`. */
export const maxNamesPerHour = 50;
/** Of one tenant and process: enough to see what form they have. */
const maxContentIdsPerHour = 20;
const maxKeysPerHour = 1_500;
/** Of all pages in memory, some 100 bytes each. Beyond it everything is written and put away. */
const maxKeysInMemory = 100_000;
/** A clock that is set back a little must not begin an hour's document anew. */
const keepHourMs = 600_000;
const hourMs = 3_600_000;
const maxWritesPerCommit = 200;
const overflowName = 'other';

/**
 * Counts events per tenant, hour, name and verdict without a Firestore write per event.
 *
 * Each process writes documents of its own with its whole numbers for the hour, never increments: a write that was applied
 * but whose answer was lost is simply written again. Readers sum the processes (`readRelayNumbers`).
 *
 * A process that is killed loses what it had not written: of a tenant with at least `fewCounts` (100) waiting the last
 * `minIntervalMs` (30 s), of a quieter one fewer than 100 counts of the last `maxIntervalMs` (5 minutes). These are
 * numbers about events, never the events.
 */
export function createRelayCounters({
  db,
  now,
  instance,
  minIntervalMs = 30_000,
  fewCounts = 100,
  maxIntervalMs = 300_000,
  onFlushFailure,
  onFlush,
}: RelayCountersOptions): RelayCounters {
  const pages = new Map<string, Page>();
  /** By tenant: where nearly every count goes, without making a key of text for it. */
  const newestPages = new Map<string, Page>();
  let generation = 0;
  let keysInMemory = 0;
  /** No page is due before this; spares most requests a look at all pages. */
  let checkAtMs = 0;
  let flushing: Promise<void> | undefined;

  const isFull = (): boolean => keysInMemory >= maxKeysInMemory;

  const pageOf = (tenantId: string, nowMs: number): Page => {
    const hourIndex = Math.floor(nowMs / hourMs);
    const newest = newestPages.get(tenantId);
    if (newest?.hourIndex === hourIndex) return newest;
    const key = `${hourIndex} ${tenantId}`;
    const known = pages.get(key);
    if (known !== undefined) return known;
    const page: Page = {
      tenantId,
      hourIndex,
      generation,
      counts: new Map(),
      names: new Set(),
      contentIds: new Map(),
      waiting: 0,
      waitingSinceMs: nowMs,
      writtenAtMs: -Infinity,
      told: {},
    };
    pages.set(key, page);
    newestPages.set(tenantId, page);
    return page;
  };

  const count: RelayCounters['count'] = (tenantId, eventName, verdict, n = 1) => {
    const nowMs = now().getTime();
    const page = pageOf(tenantId, nowMs);
    const key = keyIn(page, eventName, verdict, isFull());
    const before = page.counts.get(key);
    if (before === undefined) keysInMemory += 1;
    page.counts.set(key, (before ?? 0) + n);
    if (page.waiting === 0) page.waitingSinceMs = nowMs;
    page.waiting += n;
  };

  const isDue = (page: Page, nowMs: number): boolean => {
    if (page.waiting === 0) return false;
    const waitedMs = nowMs - page.waitingSinceMs;
    if (waitedMs >= maxIntervalMs || isFull() || page.hourIndex !== Math.floor(nowMs / hourMs)) return true;
    if (waitedMs < minIntervalMs || nowMs - page.writtenAtMs < minIntervalMs) return false;
    // The first numbers of an hour show early that a tenant's events come at all.
    return page.waiting >= fewCounts || page.writtenAtMs === -Infinity;
  };

  const write = async (due: readonly Page[]): Promise<void> => {
    const counted: Partial<Record<CountedVerdict, number>> = {};
    for (let start = 0; start < due.length; start += maxWritesPerCommit) {
      const chunk = due.slice(start, start + maxWritesPerCommit);
      const writtenCounts = chunk.map((page) => page.waiting);
      const sums = chunk.map(({ counts }) => sumsOf(counts));
      const batch = db.batch();
      const nowMs = now().getTime();
      for (const page of chunk) {
        const name = page.generation === 0 ? instance : `${instance}-${page.generation}`;
        const hour = hourOf(page.hourIndex * hourMs);
        const document: CountersDocument = {
          tenantId: page.tenantId,
          hour,
          counts: Object.fromEntries(page.counts),
          contentIds: [...page.contentIds.values()],
          expireAt: new Date(page.hourIndex * hourMs + relayCountersRetentionMs),
        };
        batch.set(db.doc(paths.relayCounters(page.tenantId, hour, name)), document);
      }
      await batch.commit();
      for (const [index, page] of chunk.entries()) {
        page.waiting -= writtenCounts[index] ?? 0;
        page.waitingSinceMs = nowMs;
        page.writtenAtMs = nowMs;
        const sum = sums[index] ?? {};
        for (const verdict of countedVerdicts) {
          const more = (sum[verdict] ?? 0) - (page.told[verdict] ?? 0);
          if (more > 0) counted[verdict] = (counted[verdict] ?? 0) + more;
        }
        page.told = sum;
      }
    }
    if (due.length > 0) onFlush?.(counted);
    putAway(now().getTime());
  };

  /** Lets go of hours that are over and, should memory be full, of everything written. */
  const putAway = (nowMs: number): void => {
    const oldest = Math.floor((nowMs - keepHourMs) / hourMs);
    const all = isFull();
    if (all) generation += 1;
    for (const [key, page] of pages) {
      if (page.waiting > 0 || (!all && page.hourIndex >= oldest)) continue;
      pages.delete(key);
      if (newestPages.get(page.tenantId) === page) newestPages.delete(page.tenantId);
      keysInMemory -= page.counts.size;
    }
  };

  /** One flush at a time: two writes of one document could arrive in the wrong order. */
  const flushPages = (choose: (page: Page) => boolean): Promise<void> => {
    const chosen = (): Promise<void> => write([...pages.values()].filter(choose));
    const mine = flushing === undefined ? chosen() : flushing.then(chosen, chosen);
    const settled = (): void => {
      if (flushing === mine) flushing = undefined;
    };
    flushing = mine;
    mine.then(settled, settled);
    return mine;
  };

  return {
    count,
    latency: (tenantId, eventName, latencyMs, n = 1) =>
      count(tenantId, eventName, `latency:${latencyBucket(latencyMs)}`, n),
    sampleContentIds(tenantId, ids, contentType) {
      const { contentIds } = pageOf(tenantId, now().getTime());
      if (contentIds.size >= maxContentIdsPerHour) return;
      const type = contentTypes.find((known) => known === contentType) ?? null;
      for (const id of ids) {
        const text = typeof id === 'number' ? String(id) : id;
        if (typeof text === 'string' && text !== '' && text.length <= maxContentIdChars) {
          contentIds.set(`${type ?? ''} ${text}`, { id: text, type });
        }
        if (contentIds.size >= maxContentIdsPerHour) return;
      }
    },
    flushIfDue() {
      const nowMs = now().getTime();
      if (nowMs < checkAtMs || flushing !== undefined) return undefined;
      checkAtMs = nowMs + 1_000;
      if (![...pages.values()].some((page) => isDue(page, nowMs))) return undefined;
      return flushPages((page) => isDue(page, nowMs)).catch((error: unknown) => {
        checkAtMs = nowMs + minIntervalMs;
        onFlushFailure?.(error);
      });
    },
    flush: () => flushPages((page) => page.waiting > 0),
  };
}

const isCounted = (verdict: string): verdict is CountedVerdict =>
  (countedVerdicts as readonly string[]).includes(verdict);

/** The counts by verdict alone, whatever the event's name and the reason. */
function sumsOf(counts: ReadonlyMap<string, number>): Partial<Record<CountedVerdict, number>> {
  const sums: Partial<Record<CountedVerdict, number>> = {};
  for (const [key, n] of counts) {
    const [verdict = ''] = key.slice(key.lastIndexOf('|') + 1).split(':', 1);
    if (isCounted(verdict)) sums[verdict] = (sums[verdict] ?? 0) + n;
  }
  return sums;
}

/** `{event name}|{verdict}`. Names are the tenants' own words, so they are shortened and bounded in number. */
function keyIn(page: Page, eventName: string, verdict: string, isFull: boolean): string {
  const cleaned = eventName.replaceAll('|', '_').slice(0, 60);
  let name = cleaned === '' ? overflowName : cleaned;
  if (!page.names.has(name)) {
    if (page.names.size >= maxNamesPerHour) name = overflowName;
    page.names.add(name);
  }
  const key = `${name}|${verdict.slice(0, 80)}`;
  if ((page.counts.size < maxKeysPerHour && !isFull) || page.counts.has(key)) return key;
  return `${overflowName}|${verdict.split(':', 1)[0] ?? ''}:${overflowName}`;
}

/** `le:1000` for at most a second, `gt:3600000` for more than an hour. */
export function latencyBucket(latencyMs: number): string {
  const bound = latencyBoundsMs.find((bound) => latencyMs <= bound);
  return bound === undefined ? `gt:${latencyBoundsMs.at(-1)}` : `le:${bound}`;
}

/** `2026-11-23T20`, in UTC. */
export function hourOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 13);
}
