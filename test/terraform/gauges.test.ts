/** The numbers that ops-metrics writes are the ones Cloud Logging makes metrics of. */
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { gaugeMessage, gauges, measures } from '../../shared/contracts/metrics.ts';
import { readManifests, repositoryRoot } from '../local/manifests.ts';
import { plan, readConfiguration, readVariables } from './configuration.ts';
import type { Plan } from './configuration.ts';
import { text } from './value.ts';
import type { Values } from './value.ts';

let planned: Plan;
beforeAll(async () => {
  const bundles = Object.fromEntries((await readManifests()).map(({ manifest }) => [manifest.name, manifest.name]));
  const variables = await readVariables(join(repositoryRoot, 'terraform/env/prod.tfvars'));
  planned = plan(await readConfiguration(join(repositoryRoot, 'terraform')), { ...variables, bundles });
});

test('each gauge has a metric of its name, read from its field of the line, and no metric reads another', () => {
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

test('each number that the code logs as it happens has its metric: line, field, unit, label', () => {
  const made = planned.of('google_logging_metric', 'measure').map(({ values }) => {
    const [descriptor] = values['metric_descriptor'] as readonly Values[];
    return {
      name: text(values['name']),
      filter: text(values['filter']).replace('resource.type="cloud_run_revision" AND ', ''),
      extracts: text(values['value_extractor']),
      unit: text(descriptor?.['unit'] ?? ''),
      labels: values['label_extractors'],
    };
  });
  const byName = (left: { name: string }, right: { name: string }): number => left.name.localeCompare(right.name);
  expect(made.toSorted(byName)).toEqual(
    Object.entries(measures)
      .map(([name, { message, field, unit, label }]) => ({
        name: `meta-ads/${name}`,
        filter: `jsonPayload.message="${message}"`,
        extracts: `EXTRACT(jsonPayload.${field})`,
        unit,
        labels: label === undefined ? {} : { [label]: `EXTRACT(jsonPayload.${label})` },
      }))
      .toSorted(byName),
  );
});

test('every metric of ours is on the dashboard or in an alert', () => {
  const used = [
    ...planned.of('google_monitoring_alert_policy'),
    ...planned.of('google_monitoring_slo'),
    ...planned.of('google_monitoring_dashboard'),
  ];
  const all = JSON.stringify(used.map(({ values }) => values));
  const isUsed = (name: string): boolean =>
    all.includes(`/user/${name}\\\\\\"`) ||
    all.includes(`/user/${name}\\"`) ||
    all.includes(`:user_${name.replaceAll(/[/-]/g, '_')}_sum{`);
  const names = planned.of('google_logging_metric').map(({ values }) => text(values['name']));
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => !isUsed(name))).toEqual([]);
});
