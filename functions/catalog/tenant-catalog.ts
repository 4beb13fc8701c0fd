import type { OperatorKind } from '../../shared/domain/provisioning-path.ts';
import type { CatalogAssets } from '../../shared/gcp/tenant-assets.ts';
import type { GraphAs, GraphClient } from '../../shared/meta/graph-client.ts';
import { Waiting } from '../../shared/runtime/outcomes.ts';
import type { TenantCredentials } from '../../shared/runtime/tenant-credentials.ts';

/** A tenant's catalog at Meta, and the system user that may work on it. */
export interface TenantCatalog {
  readonly catalogId: string;
  /** The pixel whose events match the catalog's products. */
  readonly datasetId: string;
  readonly graph: GraphAs<OperatorKind>;
  /** Whose token that is, and so who must act when Meta refuses it. */
  readonly acting: 'child' | 'parent';
}

/** @throws Waiting while the catalog is not there or its token is not usable */
export type OpenTenantCatalog = (tenantId: string) => Promise<TenantCatalog>;

export function catalogOpener(services: {
  readonly readAssets: (tenantId: string) => Promise<CatalogAssets | undefined>;
  readonly credentials: Pick<TenantCredentials, 'operator'>;
  readonly graph: Pick<GraphClient, 'as'>;
}): OpenTenantCatalog {
  const { credentials, graph, readAssets } = services;
  return async (tenantId) => {
    const assets = await readAssets(tenantId);
    const catalogId = assets?.catalogId ?? null;
    const datasetId = assets?.datasetId ?? null;
    if (assets === undefined || catalogId === null || datasetId === null) {
      throw new Waiting({
        on: 'kobi',
        for: 'catalog',
        what: `${tenantId} has no catalog yet: its onboarding must finish create-catalog first.`,
        pollEveryMs: 3_600_000,
      });
    }
    const token = await credentials.operator(tenantId, assets.operator);
    const acting = assets.operator === 'child' ? 'child' : 'parent';
    return { catalogId, datasetId, graph: graph.as(token), acting };
  };
}
