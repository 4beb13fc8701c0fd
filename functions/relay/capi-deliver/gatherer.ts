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
  /** Calls `leave` when it is this key's turn. The batch takes more items until then. At once where it is not given. */
  readonly inTurn?: (key: Key, leave: () => Promise<void>) => Promise<void>;
  /** What a caller's work belongs to, asked whenever it brings items. Nothing where it is not given. */
  readonly traceOf?: () => string | undefined;
  /** Sends one batch of 1 to `maxItems` items, of callers of these traces, and says what became of each, in order. */
  readonly flush: (key: Key, items: readonly Item[], traces: readonly string[]) => Promise<readonly Fate[]>;
}

interface Batch<Key, Item, Fate> {
  readonly key: Key;
  readonly items: Item[];
  readonly traces: string[];
  readonly fates: PromiseWithResolvers<readonly Fate[]>;
  isDue: boolean;
}

/** A batch is due when it is full or its time is up, and leaves in its turn. Items of one caller may be split over batches. */
export function createGatherer<Key, Item, Fate>(options: GathererOptions<Key, Item, Fate>): Gatherer<Key, Item, Fate> {
  const { textOf, maxItems, delayMs, schedule, inTurn = (_key, leave) => leave(), traceOf, flush } = options;
  const open = new Map<string, Batch<Key, Item, Fate>>();

  const close = (text: string, batch: Batch<Key, Item, Fate>): void => {
    if (open.get(text) === batch) open.delete(text);
  };

  const leave = (text: string, batch: Batch<Key, Item, Fate>): void => {
    if (batch.isDue) return;
    batch.isDue = true;
    const send = async (): Promise<void> => {
      close(text, batch);
      const fates = await flush(batch.key, batch.items, batch.traces);
      if (fates.length !== batch.items.length) throw new Error('a batch came back with another number of fates');
      batch.fates.resolve(fates);
    };
    inTurn(batch.key, send).catch((error: unknown) => batch.fates.reject(error));
  };

  const openBatch = (text: string, key: Key): Batch<Key, Item, Fate> => {
    const known = open.get(text);
    if (known !== undefined) return known;
    const batch: Batch<Key, Item, Fate> = { key, items: [], traces: [], fates: Promise.withResolvers(), isDue: false };
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
        const trace = traceOf?.();
        if (trace !== undefined) batch.traces.push(trace);
        taken += part.length;
        parts.push(batch.fates.promise.then((fates) => fates.slice(from, from + part.length)));
        if (batch.items.length === maxItems) {
          close(text, batch);
          leave(text, batch);
        } else if (from === 0) {
          schedule(() => leave(text, batch), delayMs);
        }
      }
      const settled = await Promise.allSettled(parts);
      return settled.flatMap((part) => {
        if (part.status === 'rejected') throw part.reason;
        return part.value;
      });
    },
  };
}
