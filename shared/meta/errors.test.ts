import { describe, expect, test } from 'vitest';
import { errorTable, graphErrorClasses, ruleFor } from './error-table.ts';
import type { GraphErrorClass } from './error-table.ts';
import { errorFromEnvelope } from './errors.ts';

const nowMs = 1_000_000;
const read = { call: 'GET /{id}', isWrite: false, nowMs, secrets: [] };

function classOf(code: number, subcode?: number, httpStatus = 400): GraphErrorClass | undefined {
  return errorFromEnvelope({ error: { code, error_subcode: subcode } }, httpStatus, read)?.class;
}

describe('error codes', () => {
  // Marketing API "Error Codes" and "Rate Limiting"; Conversions API errors as integrators have met them.
  const known: [code: number, subcode: number | undefined, expected: GraphErrorClass][] = [
    [1, undefined, 'transient'],
    [1, 99, 'transient'],
    [2, undefined, 'transient'],
    [2, 1504043, 'transient'],
    [2, 1504041, 'config-bug'],
    [2, 1504042, 'config-bug'],
    [-2, 2490547, 'transient'],
    [-3, 1504045, 'config-bug'],
    [100, 1504018, 'transient'],
    [100, 1487534, 'config-bug'],
    [3902, undefined, 'transient'],
    [1404006, undefined, 'transient'],
    [100, 1404006, 'transient'],
    [5000, undefined, 'transient'],
    [21009, undefined, 'transient'],
    [4, undefined, 'throttled'],
    [4, 1504022, 'throttled'],
    [17, undefined, 'throttled'],
    [17, 2446079, 'throttled'],
    [32, undefined, 'throttled'],
    [341, undefined, 'throttled'],
    [613, 1487742, 'throttled'],
    [613, 5044001, 'throttled'],
    [80000, 2446079, 'throttled'],
    [80003, undefined, 'throttled'],
    [80004, 2446079, 'throttled'],
    [80009, undefined, 'throttled'],
    [80014, undefined, 'throttled'],
    [17, 1885172, 'rescheduled'],
    [613, 1487632, 'rescheduled'],
    [613, undefined, 'rescheduled'],
    [190, undefined, 'token-dead'],
    [190, 460, 'token-dead'],
    [190, 463, 'token-dead'],
    [190, 467, 'token-dead'],
    [102, undefined, 'token-dead'],
    [3, 10, 'permission'],
    [10, undefined, 'permission'],
    [200, undefined, 'permission'],
    [294, undefined, 'permission'],
    [299, undefined, 'permission'],
    [415, undefined, 'permission'],
    [200, 1870034, 'permission'],
    [100, 1690138, 'permission'],
    [1690192, undefined, 'permission'],
    [368, undefined, 'policy-block'],
    [1404163, undefined, 'policy-block'],
    [100, 1404163, 'policy-block'],
    [3979, undefined, 'quota'],
    [100, 3979, 'quota'],
    [3965, undefined, 'quota'],
    [1690165, undefined, 'quota'],
    [100, 1690165, 'quota'],
    [1752089, undefined, 'quota'],
    [100, 1690232, 'quota'],
    [100, 33, 'not-found'],
    [100, 34, 'not-found'],
    [803, undefined, 'not-found'],
    [100, undefined, 'config-bug'],
    [100, 2804003, 'config-bug'],
    [100, 2804001, 'config-bug'],
    [100, 3974, 'config-bug'],
    [1690091, undefined, 'config-bug'],
    [105, undefined, 'config-bug'],
    [2635, undefined, 'config-bug'],
    [6200, undefined, 'config-bug'],
    [2500, undefined, 'config-bug'],
  ];

  test.each(known)('code %i, subcode %s is %s', (code, subcode, expected) => {
    expect(classOf(code, subcode)).toBe(expected);
  });

  test('Business Manager numbers mean the same as code and as subcode', () => {
    for (const number of [
      3913, 3947, 3974, 3979, 3980, 1690062, 1690090, 1690138, 1690165, 1690192, 1690232, 1752089,
    ]) {
      expect(ruleFor(100, number)).toBe(ruleFor(number, undefined));
      expect(ruleFor(100, number)?.reason).not.toBe('invalid-parameter');
    }
  });

  test('a small code is never taken from the subcode: 100/10 is not a missing permission', () => {
    for (const subcode of [1, 3, 4, 10, 17, 190, 200, 368])
      expect(ruleFor(100, subcode)?.reason).toBe('invalid-parameter');
  });

  test('an error nobody has met is tried again rather than given up', () => {
    expect(classOf(987_654)).toBe('transient');
    expect(classOf(5, 12, 412)).toBe('transient');
  });

  test("Meta's is_transient turns a broad refusal into another try, but not a throttle, a dead token or a precise rule", () => {
    const flagged = (code: number, subcode?: number) =>
      errorFromEnvelope({ error: { code, error_subcode: subcode, is_transient: true } }, 400, read)?.class;
    expect(flagged(100)).toBe('transient');
    expect(flagged(4)).toBe('throttled');
    expect(flagged(190)).toBe('token-dead');
    expect(flagged(2, 1504041)).toBe('config-bug');
  });

  test('what must wait always says until when', () => {
    for (const { code, class: errorClass } of errorTable) {
      const first = typeof code === 'number' ? code : code[0];
      const waits = errorClass === 'throttled' || errorClass === 'rescheduled';
      if (!waits) continue;
      const error = errorFromEnvelope({ error: { code: first } }, 400, read);
      expect(error?.retryAtMs).toBeGreaterThan(nowMs);
    }
    const named = errorFromEnvelope({ error: { code: 17 } }, 400, { ...read, regainAtMs: nowMs + 5 });
    expect(named?.retryAtMs).toBe(nowMs + 5);
  });

  test('every rule can be reached, has advice, and no two are for the same numbers', () => {
    const seen = new Set<string>();
    for (const rule of errorTable) {
      const code = typeof rule.code === 'number' ? rule.code : rule.code[0];
      const subcodes = 'subcode' in rule ? [rule.subcode].flat() : [undefined];
      for (const subcode of subcodes) {
        const key = `${String(rule.code)}/${String(subcode)}`;
        expect([...seen]).not.toContain(key);
        seen.add(key);
        expect(ruleFor(code, subcode ?? undefined)?.reason).toBeDefined();
      }
      expect(rule.advice).toMatch(/^[A-Z].*\.$/);
      expect(graphErrorClasses).toContain(rule.class);
    }
    const exact = errorTable.filter((rule) => 'subcode' in rule && typeof rule.subcode === 'number');
    for (const rule of exact) expect(ruleFor(rule.code as number, rule.subcode as number)).toBe(rule);
  });

  test('blamed fields are read from an object and from a JSON string', () => {
    const blame = { blame_field_specs: [['daily_budget'], ['targeting', 'geo_locations', 0]] };
    for (const error_data of [blame, JSON.stringify(blame)]) {
      const error = errorFromEnvelope({ error: { code: 100, error_data } }, 400, read);
      expect(error?.blameFields).toEqual(['daily_budget', 'targeting.geo_locations.0']);
      expect(error?.message).toContain('daily_budget');
    }
  });

  test('what is no envelope is not taken for one', () => {
    for (const body of [undefined, null, 'error', [], { error: 'no' }, { error: {} }, { error: { code: 'x' } }]) {
      expect(errorFromEnvelope(body, 400, read)).toBeUndefined();
    }
  });
});
