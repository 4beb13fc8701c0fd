/** What should be stored, from the simulator's truth and by none of the product's code. */
import type { DayRange } from '../../shared/domain/insights/account-day.ts';
import type { Fact } from '../simulator/insights/truth.ts';
import { addDays } from '../simulator/insights/truth.ts';
import type { PlantedAccount } from './report-world.ts';

export interface TruthRow {
  readonly date: string;
  readonly report: string;
  readonly key: string;
  readonly spendMinor: number;
  readonly impressions: number;
  readonly orders: number;
  readonly valueMinor: number;
  readonly digits: 0 | 2;
}

const tables: { report: string; object: (fact: Fact) => string | null; cells: string[] }[] = [
  { report: 'account', object: () => null, cells: [] },
  { report: 'campaign', object: ({ ad }) => ad.campaignId, cells: [] },
  { report: 'ad', object: ({ ad }) => ad.adId, cells: [] },
  { report: 'campaign by age,gender', object: ({ ad }) => ad.campaignId, cells: ['age', 'gender'] },
  {
    report: 'campaign by platform_position,publisher_platform',
    object: ({ ad }) => ad.campaignId,
    cells: ['platform_position', 'publisher_platform'],
  },
  { report: 'campaign by country', object: ({ ad }) => ad.campaignId, cells: ['country'] },
];

export function truthOf(
  { truth }: Pick<PlantedAccount, 'truth'>,
  range: DayRange,
  now: Date,
  reports: readonly string[] = tables.map(({ report }) => report),
): TruthRow[] {
  const rows = new Map<string, TruthRow>();
  const asOf = truth.dayOf(now.getTime());
  for (let date = range.since; date <= range.until; date = addDays(date, 1)) {
    for (const fact of truth.facts(date, asOf)) {
      for (const { report, object, cells } of tables) {
        if (!reports.includes(report)) continue;
        const key = JSON.stringify([
          truth.accountId,
          date,
          report,
          object(fact) ?? truth.accountId,
          ...cells.map((name) => fact.cell[name] ?? null),
        ]);
        const known = rows.get(key);
        rows.set(key, {
          date,
          report,
          key,
          digits: truth.plan.minorDigits,
          spendMinor: (known?.spendMinor ?? 0) + fact.spendMinor,
          impressions: (known?.impressions ?? 0) + fact.impressions,
          orders: (known?.orders ?? 0) + fact.orders.length,
          valueMinor: (known?.valueMinor ?? 0) + fact.orders.reduce((sum, { valueMinor }) => sum + valueMinor, 0),
        });
      }
    }
  }
  return [...rows.values()];
}

/** Every way in which what is stored is not the truth: missing, too many, twice, or other numbers. */
export function differences(stored: readonly Record<string, string | null>[], truth: readonly TruthRow[]): string[] {
  const wanted = new Map(truth.map((row) => [row.key, row]));
  const seen = new Set<string>();
  const found: string[] = [];
  for (const row of stored) {
    const key = row['row_key'] ?? '';
    const right = wanted.get(key);
    if (seen.has(key)) found.push(`twice: ${key}`);
    seen.add(key);
    if (right === undefined) {
      found.push(`should not be there: ${key}`);
      continue;
    }
    const numbers = [
      minorOf(row['spend'], right.digits) - right.spendMinor,
      Number(row['impressions']) - right.impressions,
      Number(row['purchases']) - right.orders,
      minorOf(row['purchase_value'], right.digits) - right.valueMinor,
    ];
    if (numbers.some((difference) => difference !== 0)) found.push(`other numbers: ${key} ${numbers.join(' ')}`);
  }
  for (const key of wanted.keys()) if (!seen.has(key)) found.push(`missing: ${key}`);
  return found;
}

/** "12.3" with two digits → 1230; NaN for more digits than there can be. */
export function minorOf(decimal: string | null | undefined, digits: 0 | 2): number {
  const match = new RegExp(`^(\\d+)(?:\\.(\\d{1,${digits === 0 ? 1 : 2}}))?$`).exec(decimal ?? '');
  if (match === null || (digits === 0 && match[2] !== undefined)) return Number.NaN;
  return Number(`${match[1]}${(match[2] ?? '').padEnd(digits, '0')}`);
}
