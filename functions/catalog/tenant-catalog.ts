import type { CredentialKind } from '../../shared/meta/access-token.ts';
import type { GraphAs } from '../../shared/meta/graph-client.ts';

/** A tenant's catalog at Meta, and the system user that may work on it. */
export interface TenantCatalog {
  readonly catalogId: string;
  /** The pixel whose events match the catalog's products. */
  readonly datasetId: string;
  readonly graph: GraphAs<Extract<CredentialKind, 'child' | 'fallback'>>;
}

/** @throws Waiting while the catalog is not there or its token is not usable */
export type OpenTenantCatalog = (tenantId: string) => Promise<TenantCatalog>;
