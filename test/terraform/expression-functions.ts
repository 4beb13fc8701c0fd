/** The functions of Terraform's language that `terraform/` calls. Source: Terraform documentation, "Functions". */
import { globSync, readFileSync } from 'node:fs';
import { sep } from 'node:path';
import { EvaluationError, asText, entriesOf, isObject, isSame, listOf } from './value.ts';
import type { Value } from './value.ts';

const text = (value: Value | undefined): string => asText(value ?? null);
const setOf = (values: readonly Value[]): ReadonlySet<Value> =>
  new Set([...new Set(values)].sort((left, right) => (asText(left) < asText(right) ? -1 : 1)));
const flat = (value: Value): readonly Value[] =>
  Array.isArray(value) || value instanceof Set ? listOf(value).flatMap(flat) : [value];

/** Terraform writes the keys of objects in order. */
function inOrder(value: Value): Value {
  if (Array.isArray(value)) return (value as readonly Value[]).map(inOrder);
  if (!isObject(value)) return value;
  return Object.fromEntries(entriesOf(value).map(([key, each]) => [key, inOrder(each)]));
}

export const functions: Readonly<Record<string, (...values: Value[]) => Value>> = {
  alltrue: (list = null) => listOf(list).every((each) => each === true),
  concat: (...lists) => lists.flatMap((list) => listOf(list)),
  contains: (list = null, wanted = null) => listOf(list).some((each) => isSame(each, wanted)),
  distinct: (list = null) => [...new Set(listOf(list))],
  endswith: (value, end) => text(value).endsWith(text(end)),
  file: (path) => readFileSync(text(path), 'utf8'),
  fileset: (path, pattern) =>
    setOf(globSync(text(pattern), { cwd: text(path) }).map((found) => found.split(sep).join('/'))),
  flatten: (list = null) => flat(list),
  join: (separator, list = null) => listOf(list).map(text).join(text(separator)),
  jsondecode: (json) => JSON.parse(text(json)) as Value,
  jsonencode: (value = null) => JSON.stringify(inOrder(value)),
  keys: (object = null) => entriesOf(object).map(([key]) => key),
  length: (value = null) => (typeof value === 'string' ? value.length : entriesOf(value).length),
  lookup: (object = null, key = null, other = null) => (isObject(object) ? (object[text(key)] ?? other) : other),
  lower: (value) => text(value).toLowerCase(),
  max: (...numbers) => Math.max(...numbers.map(Number)),
  merge: (...objects) => Object.assign({}, ...objects) as Value,
  min: (...numbers) => Math.min(...numbers.map(Number)),
  replace: (value, what, by) => {
    if (text(what).startsWith('/')) throw new EvaluationError('replace by a pattern is not known here');
    return text(value).replaceAll(text(what), text(by));
  },
  sort: (list = null) => listOf(list).map(text).sort(),
  split: (separator, value) => text(value).split(text(separator)),
  startswith: (value, start) => text(value).startsWith(text(start)),
  strcontains: (value, part) => text(value).includes(text(part)),
  toset: (list = null) => setOf(listOf(list)),
  tostring: (value) => text(value),
  upper: (value) => text(value).toUpperCase(),
  values: (object = null) => listOf(object),
};
