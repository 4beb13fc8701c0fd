/**
 * What one write does to one document: precondition, update mask, field transforms.
 * Source: Firestore RPC reference, messages Write, DocumentTransform and Precondition.
 */
import { GrpcCode, GrpcError } from '../grpc-service.ts';
import type { Fields, FieldTransform, Precondition, Timestamp, Value, Write } from './wire.ts';
import { assertSize, storable, storableElements } from './document-limits.ts';
import { parseFieldPath, readField, withField } from './field-path.ts';
import { compareTimestamps, compareValues, equalValues, isNaNValue, isNumber, NULL_VALUE, toNumber } from './values.ts';
import { rfc3339 } from './plain-json.ts';

export type StoredDocument = {
  /** Relative to the database's documents, e.g. `tenants/t1`. */
  readonly path: string;
  readonly fields: Fields;
  readonly createTime: Timestamp;
  readonly updateTime: Timestamp;
};

/** What a write leaves: the document's new fields, or undefined when it is gone. */
export type WriteOutcome = { fields: Fields | undefined; transformResults: Value[] };

const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);

/** The full resource name of the document a write is about. */
export function writtenName(write: Write): string {
  switch (write.operation) {
    case 'update':
      return write.update.name;
    case 'delete':
      return write.delete;
    case 'verify':
      return write.verify;
    case 'transform':
      return write.transform.document;
    default:
      throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'A write must have an operation.');
  }
}

/**
 * Computes a write's effect on the document as it stands. Throws NOT_FOUND, ALREADY_EXISTS or FAILED_PRECONDITION when its
 * precondition fails, INVALID_ARGUMENT when the result breaks one of Firestore's limits.
 */
export function applyWrite(
  write: Write,
  name: string,
  path: string,
  current: StoredDocument | undefined,
  requestTime: Timestamp,
): WriteOutcome {
  assertPrecondition(write.currentDocument, name, current);
  if (write.operation === 'delete') return { fields: undefined, transformResults: [] };
  if (write.operation === 'verify') return { fields: current?.fields, transformResults: [] };

  let fields: Fields;
  let transforms = write.updateTransforms ?? [];
  if (write.operation === 'transform') {
    fields = current?.fields ?? {};
    transforms = write.transform.fieldTransforms;
  } else {
    const written = write.update.fields;
    storable(written);
    fields = write.updateMask ? (current?.fields ?? {}) : written;
    for (const field of write.updateMask?.fieldPaths ?? []) {
      const segments = parseFieldPath(field);
      fields = withField(fields, segments, readField(written, segments));
    }
  }
  const transformResults: Value[] = [];
  for (const transform of transforms) {
    const segments = parseFieldPath(transform.fieldPath);
    const { value, result } = transformed(transform, readField(fields, segments), requestTime);
    fields = withField(fields, segments, value);
    transformResults.push(result);
  }
  assertSize(name, path, fields);
  return { fields, transformResults };
}

function assertPrecondition(
  precondition: Precondition | null | undefined,
  name: string,
  current: StoredDocument | undefined,
): void {
  if (!precondition) return;
  if (precondition.conditionType === 'exists') {
    if (precondition.exists && !current) throw new GrpcError(GrpcCode.NOT_FOUND, `No document to update: ${name}`);
    if (!precondition.exists && current)
      throw new GrpcError(GrpcCode.ALREADY_EXISTS, `Document already exists: ${name}`);
  } else if (precondition.conditionType === 'updateTime') {
    if (!current)
      throw new GrpcError(
        GrpcCode.FAILED_PRECONDITION,
        `The document ${name} does not exist, so it has no update time.`,
      );
    if (compareTimestamps(current.updateTime, precondition.updateTime) !== 0)
      throw new GrpcError(
        GrpcCode.FAILED_PRECONDITION,
        `The stored version (${rfc3339(current.updateTime)}) does not match the required base version (${rfc3339(precondition.updateTime)}).`,
      );
  }
}

/** A transform's new field value, and what the write result reports for it (null for the array transforms). */
function transformed(
  transform: FieldTransform,
  current: Value | undefined,
  requestTime: Timestamp,
): { value: Value; result: Value } {
  switch (transform.transformType) {
    case 'setToServerValue':
      return both({ valueType: 'timestampValue', timestampValue: requestTime });
    case 'increment':
      return both(sum(current, transform.increment));
    case 'maximum':
      return both(extreme(current, transform.maximum, 1));
    case 'minimum':
      return both(extreme(current, transform.minimum, -1));
    case 'appendMissingElements': {
      storableElements(transform.appendMissingElements.values);
      const values = [...elementsOf(current)];
      for (const element of transform.appendMissingElements.values)
        if (!values.some((value) => equalValues(value, element))) values.push(element);
      return { value: { valueType: 'arrayValue', arrayValue: { values } }, result: NULL_VALUE };
    }
    case 'removeAllFromArray': {
      const removed = transform.removeAllFromArray.values;
      const values = elementsOf(current).filter((value) => !removed.some((element) => equalValues(value, element)));
      return { value: { valueType: 'arrayValue', arrayValue: { values } }, result: NULL_VALUE };
    }
    default:
      throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'A field transform must have a type.');
  }
}

function both(value: Value): { value: Value; result: Value } {
  return { value, result: value };
}

function elementsOf(value: Value | undefined): readonly Value[] {
  return value?.valueType === 'arrayValue' ? value.arrayValue.values : [];
}

/** Integers stay integers and saturate at the int64 limits; anything that is no number counts as absent. */
function sum(current: Value | undefined, by: Value): Value {
  if (!isNumber(by)) throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'An increment must be a number.');
  if (!current || !isNumber(current)) return by;
  if (current.valueType === 'integerValue' && by.valueType === 'integerValue') {
    const total = BigInt(current.integerValue) + BigInt(by.integerValue);
    const clamped = total > MAX_INT64 ? MAX_INT64 : total < MIN_INT64 ? MIN_INT64 : total;
    return { valueType: 'integerValue', integerValue: clamped.toString() };
  }
  return { valueType: 'doubleValue', doubleValue: toNumber(current) + toNumber(by) };
}

/** The larger (sign 1) or smaller (sign -1) of both; NaN wins, equal values keep the stored one. */
function extreme(current: Value | undefined, other: Value, sign: 1 | -1): Value {
  if (!isNumber(other)) throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'A maximum or minimum must be a number.');
  if (!current || !isNumber(current)) return other;
  if (isNaNValue(current)) return current;
  if (isNaNValue(other)) return other;
  return compareValues(current, other) * sign >= 0 ? current : other;
}
