import { daysOfIsoWeek } from '../../../shared/domain/insights/account-day.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpAnswer } from '../../../shared/runtime/http-answer.ts';
import { jsonBody } from '../../../shared/runtime/http-function.ts';
import type { HttpCall, HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { addCollaborativeAccount, removeCollaborativeAccount } from './collaborative-accounts.ts';
import { tenantOf } from './known-tenant.ts';
import type { ReportServices } from './services.ts';
import { reportPage } from './report-page.ts';
import { buildWeeklyReport } from './weekly-report.ts';

/** What operators and the portal ask of a tenant's numbers. */
export function reportRoutes(services: ReportServices): readonly HttpRoute[] {
  return [
    { method: 'GET', path: '/tenants/{tenant}', callers: 'iam', handle: (call) => showFreshness(call, services) },
    {
      method: 'GET',
      path: '/tenants/{tenant}/weeks/{week}',
      callers: 'iam',
      handle: (call) => showWeek(call, services),
    },
    { method: 'PUT', path: '/tenants/{tenant}/ga4', callers: 'iam', handle: (call) => setProperty(call, services) },
    {
      method: 'PUT',
      path: '/tenants/{tenant}/collaborative-accounts/{adAccount}',
      callers: 'iam',
      handle: addCollaborativeAccount(services),
    },
    {
      method: 'DELETE',
      path: '/tenants/{tenant}/collaborative-accounts/{adAccount}',
      callers: 'iam',
      handle: removeCollaborativeAccount(services),
    },
  ];
}

/** `GET /tenants/{tenant}`: each account's newest complete day, and what stands in the way. */
async function showFreshness(call: HttpCall, services: ReportServices): Promise<HttpAnswer> {
  const { tenantId } = await tenantOf(call, services);
  const [runs, ga4, collaborativeAccounts] = await Promise.all([
    services.runs.ofTenant(tenantId),
    services.reconciliations.state(tenantId),
    services.accounts.collaborative(tenantId),
  ]);
  return jsonAnswer(200, {
    tenantId,
    accounts: runs.map(({ adAccountId, day, state, completeDay, timeZone, currency, reason, wait }) => ({
      adAccountId,
      day,
      state,
      completeDay,
      timeZone,
      currency,
      reason,
      wait,
    })),
    collaborativeAccounts,
    ga4: ga4 ?? null,
  });
}

/** `GET /tenants/{tenant}/weeks/{week}`: the week, as JSON or, asked with `Accept: text/html` or `?format=html`, as a page. */
async function showWeek(call: HttpCall, services: ReportServices): Promise<HttpAnswer> {
  const week = call.param('week');
  const range = daysOfIsoWeek(week);
  if (range === undefined) {
    throw new HttpProblem(400, 'bad-week', `week: ${JSON.stringify(week)} is no ISO week.`, {
      expected: ['e.g. 2026-W48'],
    });
  }
  const format = call.query.get('format') ?? ((call.header('accept') ?? '').includes('text/html') ? 'html' : 'json');
  if (format !== 'html' && format !== 'json') {
    throw new HttpProblem(400, 'bad-format', `format: ${JSON.stringify(format)} is not offered.`, {
      expected: ['html', 'json'],
    });
  }
  const tenant = await tenantOf(call, services);
  const [runs, reconciliation] = await Promise.all([
    services.runs.ofTenant(tenant.tenantId),
    services.reconciliations.week(tenant.tenantId, week),
  ]);
  const report = await buildWeeklyReport(
    tenant,
    week,
    range,
    { runs, reconciliation },
    services.warehouse,
    services.now(),
  );
  if (format === 'json') return jsonAnswer(200, report);
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    },
    body: reportPage(report),
  };
}

/** `PUT /tenants/{tenant}/ga4 {propertyId}`: which GA4 property the tenant is compared with. */
async function setProperty(call: HttpCall, services: ReportServices): Promise<HttpAnswer> {
  const { tenantId } = await tenantOf(call, services);
  const body = jsonBody(call);
  const propertyId = typeof body === 'object' && body !== null && 'propertyId' in body ? body.propertyId : undefined;
  if (typeof propertyId !== 'string' || !/^\d{6,12}$/.test(propertyId)) {
    throw new HttpProblem(400, 'bad-property', 'propertyId: the number of a GA4 property is needed.', {
      expected: ['{"propertyId": "123456789"}'],
    });
  }
  const known = await services.reconciliations.state(tenantId);
  const isSame = known?.propertyId === propertyId;
  await services.reconciliations.setState(
    tenantId,
    isSame ? known : { propertyId, day: null, wait: null, tokensLeft: null },
  );
  return jsonAnswer(200, { tenantId, propertyId });
}
