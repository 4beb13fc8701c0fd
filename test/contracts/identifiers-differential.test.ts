import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { DECISIONS, type Difference } from './identifiers-differential.decisions.ts';
import { CONFLICTS, inputs } from './identifiers-differential.inputs.ts';
import {
  businessSdk,
  KEYS,
  ours,
  parameterBuilder,
  type Input,
  type Ours,
} from './identifiers-differential.libraries.ts';

/**
 * Every input through our `hashUserData` and through both of Meta's libraries: the same digest, or a difference that a
 * decision in the table names. Whoever changes a rule, or takes a new version of a library, learns here what changed.
 */
const SEED = 20_260_109;
const LIBRARIES = {
  'capi-param-builder-nodejs': parameterBuilder,
  'facebook-nodejs-business-sdk': businessSdk,
} as const;
type Library = keyof typeof LIBRARIES;
const NAMES = Object.keys(LIBRARIES) as Library[];

const all = inputs(SEED);
const agreements: Record<Library, number> = { 'capi-param-builder-nodejs': 0, 'facebook-nodejs-business-sdk': 0 };
const differencesOf = new Map<string, number>();
const unexplained: string[] = [];

function differences(input: Input, sentByUs: Ours): Difference[] {
  return NAMES.flatMap((library) => {
    const theirs = LIBRARIES[library](input);
    const agree =
      theirs.digest === undefined ? sentByUs.digests.length === 0 : sentByUs.digests.includes(theirs.digest);
    return agree ? [] : [{ library, input, ours: sentByUs, theirs }];
  });
}

function decisionOf(difference: Difference): string | undefined {
  const { key } = difference.input;
  return DECISIONS.find(({ keys, explains }) => (keys?.includes(key) ?? true) && explains(difference))?.id;
}

function described({ library, input, ours: { plain, code }, theirs }: Difference): string {
  const { key, text, country } = input;
  const us = plain.length > 0 ? plain.join(' and ') : (code ?? 'a digest');
  return `${key} ${JSON.stringify(text.slice(0, 80))} in ${country}: we ${us}, ${library} ${theirs.plain ?? theirs.digest ?? 'nothing'}`;
}

beforeAll(() => {
  for (const input of all) {
    const found = differences(input, ours(input));
    for (const library of NAMES) if (!found.some((difference) => difference.library === library)) agreements[library]++;
    for (const difference of found) {
      const id = decisionOf(difference);
      if (id === undefined) unexplained.push(described(difference));
      else differencesOf.set(id, (differencesOf.get(id) ?? 0) + 1);
    }
  }
});

test('at least 2,000 different inputs, of every key, the same in every run', () => {
  expect(all.length).toBeGreaterThanOrEqual(2_000);
  expect(inputs(SEED)).toEqual(all);
  for (const key of KEYS) expect(all.filter((input) => input.key === key).length).toBeGreaterThan(50);
});

test("for every input we send what Meta's libraries send, or a decision says why not", async ({ annotate }) => {
  const rows = [...differencesOf].toSorted(([, a], [, b]) => b - a).map(([id, count]) => `${count} ${id}`);
  const agreed = NAMES.map((library) => `agrees with ${library} on ${agreements[library]}`);
  await annotate(`${all.length} inputs; ${agreed.join('; ')}; differences: ${rows.join(', ')}`);
  expect(unexplained).toEqual([]);
});

test('every decision explains something', () => {
  expect(DECISIONS.map(({ id }) => id).filter((id) => !differencesOf.has(id))).toEqual([]);
});

test('a decision has a name of its own, a reason and a source', () => {
  expect(new Set(DECISIONS.map(({ id }) => id)).size).toBe(DECISIONS.length);
  for (const { reason, source } of DECISIONS) expect(reason && source).toMatch(/\w/);
});

test('the page of the rules gives every decision with its reason', () => {
  const page = readFileSync(new URL('../../shared/domain/identifiers/README.md', import.meta.url), 'utf8');
  for (const { id, reason } of DECISIONS) {
    expect(page).toContain(`\`${id}\``);
    expect(page).toContain(reason);
  }
});

/** What we send for the inputs on which the published tests of Meta's and other systems contradict each other. */
describe('inputs about which other systems contradict each other', () => {
  test.each([
    ['ct', 'San José', ['sanjose', 'sanjosé']],
    ['ct', 'Montréal', ['montreal', 'montréal']],
    ['ct', 'Los Angeles 90210', ['losangeles90210']],
    ['country', 'Germany', ['de']],
    ['country', 'USA', ['us']],
    ['country', 'United States of America', ['us']],
    ['country', 'South Korea', ['kr']],
    ['ph', '555.123.4567', ['15551234567']],
    ['st', 'California', ['ca']],
    ['st', 'New York', ['ny']],
    ['st', 'North Carolina', ['nc']],
    ['st', 'Rhode Island', ['ri']],
    ['st', 'Québec', ['quebec', 'québec']],
    ['zp', 'SW1A 1AA', ['sw1a1aa']],
    ['ph', '12345', 'not_a_phone'],
    ['country', 'U', 'not_a_country'],
  ] as const)('%s %j is sent as %j', (key, text, expected) => {
    const input = CONFLICTS.find((conflict) => conflict.key === key && conflict.text === text)!;
    const { plain, code } = ours(input);
    expect(typeof expected === 'string' ? code : plain).toEqual(expected);
  });

  test('are all sixteen here', () => expect(CONFLICTS).toHaveLength(16));
});

describe('an unexplained difference is noticed', () => {
  const input: Input = { key: 'fn', text: 'Mary', country: 'US', language: 'en' };

  test.each([
    ['a digest of something else', { plain: ['marie'], digests: ['f'.repeat(64)], code: undefined }],
    ['nothing', { plain: [], digests: [], code: 'empty' }],
    ['nothing, for no reason', { plain: [], digests: [], code: undefined }],
  ])('if we sent %s', (_, sentByUs) => {
    const found = differences(input, sentByUs);
    expect(found).toHaveLength(2);
    expect(found.map(decisionOf)).toEqual([undefined, undefined]);
  });
});
