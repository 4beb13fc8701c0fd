import type { OperatorKind } from '../../../shared/domain/provisioning-path.ts';
import type { RelayDirectory } from '../../../shared/gcp/relay-directory.ts';
import type { AccessToken } from '../../../shared/meta/access-token.ts';
import type { TenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';
import type { Destination } from './deliver-batch.ts';

/**
 * Whose token sends for a dataset: the tenant's child system user's, or the parent's while the tenant is on the fallback
 * path. The dataset's document says so and is read through memory; for half a minute after a change both may be used,
 * so both must be allowed to send by then.
 */
export function datasetSender(
  directory: Pick<RelayDirectory, 'dataset'>,
  credentials: Pick<TenantCredentials, 'operator'>,
): (destination: Pick<Destination, 'tenantId' | 'datasetId'>) => Promise<AccessToken<OperatorKind>> {
  return async ({ tenantId, datasetId }) => {
    const dataset = await directory.dataset(datasetId);
    return credentials.operator(tenantId, dataset?.operator ?? 'child');
  };
}
