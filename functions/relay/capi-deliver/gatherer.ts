/**
 * Gathers what many concurrent callers bring into full batches: Meta takes 1,000 events a call, and a shop sends them
 * one by one.
 */
export interface Gatherer<Key, Item, Fate> {
  /**
   * Brings items; they leave with others of the same key. Resolves with one fate per item, in order, once every item's
   * batch has come back, and rejects when one of their batches failed, but not before all of them have settled.
   */
  add(key: Key, items: readonly Item[]): Promise<Fate[]>;
}

export interface GathererOptions<Key, Item, Fate> {
  /** Items are only gathered with items whose key has the same text. */
  readonly textOf: (key: Key) => string;
  readonly maxItems: number;
  /** How long the first item of a batch waits for company. */
  readonly delayMs: number;
  readonly schedule: (run: () => void, delayMs: number) => void;
  /** Sends one batch of 1 to `maxItems` items and says what became of each, in order. */
  readonly flush: (key: Key, items: readonly Item[]) => Promise<readonly Fate[]>;
}

interface Batch<Key, Item, Fate> {
  readonly key: Key;
  readonly items: Item[];
  readonly fates: PromiseWithResolvers<readonly Fate[]>;
}

/** A batch leaves when it is full or its time is up, whichever comes first. Items of one caller may be split over batches. */
export function createGatherer<Key, Item, Fate>(options: GathererOptions<Key, Item, Fate>): Gatherer<Key, Item, Fate> {
  const { textOf, maxItems, delayMs, schedule, flush } = options;
  const open = new Map<string, Batch<Key, Item, Fate>>();

  const leave = async (text: string, batch: Batch<Key, Item, Fate>): Promise<void> => {
    if (open.get(text) !== batch) return;
    open.delete(text);
    try {
      const fates = await flush(batch.key, batch.items);
      if (fates.length !== batch.items.length) throw new Error('a batch came back with another number of fates');
      batch.fates.resolve(fates);
    } catch (error) {
      batch.fates.reject(error);
    }
  };

  const openBatch = (text: string, key: Key): Batch<Key, Item, Fate> => {
    const known = open.get(text);
    if (known !== undefined) return known;
    const batch: Batch<Key, Item, Fate> = { key, items: [], fates: Promise.withResolvers() };
    open.set(text, batch);
    return batch;
  };

  return {
    async add(key, items) {
      const text = textOf(key);
      const parts: Promise<readonly Fate[]>[] = [];
      for (let taken = 0; taken < items.length;) {
        const batch = openBatch(text, key);
        const from = batch.items.length;
        const part = items.slice(taken, taken + maxItems - from);
        batch.items.push(...part);
        taken += part.length;
        parts.push(batch.fates.promise.then((fates) => fates.slice(from, from + part.length)));
        if (batch.items.length === maxItems) void leave(text, batch);
        else if (from === 0) schedule(() => void leave(text, batch), delayMs);
      }
      const settled = await Promise.allSettled(parts);
      return settled.flatMap((part) => {
        if (part.status === 'rejected') throw part.reason;
        return part.value;
      });
    },
  };
}
