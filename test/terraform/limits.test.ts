import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bounds, limitsOf, prices } from '../../terraform/limits/model.ts';
import { limitsTable, onboardingLine } from '../../terraform/limits/table.ts';
import { repositoryRoot } from '../local/manifests.ts';

const page = await readFile(join(repositoryRoot, 'terraform', 'LIMITS.md'), 'utf8');
/** The cells of every table row, whatever prettier made of their width. */
const cells = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^[|\s:-]+$/.test(line))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .join('|'),
    );

test('the page of limits shows the table that npm run limits prints', () => {
  const printed = cells(limitsTable());
  expect(cells(page).slice(0, printed.length)).toEqual(printed);
});

test('the page says what npm run limits says of an onboarding', () => {
  expect(page.replaceAll(/\s+/g, ' ')).toContain(onboardingLine());
});

test('the page names capacity, source and remedy of everything that can give way', () => {
  const rows = cells(page).filter((row) => row.split('|').length === 6);
  for (const { name } of bounds) {
    const row = rows.find((each) => each.replaceAll('`', '').startsWith(`|${name}|`));
    expect(
      row?.split('|').every((cell, index) => index === 0 || index === 5 || cell !== ''),
      name,
    ).toBe(true);
  }
});

test('the page says of every price where it is from, and of which day, or that it is assumed', () => {
  const rows = cells(page).filter((row) => row.split('|').length === 5);
  for (const name of Object.keys(prices)) {
    const source = rows.find((row) => row.startsWith(`|\`${name}\`|`));
    expect(source, name).toMatch(/https:.*\d{4}-\d\d-\d\d|the same|assumption/);
  }
});

test('no size costs less than a smaller one, and none of its bounds is asked for less', () => {
  for (const tenants of [10, 1_000, 100_000]) {
    let before = limitsOf({ tenants, eventsPerMonth: 1e6 });
    for (const eventsPerMonth of [1e7, 1e8, 1e9, 1e10, 1e11]) {
      const after = limitsOf({ tenants, eventsPerMonth });
      expect(after.dollarsPerMonth).toBeGreaterThan(before.dollarsPerMonth);
      expect(after.used).toBeGreaterThanOrEqual(before.used);
      expect(after.graphCallsPerMonth).toBeGreaterThanOrEqual(before.graphCallsPerMonth);
      before = after;
    }
  }
});
