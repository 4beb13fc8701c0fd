/** The numbers that ops-metrics writes are the ones Cloud Logging makes metrics of. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gaugeMessage, gauges } from '../../shared/contracts/metrics.ts';
import { readManifests, repositoryRoot } from '../local/manifests.ts';
import { plan, readConfiguration, readVariables } from './configuration.ts';
import { text } from './value.ts';

test('each gauge has a metric of its name, read from its field of the line, and no metric reads another', async () => {
  const bundles = Object.fromEntries((await readManifests()).map(({ manifest }) => [manifest.name, manifest.name]));
  const variables = await readVariables(join(repositoryRoot, 'terraform/env/prod.tfvars'));
  const planned = plan(await readConfiguration(join(repositoryRoot, 'terraform')), { ...variables, bundles });
  const metrics = planned
    .of('google_logging_metric')
    .filter(({ values }) => text(values['filter']).includes(`jsonPayload.message="${gaugeMessage}"`))
    .map(({ values }) => `${text(values['name'])} ${text(values['value_extractor'])}`);
  expect(metrics.toSorted()).toEqual(
    Object.keys(gauges)
      .map((name) => `meta-ads/${name} EXTRACT(jsonPayload.${name})`)
      .toSorted(),
  );
});
