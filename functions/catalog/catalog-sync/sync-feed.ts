/**
 * Brings a tenant's catalog to what its feed says: reads and compares, holds what looks broken, sends only changes, asks
 * what became of them, and remembers what Meta accepted. One message does as much as it can and comes back, by Cloud
 * Tasks, when there is more to do.
 */
import type { Catalog, Sync } from '../../../shared/contracts/catalog-documents.ts';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import { LeaseLost } from '../../../shared/gcp/catalog-store.ts';
import type { Outcome } from '../../../shared/runtime/outcomes.ts';
import { takeFeed } from '../feed-in-hand.ts';
import { CatalogTurn } from './catalog-turn.ts';
import type { SyncServices } from './catalog-turn.ts';
import { applyStep, readStep, sendStep } from './sync-steps.ts';
import type { Stepped } from './sync-steps.ts';
import { meetTrouble } from './sync-trouble.ts';

export async function syncFeed(envelope: Envelope<'feed-updated'>, services: SyncServices): Promise<Outcome> {
  const { at, data, eventId, hop, tenantId, traceparent } = envelope;
  const { catalogs, isTenant, newOwner, now } = services;
  if (!(await isTenant(tenantId))) return { kind: 'failed', reason: `There is no tenant ${tenantId}` };
  if (data.cause === 'updated' && hop === undefined) {
    const { source, format, sha256, intervalHours } = data;
    const feed = { source, format, sha256, intervalHours, eventId, at };
    await catalogs.change(tenantId, (known) => ({ catalog: takeFeed(known, tenantId, feed, now()) }), traceparent);
  }
  const leased = await catalogs.lease(tenantId, newOwner());
  if (leased.kind === 'none') return { kind: 'done' };
  if (leased.kind === 'busy') {
    // Whoever has it may be dead: this message stays until the lease is over, and then finds nothing left or goes on.
    const afterMs = leased.until.getTime() - now().getTime() + 1_000;
    return { kind: 'retry', reason: 'another worker has this catalog', afterMs, burnsAttempt: false };
  }
  try {
    const afterMs = await work(new CatalogTurn(leased.lease, traceparent, services), leased.catalog);
    await catalogs.release(leased.lease);
    if (afterMs === undefined) return { kind: 'done' };
    return { kind: 'retry', reason: 'more to do', afterMs: Math.max(1_000, afterMs), burnsAttempt: false };
  } catch (error) {
    if (error instanceof LeaseLost) return { kind: 'done' };
    await catalogs.release(leased.lease);
    throw error;
  }
}

/** Works until there is nothing to do (undefined) or nothing to do yet (milliseconds until there is). */
async function work(turn: CatalogTurn, from: Catalog): Promise<number | undefined> {
  let catalog = from;
  for (;;) {
    const { current } = catalog;
    if (current === null || current.state === 'held' || current.state === 'waiting') return undefined;
    if (turn.isOver) return 0;
    let stepped: Stepped;
    try {
      stepped = await step(turn, catalog, current);
    } catch (error) {
      stepped = await meetTrouble(turn, current, error);
    }
    if (stepped.afterMs !== undefined) return stepped.afterMs;
    ({ catalog } = stepped);
  }
}

async function step(turn: CatalogTurn, catalog: Catalog, sync: Sync): Promise<Stepped> {
  switch (sync.state) {
    case 'reading':
      return readStep(turn, catalog, sync);
    case 'sending':
      return sendStep(turn, catalog, sync);
    case 'applying':
      return applyStep(turn, catalog, sync);
    case 'held':
    case 'waiting':
    case 'done':
    case 'unchanged':
    case 'superseded':
    case 'failed':
      throw new Error(`a sync that is ${sync.state} is not worked on`);
  }
}
