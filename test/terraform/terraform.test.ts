/**
 * The infrastructure without a cloud: every .tf file parsed by HashiCorp's parser, every argument held against the
 * provider's schema, every instance worked out and held against the manifests, for each environment. Then broken on
 * purpose, to see each check catch what it is for.
 */
import { cp, glob, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FunctionManifest } from '../../shared/contracts/function-manifest.ts';
import { productIndexes } from '../local/google/firestore/indexes.ts';
import { readManifests, repositoryRoot } from '../local/manifests.ts';
import { checkArguments, plan, readConfiguration, readVariables } from './configuration.ts';
import type { Configuration, Plan } from './configuration.ts';
import { policyProblems } from './policy.ts';
import { readProviderSchema } from './schema.ts';
import { text } from './value.ts';
import type { Values } from './value.ts';
import { wiringProblems } from './wiring.ts';
import { secretUsesOf } from './wiring/secrets.ts';

const schema = readProviderSchema();
const environments = ['dev', 'prod'];

async function variablesOf(environment: string, manifests: readonly FunctionManifest[]): Promise<Values> {
  const bundles = Object.fromEntries(manifests.map(({ name }) => [name, `${name}/${'0'.repeat(64)}.zip`]));
  return { ...(await readVariables(join(repositoryRoot, 'terraform/env', `${environment}.tfvars`))), bundles };
}

const placeOf = (given: Values): { projectId: string; deployer: string } => ({
  projectId: text(given['project_id']),
  deployer: text(given['deployer']),
});

/** Every check on a repository's infrastructure; each problem in words. */
async function problemsOf(root: string, environment = 'prod'): Promise<string[]> {
  const manifests = (await readManifests(root)).map(({ manifest }) => manifest);
  const configuration = await readConfiguration(join(root, 'terraform'));
  const unknown = checkArguments(configuration, schema);
  if (unknown.length > 0) return unknown;
  const given = await variablesOf(environment, manifests);
  const planned = plan(configuration, given, schema);
  return [
    ...wiringProblems(planned, { manifests, indexes: productIndexes(), ...placeOf(given) }),
    ...policyProblems(planned, manifests),
  ];
}

let manifests: FunctionManifest[];
let configuration: Configuration;
beforeAll(async () => {
  manifests = (await readManifests()).map(({ manifest }) => manifest);
  configuration = await readConfiguration(join(repositoryRoot, 'terraform'));
});

test('every block sets what the provider requires and nothing it does not know', () => {
  expect(checkArguments(configuration, schema)).toEqual([]);
});

test('the provider is pinned to the version whose schema the arguments are held against', () => {
  const [{ google } = { google: { version: '' } }] = configuration.terraform['required_providers'] as {
    google: { version: string };
  }[];
  expect(google.version).toBe(schema.provider_version);
});

describe.each(environments)('%s', (environment) => {
  let planned: Plan;
  let given: Values;
  beforeAll(async () => {
    given = await variablesOf(environment, manifests);
    planned = plan(configuration, given, schema);
  });

  test('makes what the manifests ask for, set as they say, and nothing else', () => {
    const expectations = { manifests, indexes: productIndexes(), ...placeOf(given) };
    expect(wiringProblems(planned, expectations)).toEqual([]);
  });

  test('gives no right that is wider than its use', () => {
    expect(policyProblems(planned, manifests)).toEqual([]);
  });

  test('has no name that changes from one run to the next', () => {
    const random = planned.instances.filter(({ type }) => type.startsWith('random_') || type.startsWith('time_'));
    expect(random).toEqual([]);
    expect(JSON.stringify(planned.instances)).not.toMatch(/timestamp\(|uuid\(/);
  });
});

test('the table of functions/tokens/README.md says of each secret who reads, adds and ends it, as the manifests do', async () => {
  const readme = await readFile(join(repositoryRoot, 'functions/tokens/README.md'), 'utf8');
  const rows = readme.matchAll(/^\| `([\w{}-]+)` +\|[^|]*\|([^|]*)\|([^|]*)\|([^|]*)\|$/gm);
  const named = (cell: string): string[] => Array.from(cell.matchAll(/`([\w-]+)`/g), ([, name = '']) => name).sort();
  const users = (id: string, ...uses: string[]): string[] =>
    manifests
      .filter((manifest) => secretUsesOf(manifest).some(([secret, use]) => secret === id && uses.includes(use)))
      .map(({ name }) => name)
      .sort();
  for (const [, id = '', readers = '', adders = '', enders = ''] of rows) {
    expect({ id, readers: named(readers), adders: named(adders), enders: named(enders) }).toEqual({
      id,
      readers: users(id, 'read', 'list'),
      adders: users(id, 'add'),
      enders: users(id, 'retire'),
    });
  }
});

describe('a repository with a fault', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'kobi-terraform-'));
    for (const file of await readdir(join(repositoryRoot, 'terraform')))
      if (/\.(tf|json|rules)$/.test(file))
        await cp(join(repositoryRoot, 'terraform', file), join(root, 'terraform', file));
    for await (const path of glob('functions/*/*/function.json', { cwd: repositoryRoot }))
      await cp(join(repositoryRoot, path), join(root, path));
  });
  afterAll(() => rm(root, { recursive: true }));

  /** What the checks say when one file is changed like this. */
  async function problemsWith(path: string, change: (text: string) => string): Promise<string> {
    const file = join(root, path);
    const whole = await readFile(file, 'utf8').catch(() => '');
    const changed = change(whole);
    expect(changed, `the change to ${path}`).not.toBe(whole);
    await writeFile(file, changed);
    try {
      return (await problemsOf(root)).join('\n');
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      if (whole === '') await rm(file);
      else await writeFile(file, whole);
    }
  }
  const inManifest =
    (change: (manifest: Record<string, unknown>) => void) =>
    (text: string): string => {
      const manifest = JSON.parse(text) as Record<string, unknown>;
      change(manifest);
      return JSON.stringify(manifest);
    };
  const deliver = 'functions/relay/capi-deliver/function.json';

  test('is none to begin with', async () => {
    expect(await problemsOf(root)).toEqual([]);
  });

  test.each<[string, string, (text: string) => string, string]>([
    [
      'a manifest that is not right',
      deliver,
      inManifest((m) => void (m['memoryMiB'] = 300)),
      'capi-deliver/function.json: memoryMiB',
    ],
    [
      'a variable left without a value',
      'terraform/functions.tf',
      (text) => text.replace(/ +META_APP_ID .*\n/, ''),
      'function token-check: META_APP_ID has no value (local.environment in functions.tf)',
    ],
    [
      'a public function without a reason',
      'functions/relay/capi-relay/function.json',
      inManifest((m) => delete m['publicBecause']),
      'capi-relay: publicBecause says why anybody may call it',
    ],
    [
      'a right to a secret the function does not use',
      'functions/relay/relay-admin/function.json',
      inManifest((m) => void (m['secretUses'] = { 'meta-app-secret': ['read'] })),
      'relay-admin: secretUses names meta-app-secret, which is not among its secrets',
    ],
    [
      'a missing dead letter',
      'terraform/subscriptions.tf',
      (text) => text.replace('[each.value.maxAttempts]', '[]'),
      'subscription capi-deliver: max_delivery_attempts is null, expected 20',
    ],
    [
      'no right to move dead letters',
      'terraform/dead-letters.tf',
      (text) => text.replace('if can(function.maxAttempts)', 'if name != "capi-deliver" && can(function.maxAttempts)'),
      'capi-deliver roles/pubsub.subscriber',
    ],
    [
      'a subscription that expires',
      'terraform/subscriptions.tf',
      (text) => text.replace('ttl = ""', 'ttl = "2678400s"'),
      'ttl is "2678400s", expected ""',
    ],
    [
      'an ack deadline shorter than the work',
      'terraform/subscriptions.tf',
      (text) => text.replace('each.value.timeoutSeconds + 30', 'each.value.timeoutSeconds - 100'),
      'subscription capi-deliver: ack_deadline_seconds 200 is shorter than the function may take (300)',
    ],
    [
      'a queue that gives tasks up',
      'terraform/queues.tf',
      (text) => text.replace('max_attempts       = -1', 'max_attempts       = 100'),
      'max_attempts is 100, expected -1',
    ],
    [
      'a publisher nobody asked for',
      'terraform/manifest.tf',
      (text) =>
        text.replace(
          'for topic in function.emits :',
          'for topic in distinct(concat(function.emits, ["tenant-live"])) :',
        ),
      'capi-relay to tenant-live as roles/pubsub.publisher is there, and no manifest asks for it',
    ],
    [
      'a job in another time zone',
      'terraform/schedules.tf',
      (text) => text.replace('each.value.trigger.timeZone', '"Europe/Istanbul"'),
      'job token-check: time_zone is "Europe/Istanbul", expected "Etc/UTC"',
    ],
    [
      'a missing index',
      'terraform/firestore.indexes.json',
      (text) => {
        const file = JSON.parse(text) as { indexes: object[] };
        return JSON.stringify({ ...file, indexes: file.indexes.slice(1) });
      },
      'composite indexes: ',
    ],
    [
      'a basic role',
      'terraform/firestore.tf',
      (text) => text.replace('roles/datastore.user', 'roles/editor'),
      'roles/editor is a basic role over everything',
    ],
    [
      'an over-wide role',
      'terraform/topics.tf',
      (text) => text.replace('roles/pubsub.publisher', 'roles/pubsub.admin'),
      'roles/pubsub.admin is none of the roles this module gives',
    ],
    [
      'a narrow role on the whole project',
      'terraform/firestore.tf',
      (text) => text.replace(/ {2}condition \{[^]*?\n {2}\}\n/, ''),
      'roles/datastore.user is given on a project without a condition',
    ],
    [
      'a wildcard in a role of ours',
      'terraform/secrets.tf',
      (text) => text.replace('["secretmanager.versions.list"]', '["secretmanager.*"]'),
      '"secretmanager.*" is none of the permissions our own roles hold',
    ],
    [
      'a function opened to anybody',
      'terraform/manifest.tf',
      (text) => text.replace('if function.callers == "public"', 'if contains(["public", "iam"], function.callers)'),
      'allUsers may only call functions whose manifest says public',
    ],
    [
      'an unknown argument',
      'terraform/topics.tf',
      (text) => text.replace('  name = each.key\n', '  name = each.key\n  retention = "1s"\n'),
      'google_pubsub_topic.topic.retention: no such argument; there are ',
    ],
    [
      'an unknown argument in a dynamic block',
      'terraform/subscriptions.tf',
      (text) => text.replace('max_delivery_attempts =', 'max_attempts ='),
      'google_pubsub_subscription.push.dead_letter_policy.max_attempts: no such argument',
    ],
    [
      'a required argument left out',
      'terraform/subscriptions.tf',
      (text) => text.replace(/ {4}ttl = ""\n/, ''),
      'google_pubsub_subscription.push.expiration_policy.ttl: required, and not there',
    ],
    [
      'a value the provider does not list',
      'terraform/firestore.tf',
      (text) => text.replace('"PESSIMISTIC"', '"HOPEFUL"'),
      '"HOPEFUL" is none of OPTIMISTIC, PESSIMISTIC',
    ],
    [
      'a reference to nothing',
      'terraform/queues.tf',
      (text) => text.replace('google_service_account.tasks.name', 'google_service_account.task.name'),
      'google_service_account.task is not declared',
    ],
    [
      'a reference to an attribute that is not there',
      'terraform/queues.tf',
      (text) => text.replace('google_service_account.tasks.name', 'google_service_account.tasks.address'),
      'google_service_account.tasks has no attribute "address"',
    ],
    [
      'a column the code does not know',
      'terraform/warehouse.json',
      (text) => text.replaceAll('"shared_purchases"', '"retail_purchases"'),
      'columns of google_bigquery_table.reporting["insights_daily"]: shared_purchases NUMERIC REQUIRED is missing',
    ],
    [
      'a user of the warehouse that does not say so',
      'functions/reporting/reports/function.json',
      inManifest((m) => delete m['warehouse']),
      'reports: who reads BIGQUERY_LOCATION says what it does with the warehouse',
    ],
    ['HCL that is none', 'terraform/apis.tf', (text) => text.replace('locals {', 'locals ('), 'apis.tf'],
    [
      'a key in a file',
      'terraform/new.tf',
      () =>
        'resource "google_service_account_key" "k" {\n  service_account_id = google_service_account.tasks.name\n}\n',
      'google_service_account_key',
    ],
  ])('%s is caught', async (_what, path, change, message) => {
    expect(await problemsWith(path, change)).toContain(message);
  });
});
