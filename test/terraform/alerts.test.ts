/** Alerts are about lines that are really logged and metrics that exist, and each has its runbook. */
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readManifests, repositoryRoot } from '../local/manifests.ts';
import { plan, readConfiguration, readVariables } from './configuration.ts';
import type { Plan } from './configuration.ts';
import { text } from './value.ts';
import type { Values } from './value.ts';

/** Google's own metrics that are used, with what they are of. Source: Google Cloud metrics list. */
const googleMetrics: Readonly<Record<string, string>> = {
  'run.googleapis.com/request_count': 'cloud_run_revision',
  'run.googleapis.com/request_latencies': 'cloud_run_revision',
  'run.googleapis.com/container/instance_count': 'cloud_run_revision',
  'pubsub.googleapis.com/subscription/oldest_unacked_message_age': 'pubsub_subscription',
  'cloudtasks.googleapis.com/queue/depth': 'cloud_tasks_queue',
};

let planned: Plan;
let names: string[];
let code: string;
beforeAll(async () => {
  names = (await readManifests()).map(({ manifest }) => manifest.name);
  const bundles = Object.fromEntries(names.map((name) => [name, name]));
  const variables = await readVariables(join(repositoryRoot, 'terraform/env/prod.tfvars'));
  planned = plan(await readConfiguration(join(repositoryRoot, 'terraform')), { ...variables, bundles });
  code = '';
  for await (const path of glob('{functions,shared}/**/*.ts', { cwd: repositoryRoot }))
    if (!path.endsWith('.test.ts')) code += await readFile(join(repositoryRoot, path), 'utf8');
});

/** Every monitoring filter of alerts, SLOs and the dashboard. */
function filters(): string[] {
  const used = [...planned.of('google_monitoring_alert_policy'), ...planned.of('google_monitoring_slo')];
  const [board] = planned.of('google_monitoring_dashboard');
  const all = JSON.stringify(used.map(({ values }) => values)) + text(board?.values['dashboard_json']);
  return Array.from(all.matchAll(/metric\.type=(?:\\)+"[^}]*?"(?=[,}])/g), ([filter]) =>
    filter.replaceAll(/\\+"/g, '"'),
  );
}

test('every line that is counted is one the code logs', () => {
  const logged = planned
    .of('google_logging_metric')
    .flatMap(({ values }) =>
      Array.from(text(values['filter']).matchAll(/jsonPayload\.message="([^"]+)"/g), ([, message = '']) => message),
    );
  expect(logged.length).toBeGreaterThan(10);
  expect(logged.filter((message) => !code.includes(`'${message}'`))).toEqual([]);
});

test('every metric that the dashboard asks for in PromQL is one of ours, a distribution', () => {
  const own = planned
    .of('google_logging_metric', 'measure')
    .map(({ values }) => text(values['name']).replaceAll(/[/-]/g, '_'));
  const [board] = planned.of('google_monitoring_dashboard');
  const asked = Array.from(
    text(board?.values['dashboard_json']).matchAll(/logging_googleapis_com:user_(\w+)_sum\{/g),
    ([, name = '']) => name,
  );
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter((name) => !own.includes(name))).toEqual([]);
});

test('every metric that is looked at exists, of the kind of resource it is asked of', () => {
  const own = planned.of('google_logging_metric').map(({ values }) => text(values['name']));
  const found = filters();
  expect(found.length).toBeGreaterThan(20);
  for (const filter of found) {
    const type = /metric\.type="([^"]+)"/.exec(filter)?.[1] ?? '';
    const mine = type.replace('logging.googleapis.com/user/', '');
    const resource = type === mine ? googleMetrics[type] : own.includes(mine) ? 'cloud_run_revision' : undefined;
    expect(resource, `the metric ${type}`).toBeDefined();
    expect(filter).toContain(`resource.type="${resource}"`);
  }
});

test('every function, subscription and queue that is looked at exists', () => {
  const subjects = filters().flatMap((filter) =>
    Array.from(
      filter.matchAll(/resource\.label\.(?:service_name|subscription_id)="([^"]+)"/g),
      ([, name = '']) => name,
    ),
  );
  expect(subjects.filter((name) => !names.includes(name))).toEqual([]);
});

test('a month that costs too much is told where the alerts are, and stops nothing', () => {
  const [budget, ...others] = planned.of('google_billing_budget');
  expect(others).toEqual([]);
  const [told] = (budget?.values['all_updates_rule'] ?? []) as readonly Values[];
  const [alert] = planned.of('google_monitoring_alert_policy');
  expect(told?.['monitoring_notification_channels']).toEqual(alert?.values['notification_channels']);
  expect(told?.['pubsub_topic'] ?? null).toBeNull();
});

describe('runbooks', () => {
  test('every alert names a heading that is there', async () => {
    const alerts = planned.of('google_monitoring_alert_policy');
    expect(alerts.length).toBeGreaterThan(10);
    for (const { values } of alerts) {
      const [documentation] = values['documentation'] as readonly Values[];
      const [, page = '', heading = ''] = /(functions\/\S+\.md)#(\S+)$/.exec(text(documentation?.['content'])) ?? [];
      expect(heading).toBe(values['display_name']);
      expect(await readFile(join(repositoryRoot, page), 'utf8'), page).toContain(`\n## ${heading}\n`);
    }
  });

  test('every heading is an alert, and says what it means, where to look and what to do', async () => {
    const alerts = planned.of('google_monitoring_alert_policy').map(({ values }) => text(values['display_name']));
    for await (const page of glob('functions/*/RUNBOOK.md', { cwd: repositoryRoot })) {
      const sections = (await readFile(join(repositoryRoot, page), 'utf8')).split(/^## /m).slice(1);
      for (const section of sections) {
        expect(alerts).toContain(section.split('\n', 1)[0]);
        expect(section).toMatch(/\*\*Means:\*\*[^]*\*\*Look( and do)?:\*\*/);
        expect(section).toMatch(/\*\*(Do|Look and do):\*\*/);
      }
    }
  });
});
