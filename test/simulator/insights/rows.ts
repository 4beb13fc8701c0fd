import type { SimulatorContext } from '../context.ts';
import type { InsightsQuery } from './query.ts';
import { silentWindows } from './query.ts';
import { addDays, daysBetween } from './truth.ts';
import type { AccountTruth, Fact, Order } from './truth.ts';

type Values = Record<string, unknown>;

/** Names under which Meta lists one and the same purchase, by where it was made. Whoever adds them up counts it again. */
const webAliases = [
  'omni_purchase',
  'purchase',
  'offsite_conversion.fb_pixel_purchase',
  'onsite_web_purchase',
  'onsite_web_app_purchase',
  'web_in_store_purchase',
];
const appAliases = ['omni_purchase', 'purchase', 'app_custom_event.fb_mobile_purchase', 'onsite_web_app_purchase'];
const aliasesOf = ({ channel }: Order): readonly string[] => (channel === 'web' ? webAliases : appAliases);

/** Sums the facts of a query into rows as Meta writes them: metrics as text, actions as lists, dates in the account's zone. */
export function insightsRows(
  query: InsightsQuery,
  truth: AccountTruth,
  currency: string,
  asOf: string,
  context: SimulatorContext,
): Values[] {
  const groups = new Map<string, { head: Values; facts: Fact[] }>();
  for (let date = query.since; date <= query.until; date = addDays(date, 1)) {
    const [start, stop] = periodOf(date, query);
    for (const fact of truth.facts(date, asOf)) {
      const head = {
        ...objectOf(query, fact),
        ...breakdownsOf(query, fact, context),
        date_start: start,
        date_stop: stop,
      };
      const key = JSON.stringify(head);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { head, facts: [fact] });
      else group.facts.push(fact);
    }
  }
  return [...groups.values()].map(({ head, facts }) => ({
    ...metricsOf(query, facts, truth, currency, context),
    ...head,
  }));
}

function periodOf(date: string, { increment, since, until }: InsightsQuery): [string, string] {
  if (increment === 'all_days') return [since, until];
  if (increment === 'monthly') {
    const first = `${date.slice(0, 7)}-01`;
    const next = new Date(`${first}T00:00:00Z`);
    next.setUTCMonth(next.getUTCMonth() + 1);
    const last = addDays(next.toISOString().slice(0, 10), -1);
    return [first < since ? since : first, last > until ? until : last];
  }
  const start = addDays(since, Math.floor(daysBetween(since, date) / increment) * increment);
  const stop = addDays(start, increment - 1);
  return [start, stop > until ? until : stop];
}

/** Ids of the level asked and those above it; names only when asked. */
function objectOf({ level, fields }: InsightsQuery, { ad }: Fact): Values {
  const depth = ['account', 'campaign', 'adset', 'ad'].indexOf(level);
  const all: [number, string, string][] = [
    [1, 'campaign_id', ad.campaignId],
    [1, 'campaign_name', ad.campaignName],
    [2, 'adset_id', ad.adsetId],
    [2, 'adset_name', ad.adsetName],
    [3, 'ad_id', ad.adId],
    [3, 'ad_name', ad.adName],
  ];
  return Object.fromEntries(
    all.flatMap(([at, name, value]) => (at <= depth && fields.includes(name) ? [[name, value]] : [])),
  );
}

function breakdownsOf({ breakdowns }: InsightsQuery, { cell }: Fact, { switches }: SimulatorContext): Values {
  return Object.fromEntries(
    breakdowns.flatMap((name) => {
      const value = cell[name] ?? null;
      return value === null && switches.insights_null_breakdown === 'absent' ? [] : [[name, value]];
    }),
  );
}

function metricsOf(
  query: InsightsQuery,
  facts: readonly Fact[],
  truth: AccountTruth,
  currency: string,
  context: SimulatorContext,
): Values {
  const sum = (read: (fact: Fact) => number): number => facts.reduce((total, fact) => total + read(fact), 0);
  const { minorDigits, isCollaborative } = truth.plan;
  const orders = facts.flatMap((fact) => fact.orders);
  const money = (minor: number): string => moneyText(minor, minorDigits);
  const impressions = sum((fact) => fact.impressions);
  const clicks = sum((fact) => fact.clicks);
  const own = isCollaborative ? [] : orders;
  const shared = isCollaborative ? orders : [];
  const asCount = (chosen: readonly Order[]): string => String(chosen.length);
  const asValue = (chosen: readonly Order[]): string =>
    money(chosen.reduce((total, order) => total + order.valueMinor, 0));
  const actions = (
    of: readonly Order[],
    write: (chosen: readonly Order[]) => string,
    aliases = aliasesOf,
  ): Values[] | undefined => actionList(of, write, query, aliases, context);
  const segment = (): readonly string[] => ['omni_purchase', 'purchase'];
  const all: Values = {
    account_id: truth.accountId,
    account_currency: currency,
    spend: money(sum((fact) => fact.spendMinor)),
    impressions: String(impressions),
    reach: String(Math.ceil(impressions * 0.7)),
    frequency: '1.428571',
    clicks: String(clicks),
    inline_link_clicks: String(sum((fact) => fact.linkClicks)),
    ctr: ((100 * clicks) / Math.max(1, impressions)).toFixed(6),
    actions: withLinkClicks(
      actions(own, asCount),
      sum((fact) => fact.linkClicks),
    ),
    action_values: actions(own, asValue),
    catalog_segment_actions: actions(shared, asCount, segment),
    catalog_segment_value: actions(shared, asValue, segment),
    converted_product_quantity: actions(shared, asCount, segment),
    converted_product_value: actions(shared, asValue, segment),
  };
  return Object.fromEntries(query.fields.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])));
}

/** `[{action_type, value, "7d_click": …}]`: each order under every name Meta has for it. */
function actionList(
  orders: readonly Order[],
  write: (chosen: readonly Order[]) => string,
  { windows }: InsightsQuery,
  aliases: (order: Order) => readonly string[],
  { switches, clock }: SimulatorContext,
): Values[] | undefined {
  const hidden = switches.insights_purchase_aliases;
  const types = new Set(orders.flatMap(aliases));
  if (hidden !== 'all') types.delete('omni_purchase');
  if (hidden === 'pixel only') types.delete('purchase');
  const list = [...types].map((type) => {
    const mine = orders.filter((order) => aliases(order).includes(type));
    const entry: Values = { action_type: type, value: write(mine) };
    for (const window of windows) {
      const endedOn = silentWindows[window];
      if (endedOn !== undefined && Date.parse(endedOn) <= clock.nowMs()) continue;
      const within = mine.filter((order) => isWithin(order.window, window));
      if (within.length > 0) entry[window] = write(within);
    }
    return entry;
  });
  return list.length === 0 ? undefined : list;
}

/** A click within a day is also one within seven. */
const isWithin = (actual: Order['window'], asked: string): boolean =>
  actual === asked ||
  (actual === '1d_click' && (asked === '7d_click' || asked === '28d_click')) ||
  (actual === '7d_click' && asked === '28d_click');

const withLinkClicks = (list: Values[] | undefined, clicks: number): Values[] => [
  { action_type: 'link_click', value: String(clicks) },
  ...(list ?? []),
];

function moneyText(minor: number, digits: 0 | 2): string {
  if (digits === 0) return String(minor);
  const text = String(minor).padStart(3, '0');
  return `${text.slice(0, -2)}.${text.slice(-2)}`;
}
