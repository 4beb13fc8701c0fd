import type { Dataset, RelayKey } from '../../../shared/contracts/relay-documents.ts';
import { parseRelayKey, sameSha256 } from '../../../shared/domain/relay-key.ts';
import type { RelayDirectory } from '../../../shared/gcp/relay-directory.ts';
import { Refused, badKey, foreignKey, unknownDataset } from './meta-answer.ts';

export interface Admitted {
  readonly dataset: Dataset;
  readonly key: RelayKey;
}

/**
 * Lets a request in: the key is in use, the dataset exists, and both belong to the same tenant. Who shows no valid key
 * learns nothing about datasets. Answers at once when the directory does.
 *
 * @throws Refused 401, 404 or 403; whatever the directory throws when it cannot say
 */
export function admit(
  shown: string | undefined,
  datasetId: string | undefined,
  directory: RelayDirectory,
  now: Date,
): Admitted | Promise<Admitted> {
  const parts = shown === undefined ? undefined : parseRelayKey(shown);
  if (parts === undefined) throw new Refused(badKey);

  const withKey = (key: RelayKey | undefined): Admitted | Promise<Admitted> => {
    if (key === undefined || !sameSha256(parts.sha256, key.sha256) || !isInUse(key, now)) throw new Refused(badKey);
    const dataset = datasetId === undefined ? undefined : directory.dataset(datasetId);
    if (dataset instanceof Promise) return dataset.then((found) => matching(key, found, datasetId));
    return matching(key, dataset, datasetId);
  };

  const key = directory.relayKey(parts.relayKeyId);
  return key instanceof Promise ? key.then(withKey) : withKey(key);
}

function isInUse({ notAfter, revokedAt }: RelayKey, now: Date): boolean {
  return revokedAt === null && (notAfter === null || Date.parse(notAfter) > now.getTime());
}

function matching(key: RelayKey, dataset: Dataset | undefined, datasetId: string | undefined): Admitted {
  if (dataset === undefined) throw new Refused(unknownDataset(datasetId));
  if (dataset.tenantId !== key.tenantId) throw new Refused(foreignKey);
  return { dataset, key };
}
