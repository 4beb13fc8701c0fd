/** What there is to see of a tenant's catalog. */
import type { Catalog, Sync } from '../../../shared/contracts/catalog-documents.ts';
import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { knownTenant } from './known-tenant.ts';
import { gateView } from './launch-gate.ts';
import type { CatalogAdminServices } from './services.ts';

/** `GET /tenants/{tenant}/catalog`: the sync in hand, the last ones, the gate, match rates, sets and open alerts. */
export function showCatalog(services: CatalogAdminServices): HttpRoute['handle'] {
  const { alerts, catalogs, health, now } = services;
  return async (call) => {
    const tenantId = await knownTenant(call, services);
    const [catalog, found, raised] = await Promise.all([
      catalogs.read(tenantId),
      health.read(tenantId),
      alerts.ofTenant(tenantId),
    ]);
    const open = raised.filter(({ resolvedAt }) => resolvedAt === null);
    return jsonAnswer(200, {
      tenantId,
      items: catalog?.items ?? null,
      rejectedItems: catalog?.rejectedItems ?? null,
      freshAt: catalog?.freshAt ?? null,
      sync: catalog?.current ? syncView(catalog.current) : null,
      history: catalog?.history ?? [],
      launchGate: gateView(tenantId, found, now()),
      matchRates: found?.matchRates ?? null,
      contentIds: found?.contentIds ?? null,
      diagnostics: found?.diagnostics ?? null,
      productSets: found?.productSets ?? null,
      troubles: found?.troubles ?? [],
      alerts: open.map(({ kind, severity, summary, since, lastSeenAt }) => ({
        kind,
        severity,
        summary,
        since,
        lastSeenAt,
      })),
    });
  };
}

export function syncView({
  syncId,
  state,
  feed,
  guards,
  wait,
  reason,
  counts,
  problemsBy,
  released,
  startedAt,
}: Sync): Record<string, unknown> {
  return {
    syncId,
    state,
    feedAt: feed.at,
    format: feed.format,
    guards,
    wait,
    reason,
    counts,
    problemsBy,
    released,
    startedAt,
  };
}

/** `GET /tenants/{tenant}/catalog/problems?sync=&limit=`: what is wrong with which row, by our rules and by Meta's. */
export function showProblems(services: CatalogAdminServices): HttpRoute['handle'] {
  return async (call) => {
    const tenantId = await knownTenant(call, services);
    const limit = Number(call.query.get('limit') ?? '200');
    if (!Number.isInteger(limit) || limit < 1 || limit > 2_000) {
      throw new HttpProblem(400, 'invalid-request', 'limit is not valid', {
        field: 'limit',
        got: (call.query.get('limit') ?? '').slice(0, 40),
        expected: ['a whole number from 1 to 2000'],
      });
    }
    const syncId = call.query.get('sync') ?? newestSync(await services.catalogs.read(tenantId));
    if (syncId === undefined) return jsonAnswer(200, { tenantId, sync: null, problems: [] });
    return jsonAnswer(200, {
      tenantId,
      sync: syncId,
      problems: await services.batches.problemsOf(tenantId, syncId, limit),
    });
  };
}

function newestSync(catalog: Catalog | undefined): string | undefined {
  return catalog?.current?.syncId ?? catalog?.history[0]?.syncId;
}
