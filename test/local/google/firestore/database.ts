/** The documents of one Firestore database, in memory: current versions only, with atomic commits and a change feed. */
import { GrpcCode, GrpcError } from '../grpc-service.ts';
import type { DocumentMask, Timestamp, WireDocument, Write, WriteResult } from './wire.ts';
import { assertIds } from './document-limits.ts';
import { masked } from './field-path.ts';
import { ArrayIndex } from './array-index.ts';
import { identicalFields } from './values.ts';
import { applyWrite, type StoredDocument, writtenName } from './writes.ts';

export type Change = { readonly path: string; readonly before?: StoredDocument; readonly after?: StoredDocument };

export type CommitResult = { commitTime: Timestamp; writeResults: WriteResult[] };

type Collection = Map<string, StoredDocument>;

export class Database {
  /** `projects/{project}/databases/{database}`. */
  readonly name: string;
  readonly #nowMs: () => number;
  readonly #documents = new Map<string, StoredDocument>();
  readonly #collections = new Map<string, Collection>();
  /** Collection paths by collection id, for collection-group queries. */
  readonly #groups = new Map<string, Set<string>>();
  readonly #watchers = new Set<(changes: readonly Change[]) => void>();
  /** By collection path and field path, made when a query first asks. */
  readonly #arrays = new Map<string, Map<string, ArrayIndex>>();
  #lastMicros = 0;

  constructor(name: string, nowMs: () => number) {
    this.name = name;
    this.#nowMs = nowMs;
  }

  get documentsRoot(): string {
    return `${this.name}/documents`;
  }

  /** The path below the database's documents; '' for the root itself. Throws INVALID_ARGUMENT for a name of another database. */
  relative(name: string): string {
    const root = this.documentsRoot;
    if (name === root) return '';
    if (!name.startsWith(`${root}/`))
      throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `"${name}" is not a document of ${this.name}.`);
    return name.slice(root.length + 1);
  }

  /** As `relative`, for the name of a document. Throws INVALID_ARGUMENT for anything else, and for reserved ids. */
  documentPath(name: string): string {
    const path = this.relative(name);
    const segments = path.split('/');
    if (segments.length % 2 !== 0 || segments.includes(''))
      throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `"${name}" is not the name of a document.`);
    assertIds(segments);
    return path;
  }

  get(path: string): StoredDocument | undefined {
    return this.#documents.get(path);
  }

  /** Every document, in no particular order. */
  all(): IterableIterator<StoredDocument> {
    return this.#documents.values();
  }

  collection(path: string): Iterable<StoredDocument> {
    return this.#collections.get(path)?.values() ?? [];
  }

  /** The documents of a collection whose array at this field holds one of the strings. */
  *holding(collection: string, fieldPath: string, texts: readonly string[]): Generator<StoredDocument> {
    let fields = this.#arrays.get(collection);
    if (fields === undefined) this.#arrays.set(collection, (fields = new Map()));
    let index = fields.get(fieldPath);
    if (index === undefined) {
      fields.set(fieldPath, (index = new ArrayIndex(fieldPath)));
      for (const document of this.collection(collection)) index.add(document);
    }
    for (const path of index.find(texts)) {
      const document = this.#documents.get(path);
      if (document) yield document;
    }
  }

  /** The collections with at least one document: with this id, or any for '', below a document ('' for everywhere). */
  *collectionsBelow(parent: string, collectionId: string): Generator<string> {
    const candidates = collectionId === '' ? this.#collections.keys() : (this.#groups.get(collectionId) ?? []);
    for (const path of candidates) if (parent === '' || path.startsWith(`${parent}/`)) yield path;
  }

  /** Later than every time given before: microseconds, as Firestore's update times. */
  tick(): Timestamp {
    this.#lastMicros = Math.max(Math.floor(this.#nowMs() * 1000), this.#lastMicros + 1);
    return timestampFromMicros(this.#lastMicros);
  }

  /** The time at which what is stored now is current; never before the last commit. */
  readTime(): Timestamp {
    return timestampFromMicros(Math.max(Math.floor(this.#nowMs() * 1000), this.#lastMicros));
  }

  /** Applies all writes or none; a later write of the same commit sees the earlier ones. A write that changes nothing keeps the update time. */
  commit(writes: readonly Write[]): CommitResult {
    const commitTime = this.tick();
    const pending = new Map<string, StoredDocument | undefined>();
    const writeResults: WriteResult[] = [];
    for (const write of writes) {
      const name = writtenName(write);
      const path = this.documentPath(name);
      const current = pending.has(path) ? pending.get(path) : this.#documents.get(path);
      const { fields, transformResults } = applyWrite(write, name, path, current, commitTime);
      let next: StoredDocument | undefined;
      if (fields === undefined) next = undefined;
      else if (current && identicalFields(current.fields, fields)) next = current;
      else next = { path, fields, createTime: current?.createTime ?? commitTime, updateTime: commitTime };
      pending.set(path, next);
      writeResults.push({ updateTime: next?.updateTime ?? null, transformResults });
    }
    this.#store(pending);
    return { commitTime, writeResults };
  }

  /** Empties the database; those who listen see every document deleted. */
  clear(): void {
    const pending = new Map<string, undefined>();
    for (const path of this.#documents.keys()) pending.set(path, undefined);
    this.tick();
    this.#store(pending);
  }

  /** Calls back after every commit that changed something; the returned function stops it. */
  watch(watcher: (changes: readonly Change[]) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  toWire(document: StoredDocument, mask?: DocumentMask | null): WireDocument {
    return {
      name: `${this.documentsRoot}/${document.path}`,
      fields: masked(document.fields, mask),
      createTime: document.createTime,
      updateTime: document.updateTime,
    };
  }

  #store(pending: ReadonlyMap<string, StoredDocument | undefined>): void {
    const changes: Change[] = [];
    for (const [path, after] of pending) {
      const before = this.#documents.get(path);
      if (before === after) continue;
      for (const index of this.#arrays.get(parentOf(path))?.values() ?? []) {
        index.change(before, after);
      }
      if (after) this.#put(after);
      else this.#remove(path);
      changes.push({ path, ...(before && { before }), ...(after && { after }) });
    }
    if (changes.length > 0) for (const watcher of this.#watchers) watcher(changes);
  }

  #put(document: StoredDocument): void {
    this.#documents.set(document.path, document);
    const parent = parentOf(document.path);
    let collection = this.#collections.get(parent);
    if (!collection) {
      collection = new Map();
      this.#collections.set(parent, collection);
      const id = lastSegment(parent);
      const group = this.#groups.get(id);
      if (group) group.add(parent);
      else this.#groups.set(id, new Set([parent]));
    }
    collection.set(document.path, document);
  }

  #remove(path: string): void {
    this.#documents.delete(path);
    const parent = parentOf(path);
    const collection = this.#collections.get(parent);
    collection?.delete(path);
    if (collection?.size !== 0) return;
    this.#collections.delete(parent);
    this.#groups.get(lastSegment(parent))?.delete(parent);
  }
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

export function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function timestampFromMicros(micros: number): Timestamp {
  const seconds = Math.floor(micros / 1_000_000);
  return { seconds: String(seconds), nanos: (micros - seconds * 1_000_000) * 1000 };
}
