/**
 * Aggregations over the documents a query found.
 * Source: Firestore RPC reference, message StructuredAggregationQuery; documentation page "Summarize data with aggregation queries".
 */
import type { Aggregation, Fields, Value } from './wire.ts';
import { parseFieldPath, readField } from './field-path.ts';
import { isNumber, toNumber } from './values.ts';
import type { StoredDocument } from './writes.ts';

/**
 * Each alias's value over those documents that have every aggregated field. Sums of integers stay integers; an average of
 * nothing is null.
 */
export function aggregate(found: readonly StoredDocument[], aggregations: readonly Aggregation[]): Fields {
  const paths = aggregations.flatMap((each) => {
    const path = aggregatedField(each);
    return path ? [path] : [];
  });
  const documents = found.filter(({ fields }) => paths.every((path) => readField(fields, path) !== undefined));
  const result: Fields = {};
  for (const [index, aggregation] of aggregations.entries()) {
    result[aggregation.alias || `field_${index + 1}`] = aggregateOne(documents, aggregation);
  }
  return result;
}

function aggregateOne(documents: readonly StoredDocument[], aggregation: Aggregation): Value {
  if (aggregation.operator === 'count') {
    const upTo = aggregation.count.upTo ? Number(aggregation.count.upTo.value) : Infinity;
    return { valueType: 'integerValue', integerValue: String(Math.min(documents.length, upTo)) };
  }
  const segments = aggregatedField(aggregation) ?? [];
  const numbers = documents.flatMap((document) => {
    const value = readField(document.fields, segments);
    return value && isNumber(value) ? [value] : [];
  });
  if (aggregation.operator === 'avg') {
    if (numbers.length === 0) return { valueType: 'nullValue', nullValue: 'NULL_VALUE' };
    const total = numbers.reduce((sum, value) => sum + toNumber(value), 0);
    return { valueType: 'doubleValue', doubleValue: total / numbers.length };
  }
  let whole = 0n;
  for (const value of numbers) {
    if (value.valueType === 'doubleValue')
      return { valueType: 'doubleValue', doubleValue: numbers.reduce((sum, each) => sum + toNumber(each), 0) };
    whole += BigInt(value.integerValue);
  }
  return { valueType: 'integerValue', integerValue: whole.toString() };
}

function aggregatedField(aggregation: Aggregation): readonly string[] | undefined {
  if (aggregation.operator === 'count') return undefined;
  const { field } = aggregation.operator === 'sum' ? aggregation.sum : aggregation.avg;
  return parseFieldPath(field.fieldPath);
}
