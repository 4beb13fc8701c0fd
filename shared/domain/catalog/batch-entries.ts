/** What a batch of requests is about, packed: for each its row in the feed and what will be true once Meta accepts it. */
import { hashBytes } from './item-table.ts';
import type { ItemFacts } from './item-table.ts';

/** What a request does to what we know of the catalog. */
export type EntryMethod = 'create' | 'update' | 'delete';

export interface BatchEntry {
  readonly method: EntryMethod;
  /** Row of the feed; 0 for a deletion, which no row asks for. */
  readonly row: number;
  readonly id: string;
  /** Of a deletion: nothing of meaning. */
  readonly facts: ItemFacts;
}

const methods: readonly EntryMethod[] = ['create', 'update', 'delete'];
// method (1), row (4), in stock (1), hash (8), price (8), currency (3), field mask (6), group (4), length of the id (2), id
const FIXED = 1 + 4 + 1 + hashBytes + 8 + 3 + 6 + 4 + 2;

const noFacts: ItemFacts = {
  hash: new Uint8Array(hashBytes),
  priceHundredths: 0,
  currency: '---',
  isInStock: false,
  fieldMask: 0,
  groupHash: 0,
};

export const deletionOf = (id: string): BatchEntry => ({ method: 'delete', row: 0, id, facts: noFacts });

export function packEntry({ method, row, id, facts }: BatchEntry): Buffer {
  const name = Buffer.from(id, 'utf8');
  const bytes = Buffer.allocUnsafe(FIXED + name.length);
  let at = bytes.writeUInt8(methods.indexOf(method), 0);
  at = bytes.writeUInt32LE(row, at);
  at = bytes.writeUInt8(facts.isInStock ? 1 : 0, at);
  bytes.set(facts.hash.subarray(0, hashBytes), at);
  at = bytes.writeDoubleLE(facts.priceHundredths, at + hashBytes);
  at += bytes.write(facts.currency.padEnd(3, '-'), at, 3, 'latin1');
  at = bytes.writeUIntLE(facts.fieldMask, at, 6);
  at = bytes.writeUInt32LE(facts.groupHash, at);
  at = bytes.writeUInt16LE(name.length, at);
  name.copy(bytes, at);
  return bytes;
}

/** The entries in their order. @throws RangeError for bytes that are none */
export function* unpackEntries(packed: Uint8Array): Generator<BatchEntry> {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let at = 0; at < bytes.length;) {
    const method = methods[bytes.readUInt8(at)];
    if (method === undefined) throw new RangeError('not a batch entry');
    const row = bytes.readUInt32LE(at + 1);
    const isInStock = bytes.readUInt8(at + 5) === 1;
    const hash = Uint8Array.prototype.slice.call(bytes, at + 6, at + 6 + hashBytes);
    const priceAt = at + 6 + hashBytes;
    const priceHundredths = bytes.readDoubleLE(priceAt);
    const currency = bytes.toString('latin1', priceAt + 8, priceAt + 11);
    const fieldMask = bytes.readUIntLE(priceAt + 11, 6);
    const groupHash = bytes.readUInt32LE(priceAt + 17);
    const length = bytes.readUInt16LE(priceAt + 21);
    const idAt = at + FIXED;
    const id = bytes.toString('utf8', idAt, idAt + length);
    yield { method, row, id, facts: { hash, priceHundredths, currency, isInStock, fieldMask, groupHash } };
    at = idAt + length;
  }
}
