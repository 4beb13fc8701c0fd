/**
 * Purchases of an insights row. Meta lists one and the same purchase under several overlapping action types, so exactly
 * one of them is read, never a sum.
 */
import { Big } from 'big.js';

/**
 * The first of these that a row has, is its purchases. `omni_purchase` covers every place a purchase can be made in;
 * `purchase` is its name in accounts that lack it; the rest cover less and less, and count only where nothing wider is
 * listed. (Marketing API, "Action types"; that the types overlap is practice, Meta does not spell it out.)
 */
const purchaseActionTypes = [
  'omni_purchase',
  'purchase',
  'onsite_web_app_purchase',
  'offsite_conversion.fb_pixel_purchase',
  'onsite_web_purchase',
  'app_custom_event.fb_mobile_purchase',
  'onsite_conversion.purchase',
] as const;
export type PurchaseActionType = (typeof purchaseActionTypes)[number];

/** One entry of `actions` or `action_values`: a number per attribution window, all as text. */
export type ActionStats = { readonly action_type: string; readonly value?: string | undefined } & {
  readonly [window: string]: string | undefined;
};

export interface Purchases {
  /** Which type was read; null when the row has none. */
  readonly actionType: PurchaseActionType | null;
  /** Decimal strings: by the account's own attribution setting, and by the windows apart. */
  readonly count: string;
  readonly count7dClick: string;
  readonly count1dView: string;
  readonly value: string;
  readonly value7dClick: string;
  readonly value1dView: string;
}

/** @throws Error when a number is none */
export function purchasesOf(
  actions: readonly ActionStats[] | undefined,
  values: readonly ActionStats[] | undefined,
): Purchases {
  const actionType =
    purchaseActionTypes.find((type) => actions?.some(({ action_type }) => action_type === type)) ?? null;
  const entry = (list: readonly ActionStats[] | undefined): ActionStats | undefined =>
    list?.find(({ action_type }) => action_type === actionType);
  const [count, value] = [entry(actions), entry(values)];
  return {
    actionType,
    count: decimalOf(count?.value),
    count7dClick: decimalOf(count?.['7d_click']),
    count1dView: decimalOf(count?.['1d_view']),
    value: decimalOf(value?.value),
    value7dClick: decimalOf(value?.['7d_click']),
    value1dView: decimalOf(value?.['1d_view']),
  };
}

/** A plain decimal, without exponent or trailing zeros; "0" for what is not there. @throws Error for what is no number */
export function decimalOf(text: string | undefined): string {
  if (text === undefined || text === '') return '0';
  if (!/^-?\d+(?:\.\d+)?$/.test(text)) throw new Error('a metric is not a decimal number');
  return new Big(text).toFixed();
}
