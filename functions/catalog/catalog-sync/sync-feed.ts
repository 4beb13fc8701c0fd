/**
 * Brings a tenant's catalog to what its feed says: reads and compares, holds what looks broken, sends only changes, asks
 * what became of them, and remembers what Meta accepted. One message does as much as it can and comes back, by Cloud
 * Tasks, when there is more to do.
 */
import { createHash } from 'node:crypto';
import type { Catalog, FeedRequest, Sync } from '../../../shared/contracts/catalog-documents.ts';
import type { OutboxMessage } from '../../../shared/contracts/documents.ts';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import type { CatalogBatchStore } from '../../../shared/gcp/catalog-batch-store.ts';
import type { CatalogItemStore } from '../../../shared/gcp/catalog-item-store.ts';
import { LeaseLost, newCatalog, newSync } from '../../../shared/gcp/catalog-store.ts';
import type { CatalogChange, CatalogLease, CatalogStore } from '../../../shared/gcp/catalog-store.ts';
import { deliverOrLeave } from '../../../shared/runtime/deliver-or-leave.ts';
import { backOffMs, outcomeOf } from '../../../shared/runtime/graph-outcome.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import { Failed, RetryLater } from '../../../shared/runtime/outcomes.ts';
import type { Outcome } from '../../../shared/runtime/outcomes.ts';
import type { OpenTenantCatalog } from '../tenant-catalog.ts';
import { applyOutcomes } from './apply-outcomes.ts';
import { FeedUnavailable } from './open-feed.ts';
import type { FeedSources } from './open-feed.ts';
import { planSync } from './plan-sync.ts';
import { FeedMalformed } from './read-feed/feed-row.ts';
import { sendBatches } from './send-batches.ts';

export interface SyncServices {
  readonly catalogs: CatalogStore;
  readonly items: CatalogItemStore;
  readonly batches: CatalogBatchStore;
  readonly sources: FeedSources;
  readonly openCatalog: OpenTenantCatalog;
  readonly isTenant: (tenantId: string) => Promise<boolean>;
  readonly deliver: (messages: readonly OutboxMessage[]) => Promise<void>;
  /** Names this worker; no other may have the same name at the same time. */
  readonly newOwner: () => string;
  readonly now: () => Date;
  readonly log: Logger;
  /** Meta's limit unless told. */
  readonly maxItemsPerBatch?: number;
}

/** A request hands over after so long, well within the function's timeout. */
const sliceMs = 300_000;
const renewEveryMs = 15_000;
/** Troubles in a row before a sync is given up; with their back-off about an hour. */
const maxRetries = 10;
const keptSyncs = 10;

export async function syncFeed(envelope: Envelope<'feed-updated'>, services: SyncServices): Promise<Outcome> {
  const { tenantId } = envelope;
  if (!(await services.isTenant(tenantId))) return { kind: 'failed', reason: `There is no tenant ${tenantId}` };
  if (envelope.data.cause === 'updated' && envelope.hop === undefined) await offer(envelope, services);
  return new Worker(tenantId, envelope.traceparent, services).run();
}

/** Puts the feed in hand, or behind the one that is just being sent. A feed older than one already taken is passed over. */
async function offer(
  { tenantId, eventId, at, data, traceparent }: Envelope<'feed-updated'>,
  { catalogs, now }: SyncServices,
): Promise<void> {
  const { source, format, sha256, intervalHours } = data;
  const feed: FeedRequest = { source, format, sha256, intervalHours, eventId, at };
  await catalogs.change(
    tenantId,
    (known): CatalogChange => {
      const catalog = known ?? newCatalog(tenantId);
      if (catalog.lastFeedAt !== null && at <= catalog.lastFeedAt) return { catalog };
      const taken = { ...catalog, lastFeedAt: at };
      const { current, lease } = catalog;
      const isLeased = lease !== null && lease.until > now().toISOString();
      const isPastReading = current !== null && !isBeforeSending(current);
      if (current === null || (!isLeased && !isPastReading)) return { catalog: begin(taken, feed, now()) };
      return { catalog: { ...taken, queued: feed, current: goOn(current) } };
    },
    traceparent,
  );
}

/** Nothing of it has left: a newer feed may take its place. */
function isBeforeSending({ state, resumeAs }: Sync): boolean {
  return state === 'reading' || state === 'held' || (state === 'waiting' && resumeAs === 'reading');
}

/** A newer feed is also an occasion to try what waited. */
function goOn(sync: Sync): Sync {
  return sync.state === 'waiting' && sync.resumeAs !== null
    ? { ...sync, state: sync.resumeAs, resumeAs: null, wait: null }
    : sync;
}

function begin(catalog: Catalog, feed: FeedRequest, now: Date): Catalog {
  const syncId = createHash('sha256').update(`${catalog.tenantId} ${feed.eventId}`).digest('hex').slice(0, 20);
  const { current } = catalog;
  const history =
    current === null ? catalog.history : remember(catalog.history, { ...current, state: 'superseded' }, now);
  return { ...catalog, current: newSync(feed, syncId, now.toISOString()), queued: null, history };
}

function remember(history: Catalog['history'], sync: Sync, now: Date): Catalog['history'] {
  const { syncId, state, reason, counts } = sync;
  return [{ syncId, state, finishedAt: now.toISOString(), reason, counts }, ...history].slice(0, keptSyncs);
}

/** One request's work on one tenant. */
class Worker {
  readonly #tenantId: string;
  readonly #traceparent: string;
  readonly #services: SyncServices;
  readonly #startedMs: number;
  #renewedMs: number;

  constructor(tenantId: string, traceparent: string, services: SyncServices) {
    this.#tenantId = tenantId;
    this.#traceparent = traceparent;
    this.#services = services;
    this.#startedMs = services.now().getTime();
    this.#renewedMs = this.#startedMs;
  }

  async run(): Promise<Outcome> {
    const { catalogs, newOwner, now } = this.#services;
    const leased = await catalogs.lease(this.#tenantId, newOwner());
    if (leased.kind === 'none') return { kind: 'done' };
    if (leased.kind === 'busy') {
      // Whoever has it may be dead: this message stays until the lease is over, and then finds nothing left or goes on.
      const afterMs = leased.until.getTime() - now().getTime() + 1_000;
      return { kind: 'retry', reason: 'another worker has this catalog', afterMs, burnsAttempt: false };
    }
    const { lease } = leased;
    try {
      const afterMs = await this.#work(lease, leased.catalog);
      await catalogs.release(lease);
      if (afterMs === undefined) return { kind: 'done' };
      return { kind: 'retry', reason: 'more to do', afterMs: Math.max(1_000, afterMs), burnsAttempt: false };
    } catch (error) {
      if (error instanceof LeaseLost) return { kind: 'done' };
      await catalogs.release(lease);
      throw error;
    }
  }

  /** Works until there is nothing to do (undefined) or nothing to do yet (milliseconds until there is). */
  async #work(lease: CatalogLease, from: Catalog): Promise<number | undefined> {
    let catalog = from;
    for (;;) {
      const { current } = catalog;
      if (current === null || current.state === 'held' || current.state === 'waiting') return undefined;
      if (this.#isTimeUp()) return 0;
      try {
        const done = await this.#step(lease, catalog, current);
        catalog = done.catalog;
        if (done.afterMs !== undefined) return done.afterMs;
      } catch (error) {
        const after = await this.#trouble(lease, current, error);
        catalog = after.catalog;
        if (after.afterMs !== undefined) return after.afterMs;
      }
    }
  }

  async #step(lease: CatalogLease, catalog: Catalog, sync: Sync): Promise<{ catalog: Catalog; afterMs?: number }> {
    switch (sync.state) {
      case 'reading':
        return { catalog: await this.#read(lease, catalog, sync) };
      case 'sending':
        return this.#send(lease, sync);
      case 'applying':
        return { catalog: await this.#apply(lease, catalog, sync) };
      case 'held':
      case 'waiting':
      case 'done':
      case 'unchanged':
      case 'superseded':
      case 'failed':
        throw new Error(`a sync that is ${sync.state} is not worked on`);
    }
  }

  async #read(lease: CatalogLease, catalog: Catalog, sync: Sync): Promise<Catalog> {
    const { batches, items, log, maxItemsPerBatch, sources } = this.#services;
    const isSame =
      catalog.lastGood?.sha256 === sync.feed.sha256 && catalog.rejectedItems === 0 && lastEnded(catalog) === 'done';
    if (isSame) return this.#end(lease, { ...sync, state: 'unchanged' });
    // Whether there is a catalog to send to is asked before a long file is read.
    await this.#services.openCatalog(this.#tenantId);
    const table = await items.load(this.#tenantId, catalog.generation, catalog.items);
    const plan = await planSync(catalog, sync, table, {
      sources,
      batches,
      progress: () => this.#renew(lease),
      maxItemsPerBatch,
    });
    const { profile, guards, problemsBy } = plan;
    const planned: Sync = {
      ...sync,
      batches: plan.batches,
      profile,
      guards: [...guards],
      problemsBy,
      counts: { ...sync.counts, ...plan.counts },
    };
    log.info({ tenantId: this.#tenantId, syncId: sync.syncId, batches: plan.batches, ...plan.counts }, 'feed read');
    if (guards.length > 0) {
      return this.#update(lease, (now) => ({
        catalog: { ...now, current: { ...planned, state: 'held' } },
        raise: {
          kind: 'catalog-feed-held',
          severity: 'page',
          summary: `The product feed is held back, the catalog keeps its last good state. ${guards.map(({ what, fix }) => `${what} ${fix}`).join(' ')}`,
          detail: { syncId: sync.syncId, guards: guards.map(({ guard }) => guard) },
        },
      }));
    }
    if (plan.batches === 0) return this.#end(lease, { ...planned, state: 'unchanged' });
    return this.#update(lease, (now) => ({
      catalog: { ...now, current: { ...planned, state: 'sending' } },
      resolve: ['catalog-feed-held'],
    }));
  }

  async #send(lease: CatalogLease, sync: Sync): Promise<{ catalog: Catalog; afterMs?: number }> {
    const { batches, catalogs, now, openCatalog } = this.#services;
    const sent = await sendBatches(this.#tenantId, sync, await openCatalog(this.#tenantId), {
      batches,
      now,
      isTimeUp: () => this.#isTimeUp(),
      progress: async () => (await catalogs.renew(lease)).queued !== null,
    });
    if (sent.kind === 'later') {
      const calm = await this.#update(lease, (held) => ({ catalog: withCurrent(held, { retries: 0, reason: null }) }));
      return { catalog: calm, afterMs: sent.at.getTime() - now().getTime() };
    }
    return {
      catalog: await this.#update(lease, (held) => ({
        catalog: withCurrent(held, { state: 'applying', retries: 0, reason: null }),
      })),
    };
  }

  async #apply(lease: CatalogLease, catalog: Catalog, sync: Sync): Promise<Catalog> {
    const { batches, items } = this.#services;
    const applied = await applyOutcomes(catalog, sync, { items, batches, progress: () => this.#renew(lease) });
    const { generation, items: count, rejectedItems } = applied;
    const { unknown } = applied.counts;
    const lost = `Meta never told what became of ${unknown} items; they are sent again with the next feed.`;
    const ended: Sync = {
      ...sync,
      // A reason that is there from sending is why sending ended early.
      state: applied.unsent === 0 ? 'done' : sync.reason === null ? 'superseded' : 'failed',
      reason: sync.reason ?? (unknown > 0 ? lost : null),
      counts: { ...sync.counts, ...applied.counts },
    };
    const after = await this.#end(lease, ended, { generation, items: count, rejectedItems });
    await items.removeOthers(this.#tenantId, generation);
    await batches.remove(this.#tenantId, sync.syncId);
    return after;
  }

  /** Puts the sync away and takes up the feed that waited behind it. */
  async #end(lease: CatalogLease, ended: Sync, changes: Partial<Catalog> = {}): Promise<Catalog> {
    const { log, now } = this.#services;
    log.info({ tenantId: this.#tenantId, syncId: ended.syncId, state: ended.state, ...ended.counts }, 'sync ended');
    const isGood = ended.state === 'done' || ended.state === 'unchanged';
    return this.#update(lease, (held) => {
      const { feed, profile, syncId } = ended;
      const lastGood =
        ended.state === 'done' || (isGood && profile !== null)
          ? {
              syncId,
              at: feed.at,
              sha256: feed.sha256,
              intervalHours: feed.intervalHours,
              profile: profile ?? emptyProfile,
            }
          : held.lastGood;
      const finished: Catalog = {
        ...held,
        ...changes,
        current: null,
        lastGood,
        freshAt: isGood ? now().toISOString() : held.freshAt,
        history: remember(held.history, { ...ended, finishedAt: now().toISOString() }, now()),
      };
      return {
        catalog: held.queued === null ? finished : begin(finished, held.queued, now()),
        ...(isGood ? { resolve: ['catalog-feed-held', 'catalog-sync-failed'] as const } : {}),
      };
    });
  }

  /** What an error means for the sync: later, waiting for somebody, or its end. Rethrows what nobody knows. */
  async #trouble(lease: CatalogLease, sync: Sync, error: unknown): Promise<{ catalog: Catalog; afterMs?: number }> {
    const outcome = this.#outcomeOf(error, sync);
    if (outcome === undefined) throw error;
    const { now } = this.#services;
    if (outcome.kind === 'retry') {
      const retries = sync.retries + (outcome.burnsAttempt ? 1 : 0);
      if (retries <= maxRetries) {
        const catalog = await this.#update(lease, (held) => ({
          catalog: withCurrent(held, { retries, reason: outcome.reason }),
        }));
        return { catalog, afterMs: outcome.afterMs ?? backOffMs(retries) };
      }
    }
    if (outcome.kind === 'waiting') {
      const { on, for: awaited, what } = outcome.wait;
      const wait = { on, for: awaited, what, since: now().toISOString() };
      const resumeAs = sync.state === 'sending' || sync.state === 'applying' ? sync.state : 'reading';
      const catalog = await this.#update(lease, (held) => ({
        catalog: withCurrent(held, { state: 'waiting', resumeAs, wait, reason: what }),
        raise: failedAlert(sync, `The catalog waits on ${on}: ${what}`),
      }));
      return { catalog };
    }
    const { reason } = outcome;
    const ended: Sync = { ...sync, state: 'failed', reason, finishedAt: now().toISOString() };
    this.#services.log.warn({ tenantId: this.#tenantId, syncId: sync.syncId, reason }, 'sync failed');
    if (sync.state === 'sending') {
      // What was accepted before the failure is true and must not be sent again.
      const catalog = await this.#update(lease, (held) => ({
        catalog: withCurrent(held, { state: 'applying', reason }),
        raise: failedAlert(sync, reason),
      }));
      return { catalog };
    }
    const catalog = await this.#update(lease, (held) => {
      const finished = { ...held, current: null, history: remember(held.history, ended, now()) };
      return {
        catalog: held.queued === null ? finished : begin(finished, held.queued, now()),
        raise: failedAlert(sync, reason),
      };
    });
    return { catalog };
  }

  #outcomeOf(error: unknown, sync: Sync): Exclude<Outcome, { kind: 'done' }> | undefined {
    if (error instanceof FeedUnavailable) {
      return (error.isPassing ? new RetryLater(error.message) : new Failed(error.message)).outcome;
    }
    if (error instanceof FeedMalformed)
      return new Failed(`The feed is not ${sync.feed.format}: ${error.message}.`).outcome;
    return outcomeOf(error, 'child', sync.retries, this.#services.now());
  }

  async #update(lease: CatalogLease, change: (catalog: Catalog) => CatalogChange): Promise<Catalog> {
    const { catalogs, deliver, log } = this.#services;
    const { catalog, messages } = await catalogs.update(lease, change, this.#traceparent);
    this.#renewedMs = this.#services.now().getTime();
    await deliverOrLeave(deliver, messages, log);
    return catalog;
  }

  async #renew(lease: CatalogLease): Promise<void> {
    const nowMs = this.#services.now().getTime();
    if (nowMs - this.#renewedMs < renewEveryMs) return;
    await this.#services.catalogs.renew(lease);
    this.#renewedMs = nowMs;
  }

  #isTimeUp(): boolean {
    return this.#services.now().getTime() - this.#startedMs >= sliceMs;
  }
}

const emptyProfile = {
  rows: 0,
  items: 0,
  duplicates: 0,
  valid: 0,
  inStock: 0,
  zeroPrices: 0,
  fields: {},
  currencies: {},
};

function withCurrent(catalog: Catalog, changes: Partial<Sync>): Catalog {
  if (catalog.current === null) throw new LeaseLost('the sync is gone');
  return { ...catalog, current: { ...catalog.current, ...changes } };
}

function lastEnded({ history }: Catalog): Sync['state'] | undefined {
  return history[0]?.state === 'unchanged' ? 'done' : history[0]?.state;
}

function failedAlert({ syncId }: Sync, reason: string): NonNullable<CatalogChange['raise']> {
  return {
    kind: 'catalog-sync-failed',
    severity: 'notice',
    summary: `The product feed could not be brought to Meta. ${reason}`.slice(0, 1_000),
    detail: { syncId },
  };
}
