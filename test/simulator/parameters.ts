import { isIP } from 'node:net';
import { invalidParameter, missingParameter, unknownParameter } from './graph-error.ts';

/**
 * Parameter tables: what an edge accepts, in the type language of Meta's own API description
 * (`string`, `int`, `unsigned int`, `float`, `bool`, `list<…>`, `map`, `Object`, enums). Forms carry complex values as
 * JSON text, JSON bodies carry them as they are; both read the same here.
 */
export interface ParameterType<T> {
  /** Meta's name of the type; enums are called `enum` and list their values. */
  readonly described: string;
  readonly values?: readonly string[];
  /** Returns the value, or throws {@link Mismatch} saying what it must be. */
  read(raw: unknown): T;
}

export interface Parameter<T, Required extends boolean = boolean> {
  readonly type: ParameterType<T>;
  readonly required: Required;
  /** Accepted by the live API, absent from Meta's machine-readable description. */
  readonly undescribed?: true;
}

export type ParameterTable = Readonly<Record<string, Parameter<unknown>>>;

export type Parsed<P extends ParameterTable> = {
  readonly [K in keyof P]: P[K] extends Parameter<infer T, true>
    ? T
    : P[K] extends Parameter<infer T, false>
      ? T | undefined
      : never;
};

export const required = <T>(type: ParameterType<T>): Parameter<T, true> => ({ type, required: true });
export const optional = <T>(type: ParameterType<T>): Parameter<T, false> => ({ type, required: false });
/** Optional, documented by Meta or seen live, but not part of the machine-readable description. */
export const undescribed = <T>(type: ParameterType<T>): Parameter<T, false> => ({
  type,
  required: false,
  undescribed: true,
});

export class Mismatch extends Error {}

export const text: ParameterType<string> = {
  described: 'string',
  read(raw) {
    if (typeof raw === 'string') return raw;
    if (typeof raw === 'number' && Number.isSafeInteger(raw)) return String(raw);
    throw new Mismatch('must be a string.');
  },
};

const digits = (described: string): ParameterType<string> => ({
  described,
  read(raw) {
    const value = text.read(raw);
    if (!/^\d{1,20}$/.test(value)) throw new Mismatch('must be a valid ID string (e.g., "123").');
    return value;
  },
});

/** A numeric id, described by Meta as a string or as an int; always kept as text, ids exceed 2^53. */
export const id = digits('string');
export const idInt = digits('int');

export const unsigned: ParameterType<number> = {
  described: 'unsigned int',
  read(raw) {
    const value = typeof raw === 'string' && /^\d{1,15}$/.test(raw) ? Number(raw) : raw;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      throw new Mismatch('must be a non-negative integer.');
    }
    return value;
  },
};

/** A decimal kept as text, so that money is never turned into a binary float. */
export const decimal: ParameterType<string> = {
  described: 'float',
  read(raw) {
    const value = typeof raw === 'number' ? String(raw) : raw;
    if (typeof value !== 'string' || !/^\d{1,15}(\.\d{1,8})?$/.test(value)) throw new Mismatch('must be a number.');
    return value;
  },
};

export const bool: ParameterType<boolean> = {
  described: 'bool',
  read(raw) {
    if (raw === true || raw === 'true' || raw === '1' || raw === 1) return true;
    if (raw === false || raw === 'false' || raw === '0' || raw === 0) return false;
    throw new Mismatch('must be a boolean.');
  },
};

export function oneOf<const V extends string>(values: readonly V[]): ParameterType<V> {
  const known = new Set<string>(values);
  return {
    described: 'enum',
    values,
    read(raw) {
      const value = typeof raw === 'number' ? String(raw) : raw;
      if (typeof value !== 'string' || !known.has(value)) {
        const shown = values.length > 40 ? `${values.slice(0, 5).join(', ')}, …` : values.join(', ');
        throw new Mismatch(`must be one of {${shown}} - got "${String(value)}".`);
      }
      return value as V;
    },
  };
}

/** Reads a value that may be JSON text; text that is not JSON is returned as it is. */
export function fromJson(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw;
  try {
    return JSON.parse(raw) as unknown;
  } catch {
    return raw;
  }
}

export function listOf<T>(item: ParameterType<T>): ParameterType<T[]> {
  return {
    described: `list<${item.described}>`,
    ...(item.values === undefined ? {} : { values: item.values }),
    read(raw) {
      const value = fromJson(raw);
      if (!Array.isArray(value)) throw new Mismatch('must be an array.');
      return value.map((entry) => item.read(entry));
    },
  };
}

/** A list of names as JSON or, as Meta's own samples have it, separated by commas. */
export const commaSeparated = (described: string, ofWhat = 'names'): ParameterType<string[]> => ({
  described,
  read(raw) {
    const value = fromJson(raw);
    const list: unknown[] = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [];
    const names = list.map((entry) => text.read(entry).trim()).filter((name) => name !== '');
    if (names.length === 0) throw new Mismatch(`must be a non-empty list of ${ofWhat}.`);
    return names;
  },
});

export const permissions = commaSeparated('list<Permission>', 'permissions');

/** Any JSON value where Meta says `Object`. */
export const json: ParameterType<unknown> = { described: 'Object', read: fromJson };

export const map: ParameterType<Record<string, unknown>> = {
  described: 'map',
  read(raw) {
    const value = fromJson(raw);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Mismatch('must be a map.');
    return value as Record<string, unknown>;
  },
};

export const httpUrl: ParameterType<string> = {
  described: 'string',
  read(raw) {
    const value = text.read(raw);
    if (!isHttpUrl(value)) throw new Mismatch('should represent a valid URL.');
    return value;
  },
};

/** True for an absolute http(s) address with a host name that could exist. */
export function isHttpUrl(value: string): boolean {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return false;
  const host = new URL(value).hostname;
  return host === 'localhost' || host.includes('.') || isIP(host.replace(/^\[|\]$/g, '')) !== 0;
}

/** Reads every parameter of a call, refusing unknown, missing and mistyped ones by name (code 100). */
export function readParameters<P extends ParameterTable>(
  table: P,
  raw: ReadonlyMap<string, unknown>,
  alsoAllowed: ReadonlySet<string>,
): Parsed<P> {
  for (const name of raw.keys()) {
    if (!Object.hasOwn(table, name) && !alsoAllowed.has(name)) throw unknownParameter(name);
  }
  const parsed: Record<string, unknown> = {};
  for (const [name, parameter] of Object.entries(table)) {
    const value = raw.get(name);
    if (value === undefined || value === null || (value === '' && parameter.required)) {
      if (parameter.required) throw missingParameter(name);
      continue;
    }
    try {
      parsed[name] = parameter.type.read(value);
    } catch (error) {
      if (error instanceof Mismatch) throw invalidParameter(name, error.message);
      throw error;
    }
  }
  return parsed as Parsed<P>;
}
