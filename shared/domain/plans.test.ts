import { expect, it } from 'vitest';
import { planCurrencies, planIds, spendCapMinor } from './plans.ts';

it('a plan caps spend in minor units of the account currency', () => {
  expect(spendCapMinor('starter', 'TRY')).toBe(1_500_000);
  expect(spendCapMinor('growth', 'EUR')).toBe(300_000);
});

it('every plan has a cap in every currency a tenant may choose', () => {
  for (const plan of planIds) {
    for (const currency of planCurrencies) expect(spendCapMinor(plan, currency)).toBeGreaterThan(0);
  }
});
