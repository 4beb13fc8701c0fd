import type { RunFacts } from '../../shared/gcp/teardown-store.ts';
import type { SecretStore, SecretVersions } from '../../shared/gcp/secret-store.ts';
import type { GraphClient } from '../../shared/meta/graph-client.ts';
import type { TenantCredentials } from '../../shared/runtime/tenant-credentials.ts';
import type { TokenMint } from '../../shared/runtime/token-mint.ts';

/** What the actions of a teardown work with. */
export interface TeardownServices {
  readonly graph: GraphClient;
  readonly credentials: TenantCredentials;
  readonly systemTokens: Pick<TokenMint, 'inUse' | 'mint'>;
  readonly secrets: Pick<SecretStore, 'latest' | 'destroyAll'> & Pick<SecretVersions, 'enabled' | 'read'>;
  readonly facts: (tenantId: string) => Promise<RunFacts>;
  readonly closeRelay: (
    tenantId: string,
    options: { readonly at: string; readonly forGood: boolean },
  ) => Promise<{ readonly keys: number; readonly datasets: number }>;
  readonly erase: (
    tenantId: string,
    options: { readonly actor: string; readonly at: string },
  ) => Promise<{ readonly documents: number; readonly auditEntries: number }>;
  /** Deletes the tenant's rows in the warehouse. */
  readonly eraseReports: (tenantId: string) => Promise<void>;
  readonly kobi: { readonly appId: string; readonly parentBusinessId: string; readonly extendedCreditId: string };
  readonly now: () => Date;
}
