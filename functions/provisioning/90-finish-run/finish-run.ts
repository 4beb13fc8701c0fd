import { paths } from '../../../shared/contracts/documents.ts';
import type { TenantAssets } from '../../../shared/contracts/documents.ts';
import type { Envelope } from '../../../shared/contracts/topics.ts';
import { operatorOn } from '../../../shared/domain/provisioning-path.ts';
import type { StepFactory } from '../services.ts';

/**
 * Marks the tenant live, says what it is operated with, and tells so. It runs only when every applicable step is done.
 * Opened again on a live tenant, it writes what that is operated with now, and tells nothing twice.
 */
export const finishRun: StepFactory<'finish-run'> =
  ({ kobi }) =>
  async ({ tenant, run, product, productIfAny, now, traceparent }) => {
    const at = now().toISOString();
    const { adAccountId } = product('create-ad-account');
    const { datasetId } = product('create-pixel');
    const assets: TenantAssets = {
      runId: run.runId,
      operator: operatorOn(run.path),
      businessId: productIfAny('create-child-business')?.childBusinessId ?? kobi.parentBusinessId,
      adAccountId,
      datasetId,
      catalogId: productIfAny('create-catalog')?.catalogId ?? null,
    };
    const live: Envelope<'tenant-live'> = {
      eventId: `${tenant.tenantId}:${run.runId}:tenant-live`,
      type: 'tenant-live',
      version: 1,
      tenantId: tenant.tenantId,
      runId: run.runId,
      at,
      traceparent,
      data: { adAccountId, datasetId },
    };
    if (tenant.status === 'live' && tenant.assets?.runId === run.runId) {
      return {
        products: { liveAt: run.finishedAt ?? at },
        writes: [{ path: paths.tenant(tenant.tenantId), data: { assets }, merge: true }],
      };
    }
    return {
      products: { liveAt: at },
      writes: [
        { path: paths.tenant(tenant.tenantId), data: { status: 'live', assets }, merge: true },
        { path: paths.run(tenant.tenantId, run.runId), data: { state: 'done', finishedAt: at }, merge: true },
      ],
      announce: [live],
    };
  };
