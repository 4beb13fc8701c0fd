/**
 * Which indexes a query needs, by Firestore's rules, held against an index file: a query that Firestore would refuse is
 * refused here with the same code and with the entry that is missing.
 * Source: documentation pages "Index types" (automatic indexing, exemptions, index scope), "Manage indexes" and "Index
 * overview" (index merging); Firebase page "Index definition reference" for the file.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GrpcCode, GrpcError } from '../grpc-service.ts';
import type { Aggregation, Direction, FieldOperator, Filter, StructuredQuery } from './wire.ts';

export type QueryScope = 'COLLECTION' | 'COLLECTION_GROUP';
export type IndexField = { readonly fieldPath: string } & (
  { readonly order: Direction } | { readonly arrayConfig: 'CONTAINS' }
);
export interface CompositeIndex {
  readonly collectionGroup: string;
  readonly queryScope: QueryScope;
  readonly fields: readonly IndexField[];
}
export interface FieldOverride {
  readonly collectionGroup: string;
  readonly fieldPath: string;
  readonly ttl?: boolean;
  /** All single-field indexes of the field, instead of those Firestore makes by itself. */
  readonly indexes: readonly ({ readonly queryScope: QueryScope } & (
    { readonly order: Direction } | { readonly arrayConfig: 'CONTAINS' }
  ))[];
}
/** `firestore.indexes.json`, as Firebase and Terraform read it. */
export interface IndexFile {
  readonly indexes: readonly CompositeIndex[];
  readonly fieldOverrides: readonly FieldOverride[];
}

const NAME = '__name__';
const FILE = 'terraform/firestore.indexes.json';

/** The product's own index file. */
export function productIndexes(): IndexFile {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../../../..', FILE), 'utf8')) as IndexFile;
}

/** One way to answer a query: fields that must equal something, then the order of what is left. */
interface Shape {
  readonly equal: ReadonlySet<string>;
  readonly contains: ReadonlySet<string>;
  readonly order: readonly { readonly fieldPath: string; readonly order: Direction }[];
}

/** Throws FAILED_PRECONDITION naming the index that is missing. */
export function assertIndexed(
  file: IndexFile,
  query: StructuredQuery,
  aggregations: readonly Aggregation[] = [],
): void {
  const [from] = query.from;
  if (!from) return;
  const group = from.collectionId;
  const scope: QueryScope = from.allDescendants ? 'COLLECTION_GROUP' : 'COLLECTION';
  for (const shape of shapesOf(query, aggregations)) {
    const missing = missingIndex(file, group, scope, shape);
    if (missing === undefined) continue;
    throw new GrpcError(
      GrpcCode.FAILED_PRECONDITION,
      `The query requires an index. Add to "${missing.list}" in ${FILE}: ${JSON.stringify(missing.entry)}`,
    );
  }
}

function missingIndex(
  file: IndexFile,
  collectionGroup: string,
  queryScope: QueryScope,
  { equal, contains, order }: Shape,
): { list: string; entry: CompositeIndex | FieldOverride } | undefined {
  if (equal.size === 0 && contains.size === 0 && order.length === 0) return undefined;
  const named = new Set([...equal, ...contains]);
  const all: IndexField[] = [
    ...[...equal].sort().map((fieldPath): IndexField => ({ fieldPath, order: 'ASCENDING' })),
    ...[...contains].sort().map((fieldPath): IndexField => ({ fieldPath, arrayConfig: 'CONTAINS' })),
    ...order,
  ];
  const available = [
    ...file.indexes
      .filter((index) => index.collectionGroup === collectionGroup && index.queryScope === queryScope)
      .map(({ fields }) => withoutImpliedName(fields)),
    ...all.flatMap(({ fieldPath }) => singleFieldIndexes(file, collectionGroup, queryScope, fieldPath)),
  ];
  // Indexes that end in the query's order, each after some of the fields that are equal, can be merged.
  const covered = new Set<string>();
  let endsInOrder = false;
  for (const fields of available) {
    const head = fields.slice(0, fields.length - order.length);
    const tail = fields.slice(fields.length - order.length);
    if (fields.length < order.length || !sameFields(tail, order)) continue;
    const fits = head.every((field) => ('order' in field ? equal.has(field.fieldPath) : contains.has(field.fieldPath)));
    if (!fits) continue;
    endsInOrder = true;
    for (const { fieldPath } of head) covered.add(fieldPath);
  }
  if (endsInOrder && covered.size === named.size) return undefined;
  const [only] = all;
  if (only !== undefined && all.length === 1) {
    const known = file.fieldOverrides.find((each) => isFor(each, collectionGroup, only.fieldPath));
    const { fieldPath, ...how } = only;
    return {
      list: 'fieldOverrides',
      entry: { ...known, collectionGroup, fieldPath, indexes: [...(known?.indexes ?? []), { queryScope, ...how }] },
    };
  }
  return { list: 'indexes', entry: { collectionGroup, queryScope, fields: all } };
}

/** What Firestore indexes by itself: each field up, down and as an array, within a collection; unless overridden. */
function singleFieldIndexes(
  file: IndexFile,
  group: string,
  queryScope: QueryScope,
  fieldPath: string,
): (readonly IndexField[])[] {
  // An exemption of a map holds for everything in it that has no override of its own.
  const override =
    file.fieldOverrides.find((each) => isFor(each, group, fieldPath)) ??
    file.fieldOverrides.find((each) => each.collectionGroup === group && fieldPath.startsWith(`${each.fieldPath}.`));
  if (override !== undefined)
    return override.indexes
      .filter((index) => index.queryScope === queryScope)
      .map((index) => ['order' in index ? { fieldPath, order: index.order } : { fieldPath, arrayConfig: 'CONTAINS' }]);
  if (queryScope === 'COLLECTION_GROUP') return [];
  return [
    [{ fieldPath, order: 'ASCENDING' }],
    [{ fieldPath, order: 'DESCENDING' }],
    [{ fieldPath, arrayConfig: 'CONTAINS' }],
  ];
}

function isFor(override: FieldOverride, group: string, fieldPath: string): boolean {
  return override.collectionGroup === group && override.fieldPath === fieldPath;
}

/** Every index ends in the document's name, in the direction of the field before it. */
function withoutImpliedName(fields: readonly IndexField[]): readonly IndexField[] {
  const last = fields.at(-1);
  const before = fields.at(-2);
  if (last?.fieldPath !== NAME || !('order' in last)) return fields;
  const implied = before !== undefined && 'order' in before ? before.order : 'ASCENDING';
  return last.order === implied ? fields.slice(0, -1) : fields;
}

function sameFields(left: readonly IndexField[], right: readonly IndexField[]): boolean {
  return left.every((field, index) => {
    const other = right[index];
    return other?.fieldPath === field.fieldPath && 'order' in field && 'order' in other && field.order === other.order;
  });
}

/** A disjunction is several queries; each needs its own index. */
function shapesOf(query: StructuredQuery, aggregations: readonly Aggregation[]): Shape[] {
  const aggregated = aggregations.flatMap((each) =>
    each.operator === 'count' ? [] : [(each.operator === 'sum' ? each.sum : each.avg).field.fieldPath],
  );
  return disjuncts(query.where).map((filters) => {
    const equal = new Set<string>();
    const contains = new Set<string>();
    const unequal = new Set<string>();
    for (const { fieldPath, kind } of filters) ({ equal, contains, unequal })[kind].add(fieldPath);
    const order = query.orderBy
      .map(({ field, direction }) => ({
        fieldPath: field.fieldPath,
        order: direction === 'DESCENDING' ? ('DESCENDING' as const) : ('ASCENDING' as const),
      }))
      // Among documents that are equal in a field, its order says nothing.
      .filter(({ fieldPath }) => !equal.has(fieldPath));
    const direction = order.at(-1)?.order ?? 'ASCENDING';
    for (const fieldPath of [...unequal, ...aggregated].sort())
      if (!order.some((each) => each.fieldPath === fieldPath) && !equal.has(fieldPath))
        order.push({ fieldPath, order: direction });
    for (const set of [equal, contains]) set.delete(NAME);
    return { equal, contains, order: withoutImpliedName(order) as Shape['order'] };
  });
}

interface Condition {
  readonly fieldPath: string;
  readonly kind: 'equal' | 'contains' | 'unequal';
}

function disjuncts(filter: Filter | null | undefined): Condition[][] {
  if (!filter) return [[]];
  if (filter.filterType === 'fieldFilter')
    return [[{ fieldPath: filter.fieldFilter.field.fieldPath, kind: kindOf(filter.fieldFilter.op) }]];
  if (filter.filterType === 'unaryFilter') {
    const { field, op } = filter.unaryFilter;
    return [[{ fieldPath: field.fieldPath, kind: op.startsWith('IS_NOT') ? 'unequal' : 'equal' }]];
  }
  const each = filter.compositeFilter.filters.map(disjuncts);
  if (filter.compositeFilter.op === 'OR') return each.flat();
  return each.reduce<Condition[][]>(
    (all, some) => all.flatMap((left) => some.map((right) => [...left, ...right])),
    [[]],
  );
}

function kindOf(op: FieldOperator): Condition['kind'] {
  if (op === 'EQUAL' || op === 'IN') return 'equal';
  return op === 'ARRAY_CONTAINS' || op === 'ARRAY_CONTAINS_ANY' ? 'contains' : 'unequal';
}
