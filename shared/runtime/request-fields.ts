import * as v from 'valibot';
import { HttpProblem } from './http-problem.ts';
import type { FieldProblem } from './http-problem.ts';

/** What one field of a JSON body may be, and how to say so. */
export interface FieldRule<Value> {
  readonly schema: v.GenericSchema<unknown, Value>;
  /** What is valid: the values themselves where they are few, otherwise the rule in words. */
  readonly expected: readonly string[];
}

type FieldRules = Readonly<Record<string, FieldRule<unknown>>>;
export type FieldValues<Rules extends FieldRules> = {
  readonly [Field in keyof Rules]: Rules[Field] extends FieldRule<infer Value> ? Value : never;
};

/**
 * Reads a JSON object of which every field is required and no other is allowed.
 *
 * @throws HttpProblem 400 `invalid-request` listing every problem at once, with the field, what came and what is valid.
 *   The value of an unknown field is not repeated.
 */
export function readFields<const Rules extends FieldRules>(body: unknown, rules: Rules): FieldValues<Rules> {
  return read(body, rules, Object.keys(rules)) as FieldValues<Rules>;
}

/**
 * The same for a change: any of the fields, at least one beside those of `always`, which must come with every change.
 *
 * @throws HttpProblem as {@link readFields}
 */
export function readGivenFields<const Rules extends FieldRules, const Always extends keyof Rules & string = never>(
  body: unknown,
  rules: Rules,
  always: readonly Always[] = [],
): Partial<FieldValues<Rules>> & Pick<FieldValues<Rules>, Always> {
  const values = read(body, rules, always);
  if (Object.keys(values).some((field) => !always.some((name) => name === field))) {
    return values as Partial<FieldValues<Rules>> & Pick<FieldValues<Rules>, Always>;
  }
  throw new HttpProblem(400, 'invalid-request', 'The body changes nothing.', { expected: Object.keys(rules) });
}

function read(body: unknown, rules: FieldRules, required: readonly string[]): Record<string, unknown> {
  const names = Object.keys(rules);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new HttpProblem(400, 'invalid-request', 'The body must be a JSON object.', { expected: names });
  }
  const given = new Map<string, unknown>(Object.entries(body));
  const values: Record<string, unknown> = {};
  const problems: FieldProblem[] = [];
  for (const [field, rule] of Object.entries(rules)) {
    const value = given.get(field);
    if (value === undefined) {
      if (required.includes(field)) problems.push({ field, message: `${field} is missing`, expected: rule.expected });
      continue;
    }
    const result = v.safeParse(rule.schema, value);
    if (result.success) values[field] = result.output;
    else problems.push(...problemsOf(field, rule, value, result.issues));
  }
  for (const field of given.keys()) {
    if (!Object.hasOwn(rules, field)) {
      problems.push({ field: field.slice(0, 60), message: 'there is no such field', expected: names });
    }
  }
  if (problems.length === 0) return values;
  const count = problems.length === 1 ? 'One field is' : `${problems.length} fields are`;
  throw new HttpProblem(400, 'invalid-request', `${count} not valid: ${fieldsOf(problems)}.`, { problems });
}

/** One problem per place, however many of its rules a value breaks: `expected` states them all. */
function problemsOf(
  field: string,
  rule: FieldRule<unknown>,
  value: unknown,
  issues: readonly v.BaseIssue<unknown>[],
): FieldProblem[] {
  const problems = new Map<string, FieldProblem>();
  for (const issue of issues) {
    const keys = (issue.path ?? []).map((item) => item.key);
    const place = field + keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
    const got = preview(keys.length === 0 ? value : issue.input);
    problems.set(place, { field: place, message: `${place} is not valid`, got, expected: rule.expected });
  }
  return [...problems.values()];
}

function fieldsOf(problems: readonly FieldProblem[]): string {
  return [...new Set(problems.map((problem) => problem.field))].slice(0, 20).join(', ');
}

/** A value short enough to show back; lists and objects only by their kind. */
export function preview(value: unknown): string | number | boolean | null {
  if (typeof value === 'string') return value.length > 80 ? `${value.slice(0, 80)}…` : value;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  return Array.isArray(value) ? `(a list of ${value.length})` : `(${typeof value})`;
}
