import type { Firestore } from '@google-cloud/firestore';
import { catalogItemsSchema } from '../contracts/catalog-documents.ts';
import { paths } from '../contracts/documents.ts';
import { ItemTable } from '../domain/catalog/item-table.ts';
import { readDocument } from './firestore.ts';

/** A document holds at most 1 MiB; this leaves room for its names, and a request for several. */
const maxShardBytes = 700_000;
const shardsAtOnce = 4;

/**
 * The items Meta has accepted, as shards of one generation. A generation is written whole under names of its own and
 * becomes the true one when the catalog's document says so; what a killed writer left is overwritten or removed later.
 */
export class CatalogItemStore {
  readonly #db: Firestore;

  constructor(db: Firestore) {
    this.#db = db;
  }

  /** @param items how many to expect */
  async load(tenantId: string, generation: number, items: number): Promise<ItemTable> {
    if (generation === 0) return new ItemTable();
    const shards: Uint8Array[] = [];
    const query = this.#db
      .collection(paths.catalogItems(tenantId))
      .where('generation', '==', generation)
      .orderBy('n')
      .limit(shardsAtOnce);
    for (let after = -1; ;) {
      const page = await query.startAfter(after).get();
      for (const row of page.docs) {
        const shard = readDocument(row, catalogItemsSchema);
        if (shard === undefined) continue;
        shards.push(shard.bytes);
        after = shard.n;
      }
      if (page.size < shardsAtOnce) break;
    }
    return ItemTable.from(shards, items);
  }

  /** @param progress called between writes; may throw to stop */
  async save(tenantId: string, generation: number, table: ItemTable, progress: () => Promise<void>): Promise<void> {
    let n = 0;
    for (const bytes of table.shards(maxShardBytes)) {
      await this.#db.doc(`${paths.catalogItems(tenantId)}/${generation}-${n}`).set({ tenantId, generation, n, bytes });
      n += 1;
      await progress();
    }
    // A killed writer of the same generation may have had more.
    await this.#remove(tenantId, (shard) => shard.generation === generation && shard.n >= n);
  }

  /** Removes every generation but this one. */
  async removeOthers(tenantId: string, generation: number): Promise<void> {
    await this.#remove(tenantId, (shard) => shard.generation !== generation);
  }

  async #remove(tenantId: string, isOld: (shard: { generation: number; n: number }) => boolean): Promise<void> {
    const heads = await this.#db.collection(paths.catalogItems(tenantId)).select('generation', 'n').get();
    for (const row of heads.docs) {
      if (isOld({ generation: Number(row.get('generation')), n: Number(row.get('n')) })) await row.ref.delete();
    }
  }
}
