/** Turns known outcomes into the next accepted state. */
import type { Catalog, Sync } from '../../../shared/contracts/catalog-documents.ts';
import { unpackEntries } from '../../../shared/domain/catalog/batch-entries.ts';
import type { ItemTable } from '../../../shared/domain/catalog/item-table.ts';
import type { CatalogBatchStore } from '../../../shared/gcp/catalog-batch-store.ts';
import type { CatalogItemStore } from '../../../shared/gcp/catalog-item-store.ts';

export interface Applied {
  readonly generation: number;
  readonly items: number;
  readonly rejectedItems: number;
  readonly counts: Pick<Sync['counts'], 'accepted' | 'rejected' | 'unknown'>;
  /** Requests never sent, because a newer feed came. */
  readonly unsent: number;
}

/**
 * Writes what Meta has accepted as a new generation, beside the old one: it becomes true when the catalog's document says
 * so, so that a crash here is repeated without a trace.
 */
export async function applyOutcomes(
  { tenantId, generation, items }: Pick<Catalog, 'tenantId' | 'generation' | 'items'>,
  { syncId, batches: total }: Pick<Sync, 'syncId' | 'batches'>,
  stores: {
    readonly items: CatalogItemStore;
    readonly batches: CatalogBatchStore;
    readonly progress: () => Promise<void>;
  },
): Promise<Applied> {
  const table = await stores.items.load(tenantId, generation, items);
  const counts = { accepted: 0, rejected: 0, unknown: 0 };
  let unsent = 0;
  for (let n = 0; n < total; n += 1) {
    const batch = await stores.batches.read(tenantId, syncId, n);
    if (batch === undefined || batch.state !== 'done') unsent += batch?.items ?? 0;
    else if (batch.isLost) counts.unknown += batch.items - batch.rejected.length;
    else counts.accepted += batch.items - batch.rejected.length;
    if (batch?.state === 'done') {
      counts.rejected += batch.rejected.length;
      apply(table, batch.entries, new Set(batch.rejected), batch.isLost);
    }
    await stores.progress();
  }
  const next = generation + 1;
  await stores.items.save(tenantId, next, table, stores.progress);
  return { generation: next, items: table.size, rejectedItems: table.countRejected(), counts, unsent };
}

function apply(table: ItemTable, entries: Uint8Array, rejected: ReadonlySet<number>, isLost: boolean): void {
  let place = 0;
  for (const { method, id, facts } of unpackEntries(entries)) {
    const isRejected = rejected.has(place);
    place += 1;
    if (isLost && !isRejected) continue;
    if (method === 'delete') {
      if (!isRejected) table.delete(id);
      continue;
    }
    const ref = table.find(id);
    // Meta holds the older content of what it refused, or of nothing: its fields may still have to be emptied.
    const fieldMask = isRejected && ref !== undefined ? either(table.fieldMask(ref), facts.fieldMask) : facts.fieldMask;
    table.set(id, { ...facts, fieldMask, isRejected });
  }
}

/** Bitwise or of numbers of up to 48 bits. */
function either(left: number, right: number): number {
  return Number(BigInt(left) | BigInt(right));
}
