/**
 * What a plan allows a tenant to spend on Meta (document, "Onboarding checklist" step 4: `spend_cap` from `plan_id`).
 * Amounts are whole currency units, because that is how a plan is sold; `spendCapMinor` turns them into minor units.
 */
import { minorUnitsPerUnit } from './money.ts';

const plans = {
  starter: { title: 'Starter', spendCap: { TRY: 15_000, USD: 500, EUR: 500, GBP: 400 } },
  growth: { title: 'Growth', spendCap: { TRY: 90_000, USD: 3_000, EUR: 3_000, GBP: 2_500 } },
  scale: { title: 'Scale', spendCap: { TRY: 600_000, USD: 20_000, EUR: 20_000, GBP: 16_000 } },
} as const;

export type PlanId = keyof typeof plans;
export const planIds = Object.keys(plans) as PlanId[];

/** Currencies that every plan prices; a tenant's ad account is opened in one of them. */
export const planCurrencies = ['TRY', 'USD', 'EUR', 'GBP'] as const;
export type PlanCurrency = (typeof planCurrencies)[number];

/**
 * The least an ad account is capped at when it shall spend nothing: one whole unit, because Meta takes the cap in whole
 * units, and takes 0 for "no cap".
 */
export function closingSpendCapMinor(currency: string): number {
  return minorUnitsPerUnit(currency);
}

/** The account spend cap of a plan, in the currency's minor units (15 000 TRY → 1 500 000). */
export function spendCapMinor(planId: PlanId, currency: PlanCurrency): number {
  return plans[planId].spendCap[currency] * minorUnitsPerUnit(currency);
}
