import { teardownIdOf } from '../../../shared/contracts/teardown-documents.ts';
import { slugPattern } from '../../../shared/domain/naming.ts';
import type { StepName } from '../../../shared/domain/provisioning-steps.ts';
import { hasResumeLink } from '../../../shared/domain/resume-link.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { preview } from '../../../shared/runtime/request-fields.ts';
import { tenantIdOf, unknownTenant } from './known-tenant.ts';
import type { TenantServices } from './services.ts';
import { driftView } from './drift-view.ts';
import { teardownView } from './teardown-view.ts';
import { issueView } from './issue-view.ts';
import { clientMustConnect, tenantView } from './tenant-view.ts';

const maxPageSize = 200;
const defaultPageSize = 50;

/**
 * `GET /tenants/{tenant}`: status, every step, every wait and on whom, produced ids; `connectUrl` and `resumeUrl` when it
 * is the client's move; where Meta has something else than we recorded; of a cancelled run or an offboarded tenant how far the end is and what it leaves behind.
 */
export function showTenant({
  tenants,
  steps,
  teardowns,
  issues,
  drift,
  connectUrl,
  resumeUrl,
}: Pick<
  TenantServices,
  'tenants' | 'steps' | 'teardowns' | 'issues' | 'drift' | 'connectUrl' | 'resumeUrl'
>): HttpRoute['handle'] {
  return async (call) => {
    const tenantId = tenantIdOf(call);
    const tenant = await tenants.read(tenantId);
    const kind = tenant?.status === 'cancelled' ? 'undo' : 'offboarding';
    const isEnding = tenant === undefined || tenant.status === 'cancelled' || tenant.status === 'offboarding';
    const teardown = isEnding
      ? await teardowns.read(teardownIdOf(kind, tenantId, tenant?.currentRunId ?? null))
      : undefined;
    if (tenant === undefined) {
      if (teardown === undefined) throw unknownTenant();
      return jsonAnswer(200, { tenantId, status: 'erased', ending: teardownView(teardown) });
    }
    const records = tenant.currentRunId === null ? [] : await steps.readSteps(tenant.tenantId, tenant.currentRunId);
    const resumeUrls = new Map<StepName, string>();
    for (const { state, step, tenantId, runId, wait } of records) {
      if (state !== 'waiting' || wait === null || !hasResumeLink(step, wait)) continue;
      resumeUrls.set(step, await resumeUrl({ tenantId, runId, step }, wait));
    }
    return jsonAnswer(200, {
      ...tenantView(tenant, records, resumeUrls),
      issues: (await issues.open(tenantId)).map(issueView),
      drift: driftView(await drift.read(tenantId)),
      ...(teardown && { ending: teardownView(teardown) }),
      ...(clientMustConnect(tenant, records) && { connectUrl: await connectUrl(tenant.tenantId) }),
    });
  };
}

/** `GET /tenants?limit=&after=`: tenants by id, a page at a time; `next` is the `after` of the following page. */
export function listTenants({ tenants }: Pick<TenantServices, 'tenants'>): HttpRoute['handle'] {
  return async (call) => {
    const limit = pageSizeOf(call.query.get('limit'));
    const after = call.query.get('after') ?? undefined;
    if (after !== undefined && !slugPattern.test(after)) {
      throw new HttpProblem(400, 'invalid-request', 'after is not a tenant id.', {
        field: 'after',
        got: preview(after),
        expected: ['the `next` of an earlier page'],
      });
    }
    const page = await tenants.list(limit, after);
    return jsonAnswer(200, {
      tenants: page.map(({ tenantId, name, planId, vertical, status, createdAt }) => ({
        tenantId,
        name,
        planId,
        vertical,
        status,
        createdAt,
      })),
      next: page.length === limit ? (page.at(-1)?.tenantId ?? null) : null,
    });
  };
}

function pageSizeOf(given: string | null): number {
  if (given === null) return defaultPageSize;
  const size = /^\d{1,4}$/.test(given) ? Number(given) : 0;
  if (size >= 1 && size <= maxPageSize) return size;
  throw new HttpProblem(400, 'invalid-request', 'limit is not valid.', {
    field: 'limit',
    got: preview(given),
    expected: [`a whole number from 1 to ${maxPageSize}`],
  });
}
