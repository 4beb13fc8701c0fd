/** Field paths (`a.b`, `` `odd.name`.b ``) and copy-on-write access to the fields they name. */
import { GrpcCode, GrpcError } from '../grpc-service.ts';
import type { DocumentMask, Fields, Value } from './wire.ts';
import { fieldOf } from './values.ts';

const parsed = new Map<string, readonly string[]>();

/** Splits a field path; backquoted segments may hold any character, with `\` escaping. Throws INVALID_ARGUMENT on a malformed one. */
export function parseFieldPath(path: string): readonly string[] {
  const known = parsed.get(path);
  if (known) return known;
  const segments: string[] = [];
  const pattern = /(?:`((?:[^`\\]|\\.)*)`|([^`.\\]+))(\.|$)/gy;
  let match: RegExpExecArray | null = null;
  let ended = false;
  while (!ended && (match = pattern.exec(path)) !== null) {
    segments.push(match[1] === undefined ? (match[2] ?? '') : match[1].replace(/\\(.)/g, '$1'));
    ended = match[3] === '';
  }
  if (!ended) throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `Invalid property path "${path}".`);
  // Paths come from code, so there are few; the bound only guards a test that makes up names.
  if (parsed.size > 10_000) parsed.clear();
  parsed.set(path, segments);
  return segments;
}

export function readField(fields: Fields, segments: readonly string[]): Value | undefined {
  let current = fields;
  let value: Value | undefined;
  for (let index = 0; index < segments.length; index++) {
    if (index > 0) {
      if (value?.valueType !== 'mapValue') return undefined;
      current = value.mapValue.fields;
    }
    value = fieldOf(current, segments[index] ?? '');
  }
  return value;
}

/** A copy of `fields` in which the path holds `value`, or is gone when `value` is undefined. Missing maps on the way are made. */
export function withField(fields: Fields, segments: readonly string[], value: Value | undefined): Fields {
  const [first, ...rest] = segments;
  if (first === undefined) return fields;
  const existing = fieldOf(fields, first);
  if (rest.length === 0) {
    if (value !== undefined) return { ...fields, [first]: value };
    if (existing === undefined) return fields;
    return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== first));
  }
  const isMap = existing?.valueType === 'mapValue';
  // Deleting below something that is no map changes nothing.
  if (value === undefined && !isMap) return fields;
  const inner = withField(isMap ? existing.mapValue.fields : {}, rest, value);
  return { ...fields, [first]: { valueType: 'mapValue', mapValue: { fields: inner } } };
}

/** Only the fields a mask names; all of them without a mask. */
export function masked(fields: Fields, mask: DocumentMask | null | undefined): Fields {
  if (!mask) return fields;
  let result: Fields = {};
  for (const path of mask.fieldPaths) {
    if (path === '__name__') continue;
    const segments = parseFieldPath(path);
    const value = readField(fields, segments);
    if (value !== undefined) result = withField(result, segments, value);
  }
  return result;
}
