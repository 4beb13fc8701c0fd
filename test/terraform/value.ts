/** The values of Terraform's language; a set is a `Set` in order. */
export type Value = null | boolean | number | string | readonly Value[] | ReadonlySet<Value> | Values;
export interface Values {
  readonly [name: string]: Value;
}

/** An expression that has no value: a name nobody declared, a key that is not there, an argument of the wrong type. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}

/** Key and value of each element; objects in the order of their keys, as in Terraform. */
export function entriesOf(collection: Value): [string | number, Value][] {
  if (Array.isArray(collection)) return (collection as readonly Value[]).map((value, index) => [index, value]);
  if (collection instanceof Set) return [...(collection as ReadonlySet<Value>)].map((value) => [asText(value), value]);
  if (isObject(collection)) return Object.entries(collection).sort(([left], [right]) => (left < right ? -1 : 1));
  throw new EvaluationError(`${shown(collection)} is no collection`);
}

export function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Set);
}

export function listOf(value: Value): readonly Value[] {
  return entriesOf(value).map(([, each]) => each);
}

export function asText(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new EvaluationError(`${shown(value)} is no text`);
}

export function isSame(left: Value, right: Value): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

export function shown(value: Value): string {
  return JSON.stringify(value instanceof Set ? [...(value as ReadonlySet<Value>)] : value).slice(0, 120);
}

/** A text as it is, anything else as JSON; nothing as "". */
export function text(value: Value | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : shown(value);
}
