import type { Dataset, RelayKey } from '../../../shared/contracts/documents.ts';
import { parseRelayKey, sameSha256 } from '../../../shared/domain/relay-key.ts';
import type { RelayDirectory } from '../../../shared/gcp/relay-directory.ts';
import { Refused, badKey, foreignKey, unknownDataset } from './meta-answer.ts';

export interface Admitted {
  readonly dataset: Dataset;
  readonly key: RelayKey;
}

/**
 * Lets a request in: the key is in use, the dataset exists, and both belong to the same tenant. Who shows no valid key
 * learns nothing about datasets.
 *
 * @throws Refused 401, 404 or 403; whatever the directory throws when it cannot say
 */
export async function admit(
  shown: string | undefined,
  datasetId: string | undefined,
  directory: RelayDirectory,
): Promise<Admitted> {
  const parts = shown === undefined ? undefined : parseRelayKey(shown);
  const key = parts === undefined ? undefined : await directory.relayKey(parts.relayKeyId);
  if (parts === undefined || key === undefined || !sameSha256(parts.sha256, key.sha256) || key.revokedAt !== null) {
    throw new Refused(badKey);
  }
  const dataset = datasetId === undefined ? undefined : await directory.dataset(datasetId);
  if (dataset === undefined) throw new Refused(unknownDataset(datasetId));
  if (dataset.tenantId !== key.tenantId) throw new Refused(foreignKey);
  return { dataset, key };
}
