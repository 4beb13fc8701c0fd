/** Goals about what is asked for and how the answer is read: fields, days, purchases. */
import { addDays, earliestReportDay, restatedRange } from '../../shared/domain/insights/account-day.ts';
import { deprecatedIn, deprecations } from '../../shared/domain/insights/deprecations.ts';
import { attributionWindows, dailyReports, fieldsOf } from '../../shared/domain/insights/reports.ts';
import { metaTimezones } from '../../shared/domain/meta-timezones.ts';
import { GraphError } from '../simulator/graph-error.ts';
import { readQuery } from '../simulator/insights/query.ts';
import { AccountTruth } from '../simulator/insights/truth.ts';
import { metaAt, plan, rowsOf } from './proof-world.ts';
import type { Proof } from './proof-world.ts';

/**
 * C-9: of what Meta has ended or announced to end nothing is asked for; Meta refuses what it ended; and the day it ends a
 * field that we do ask for, the report of that very field fails instead of coming back thinner.
 */
export function proveDeprecations(): Proof {
  const now = { at: new Date('2026-11-25T06:00:00Z') };
  const meta = metaAt(now);
  const range = restatedRange('Europe/Istanbul', now.at);
  let [askedFor, requests, canaries, unnoticed] = [0, 0, 0, 0];
  for (const isCollaborative of [false, true]) {
    const truth = new AccountTruth('180000000000010', plan('deprecations', { isCollaborative }));
    for (const shape of dailyReports) {
      const fields = fieldsOf(shape, isCollaborative);
      requests += 1;
      askedFor += deprecatedIn({ fields, breakdowns: shape.breakdowns, windows: attributionWindows }).length;
      for (const field of fields) {
        canaries += 1;
        meta.insights.retired.set(field, truth.dayOf(now.at.getTime()));
        if (!isRefused(() => rowsOf(truth, shape, range, now.at, meta))) unnoticed += 1;
        meta.insights.retired.clear();
      }
      // Without the canary it is answered: it is the canary that was refused.
      rowsOf(truth, shape, range, now.at, meta);
    }
  }
  const figures = { table: deprecations.length, requests, askedFor, canaries, unnoticed };
  return { figures, isMet: askedFor === 0 && unnoticed === 0 && canaries > 0 };
}

function isRefused(ask: () => unknown): boolean {
  try {
    ask();
    return false;
  } catch (error) {
    if (error instanceof GraphError && error.details.code === 100) return true;
    throw error;
  }
}

const oddZones = [
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
  'Asia/Kathmandu',
  'Pacific/Chatham',
  'Australia/Lord_Howe',
  'America/St_Johns',
  'Asia/Kolkata',
  'Australia/Broken_Hill',
];

/** C-6: today and the 37 months are the account's own, in zones from −11 to +14, every half hour over changes of the clocks. */
export function proveZones(): Proof {
  const zones = [...oddZones, ...metaTimezones.filter((_, index) => index % 5 === 0)].slice(0, 30);
  let [instants, wrong] = [0, 0];
  for (const timeZone of zones) {
    const truth = new AccountTruth('18', plan('zones', { timeZone, since: '2020-01-01' }));
    for (const start of [
      '2026-03-28T00:00:00Z',
      '2026-10-24T12:00:00Z',
      '2026-12-31T00:00:00Z',
      '2024-02-28T12:00:00Z',
    ]) {
      for (let half = 0; half < 96; half += 1) {
        const now = { at: new Date(Date.parse(start) + half * 1_800_000) };
        const meta = metaAt(now);
        instants += 1;
        const range = restatedRange(timeZone, now.at);
        if (range.until !== truth.dayOf(now.at.getTime())) wrong += 1;
        const ask = (since: string): boolean => {
          try {
            readQuery({ time_range: { since, until: range.until } } as never, truth, meta);
            return true;
          } catch (error) {
            if (error instanceof GraphError && error.details.code === 3018) return false;
            throw error;
          }
        };
        const earliest = earliestReportDay(range.until);
        if (!ask(earliest) || !ask(range.since)) wrong += 1;
      }
    }
  }
  return { figures: { zones: zones.length, instants, wrong }, isMet: wrong === 0 && zones.length === 30 };
}

/** C-7: orders that Meta lists under every alias are counted once, clicks and views apart, whatever aliases an account has. */
export function proveActions(orders: number): Proof {
  const now = { at: new Date('2026-11-25T06:00:00Z') };
  const meta = metaAt(now);
  const truth = new AccountTruth('180000000000009', plan('actions', { campaigns: 4, adsPerCampaign: 4, cells: 6 }));
  let [seen, wrong] = [0, 0];
  for (let until = '2026-11-25'; seen < orders; until = addDays(until, -7)) {
    const range = { since: addDays(until, -6), until };
    const facts = Array.from({ length: 7 }, (_, day) => truth.facts(addDays(range.since, day), '2026-11-25')).flat();
    const real = facts.flatMap((fact) => fact.orders);
    seen += real.length;
    for (const aliases of ['all', 'without omni'] as const) {
      meta.switches.insights_purchase_aliases = aliases;
      const rows = rowsOf(truth, { level: 'ad', breakdowns: [] }, range, now.at, meta);
      const sum = (name: 'purchases' | 'purchases_7d_click' | 'purchases_1d_view'): number =>
        rows.reduce((total, row) => total + Number(row[name]), 0);
      const views = real.filter(({ window }) => window === '1d_view').length;
      wrong +=
        Math.abs(sum('purchases') - real.length) +
        Math.abs(sum('purchases_1d_view') - views) +
        Math.abs(sum('purchases_7d_click') - (real.length - views));
    }
  }
  return { figures: { orders: seen, aliasSets: 2, wrong }, isMet: wrong === 0 && seen >= orders };
}
