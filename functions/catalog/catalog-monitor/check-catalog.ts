/** One look at a tenant's catalog: everything that can be read is read, what cannot stays unknown, and the gate follows. */
import type { Catalog, CatalogHealth, ProductSets } from '../../../shared/contracts/catalog-documents.ts';
import { compareContentIds, describeMismatch } from '../../../shared/domain/catalog/content-id-form.ts';
import type { SeenContentId } from '../../../shared/domain/catalog/content-id-form.ts';
import { maxIdChars } from '../../../shared/domain/catalog/item-fields.ts';
import { holdsGroup } from '../../../shared/domain/catalog/item-table.ts';
import type { ItemTable } from '../../../shared/domain/catalog/item-table.ts';
import { judgeGate } from '../../../shared/domain/catalog/launch-gate.ts';
import type { GateFacts } from '../../../shared/domain/catalog/launch-gate.ts';
import { readDiagnostics, readEventStats, readProductCount } from '../../../shared/meta/catalog-health.ts';
import { readEventSources } from '../../../shared/meta/catalogs.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import { RetryLater } from '../../../shared/runtime/outcomes.ts';
import type { TenantCatalog } from '../tenant-catalog.ts';
import { ensureProductSets } from './ensure-product-sets.ts';
import { gateContentIds, matchRates } from './match-rates.ts';

export interface CheckInput {
  readonly tenantId: string;
  readonly catalog: Catalog | undefined;
  readonly before: CatalogHealth | undefined;
  readonly sets: ProductSets | undefined;
  /** Content ids the relay saw lately; undefined when that is not known. */
  readonly contentIds: readonly SeenContentId[] | undefined;
  readonly loadItems: (catalog: Catalog) => Promise<ItemTable>;
  readonly now: Date;
}

const keptDays = 8;

/** @throws RetryLater when Meta throttles: the whole check is done again later */
export async function checkCatalog(
  { catalogId, datasetId, graph }: TenantCatalog,
  input: CheckInput,
): Promise<Omit<CatalogHealth, 'override'>> {
  const { before, catalog, now, tenantId } = input;
  const troubles: string[] = [];
  const known = async <Value>(what: string, read: () => Promise<Value>): Promise<Value | null> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      if (error.class === 'throttled' || error.class === 'rescheduled') {
        throw new RetryLater(error.message, {
          ...(error.retryAtMs !== undefined && { afterMs: Math.max(0, error.retryAtMs - now.getTime()) }),
        });
      }
      troubles.push(`${what}: ${error.message}`);
      return null;
    }
  };
  const sources = await known('event sources', () => readEventSources(graph, catalogId));
  const diagnostics = await known('diagnostics', () => readDiagnostics(graph, catalogId));
  const stats = await known('event_stats', () => readEventStats(graph, catalogId));
  const itemCount = await known('product_count', () => readProductCount(graph, catalogId));
  const productSets = await known('product_sets', () =>
    ensureProductSets({ catalogId, graph }, input.sets?.sets ?? []),
  );

  const contentIds = await contentIdForm(input);
  const rates = stats && matchRates(stats, now);
  const today = now.toISOString().slice(0, 10);
  const earlier = Object.entries(before?.itemCounts ?? {}).filter(([day]) => day < today);
  const gate = judgeGate({
    at: now.toISOString(),
    isPixelConnected: sources && sources.some(({ id }) => id === datasetId),
    diagnostics,
    contentIds: rates && gateContentIds(rates, datasetId),
    ...syncFacts(catalog),
    itemCount,
    earlierItemCounts: earlier.slice(-7).map(([, count]) => count),
    contentIdHint: contentIds?.hint ?? null,
  });
  return {
    tenantId,
    checkedAt: now.toISOString(),
    gate: { state: gate.state, checks: [...gate.checks] },
    itemCount,
    itemCounts: Object.fromEntries(
      [...earlier, ...(itemCount === null ? [] : [[today, itemCount] as const])].slice(-keptDays),
    ),
    diagnostics: diagnostics && diagnostics.map((each) => ({ ...each, affectedChannels: [...each.affectedChannels] })),
    matchRates: rates,
    contentIds,
    productSets,
    troubles,
  };
}

/** A catalog that could not be looked at, and why: everything Meta would say is unknown, and the tenant shows the reason. */
export function unseenCatalog(
  { before, catalog, now, tenantId }: Pick<CheckInput, 'before' | 'catalog' | 'now' | 'tenantId'>,
  why: string,
): Omit<CatalogHealth, 'override'> {
  const at = now.toISOString();
  const gate = judgeGate({
    at,
    isPixelConnected: null,
    diagnostics: null,
    contentIds: null,
    ...syncFacts(catalog),
    itemCount: null,
    earlierItemCounts: [],
    contentIdHint: null,
  });
  return {
    tenantId,
    checkedAt: at,
    gate: { state: gate.state, checks: [...gate.checks] },
    itemCount: null,
    itemCounts: before?.itemCounts ?? {},
    diagnostics: null,
    matchRates: null,
    contentIds: before?.contentIds ?? null,
    productSets: before?.productSets ?? null,
    troubles: [why],
  };
}

/** What our own record says of the last sync. */
function syncFacts(catalog: Catalog | undefined): Pick<GateFacts, 'sync' | 'feedIntervalHours'> {
  const { freshAt = null, items = 0, lastGood = null, rejectedItems: refused = 0 } = catalog ?? {};
  const sync = lastGood === null || freshAt === null ? null : { at: freshAt, items, refused };
  return { sync, feedIntervalHours: lastGood?.feed.intervalHours ?? 24 };
}

/** What the relay really sees, held against the products Meta has accepted. */
async function contentIdForm({ catalog, contentIds, loadItems }: CheckInput): Promise<CatalogHealth['contentIds']> {
  if (contentIds === undefined || contentIds.length === 0 || catalog === undefined || catalog.items === 0) return null;
  const table = await loadItems(catalog);
  const groups = table.groupHashes();
  const { matched, mismatch, seen } = compareContentIds(contentIds, {
    isProduct: (id) => id.length <= maxIdChars && id !== '' && table.find(id) !== undefined,
    isGroup: (id) => holdsGroup(groups, id),
    productIds: table.ids(),
  });
  return { seen, matched, hint: mismatch && describeMismatch(mismatch) };
}
