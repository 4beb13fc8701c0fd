/** Which feed a tenant's sync is about, which waits behind it, and what is remembered of those that ended. */
import { createHash } from 'node:crypto';
import type { Catalog, FeedRequest, Sync } from '../../shared/contracts/catalog-documents.ts';
import { newCatalog, newSync } from '../../shared/gcp/catalog-store.ts';

const keptSyncs = 10;

/**
 * Takes a feed in hand, or behind the one that is just being sent. A feed older than one already taken is passed over, and
 * so is one that comes twice.
 */
export function takeFeed(known: Catalog | undefined, tenantId: string, feed: FeedRequest, now: Date): Catalog {
  const catalog = known ?? newCatalog(tenantId);
  if (catalog.lastFeedAt !== null && feed.at <= catalog.lastFeedAt) return catalog;
  const taken = { ...catalog, lastFeedAt: feed.at };
  const { current, lease } = catalog;
  const isLeased = lease !== null && lease.until > now.toISOString();
  const isPastReading = current !== null && !isBeforeSending(current);
  if (current === null || (!isLeased && !isPastReading)) return beginSync(taken, feed, now);
  return { ...taken, queued: feed, current: goOn(current) };
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

export function beginSync(catalog: Catalog, feed: FeedRequest, now: Date): Catalog {
  const syncId = createHash('sha256').update(`${catalog.tenantId} ${feed.eventId}`).digest('hex').slice(0, 20);
  const { current } = catalog;
  const history = current === null ? catalog.history : remembered(catalog, { ...current, state: 'superseded' }, now);
  return { ...catalog, current: newSync(feed, syncId, now.toISOString()), queued: null, history };
}

/** Puts the sync in hand away and takes up the feed that waited behind it. */
export function endSync(catalog: Catalog, ended: Sync, now: Date): Catalog {
  const without: Catalog = { ...catalog, current: null, history: remembered(catalog, ended, now) };
  return catalog.queued === null ? without : beginSync(without, catalog.queued, now);
}

function remembered({ history }: Catalog, sync: Sync, now: Date): Catalog['history'] {
  const { syncId, state, reason, counts } = sync;
  return [{ syncId, state, finishedAt: now.toISOString(), reason, counts }, ...history].slice(0, keptSyncs);
}
