import { packEntry } from '../../../shared/domain/catalog/batch-entries.ts';
import type { BatchEntry } from '../../../shared/domain/catalog/batch-entries.ts';
import type { CatalogBatchStore } from '../../../shared/gcp/catalog-batch-store.ts';
import { maxItemsPerBatch } from '../../../shared/meta/catalog-items.ts';

/** Far below Meta's 28 MB, because a batch must also fit a document once it is compressed. */
const maxPlannedChars = 2_500_000;

/** Requests on their way into batches of at most {@link maxItemsPerBatch}. */
export class BatchPlan {
  readonly #batches: CatalogBatchStore;
  readonly #tenantId: string;
  readonly #syncId: string;
  readonly #maxItems: number;
  #requests: string[] = [];
  #entries: Buffer[] = [];
  #chars = 0;
  #count = 0;

  constructor(batches: CatalogBatchStore, tenantId: string, syncId: string, maxItems: number = maxItemsPerBatch) {
    this.#maxItems = maxItems;
    this.#batches = batches;
    this.#tenantId = tenantId;
    this.#syncId = syncId;
  }

  /** Batches written. */
  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#requests.length >= this.#maxItems || this.#chars >= maxPlannedChars;
  }

  /** @param data the `data` of the request, as JSON */
  add(data: string, entry: BatchEntry): void {
    const request = `{"method":"${entry.method === 'delete' ? 'DELETE' : 'UPDATE'}","data":${data}}`;
    this.#requests.push(request);
    this.#entries.push(packEntry(entry));
    this.#chars += request.length;
  }

  async flush(): Promise<void> {
    const [requests, entries] = [this.#requests, this.#entries];
    this.#requests = [];
    this.#entries = [];
    this.#chars = 0;
    if (requests.length > 0) await this.#write(requests, entries);
  }

  /** What does not fit one document is halved until it does. */
  async #write(requests: readonly string[], entries: readonly Buffer[]): Promise<void> {
    const batch = { tenantId: this.#tenantId, syncId: this.#syncId, n: this.#count, items: requests.length };
    if (await this.#batches.plan(batch, `[${requests.join(',')}]`, Buffer.concat(entries))) {
      this.#count += 1;
      return;
    }
    const half = Math.ceil(requests.length / 2);
    await this.#write(requests.slice(0, half), entries.slice(0, half));
    await this.#write(requests.slice(half), entries.slice(half));
  }
}
