/** The steps of a sync: read and compare, send what changed, remember what Meta accepted. */
import type { Catalog, Sync } from '../../../shared/contracts/catalog-documents.ts';
import { actingAs } from '../../../shared/runtime/graph-outcome.ts';
import { endSync } from '../feed-in-hand.ts';
import type { TenantCatalog } from '../tenant-catalog.ts';
import { applyOutcomes } from './apply-outcomes.ts';
import type { CatalogTurn } from './catalog-turn.ts';
import { planSync } from './plan-sync.ts';
import { sendBatches } from './send-batches.ts';

/** The catalog after a step, and how long to stay away where there is nothing to do yet. */
export interface Stepped {
  readonly catalog: Catalog;
  readonly afterMs?: number;
}

export async function readStep(turn: CatalogTurn, known: Catalog, sync: Sync): Promise<Stepped> {
  const { batches, items, log, maxItemsPerBatch, openCatalog, sources } = turn.services;
  const { tenantId } = turn;
  // Whether there is a catalog to send to is asked before a long file is read.
  const catalog = await ofThisCatalog(turn, known, await openCatalog(tenantId));
  if (isAsItWas(catalog, sync)) return { catalog: await end(turn, { ...sync, state: 'unchanged' }) };
  const table = await items.load(tenantId, catalog.generation, catalog.items);
  const plan = await planSync(catalog, sync, table, {
    sources,
    batches,
    progress: () => turn.stay(),
    maxItemsPerBatch,
  });
  const { profile, guards, problemsBy } = plan;
  const planned: Partial<Sync> = {
    batches: plan.batches,
    profile,
    guards: [...guards],
    problemsBy,
    counts: { ...sync.counts, ...plan.counts },
  };
  log.info({ tenantId, syncId: sync.syncId, batches: plan.batches, ...plan.counts }, 'feed read');
  if (guards.length > 0) {
    const why = guards.map(({ what, fix }) => `${what} ${fix}`).join(' ');
    const raise = {
      kind: 'catalog-feed-held',
      severity: 'page',
      summary: `The product feed is held back, the catalog keeps its last good state. ${why}`,
      detail: { syncId: sync.syncId, guards: guards.map(({ guard }) => guard) },
    } as const;
    return { catalog: await turn.updateSync({ ...planned, state: 'held' }, { raise }) };
  }
  if (plan.batches === 0) return { catalog: await end(turn, { ...sync, ...planned, state: 'unchanged' }) };
  return { catalog: await turn.updateSync({ ...planned, state: 'sending' }, { resolve: ['catalog-feed-held'] }) };
}

export async function sendStep(turn: CatalogTurn, known: Catalog, sync: Sync): Promise<Stepped> {
  const { batches, now, openCatalog } = turn.services;
  const { tenantId } = turn;
  const opened = await openCatalog(tenantId);
  if (known.catalogId !== opened.catalogId) {
    // What was to be sent is the difference to another catalog.
    await batches.remove(tenantId, sync.syncId);
    return { catalog: await turn.updateSync({ state: 'reading', batches: 0 }) };
  }
  const progress = async (): Promise<boolean> => (await turn.renew()).queued !== null;
  const sent = await actingAs(opened.acting, () =>
    sendBatches(tenantId, sync, opened, { batches, now, isTimeUp: () => turn.isOver, progress }),
  );
  const calm = { retries: 0, reason: null };
  if (sent.kind === 'finished') return { catalog: await turn.updateSync({ ...calm, state: 'applying' }) };
  return { catalog: await turn.updateSync(calm), afterMs: sent.at.getTime() - now().getTime() };
}

export async function applyStep(turn: CatalogTurn, catalog: Catalog, sync: Sync): Promise<Stepped> {
  const { batches, items } = turn.services;
  const applied = await applyOutcomes(catalog, sync, { items, batches, progress: () => turn.stay() });
  const { counts, generation, items: count, rejectedItems, unsent } = applied;
  const lost = `Meta never told what became of ${counts.unknown} items; they are sent again with the next feed.`;
  const ended: Sync = {
    ...sync,
    // A reason that is there from sending is why sending ended early.
    state: unsent === 0 ? 'done' : sync.reason === null ? 'superseded' : 'failed',
    reason: sync.reason ?? (counts.unknown > 0 ? lost : null),
    counts: { ...sync.counts, ...counts },
  };
  const after = await end(turn, ended, { generation, items: count, rejectedItems });
  await items.removeOthers(turn.tenantId, generation);
  await batches.remove(turn.tenantId, sync.syncId);
  return { catalog: after };
}

/** Of another catalog than the one the items are in, nothing is known: it gets everything. */
async function ofThisCatalog(turn: CatalogTurn, known: Catalog, { catalogId }: TenantCatalog): Promise<Catalog> {
  if (known.catalogId === catalogId) return known;
  return turn.update((catalog) => ({ catalog: { ...catalog, catalogId, generation: 0, items: 0, rejectedItems: 0 } }));
}

/** The same file again, and nothing was left undone with it: it need not be read. */
function isAsItWas({ generation, history, lastGood, rejectedItems }: Catalog, { feed }: Sync): boolean {
  const [last] = history;
  const endedWell = last?.state === 'done' || last?.state === 'unchanged';
  return generation > 0 && endedWell && rejectedItems === 0 && lastGood?.feed.sha256 === feed.sha256;
}

async function end(turn: CatalogTurn, ended: Sync, changes: Partial<Catalog> = {}): Promise<Catalog> {
  const { log, now } = turn.services;
  const { counts, feed, state, syncId } = ended;
  log.info({ tenantId: turn.tenantId, syncId, state, ...counts }, 'sync ended');
  const isGood = state === 'done' || state === 'unchanged';
  return turn.update((held) => {
    // A file that was not read has the profile of the one it equals.
    const profile = ended.profile ?? held.lastGood?.profile;
    const lastGood = isGood && profile !== undefined ? { syncId, feed, profile } : held.lastGood;
    const freshAt = isGood ? now().toISOString() : held.freshAt;
    return {
      catalog: endSync({ ...held, ...changes, lastGood, freshAt }, ended, now()),
      ...(isGood && { resolve: ['catalog-feed-held', 'catalog-sync-failed'] as const }),
    };
  });
}
