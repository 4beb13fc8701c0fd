import type { Firestore } from '@google-cloud/firestore';
import { paths } from '../contracts/documents.ts';
import { datasetSchema, relayKeySchema } from '../contracts/relay-documents.ts';
import type { Dataset, RelayKey } from '../contracts/relay-documents.ts';
import { readDocument } from './firestore.ts';

/**
 * What was looked up: at once when it is in memory. Promises are dear in a request of functions-framework, which runs each
 * in a `node:domain` that hooks into every one of them.
 */
export type LookedUp<Value> = Value | undefined | Promise<Value | undefined>;

/** What the relay must know to let a request in. */
export interface RelayDirectory {
  /** Whose dataset it is; undefined when no tenant has it. Rejects when Firestore cannot say. */
  readonly dataset: (datasetId: string) => LookedUp<Dataset>;
  /** The key as kept, revoked ones included; undefined when there is none. Rejects when Firestore cannot say. */
  readonly relayKey: (relayKeyId: string) => LookedUp<RelayKey>;
}

export interface RelayDirectoryOptions {
  readonly now: () => Date;
  /** How long an answer is believed: the longest an old one is still used. */
  readonly ttlMs?: number;
  /** An answer within so much of its end is read again in the background, so that no request waits for it. */
  readonly refreshAheadMs?: number;
  /** How long "there is none" is believed: a dataset that was just created is open after this. */
  readonly missTtlMs?: number;
  /** How long an answer may serve while Firestore does not answer. */
  readonly staleMs?: number;
  /** Kept per kind, found and missing each; the ones read longest ago go first. */
  readonly maxEntries?: number;
}

/** A revoked key closes within this. Changed settings of a dataset are seen within the 30 s of other documents. */
export const relayKeyTtlMs = 5_000;

/**
 * The directory over Firestore, read through a cache in memory, so that an event costs no read: one per id, instance and
 * `ttlMs`. Lookups of one id that run at the same time share one read.
 */
export function createRelayDirectory(db: Firestore, options: RelayDirectoryOptions): RelayDirectory {
  const datasets = readThrough(
    async (id) => readDocument(await db.doc(paths.dataset(id)).get(), datasetSchema),
    options,
  );
  const relayKeys = readThrough(async (id) => readDocument(await db.doc(paths.relayKey(id)).get(), relayKeySchema), {
    ttlMs: relayKeyTtlMs,
    ...options,
  });
  return { dataset: datasets, relayKey: relayKeys };
}

interface Entry<Value> {
  readonly value: Value;
  readonly readAtMs: number;
}

/** Remembers what `read` said about an id. A read that failed is not remembered. */
export function readThrough<Value>(
  read: (id: string) => Promise<Value | undefined>,
  {
    now,
    ttlMs = 30_000,
    refreshAheadMs = 1_000,
    missTtlMs = 5_000,
    staleMs = 600_000,
    maxEntries = 10_000,
  }: RelayDirectoryOptions,
): (id: string) => LookedUp<Value> {
  const found = new Map<string, Entry<Value>>();
  /** Kept apart, so that a caller who tries ids at random cannot push out the ones that exist. */
  const missing = new Map<string, number>();
  const reading = new Map<string, Promise<Value | undefined>>();

  const ask = async (id: string, before: Entry<Value> | undefined): Promise<Value | undefined> => {
    const readAtMs = now().getTime();
    try {
      const value = await read(id);
      found.delete(id);
      missing.delete(id);
      if (value === undefined) remember(missing, id, readAtMs, maxEntries);
      else remember(found, id, { value, readAtMs }, maxEntries);
      return value;
    } catch (error) {
      if (before !== undefined && readAtMs - before.readAtMs < staleMs) return before.value;
      throw error;
    } finally {
      reading.delete(id);
    }
  };

  const askOnce = (id: string, known: Entry<Value> | undefined): Promise<Value | undefined> => {
    let answer = reading.get(id);
    if (answer === undefined) {
      answer = ask(id, known);
      reading.set(id, answer);
    }
    return answer;
  };

  return (id) => {
    const nowMs = now().getTime();
    const known = found.get(id);
    if (known !== undefined && nowMs - known.readAtMs < ttlMs) {
      // `ask` falls back on what is known, so that nothing is left to handle here.
      if (nowMs - known.readAtMs >= ttlMs - refreshAheadMs) askOnce(id, known).catch(() => undefined);
      return known.value;
    }
    const missedAtMs = missing.get(id);
    if (missedAtMs !== undefined && nowMs - missedAtMs < missTtlMs) return undefined;
    return askOnce(id, known);
  };
}

function remember<Value>(entries: Map<string, Value>, id: string, value: Value, maxEntries: number): void {
  const oldest = entries.size >= maxEntries ? entries.keys().next().value : undefined;
  if (oldest !== undefined) entries.delete(oldest);
  entries.set(id, value);
}
