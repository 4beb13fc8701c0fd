/**
 * Firestore values: their order and their equality.
 * Source: Firestore documentation, page "Supported data types" (value type ordering).
 */
import { GrpcCode, GrpcError } from '../grpc-service.ts';
import type { Fields, Timestamp, Value } from './wire.ts';

export const NULL_VALUE: Value = { valueType: 'nullValue', nullValue: 'NULL_VALUE' };

const VECTOR_KEY = '__type__';
const NUMERIC_ID = '__id';
/** Integers of fewer digits are exact as doubles. */
const EXACT_DIGITS = 15;

/** Values of different ranks never match a range filter together and sort by rank. Integers and doubles share a rank. */
export function typeRank(value: Value): number {
  switch (value.valueType) {
    case 'nullValue':
      return 0;
    case 'booleanValue':
      return 1;
    case 'integerValue':
    case 'doubleValue':
      return 2;
    case 'timestampValue':
      return 3;
    case 'stringValue':
      return 4;
    case 'bytesValue':
      return 5;
    case 'referenceValue':
      return 6;
    case 'geoPointValue':
      return 7;
    case 'arrayValue':
      return 8;
    case 'mapValue':
      return isVector(value.mapValue.fields) ? 9 : 10;
    default:
      return untyped(value);
  }
}

/** A client that leaves a value's type out, or sends one not embedded here, is told so. */
export function untyped(value: never): never {
  throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `A value has no known type: ${JSON.stringify(value)}`);
}

/** The order in which Firestore sorts two values of any types; 0 also for 1 and 1.0, which are equal in queries. */
export function compareValues(a: Value, b: Value): number {
  const rank = typeRank(a) - typeRank(b);
  if (rank !== 0) return rank;
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  if (a.valueType === 'booleanValue' && b.valueType === 'booleanValue')
    return Number(a.booleanValue) - Number(b.booleanValue);
  if (a.valueType === 'timestampValue' && b.valueType === 'timestampValue')
    return compareTimestamps(a.timestampValue, b.timestampValue);
  if (a.valueType === 'stringValue' && b.valueType === 'stringValue') return compareUtf8(a.stringValue, b.stringValue);
  if (a.valueType === 'bytesValue' && b.valueType === 'bytesValue') return Buffer.compare(a.bytesValue, b.bytesValue);
  if (a.valueType === 'referenceValue' && b.valueType === 'referenceValue')
    return comparePaths(a.referenceValue, b.referenceValue);
  if (a.valueType === 'geoPointValue' && b.valueType === 'geoPointValue')
    return a.geoPointValue.latitude - b.geoPointValue.latitude || a.geoPointValue.longitude - b.geoPointValue.longitude;
  if (a.valueType === 'arrayValue' && b.valueType === 'arrayValue')
    return compareArrays(a.arrayValue.values, b.arrayValue.values);
  if (a.valueType === 'mapValue' && b.valueType === 'mapValue')
    return compareMaps(a.mapValue.fields, b.mapValue.fields);
  return 0;
}

/** Equality as queries and array transforms see it: 1 equals 1.0, NaN equals NaN. */
export function equalValues(a: Value, b: Value): boolean {
  return compareValues(a, b) === 0;
}

/** Equality of stored data: unlike `equalValues`, 1 and 1.0 differ. */
export function identicalFields(a: Fields, b: Fields): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => {
    const left = fieldOf(a, name);
    const right = fieldOf(b, name);
    return left !== undefined && right !== undefined && identical(left, right);
  });
}

function identical(a: Value, b: Value): boolean {
  if (a.valueType !== b.valueType) return false;
  if (a.valueType === 'mapValue' && b.valueType === 'mapValue')
    return identicalFields(a.mapValue.fields, b.mapValue.fields);
  if (a.valueType === 'arrayValue' && b.valueType === 'arrayValue') {
    const left = a.arrayValue.values;
    const right = b.arrayValue.values;
    return left.length === right.length && left.every((value, index) => identical(value, right[index] ?? NULL_VALUE));
  }
  if (a.valueType === 'doubleValue' && b.valueType === 'doubleValue') return Object.is(a.doubleValue, b.doubleValue);
  return compareValues(a, b) === 0;
}

/** A map's own field; never something inherited from Object.prototype. */
export function fieldOf(fields: Fields, name: string): Value | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

export function compareTimestamps(a: Timestamp, b: Timestamp): number {
  return Number(a.seconds) - Number(b.seconds) || a.nanos - b.nanos;
}

/** Order by UTF-8 bytes, without encoding: UTF-16 order differs from it only where a surrogate meets a unit above it. */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left === right) continue;
    const leftSurrogate = (left & 0xf800) === 0xd800;
    const rightSurrogate = (right & 0xf800) === 0xd800;
    if (leftSurrogate !== rightSurrogate) return leftSurrogate ? 1 : -1;
    return left - right;
  }
  return a.length - b.length;
}

/** Order of resource names: segment by segment, so that `a/b` sorts before `a!/b`. */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  if (a.includes(NUMERIC_ID) || b.includes(NUMERIC_ID)) return compareSegmentLists(a.split('/'), b.split('/'));
  let index = 0;
  while (index < a.length && index < b.length && a.charCodeAt(index) === b.charCodeAt(index)) index += 1;
  // Where one name or segment ends and the other goes on, the one that ends is first.
  if (index === a.length || index === b.length) return a.length - b.length;
  if (a[index] === '/') return -1;
  if (b[index] === '/') return 1;
  return compareUtf8(a, b);
}

function compareSegmentLists(left: readonly string[], right: readonly string[]): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const order = compareSegments(left[index] ?? '', right[index] ?? '');
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Numeric ids, written `__id7__`, sort before all others; recursive deletes bound their queries by the lowest of them. */
function compareSegments(a: string, b: string): number {
  const left = numericId(a);
  const right = numericId(b);
  if (left !== undefined && right !== undefined) return left === right ? 0 : left < right ? -1 : 1;
  if (left !== undefined) return -1;
  return right === undefined ? compareUtf8(a, b) : 1;
}

function numericId(segment: string): bigint | undefined {
  if (!segment.startsWith(NUMERIC_ID)) return undefined;
  const digits = /^__id(-?\d+)__$/.exec(segment)?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}

type NumberValue = Extract<Value, { valueType: 'integerValue' | 'doubleValue' }>;

export function isNumber(value: Value): value is NumberValue {
  return value.valueType === 'integerValue' || value.valueType === 'doubleValue';
}

export function isNaNValue(value: Value): boolean {
  return value.valueType === 'doubleValue' && Number.isNaN(value.doubleValue);
}

export function toNumber(value: NumberValue): number {
  return value.valueType === 'integerValue' ? Number(value.integerValue) : value.doubleValue;
}

function compareNumbers(a: NumberValue, b: NumberValue): number {
  if (a.valueType === 'integerValue' && b.valueType === 'integerValue') {
    if (a.integerValue === b.integerValue) return 0;
    if (a.integerValue.length <= EXACT_DIGITS && b.integerValue.length <= EXACT_DIGITS)
      return Number(a.integerValue) - Number(b.integerValue);
    return BigInt(a.integerValue) < BigInt(b.integerValue) ? -1 : 1;
  }
  const left = toNumber(a);
  const right = toNumber(b);
  if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(right)) - Number(Number.isNaN(left));
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function compareArrays(a: Value[], b: Value[]): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const order = compareValues(a[index] ?? NULL_VALUE, b[index] ?? NULL_VALUE);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareMaps(a: Fields, b: Fields): number {
  const left = Object.keys(a).sort(compareUtf8);
  const right = Object.keys(b).sort(compareUtf8);
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const leftName = left[index] ?? '';
    const rightName = right[index] ?? '';
    const order =
      compareUtf8(leftName, rightName) || compareValues(a[leftName] ?? NULL_VALUE, b[rightName] ?? NULL_VALUE);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function isVector(fields: Fields): boolean {
  const type = fieldOf(fields, VECTOR_KEY);
  return type?.valueType === 'stringValue' && type.stringValue === '__vector__';
}
