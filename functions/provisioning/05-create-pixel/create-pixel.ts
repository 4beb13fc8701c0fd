import { paths } from '../../../shared/contracts/documents.ts';
import { defaultRelaySettings } from '../../../shared/contracts/relay-documents.ts';
import type { Dataset, RelayKey } from '../../../shared/contracts/relay-documents.ts';
import { metaObjectName, secretName } from '../../../shared/domain/naming.ts';
import { operatorOn } from '../../../shared/domain/provisioning-path.ts';
import { makeRelayKey, parseRelayKey } from '../../../shared/domain/relay-key.ts';
import { createPixel, readPixels } from '../../../shared/meta/pixels.ts';
import { ensurePixelUser, shareDataset } from '../dataset-access.ts';
import { operatorOf } from '../operator.ts';
import type { StepFactory } from '../services.ts';

/**
 * Creates the ad account's pixel (Meta's dataset), lets the system user send events to it, makes the tenant's first relay
 * key, and opens the relay for the dataset with the vertical's event template. The key lives in Secret Manager; the
 * document holds its hash. A migration keeps the dataset, and with it its history and its keys. (Document, "Onboarding checklist" 5.)
 */
export const createPixelStep: StepFactory<'create-pixel'> = (services) => async (context) => {
  const { secrets, randomBytes } = services;
  const { tenant, run, product, ensure, now } = context;
  const { adAccountId } = product('create-ad-account');
  if (run.migrates !== undefined) {
    const { datasetId, relayKeyId } = run.migrates;
    await shareDataset(services, context, { datasetId, adAccountId });
    return { products: { datasetId, relayKeyId } };
  }
  const operator = await operatorOf(services, context);
  const { graph } = operator;
  const name = metaObjectName(tenant.slug);

  const { datasetId } = await ensure({
    name: 'pixel',
    desired: { adAccountId, name },
    find: async () => {
      const pixel = (await readPixels(graph, adAccountId)).find((candidate) => candidate.name === name);
      return pixel && { datasetId: pixel.id };
    },
    create: async () => ({ datasetId: (await createPixel(graph, { adAccountId, name })).id }),
  });

  await ensurePixelUser(ensure, operator, datasetId);

  const secretId = secretName.relayKey(tenant.tenantId);
  const { relayKeyId, sha256 } = await ensure({
    name: 'relay-key',
    desired: { secretId },
    find: async () => {
      const key = parseRelayKey((await secrets.latest(secretId))?.value ?? '');
      return key && { relayKeyId: key.relayKeyId, sha256: key.sha256 };
    },
    create: async () => {
      const key = makeRelayKey(randomBytes(8), randomBytes(32));
      await secrets.add(secretId, key.key, { tenant: tenant.tenantId, credential: 'relay-key' });
      return { relayKeyId: key.relayKeyId, sha256: key.sha256 };
    },
  });

  const createdAt = now().toISOString();
  const { tenantId, country, vertical } = tenant;
  const dataset: Dataset = {
    datasetId,
    tenantId,
    country,
    vertical,
    createdAt,
    operator: operatorOn(run.path),
    settings: defaultRelaySettings,
  };
  const relayKey: RelayKey = {
    relayKeyId,
    tenantId,
    purpose: 'server',
    sha256,
    events: null,
    createdAt,
    createdBy: 'create-pixel',
    notAfter: null,
    revokedAt: null,
  };
  return {
    products: { datasetId, relayKeyId },
    writes: [
      { path: paths.dataset(datasetId), data: dataset },
      { path: paths.relayKey(relayKeyId), data: relayKey },
    ],
  };
};
