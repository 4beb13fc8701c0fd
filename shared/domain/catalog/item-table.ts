/**
 * A million items in some fifty megabytes: id, content hash, price, stock and group of each, in one buffer with an index
 * beside it. What a sync compares a feed with, and what it leaves behind for the next.
 */

/** What is known of an item beside its id. */
export interface ItemFacts {
  /** The first {@link hashBytes} bytes of the SHA-256 of the item's JSON. */
  readonly hash: Uint8Array;
  readonly priceHundredths: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly isInStock: boolean;
  /** Which fields Meta may hold a value of: bit n stands for the nth of `itemFieldNames`. */
  readonly fieldMask: number;
  /** {@link groupHashOf} its `item_group_id`. */
  readonly groupHash: number;
  /** Meta refused this content: it is not sent again until it changes. */
  readonly isRejected?: boolean;
}

export const hashBytes = 8;

// A record: flags (1), length of the id in bytes (2), id, hash (8), price as a double (8), currency
// (3), field mask (6), hash of the group's id (4).
const HEAD = 3;
const MASK = hashBytes + 8 + 3;
const GROUP = MASK + 6;
const TAIL = GROUP + 4;
const IN_STOCK = 1;
const REJECTED = 2;
const DELETED = 4;
/** Only in memory, never stored. */
const SEEN = 8;
const NEW = 16;
const STORED = IN_STOCK | REJECTED;

/** Longest id in bytes: 100 characters of up to 3 bytes in UTF-8 (an astral one is two characters). */
const maxIdBytes = 300;

/** Where an item's record is. Valid until the table is written out. */
export type ItemRef = number;

export class ItemTable {
  #bytes: Buffer;
  #used = 0;
  #index: Uint32Array;
  #entries = 0;
  #live = 0;
  readonly #id = Buffer.allocUnsafe(maxIdBytes);

  constructor(expectedItems = 1_024) {
    this.#bytes = Buffer.allocUnsafe(Math.max(4_096, expectedItems * 48));
    this.#index = new Uint32Array(powerOfTwoAbove(expectedItems * 2));
  }

  /** Reads what {@link shards} wrote. @throws RangeError for bytes that are none */
  static from(shards: readonly Uint8Array[], expectedItems: number): ItemTable {
    const table = new ItemTable(expectedItems);
    for (const shard of shards) table.#load(Buffer.from(shard.buffer, shard.byteOffset, shard.byteLength));
    return table;
  }

  /** Items there are, without deleted ones and those that were only seen. */
  get size(): number {
    return this.#live;
  }

  /** The item's record, or undefined. An id that was only {@link see}n has none. */
  find(id: string): ItemRef | undefined {
    const slot = this.#slotOf(this.#encode(id));
    const at = this.#index[slot] ?? 0;
    if (at === 0) return undefined;
    return ((this.#bytes[at - 1] ?? 0) & (DELETED | NEW)) === 0 ? at - 1 : undefined;
  }

  /** Notes that the feed holds this id. `again`: it did before. */
  see(id: string): 'known' | 'new' | 'again' {
    const length = this.#encode(id);
    const slot = this.#slotOf(length);
    const at = this.#index[slot] ?? 0;
    if (at === 0) {
      this.#append(slot, length, SEEN | NEW, undefined);
      return 'new';
    }
    const flags = this.#bytes[at - 1] ?? 0;
    if ((flags & SEEN) !== 0) return 'again';
    this.#bytes[at - 1] = flags | SEEN;
    return (flags & (DELETED | NEW)) === 0 ? 'known' : 'new';
  }

  hasHash(ref: ItemRef, hash: Uint8Array): boolean {
    const at = this.#tailOf(ref);
    for (let index = 0; index < hashBytes; index += 1) if (this.#bytes[at + index] !== hash[index]) return false;
    return true;
  }

  priceHundredths(ref: ItemRef): number {
    return this.#bytes.readDoubleLE(this.#tailOf(ref) + hashBytes);
  }

  currency(ref: ItemRef): string {
    const at = this.#tailOf(ref) + hashBytes + 8;
    return this.#bytes.toString('latin1', at, at + 3);
  }

  fieldMask(ref: ItemRef): number {
    return this.#bytes.readUIntLE(this.#tailOf(ref) + MASK, 6);
  }

  /** {@link groupHashOf} each group that an accepted item belongs to, sorted. */
  groupHashes(): Uint32Array {
    const hashes = new Uint32Array(this.#live);
    let count = 0;
    for (const [at, flags] of this.#records()) {
      if ((flags & (NEW | DELETED | REJECTED)) !== 0) continue;
      const hash = this.#bytes.readUInt32LE(this.#tailOf(at) + GROUP);
      if (hash !== 0) hashes[(count += 1) - 1] = hash;
    }
    return hashes.subarray(0, count).toSorted();
  }

  isRejected(ref: ItemRef): boolean {
    return ((this.#bytes[ref] ?? 0) & REJECTED) !== 0;
  }

  /** Puts the item there with these facts, whether it was or not. */
  set(id: string, facts: ItemFacts): void {
    const length = this.#encode(id);
    const slot = this.#slotOf(length);
    const at = this.#index[slot] ?? 0;
    const flags = (facts.isInStock ? IN_STOCK : 0) | (facts.isRejected === true ? REJECTED : 0);
    if (at === 0) {
      this.#append(slot, length, flags, facts);
      this.#live += 1;
      return;
    }
    const before = this.#bytes[at - 1] ?? 0;
    if ((before & (DELETED | NEW)) !== 0) this.#live += 1;
    this.#bytes[at - 1] = flags | (before & SEEN);
    this.#writeTail(this.#tailOf(at - 1), facts);
  }

  delete(id: string): void {
    const ref = this.find(id);
    if (ref === undefined) return;
    this.#bytes[ref] = (this.#bytes[ref] ?? 0) | DELETED;
    this.#live -= 1;
  }

  /** Ids of the items the feed did not hold, Meta's refusals included. */
  *unseen(): Generator<string> {
    for (const [at, flags] of this.#records()) {
      if ((flags & (SEEN | NEW | DELETED)) === 0) yield this.#idAt(at);
    }
  }

  countRejected(): number {
    let count = 0;
    for (const [, flags] of this.#records())
      if ((flags & (NEW | DELETED)) === 0 && (flags & REJECTED) !== 0) count += 1;
    return count;
  }

  /** Ids in the order they came in. */
  *ids(): Generator<string> {
    for (const [at, flags] of this.#records()) if ((flags & (NEW | DELETED)) === 0) yield this.#idAt(at);
  }

  /** The items as byte strings of at most `maxBytes`, for {@link from}. */
  *shards(maxBytes: number): Generator<Buffer> {
    let shard: Buffer[] = [];
    let bytes = 0;
    for (const [at, flags, end] of this.#records()) {
      if ((flags & (NEW | DELETED)) !== 0) continue;
      if (bytes + end - at > maxBytes && bytes > 0) {
        yield Buffer.concat(shard);
        shard = [];
        bytes = 0;
      }
      const record = Buffer.from(this.#bytes.subarray(at, end));
      record[0] = flags & STORED;
      shard.push(record);
      bytes += end - at;
    }
    if (bytes > 0) yield Buffer.concat(shard);
  }

  *#records(): Generator<[at: number, flags: number, end: number]> {
    for (let at = 0; at < this.#used;) {
      const end = this.#tailOf(at) + TAIL;
      yield [at, this.#bytes[at] ?? 0, end];
      at = end;
    }
  }

  #load(shard: Buffer): void {
    for (let at = 0; at < shard.length;) {
      const length = shard.readUInt16LE(at + 1);
      const end = at + HEAD + length + TAIL;
      if (length === 0 || length > maxIdBytes || end > shard.length) throw new RangeError('not a shard of items');
      shard.copy(this.#id, 0, at + HEAD, at + HEAD + length);
      const slot = this.#slotOf(length);
      if (this.#index[slot] === 0) {
        const record = this.#append(slot, length, (shard[at] ?? 0) & STORED, undefined);
        shard.copy(this.#bytes, this.#tailOf(record), at + HEAD + length, end);
        this.#live += 1;
      }
      at = end;
    }
  }

  #append(slot: number, length: number, flags: number, facts: ItemFacts | undefined): number {
    const at = this.#used;
    const end = at + HEAD + length + TAIL;
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, Math.ceil(this.#bytes.length * 1.5)));
      this.#bytes.copy(larger, 0, 0, this.#used);
      this.#bytes = larger;
    }
    this.#bytes[at] = flags;
    this.#bytes.writeUInt16LE(length, at + 1);
    this.#id.copy(this.#bytes, at + HEAD, 0, length);
    const tail = at + HEAD + length;
    if (facts === undefined) this.#bytes.fill(0, tail, end);
    else this.#writeTail(tail, facts);
    this.#used = end;
    this.#index[slot] = at + 1;
    this.#entries += 1;
    if (this.#entries * 2 > this.#index.length) this.#reindex();
    return at;
  }

  #writeTail(at: number, { hash, priceHundredths, currency, fieldMask, groupHash }: ItemFacts): void {
    this.#bytes.set(hash.subarray(0, hashBytes), at);
    this.#bytes.writeDoubleLE(priceHundredths, at + hashBytes);
    this.#bytes.write(currency, at + hashBytes + 8, 3, 'latin1');
    this.#bytes.writeUIntLE(fieldMask, at + MASK, 6);
    this.#bytes.writeUInt32LE(groupHash, at + GROUP);
  }

  #tailOf(ref: ItemRef): number {
    return ref + HEAD + this.#bytes.readUInt16LE(ref + 1);
  }

  #idAt(ref: ItemRef): string {
    return this.#bytes.toString('utf8', ref + HEAD, this.#tailOf(ref));
  }

  /** @throws RangeError for an id no item may have */
  #encode(id: string): number {
    const length = this.#id.write(id, 'utf8');
    if (length === 0 || id.length > maxIdBytes / 3) throw new RangeError('an id has 1 to 100 characters');
    return length;
  }

  /** The slot that holds the id in `#id`, or the free one where it belongs. */
  #slotOf(length: number): number {
    const mask = this.#index.length - 1;
    for (let slot = hashOf(this.#id, 0, length) & mask; ; slot = (slot + 1) & mask) {
      const at = this.#index[slot] ?? 0;
      if (at === 0) return slot;
      if (
        this.#bytes.readUInt16LE(at) === length &&
        this.#bytes.compare(this.#id, 0, length, at - 1 + HEAD, at - 1 + HEAD + length) === 0
      ) {
        return slot;
      }
    }
  }

  #reindex(): void {
    this.#index = new Uint32Array(this.#index.length * 2);
    const mask = this.#index.length - 1;
    for (const [at] of this.#records()) {
      let slot = hashOf(this.#bytes, at + HEAD, this.#tailOf(at)) & mask;
      while (this.#index[slot] !== 0) slot = (slot + 1) & mask;
      this.#index[slot] = at + 1;
    }
  }
}

/** 32 bits of a group's id: enough to ask whether a handful of ids are groups. 0: no group. */
export function groupHashOf(itemGroupId: string | undefined): number {
  if (itemGroupId === undefined) return 0;
  const bytes = Buffer.from(itemGroupId, 'utf8');
  return hashOf(bytes, 0, bytes.length) || 1;
}

/** Whether an id is among {@link ItemTable.groupHashes}; wrongly so for one id in four thousand at a million groups. */
export function holdsGroup(groupHashes: Uint32Array, id: string): boolean {
  const wanted = groupHashOf(id);
  let [from, to] = [0, groupHashes.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((groupHashes[middle] ?? 0) < wanted) from = middle + 1;
    else to = middle;
  }
  return groupHashes[from] === wanted;
}

/** FNV-1a, and its high bits stirred into the low ones that choose the slot. */
function hashOf(bytes: Buffer, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 12)) >>> 0;
}

function powerOfTwoAbove(number: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(16, number)));
}
