import { causeTitles, bandTitles } from '../../../shared/domain/reconciliation/shown.ts';
import type { Reconciliation } from '../../../shared/domain/reconciliation/reconcile.ts';
import { barChart, dayChart, escapeHtml, waterfall } from './charts.ts';
import { pageStyle } from './page-style.ts';
import type { CurrencyReport, NamedResults, Results, WeeklyReport } from './weekly-report.ts';

/** The report as one page a client can read, print and forward: no script, nothing loaded from elsewhere. */
export function reportPage(report: WeeklyReport): string {
  const { tenantName, week, since, until, currencies } = report;
  const title = `${tenantName}: advertising on Meta, week ${week.slice(6)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<header>
<p class="kicker">Facebook &amp; Instagram advertising</p>
<h1>${escapeHtml(tenantName)}</h1>
<p class="when">Week ${escapeHtml(week.slice(6))} · ${longRange(since, until)}${report.isProvisional ? ' <span class="pill amber">still changing</span>' : ''}</p>
</header>
${currencies.length === 0 ? '<section class="card"><h2>No advertising this week</h2><p>Nothing was spent, or no numbers have come yet.</p></section>' : ''}
${currencies.map((each) => currencySections(each)).join('\n')}
${reconciliationSection(report)}
${notes(report)}
</main>
</body>
</html>
`;
}

function currencySections(of: CurrencyReport): string {
  const { currency, totals, before, days, campaigns, placements, people, countries } = of;
  const money = (text: string): string => moneyText(text, currency);
  const atRetailers = Number(totals.sharedPurchases);
  const isShared = atRetailers > 0 && Number(totals.purchases) === 0;
  return `<section class="kpis" aria-label="Results in ${escapeHtml(currency)}">
${kpi('Spent', money(totals.spend), change(totals, before, 'spend'), 'neutral')}
${kpi(isShared ? 'Purchases at retailers' : 'Purchases', plainNumber(totals.sales), change(totals, before, 'sales'), 'more')}
${kpi('Worth', money(totals.salesValue), change(totals, before, 'salesValue'), 'more')}
${kpi('Cost of a purchase', totals.cpa === null ? '–' : money(totals.cpa), change(totals, before, 'cpa'), 'less')}
${kpi('Return on ad spend', totals.roas === null ? '–' : `${totals.roas} ×`, change(totals, before, 'roas'), 'more')}
</section>
${atRetailers > 0 && !isShared ? `<p class="aside">${plainNumber(totals.sharedPurchases)} of the purchases, worth ${escapeHtml(money(totals.sharedPurchaseValue))}, were made at retailers.</p>` : ''}
<section class="card">
<h2>Day by day</h2>
<p class="legend"><span class="key bar-key"></span> spent <span class="key dot-key"></span> purchases</p>
${dayChart(
  days.map((day) => ({
    label: weekday(day.date),
    spend: Number(day.spend),
    spendShown: compactMoney(day.spend, currency),
    purchases: Math.round(Number(day.sales)),
  })),
  `Spend and purchases of each day: ${days.map((day) => `${weekday(day.date)} ${money(day.spend)}, ${plainNumber(day.sales)} purchases`).join('; ')}`,
)}
</section>
${campaignTable(campaigns, currency)}
<div class="pair">
${breakdown('Where the ads ran', placements, currency, 380)}
${breakdown('Who saw them', people, currency, 380)}
</div>
${countries.length > 1 ? breakdown('Countries', countries.map(withCountryName), currency) : ''}`;
}

function kpi(name: string, shown: string, changed: number | null, good: 'more' | 'less' | 'neutral'): string {
  const isGood = changed === null || good === 'neutral' ? undefined : good === 'more' ? changed > 0 : changed < 0;
  const tone = isGood === undefined || Math.abs(changed ?? 0) < 0.02 ? 'flat' : isGood ? 'up' : 'down';
  const arrow = changed === null ? '' : changed >= 0 ? '▲' : '▼';
  const text =
    changed === null ? 'no week to compare' : `${arrow} ${Math.abs(Math.round(changed * 100))} % on the week before`;
  return `<div class="kpi"><h3>${escapeHtml(name)}</h3><p class="figure">${figure(shown)}</p><p class="change ${tone}">${text}</p></div>`;
}

/** The unit is written smaller than its number. */
function figure(shown: string): string {
  const [number = '', unit] = shown.split(' ');
  return unit === undefined ? escapeHtml(number) : `${escapeHtml(number)} <small>${escapeHtml(unit)}</small>`;
}

function change(now: Results, before: Results, name: keyof Results): number | null {
  const [value, was] = [Number(now[name] ?? 0), Number(before[name] ?? 0)];
  return was === 0 ? null : value / was - 1;
}

function campaignTable(campaigns: readonly NamedResults[], currency: string): string {
  if (campaigns.length === 0) return '';
  const most = Math.max(...campaigns.map(({ spend }) => Number(spend)), 1e-9);
  const rows = campaigns.slice(0, 12).map(
    (each) => `<tr><th scope="row">${escapeHtml(each.name)}</th>
<td class="spend" data-name="Spent"><span class="meter" style="--share:${Math.round((100 * Number(each.spend)) / most)}%"></span>${escapeHtml(moneyText(each.spend, currency))}</td>
<td data-name="Purchases">${plainNumber(each.sales)}</td><td data-name="Cost of one">${each.cpa === null ? '–' : escapeHtml(moneyText(each.cpa, currency))}</td><td data-name="Return">${each.roas === null ? '–' : `${each.roas} ×`}</td></tr>`,
  );
  return `<section class="card"><h2>Campaigns</h2><table>
<thead><tr><th scope="col">Campaign</th><th scope="col">Spent</th><th scope="col">Purchases</th><th scope="col">Cost of one</th><th scope="col">Return</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></section>`;
}

function breakdown(title: string, rows: readonly NamedResults[], currency: string, width?: number): string {
  if (rows.length === 0) return '';
  const bars = rows.map(({ name, spend }) => ({
    label: name,
    value: Number(spend),
    shown: moneyText(spend, currency),
  }));
  const description = `${title}, by spend: ${bars.map(({ label, shown }) => `${label} ${shown}`).join('; ')}`;
  return `<section class="card"><h2>${escapeHtml(title)}</h2>${barChart(bars, description, width)}</section>`;
}

function reconciliationSection({ reconciliation }: WeeklyReport): string {
  if (reconciliation === null) return '';
  const { band, tagProblems } = reconciliation;
  // Written by reconcileWeek, read back as it was.
  const result = reconciliation.result as unknown as Reconciliation;
  const parts = result.parts.map(({ cause, hundredths }) => ({ label: causeTitles[cause], value: hundredths / 100 }));
  const trap = result.channelTrap;
  const lines = [
    ...result.flags,
    ...(trap.sessions > 0
      ? [
          `${trap.sessions.toLocaleString('en')} sessions are filed as organic by GA4, because their medium is ${trap.mediums.join(', ') || 'empty'}`,
        ]
      : []),
    ...(tagProblems.length > 0
      ? [
          `${tagProblems.length} ads have links without the right tags: ${tagProblems
            .slice(0, 3)
            .map(({ name }) => name)
            .join(', ')}${tagProblems.length > 3 ? ' …' : ''}`,
        ]
      : []),
  ];
  const description = `Meta counts ${result.purchases} purchases, GA4 ${result.ga4Purchases}. Between them: ${parts.map(({ label, value }) => `${label} ${value}`).join('; ')}`;
  return `<section class="card"><h2>Meta and Google Analytics <span class="pill ${band}">${bandTitles[band]}</span></h2>
<p>${escapeHtml(result.why)}. The two never count alike; what matters is that they differ as they always do.</p>
${waterfall({ label: 'Meta counts', value: result.purchases }, parts, { label: 'Google Analytics counts', value: result.ga4Purchases }, description)}
<ul class="causes">${result.parts.map(({ cause, what }) => `<li><b>${causeTitles[cause]}.</b> ${escapeHtml(what)}</li>`).join('')}</ul>
${lines.length === 0 ? '' : `<h3>To look at</h3><ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`}</section>`;
}

function notes({ accounts, timeZone, isProvisional }: WeeklyReport): string {
  const behind = accounts.filter(({ reason }) => reason !== null);
  return `<footer>
<p>Days are those of ${escapeHtml(timeZone)}. Purchases are counted by Meta within seven days of a click or one day of a view.${
    isProvisional ? ' Meta still completes this week: its numbers can change for some days.' : ''
  }</p>
${behind.map(({ adAccountId, reason }) => `<p class="warn">${escapeHtml(adAccountId)}: ${escapeHtml(reason ?? '')}</p>`).join('')}
</footer>`;
}

const countryNames = new Intl.DisplayNames('en', { type: 'region', fallback: 'code' });

/** `DE` → `Germany`; what is no country code stays as Meta wrote it. */
function withCountryName(row: NamedResults): NamedResults {
  return { ...row, name: /^[A-Z]{2}$/.test(row.name) ? (countryNames.of(row.name) ?? row.name) : row.name };
}

const wholeFrom = 1_000;

/** `1,234 TRY`, with decimals where they matter. */
function moneyText(text: string, currency: string): string {
  const value = Number(text);
  const digits = Math.abs(value) >= wholeFrom ? 0 : 2;
  return `${value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${currency}`;
}

function compactMoney(text: string, _currency: string): string {
  return Number(text).toLocaleString('en', { notation: 'compact', maximumFractionDigits: 1 });
}

function plainNumber(text: string): string {
  return Number(text).toLocaleString('en', { maximumFractionDigits: 1 });
}

const dateOf = (day: string, options: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`));
const longRange = (since: string, until: string): string =>
  new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' }).formatRange(
    new Date(`${since}T00:00:00Z`),
    new Date(`${until}T00:00:00Z`),
  );
const weekday = (day: string): string => dateOf(day, { weekday: 'short', day: 'numeric' });
