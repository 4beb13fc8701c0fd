import type { SimulatorContext } from '../context.ts';
import { GraphError, invalidParameter } from '../graph-error.ts';
import {
  bool,
  fromJson,
  json,
  listOf,
  map,
  Mismatch,
  oneOf,
  optional,
  text,
  undescribed,
  unsigned,
} from '../parameters.ts';
import type { Parsed, ParameterType } from '../parameters.ts';
import {
  actionBreakdowns,
  attributionWindows,
  datePresets,
  insightsBreakdowns,
  insightsFields,
  insightsLevels,
  optInBreakdowns,
  permittedBreakdowns,
} from './enums.ts';
import type { InsightsLevel } from './enums.ts';
import { addDays, daysBetween } from './truth.ts';
import type { AccountTruth } from './truth.ts';

/** A report as it was asked for, checked. */
export interface InsightsQuery {
  readonly level: InsightsLevel;
  readonly fields: readonly string[];
  readonly breakdowns: readonly string[];
  readonly actionBreakdowns: readonly string[];
  readonly windows: readonly string[];
  readonly since: string;
  readonly until: string;
  /** Days a row covers. */
  readonly increment: number | 'all_days' | 'monthly';
}

const oneOfSet = (values: ReadonlySet<string>): ParameterType<string> => oneOf([...values]);
/** Names in a list, or separated by commas as in every other `fields`. */
const fieldNames: ParameterType<string[]> = {
  described: 'list<string>',
  read(raw) {
    const value = fromJson(raw);
    const names = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [];
    return names.map((name) => text.read(name).trim());
  },
};
const increment: ParameterType<string> = {
  described: 'string',
  read(raw) {
    const value = text.read(raw);
    if (value === 'monthly' || value === 'all_days') return value;
    if (!/^\d+$/.test(value) || Number(value) < 1 || Number(value) > 90) {
      throw new Mismatch('must be an integer from 1 to 90, monthly or all_days.');
    }
    return value;
  },
};

export const insightsParameters = {
  level: optional(oneOf(insightsLevels)),
  fields: optional(fieldNames),
  breakdowns: optional(listOf(oneOfSet(insightsBreakdowns))),
  action_breakdowns: optional(listOf(oneOfSet(actionBreakdowns))),
  action_attribution_windows: optional(listOf(oneOfSet(attributionWindows))),
  action_report_time: optional(oneOf(['conversion', 'impression', 'lifetime', 'mixed'])),
  date_preset: optional(oneOfSet(datePresets)),
  time_range: optional(map),
  time_ranges: optional(listOf(map)),
  time_increment: optional(increment),
  filtering: optional(listOf(json)),
  sort: optional(listOf(text)),
  default_summary: optional(bool),
  use_account_attribution_setting: optional(bool),
  use_unified_attribution_setting: optional(bool),
  limit: optional(unsigned),
  after: undescribed(text),
};
export type InsightsParameters = Parsed<typeof insightsParameters>;

/** What v25.0 lists and Meta has ended or announced to end: asking for it is refused once the day has come. */
const retiredFields: Readonly<Record<string, string>> = {
  marketing_messages_website_add_to_cart: '2026-07-29',
  marketing_messages_website_initiate_checkout: '2026-07-29',
  marketing_messages_website_purchase: '2026-07-29',
  marketing_messages_website_purchase_values: '2026-07-29',
};
/** Windows that answer nothing since this day. */
export const silentWindows: Readonly<Record<string, string>> = { '7d_view': '2026-01-12', '28d_view': '2026-01-12' };
const retiredBreakdowns: Readonly<Record<string, string>> = { dma: '2026-06-22' };

const keptMonths = 37;

/** @throws GraphError as Meta refuses a report: 100, 3018, or 2 with 1504041 */
export function readQuery(
  params: InsightsParameters,
  truth: AccountTruth | undefined,
  context: SimulatorContext,
): InsightsQuery {
  const nowMs = context.clock.nowMs();
  const today = truth?.dayOf(nowMs) ?? new Date(nowMs).toISOString().slice(0, 10);
  const fields = params.fields ?? ['impressions', 'spend'];
  for (const field of fields) {
    const endedOn = retiredFields[field] ?? context.insights.retired.get(field);
    if (!insightsFields.has(field) || (endedOn !== undefined && endedOn <= today)) {
      throw invalidParameter('fields', `has an invalid value: ${field} is not valid for fields param.`);
    }
  }
  const level = params.level ?? 'account';
  const breakdowns = params.breakdowns ?? [];
  for (const breakdown of breakdowns) {
    const endedOn = retiredBreakdowns[breakdown];
    if (endedOn !== undefined && endedOn <= today)
      throw invalidParameter('breakdowns', `has an invalid value: ${breakdown}.`);
  }
  const isPermitted = permittedBreakdowns.some(
    (set) => set.length === breakdowns.length && set.every((name) => breakdowns.includes(name)),
  );
  if (!isPermitted) {
    throw new GraphError({
      code: 2,
      subcode: 1504041,
      httpStatus: 400,
      message: `(#2) Current combination of data breakdown columns (${breakdowns.join(', ')}) is invalid`,
    });
  }
  if (level === 'account' && fields.some((field) => field.startsWith('converted_product_'))) {
    throw invalidParameter('fields', 'converted_product fields are not available at account level.');
  }
  const { since, until } = rangeOf(params, today, fields);
  const given = params.time_increment ?? 'all_days';
  return {
    level,
    fields,
    breakdowns: breakdowns.filter((name) => !optInBreakdowns.has(name) || context.switches.insights_opt_in_breakdowns),
    actionBreakdowns: params.action_breakdowns ?? ['action_type'],
    windows: params.action_attribution_windows ?? [],
    since,
    until,
    increment: given === 'monthly' || given === 'all_days' ? given : Number(given),
  };
}

function rangeOf(
  params: InsightsParameters,
  today: string,
  fields: readonly string[],
): { since: string; until: string } {
  const range = params.time_range ?? params.time_ranges?.[0];
  if (range === undefined) return presetRange(params.date_preset ?? 'last_30d', today);
  const [since, until] = [range['since'], range['until']];
  const isDay = (day: unknown): day is string =>
    typeof day === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(Date.parse(day));
  if (!isDay(since) || !isDay(until)) throw invalidParameter('time_range', 'must have since and until as YYYY-MM-DD.');
  if (since > until) throw invalidParameter('time_range', 'since must not be after until.');
  const earliest = new Date(`${today}T00:00:00Z`);
  earliest.setUTCMonth(earliest.getUTCMonth() - keptMonths);
  if (since < earliest.toISOString().slice(0, 10)) {
    throw new GraphError({
      code: 3018,
      message: '(#3018) The start date of the time range cannot be beyond 37 months from the current date',
    });
  }
  if (since > today) throw invalidParameter('time_range', `cannot start in the future (${fields.length} fields).`);
  return { since, until };
}

function presetRange(preset: string, today: string): { since: string; until: string } {
  const yesterday = addDays(today, -1);
  const days = /^last_(\d+)d$/.exec(preset)?.[1];
  if (days !== undefined) return { since: addDays(today, -Number(days)), until: yesterday };
  switch (preset) {
    case 'today':
      return { since: today, until: today };
    case 'yesterday':
      return { since: yesterday, until: yesterday };
    case 'this_month':
      return { since: `${today.slice(0, 8)}01`, until: today };
    case 'last_month': {
      const until = addDays(`${today.slice(0, 8)}01`, -1);
      return { since: `${until.slice(0, 8)}01`, until };
    }
    case 'this_year':
      return { since: `${today.slice(0, 4)}-01-01`, until: today };
    default:
      throw invalidParameter('date_preset', `${preset} is known, but not served by the simulator: give a time_range.`);
  }
}

/** Rows a query gives at most: what Meta judges "too much data" by. */
export const daysOf = ({ since, until }: InsightsQuery): number => daysBetween(since, until) + 1;
