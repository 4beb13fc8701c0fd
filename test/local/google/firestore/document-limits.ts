/**
 * What Firestore refuses to store, and what it rounds.
 * Source: Firestore documentation, pages "Usage and limits" and "Storage size calculations"; wording after Google's emulator.
 */
import { GrpcCode, GrpcError } from '../grpc-service.ts';
import type { Fields, Value } from './wire.ts';
import { untyped } from './values.ts';

const MAX_DOCUMENT_BYTES = 1_048_576;
const MAX_DEPTH = 20;
const MAX_NAME_BYTES = 1500;
const NANOS_PER_MICRO = 1000;
const RESERVED = /^__.*__$/;
/** The two names with which a map says that it is a vector. */
const TYPE_NAMES: ReadonlySet<string> = new Set(['__type__', '__vector__']);

/** Throws INVALID_ARGUMENT when a collection or document id is reserved or too long. */
export function assertIds(ids: readonly string[]): void {
  for (const id of ids) {
    if (id === '.' || id === '..' || RESERVED.test(id))
      throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `Resource id "${id}" is invalid because it is reserved.`);
    assertLength('name', id);
  }
}

/**
 * Readies the fields of a request for storing: rounds timestamps down to microseconds, in place. Throws INVALID_ARGUMENT on
 * reserved or overlong field names, on a list directly within a list, and on nesting deeper than 20 levels.
 */
export function storable(fields: Fields, depth = 0): void {
  if (depth > MAX_DEPTH)
    throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `Maps and lists are nested deeper than ${MAX_DEPTH} levels.`);
  for (const [name, value] of Object.entries(fields)) {
    if (RESERVED.test(name) && !TYPE_NAMES.has(name))
      throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `field name ${name} is reserved`);
    assertLength('property name', name);
    storableValue(value, depth);
  }
}

/** As `storable`, for the elements of a list. */
export function storableElements(elements: readonly Value[], depth = 0): void {
  for (const element of elements) {
    if (element.valueType === 'arrayValue')
      throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'Cannot convert an array value in an array value.');
    storableValue(element, depth);
  }
}

function storableValue(value: Value, depth: number): void {
  if (value.valueType === 'mapValue') storable(value.mapValue.fields, depth + 1);
  else if (value.valueType === 'arrayValue') storableElements(value.arrayValue.values, depth + 1);
  else if (value.valueType === 'timestampValue')
    value.timestampValue.nanos -= value.timestampValue.nanos % NANOS_PER_MICRO;
}

function assertLength(what: string, name: string): void {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `The ${what} is longer than ${MAX_NAME_BYTES} bytes.`);
}

/** Throws INVALID_ARGUMENT when the document is over 1 MiB. */
export function assertSize(name: string, path: string, fields: Fields): void {
  const sizeBytes = documentSizeBytes(path, fields);
  if (sizeBytes > MAX_DOCUMENT_BYTES)
    throw new GrpcError(
      GrpcCode.INVALID_ARGUMENT,
      `Document '${name}' cannot be written because its size (${sizeBytes} bytes) exceeds the maximum allowed size of ${MAX_DOCUMENT_BYTES} bytes.`,
    );
}

/** Bytes a document counts against Firestore's 1 MiB limit: its name, its field names and values, and 32 of overhead. */
function documentSizeBytes(path: string, fields: Fields): number {
  return nameSizeBytes(path) + fieldsSizeBytes(fields) + 32;
}

function nameSizeBytes(path: string): number {
  return path.split('/').reduce((total, segment) => total + Buffer.byteLength(segment) + 1, 16);
}

function fieldsSizeBytes(fields: Fields): number {
  let total = 0;
  for (const [name, value] of Object.entries(fields)) total += Buffer.byteLength(name) + 1 + valueSizeBytes(value);
  return total;
}

function valueSizeBytes(value: Value): number {
  switch (value.valueType) {
    case 'nullValue':
    case 'booleanValue':
      return 1;
    case 'integerValue':
    case 'doubleValue':
    case 'timestampValue':
      return 8;
    case 'stringValue':
      return Buffer.byteLength(value.stringValue) + 1;
    case 'bytesValue':
      return value.bytesValue.length;
    case 'referenceValue':
      return nameSizeBytes(value.referenceValue.slice(value.referenceValue.indexOf('/documents/') + 11));
    case 'geoPointValue':
      return 16;
    case 'arrayValue':
      return value.arrayValue.values.reduce((total, element) => total + valueSizeBytes(element), 0);
    case 'mapValue':
      return fieldsSizeBytes(value.mapValue.fields);
    default:
      return untyped(value);
  }
}
