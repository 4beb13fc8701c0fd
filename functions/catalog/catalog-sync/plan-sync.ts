/** Reads a feed, compares it with what Meta has accepted, and keeps what is to be sent as batches. Sends nothing. */
import { hash as digest } from 'node:crypto';
import type { Catalog, CatalogProblem, Sync } from '../../../shared/contracts/catalog-documents.ts';
import { deletionOf } from '../../../shared/domain/catalog/batch-entries.ts';
import type { BatchEntry } from '../../../shared/domain/catalog/batch-entries.ts';
import { isPriceJump, judgeFeed } from '../../../shared/domain/catalog/feed-guards.ts';
import type { FeedProfile, GuardFinding } from '../../../shared/domain/catalog/feed-guards.ts';
import type { ItemField } from '../../../shared/domain/catalog/item-fields.ts';
import { groupHashOf, hashBytes } from '../../../shared/domain/catalog/item-table.ts';
import type { ItemTable } from '../../../shared/domain/catalog/item-table.ts';
import { jsonClearing, judgeItem } from '../../../shared/domain/catalog/judge-item.ts';
import type { Item, RawItem } from '../../../shared/domain/catalog/judge-item.ts';
import { readPrice } from '../../../shared/domain/catalog/price.ts';
import type { CatalogBatchStore } from '../../../shared/gcp/catalog-batch-store.ts';
import { BatchPlan } from './batch-plan.ts';
import { openFeed } from './open-feed.ts';
import type { FeedSources } from './open-feed.ts';
import type { FeedRow } from './read-feed/feed-row.ts';
import { feedRows } from './read-feed/feed-rows.ts';

/** Problems kept one by one; the others are only counted. */
const maxListedProblems = 2_000;

export interface Plan {
  readonly batches: number;
  readonly profile: FeedProfile;
  readonly guards: readonly GuardFinding[];
  readonly counts: Pick<Sync['counts'], 'created' | 'updated' | 'deleted' | 'unchanged' | 'refused' | 'warned'>;
  readonly problemsBy: Record<string, number>;
}

/**
 * The plan of a feed. Planning the same feed again gives the same batches, so a crash costs the reading and nothing else.
 *
 * @param table what Meta has accepted; used up
 * @param progress called often; may throw to stop
 * @throws FeedUnavailable, FeedMalformed
 */
export async function planSync(
  { tenantId, lastGood }: Pick<Catalog, 'tenantId' | 'lastGood'>,
  { feed, syncId }: Pick<Sync, 'feed' | 'syncId'>,
  table: ItemTable,
  services: {
    readonly sources: FeedSources;
    readonly batches: CatalogBatchStore;
    readonly progress: () => Promise<void>;
    /** Meta's limit unless told. */
    readonly maxItemsPerBatch?: number | undefined;
  },
): Promise<Plan> {
  const { batches, progress, sources } = services;
  const accepted = table.size;
  const plan = new BatchPlan(batches, tenantId, syncId, services.maxItemsPerBatch);
  const reading = new Reading(table);
  for await (const rows of feedRows(openFeed(feed, sources), feed.format)) {
    for (const row of rows) {
      const change = reading.take(row);
      if (change === undefined) continue;
      plan.add(change.json, change.entry);
      if (plan.isFull) await plan.flush();
    }
    await progress();
  }
  for (const id of table.unseen()) {
    reading.counts.deleted += 1;
    plan.add(JSON.stringify({ id }), deletionOf(id));
    if (plan.isFull) {
      await plan.flush();
      await progress();
    }
  }
  await plan.flush();
  await batches.addProblems(tenantId, syncId, 'rows', reading.problems);
  const profile = reading.profile();
  const comparison = { accepted, ...reading.compared };
  return {
    batches: plan.count,
    profile,
    guards: judgeFeed(profile, comparison, lastGood?.profile ?? null),
    counts: reading.counts,
    problemsBy: Object.fromEntries(reading.problemsBy),
  };
}

/** What is learnt row by row. */
class Reading {
  readonly problems: CatalogProblem[] = [];
  readonly problemsBy = new Map<string, number>();
  readonly counts = { created: 0, updated: 0, deleted: 0, unchanged: 0, refused: 0, warned: 0 };
  readonly compared = { common: 0, priceJumps: 0, currencyChanges: 0 };
  readonly #table: ItemTable;
  readonly #totals = { rows: 0, items: 0, duplicates: 0, valid: 0, inStock: 0, zeroPrices: 0 };
  readonly #fields = new Map<ItemField, number>();
  readonly #currencies = new Map<string, number>();

  constructor(table: ItemTable) {
    this.#table = table;
  }

  /** The request a row asks for; undefined when it is as Meta has it, or cannot be sent. */
  take({ row, item: raw, fault }: FeedRow): { readonly json: string; readonly entry: BatchEntry } | undefined {
    this.#totals.rows += 1;
    if (raw === undefined) {
      this.#refuse(row, null, { field: '(row)', code: fault ?? 'unreadable', expected: 'a row that can be read' });
      return undefined;
    }
    const { id, item, problems } = judgeItem(raw);
    const seen = id === undefined ? undefined : this.#table.see(id);
    if (seen === 'again' && id !== undefined) {
      this.#totals.duplicates += 1;
      this.#refuse(row, id, {
        field: 'id',
        code: 'duplicate',
        expected: 'an id that no earlier row has',
        got: id.slice(0, 80),
      });
      return undefined;
    }
    for (const problem of problems) this.#note(row, id ?? null, problem, item === undefined);
    if (item === undefined) this.counts.refused += 1;
    else this.counts.warned += problems.length;
    if (id === undefined) return undefined;
    this.#profile(raw, item);
    if (seen === 'known') this.compared.common += 1;
    return item && this.#compare(row, item);
  }

  #compare(row: number, item: Item): { readonly json: string; readonly entry: BatchEntry } | undefined {
    const hash = digest('sha256', item.json, 'buffer').subarray(0, hashBytes);
    const { id, priceHundredths, currency, isInStock, fieldMask, itemGroupId } = item;
    const facts = { hash, priceHundredths, currency, isInStock, fieldMask, groupHash: groupHashOf(itemGroupId) };
    const ref = this.#table.find(id);
    if (ref === undefined) {
      this.counts.created += 1;
      return { json: item.json, entry: { method: 'create', row, id, facts } };
    }
    if (this.#table.currency(ref) !== currency) this.compared.currencyChanges += 1;
    else if (isPriceJump(this.#table.priceHundredths(ref), priceHundredths)) this.compared.priceJumps += 1;
    if (this.#table.hasHash(ref, hash)) {
      this.counts.unchanged += 1;
      return undefined;
    }
    this.counts.updated += 1;
    return { json: jsonClearing(item, this.#table.fieldMask(ref)), entry: { method: 'update', row, id, facts } };
  }

  #profile(raw: RawItem, item: Item | undefined): void {
    this.#totals.items += 1;
    for (const field of raw.keys()) this.#fields.set(field, (this.#fields.get(field) ?? 0) + 1);
    if (item !== undefined) {
      this.#totals.valid += 1;
      if (item.isInStock) this.#totals.inStock += 1;
      this.#currencies.set(item.currency, (this.#currencies.get(item.currency) ?? 0) + 1);
      return;
    }
    // A price of 0 refuses its item, and is what a broken export brings: it must not only count as one bad field.
    const written = raw.get('price');
    const price = typeof written === 'string' ? readPrice(written.trim()) : undefined;
    if (price?.hundredths === 0 || (typeof written === 'string' && /^0+(?:[.,]0+)?$/.test(written.trim()))) {
      this.#totals.zeroPrices += 1;
    }
  }

  profile(): FeedProfile {
    return {
      ...this.#totals,
      fields: Object.fromEntries(this.#fields),
      currencies: Object.fromEntries(this.#currencies),
    };
  }

  #refuse(
    row: number,
    id: string | null,
    problem: Pick<CatalogProblem, 'field' | 'code' | 'expected'> & { got?: string },
  ): void {
    this.counts.refused += 1;
    this.#note(row, id, problem, true);
  }

  #note(
    row: number,
    id: string | null,
    { field, code, expected, got }: Pick<CatalogProblem, 'field' | 'code' | 'expected'> & { readonly got?: string },
    isRefused: boolean,
  ): void {
    const name = `${field} ${code}`;
    this.problemsBy.set(name, (this.problemsBy.get(name) ?? 0) + 1);
    if (this.problems.length >= maxListedProblems) return;
    this.problems.push({ row, id, field, code, expected, got: got ?? null, by: 'kobi', isRefused });
  }
}
