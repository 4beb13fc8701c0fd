/** Reading query parameters; what is wrong is answered with the parameter, what came and what is valid. */
import * as v from 'valibot';
import { slugPattern } from '../../../shared/domain/naming.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { preview } from '../../../shared/runtime/request-fields.ts';

/** @throws HttpProblem 400 when there is a parameter that the path does not know: a mistyped filter would match all */
export function onlyParameters(query: URLSearchParams, known: readonly string[]): void {
  const unknown = [...query.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(unknown.slice(0, 60), null, known, 'There is no such parameter.');
}

/** @throws HttpProblem 400 */
export function pageSize(query: URLSearchParams, otherwise: number, most: number): number {
  const given = query.get('limit');
  if (given === null) return otherwise;
  const size = /^\d{1,4}$/.test(given) ? Number(given) : 0;
  if (size >= 1 && size <= most) return size;
  throw invalid('limit', given, [`a whole number from 1 to ${most}`]);
}

/** @throws HttpProblem 400 */
export function instant(query: URLSearchParams, field: string): Date | null {
  const given = query.get(field);
  if (given === null) return null;
  const read = readInstant(given);
  if (read !== undefined) return read;
  throw invalid(field, given, [instantExpected]);
}

export const instantExpected = 'an instant in UTC, e.g. 2026-11-23T20:00:00Z';

/** ISO 8601 with a `Z`; undefined for anything else. */
export function readInstant(text: string): Date | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z$/.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

/** @throws HttpProblem 400 */
export function tenantIn(query: URLSearchParams): string | null {
  const given = query.get('tenant');
  if (given === null || slugPattern.test(given)) return given;
  throw invalid('tenant', given, ['a tenant id']);
}

/** A cursor is a list of texts and nulls in base64url; opaque to callers. @throws HttpProblem 400 */
export function cursorIn(query: URLSearchParams, length: number): (string | null)[] | undefined {
  const given = query.get('cursor');
  if (given === null) return undefined;
  const parts = v.safeParse(v.array(v.nullable(v.string())), decoded(given));
  if (parts.success && parts.output.length === length) return parts.output;
  throw invalid('cursor', given, ['the `next` of an earlier page']);
}

export function cursorOf(...parts: (string | null)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

export function invalid(
  field: string,
  got: string | null,
  expected: readonly string[],
  message = `${field} is not valid.`,
): HttpProblem {
  return new HttpProblem(400, 'invalid-request', message, {
    field,
    expected,
    ...(got !== null && { got: preview(got) }),
  });
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
