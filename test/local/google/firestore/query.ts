/**
 * Structured queries over a database's current documents.
 * Source: Firestore RPC reference, message StructuredQuery.
 */
import { GrpcCode, GrpcError } from '../grpc-service.ts';
import type { Cursor, FieldOperator, Filter, StructuredQuery, Value } from './wire.ts';
import type { Database } from './database.ts';
import { parentOf, lastSegment } from './database.ts';
import { parseFieldPath, readField } from './field-path.ts';
import { comparePaths, compareValues, equalValues, isNaNValue, isNumber, typeRank } from './values.ts';
import type { StoredDocument } from './writes.ts';

type Sort = { readonly path: string; readonly sign: 1 | -1; readonly read: Read };
type Test = (document: StoredDocument) => boolean;

const NAME = '__name__';
/** Source: documentation page "Order and limit data", query limitations. */
const MAX_IN = 30;
const MAX_NOT_IN = 10;
const INEQUALITIES: ReadonlySet<FieldOperator> = new Set([
  'LESS_THAN',
  'LESS_THAN_OR_EQUAL',
  'GREATER_THAN',
  'GREATER_THAN_OR_EQUAL',
  'NOT_EQUAL',
  'NOT_IN',
]);

/** A query compiled once: which documents belong to it, and in which order. */
export type CompiledQuery = {
  /** Whether a document at this path could belong to it, whatever its fields. */
  covers(path: string): boolean;
  /** The documents in order, cursors, offset and limit applied; `skipped` counts what the offset passed over. */
  run(): { documents: StoredDocument[]; skipped: number };
  /** Field paths to return, or undefined for whole documents. */
  readonly mask: { fieldPaths: string[] } | undefined;
};

/** Compiles a query below `parent` (a resource name). Throws INVALID_ARGUMENT for what Firestore would refuse. */
export function compileQuery(database: Database, parent: string, query: StructuredQuery): CompiledQuery {
  if (query.findNearest) throw new GrpcError(GrpcCode.UNIMPLEMENTED, 'Vector search is not embedded.');
  const [from] = query.from;
  if (!from || query.from.length > 1)
    throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'A query must have exactly one collection selector.');
  const parentPath = database.relative(parent);
  const reader = fieldReader(database);
  const matches = query.where ? compileFilter(query.where, reader) : () => true;
  const order = sortOrder(query, reader);
  const compare = (a: StoredDocument, b: StoredDocument): number => compareBy(order, a, b);
  const within = cursorTest(query, order);
  const ordered = order.filter((sort) => sort.path !== NAME);
  const collectionPath = parentPath === '' ? from.collectionId : `${parentPath}/${from.collectionId}`;

  function* candidates(): Generator<StoredDocument> {
    if (!from?.allDescendants) {
      const indexed = arrayFilter(query.where);
      yield* indexed === undefined
        ? database.collection(collectionPath)
        : database.holding(collectionPath, indexed.fieldPath, indexed.texts);
      return;
    }
    for (const collection of database.collectionsBelow(parentPath, from.collectionId))
      yield* database.collection(collection);
  }

  return {
    mask: query.select ? { fieldPaths: query.select.fields.map((field) => field.fieldPath) } : undefined,
    covers(path) {
      const collection = parentOf(path);
      if (!from.allDescendants) return collection === collectionPath;
      if (parentPath !== '' && !collection.startsWith(`${parentPath}/`)) return false;
      return from.collectionId === '' || lastSegment(collection) === from.collectionId;
    },
    run() {
      const wanted = query.limit ? query.offset + query.limit.value : Infinity;
      let found: StoredDocument[] = [];
      for (const document of candidates()) {
        if (!matches(document)) continue;
        // A document without a field the query orders by is not in that field's index.
        if (!ordered.every((sort) => sort.read(document) !== undefined)) continue;
        if (!within(document)) continue;
        found.push(document);
        // The first few of many: what cannot be among them is dropped on the way instead of sorted at the end.
        if (found.length >= 2 * wanted + 1000) found = found.sort(compare).slice(0, wanted);
      }
      found.sort(compare);
      const skipped = Math.min(query.offset, found.length);
      const end = query.limit ? wanted : undefined;
      return { documents: found.slice(skipped, end), skipped };
    },
  };
}

type Read = (document: StoredDocument) => Value | undefined;
/** Makes, once per query and field, what reads the field of each document. */
type FieldReader = (path: string) => Read;

function fieldReader(database: Database): FieldReader {
  const root = database.documentsRoot;
  return (path) => {
    if (path === NAME)
      return (document) => ({ valueType: 'referenceValue', referenceValue: `${root}/${document.path}` });
    const segments = parseFieldPath(path);
    return (document) => readField(document.fields, segments);
  };
}

function compileFilter(filter: Filter, reader: FieldReader): Test {
  switch (filter.filterType) {
    case 'compositeFilter': {
      const tests = filter.compositeFilter.filters.map((each) => compileFilter(each, reader));
      if (filter.compositeFilter.op === 'OR') return (document) => tests.some((test) => test(document));
      return (document) => tests.every((test) => test(document));
    }
    case 'unaryFilter': {
      const { field, op } = filter.unaryFilter;
      const read = reader(field.fieldPath);
      return (document) => {
        const value = read(document);
        if (value === undefined) return false;
        const isNull = value.valueType === 'nullValue';
        if (op === 'IS_NULL') return isNull;
        if (op === 'IS_NOT_NULL') return !isNull;
        if (op === 'IS_NAN') return isNaNValue(value);
        return !isNull && !isNaNValue(value);
      };
    }
    case 'fieldFilter': {
      const { field, op, value: operand } = filter.fieldFilter;
      const read = reader(field.fieldPath);
      const holds = fieldTest(op, operand);
      return (document) => {
        const value = read(document);
        return value !== undefined && holds(value);
      };
    }
    default:
      throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'A filter must have a type.');
  }
}

/** The filter on strings in an array that every document of the query meets, as the index answers it. */
function arrayFilter(
  filter: Filter | null | undefined,
): { readonly fieldPath: string; readonly texts: readonly string[] } | undefined {
  if (filter?.filterType === 'compositeFilter' && filter.compositeFilter.op === 'AND') {
    for (const each of filter.compositeFilter.filters) {
      const found = arrayFilter(each);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (filter?.filterType !== 'fieldFilter') return undefined;
  const { field, op, value } = filter.fieldFilter;
  const wanted = op === 'ARRAY_CONTAINS' ? [value] : op === 'ARRAY_CONTAINS_ANY' ? listOf(value) : [];
  const texts = wanted.flatMap((each) => (each.valueType === 'stringValue' ? [each.stringValue] : []));
  return texts.length === 0 || texts.length < wanted.length ? undefined : { fieldPath: field.fieldPath, texts };
}

function listOf(value: Value): readonly Value[] {
  return value.valueType === 'arrayValue' ? value.arrayValue.values : [];
}

function fieldTest(op: FieldOperator, operand: Value): (value: Value) => boolean {
  const list = listOf(operand);
  const rank = typeRank(operand);
  const comparable = (value: Value): boolean =>
    typeRank(value) === rank && rank !== 0 && (isNaNValue(value) === isNaNValue(operand) || !isNumber(value));
  // A null in a list finds nothing; only `== null` does.
  const isIn = (value: Value): boolean =>
    value.valueType !== 'nullValue' && list.some((each) => equalValues(each, value));
  switch (op) {
    case 'EQUAL':
      return (value) => equalValues(value, operand);
    case 'NOT_EQUAL':
      return (value) => value.valueType !== 'nullValue' && !equalValues(value, operand);
    case 'LESS_THAN':
      return (value) => comparable(value) && compareValues(value, operand) < 0;
    case 'LESS_THAN_OR_EQUAL':
      return (value) => comparable(value) && compareValues(value, operand) <= 0;
    case 'GREATER_THAN':
      return (value) => comparable(value) && compareValues(value, operand) > 0;
    case 'GREATER_THAN_OR_EQUAL':
      return (value) => comparable(value) && compareValues(value, operand) >= 0;
    case 'ARRAY_CONTAINS':
      return (value) =>
        value.valueType === 'arrayValue' && value.arrayValue.values.some((each) => equalValues(each, operand));
    case 'ARRAY_CONTAINS_ANY':
      assertList(op, operand, MAX_IN);
      if (list.every((each) => each.valueType === 'stringValue')) {
        const wanted = new Set(list.map((each) => each.stringValue));
        const isWanted = (each: Value): boolean => each.valueType === 'stringValue' && wanted.has(each.stringValue);
        return (value) => value.valueType === 'arrayValue' && value.arrayValue.values.some(isWanted);
      }
      return (value) => value.valueType === 'arrayValue' && value.arrayValue.values.some(isIn);
    case 'IN':
      assertList(op, operand, MAX_IN);
      return isIn;
    case 'NOT_IN':
      assertList(op, operand, MAX_NOT_IN);
      // As SQL's NOT IN: a null in the list makes the condition unknown for every document.
      if (list.some((each) => each.valueType === 'nullValue')) return () => false;
      return (value) => value.valueType !== 'nullValue' && !isIn(value);
    default:
      throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `Unknown operator ${String(op)}.`);
  }
}

function assertList(op: FieldOperator, operand: Value, max: number): void {
  if (operand.valueType !== 'arrayValue' || operand.arrayValue.values.length === 0)
    throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `'${op}' requires a non-empty ArrayValue.`);
  if (operand.arrayValue.values.length > max)
    throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `'${op}' supports up to ${max} comparison values.`);
}

/** The stated order, then inequality fields not named in it, then the document name, which makes the order total. */
function sortOrder(query: StructuredQuery, reader: FieldReader): Sort[] {
  const order: Sort[] = query.orderBy.map((each) => ({
    path: each.field.fieldPath,
    sign: each.direction === 'DESCENDING' ? -1 : 1,
    read: reader(each.field.fieldPath),
  }));
  const lastSign = order.at(-1)?.sign ?? 1;
  const implicit = [...inequalityFields(query.where)].sort();
  for (const path of [...implicit.filter((each) => each !== NAME), NAME])
    if (!order.some((sort) => sort.path === path)) order.push({ path, sign: lastSign, read: reader(path) });
  return order;
}

function inequalityFields(filter: Filter | null | undefined): Set<string> {
  if (filter?.filterType === 'compositeFilter')
    return new Set(filter.compositeFilter.filters.flatMap((each) => [...inequalityFields(each)]));
  if (filter?.filterType === 'fieldFilter' && INEQUALITIES.has(filter.fieldFilter.op))
    return new Set([filter.fieldFilter.field.fieldPath]);
  if (filter?.filterType === 'unaryFilter' && filter.unaryFilter.op.startsWith('IS_NOT'))
    return new Set([filter.unaryFilter.field.fieldPath]);
  return new Set();
}

function compareBy(order: readonly Sort[], a: StoredDocument, b: StoredDocument): number {
  for (const { path, sign, read } of order) {
    if (path === NAME) return sign * comparePaths(a.path, b.path);
    const left = read(a);
    const right = read(b);
    const compared = left && right ? compareValues(left, right) : 0;
    if (compared !== 0) return sign * compared;
  }
  return 0;
}

function cursorTest(query: StructuredQuery, order: readonly Sort[]): Test {
  const { startAt, endAt } = query;
  if (!startAt && !endAt) return () => true;
  return (document) => {
    if (startAt) {
      const position = compareToCursor(startAt, order, document);
      if (position < 0 || (position === 0 && !startAt.before)) return false;
    }
    if (endAt) {
      const position = compareToCursor(endAt, order, document);
      if (position > 0 || (position === 0 && endAt.before)) return false;
    }
    return true;
  };
}

function compareToCursor(cursor: Cursor, order: readonly Sort[], document: StoredDocument): number {
  if (cursor.values.length > order.length)
    throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'A cursor has more values than the query has orders.');
  for (const [index, expected] of cursor.values.entries()) {
    const sort = order[index];
    const value = sort?.read(document);
    if (!sort || !value) return -1;
    const compared = compareValues(value, expected);
    if (compared !== 0) return sort.sign * compared;
  }
  return 0;
}
