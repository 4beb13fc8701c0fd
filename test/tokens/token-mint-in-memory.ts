import type { SecretStore, SecretVersions } from '../../shared/gcp/secret-store.ts';
import { emptyRecord } from '../../shared/gcp/token-lease.ts';
import { createTokenMint } from '../../shared/runtime/token-mint.ts';
import type { TokenMint, TokenMintDependencies } from '../../shared/runtime/token-mint.ts';
import { secretName } from '../../shared/domain/naming.ts';

/** The real mint on one value per secret, for tests that are not about leases and versions. */
export function tokenMintOn(
  secrets: SecretStore,
  values: ReadonlyMap<string, string>,
  meta: Pick<TokenMintDependencies, 'graph' | 'credentials' | 'appId' | 'now'>,
): TokenMint {
  const recordOf = (tenantId: string) => ({
    ...emptyRecord(tenantId),
    version: values.has(secretName.systemToken(tenantId)) ? '1' : null,
  });
  const versions: SecretVersions = {
    enabled: async () => [],
    read: async (secretId) => values.get(secretId),
    disable: async () => undefined,
    destroy: async () => undefined,
  };
  return createTokenMint({
    ...meta,
    secrets: { ...secrets, ...versions },
    lease: {
      read: async (tenantId) => recordOf(tenantId),
      acquire: async (tenantId, owner) => ({ kind: 'held', tenantId, owner, fence: 1, record: recordOf(tenantId) }),
      release: async () => undefined,
      assertHeld: async () => undefined,
      switchTo: async () => undefined,
      giveUp: async () => true,
      cutShort: async () => undefined,
    },
  });
}
