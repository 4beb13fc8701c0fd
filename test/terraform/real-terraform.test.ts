/**
 * Terraform's own binary, where one is installed, over the stand-in provider: it finds the files well formed and valid,
 * and plans what our own reading of them says. Where there is none these tests are skipped; the others do without it.
 */
import { execFile } from 'node:child_process';
import { cp, glob, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readManifests, repositoryRoot } from '../local/manifests.ts';
import { plan, readConfiguration, readVariables } from './configuration.ts';
import { readProviderSchema } from './schema.ts';
import { startStandInProvider } from './stand-in-provider.ts';
import type { StandInProvider } from './stand-in-provider.ts';
import { isObject } from './value.ts';

const run = promisify(execFile);
const version = await run('terraform', ['version', '-json']).then(
  ({ stdout }) => (JSON.parse(stdout) as { terraform_version: string }).terraform_version,
  () => undefined,
);
const needed = version !== undefined;
const reason = 'no terraform on the path';

let root: string;
let provider: StandInProvider;
const schema = readProviderSchema();

async function terraform(...args: string[]): Promise<string> {
  try {
    const { stdout } = await run('terraform', args, {
      cwd: join(root, 'terraform'),
      env: { ...process.env, ...provider.environment },
      maxBuffer: 2 ** 26,
    });
    return stdout;
  } catch (error) {
    // What is wrong with the configuration stands in its output, not in its error output.
    const said = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    throw new Error(`terraform ${args[0] ?? ''} failed: ${said.slice(0, 2_000)}`, { cause: error });
  }
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'kobi-real-terraform-'));
  provider = await startStandInProvider(schema, { google_project: { id: 'projects/p', number: '123456789012' } });
  const files = [
    'terraform/*.tf',
    'terraform/{firestore,warehouse}.*',
    'terraform/env/*',
    'functions/*/*/function.json',
  ];
  for await (const path of glob(files, { cwd: repositoryRoot })) await cp(join(repositoryRoot, path), join(root, path));
  // The state of a plan that is thrown away needs no bucket.
  await writeFile(join(root, 'terraform/backend_override.tf'), 'terraform {\n  backend "local" {}\n}\n');
});
afterAll(async () => {
  provider.close();
  await rm(root, { recursive: true });
});

test('every .tf file is formatted as terraform fmt would', async ({ skip }) => {
  skip(!needed, reason);
  expect(
    (await run('terraform', ['fmt', '-recursive', '-write=false', '-list=true', 'terraform'], { cwd: repositoryRoot }))
      .stdout,
  ).toBe('');
});

test(
  'terraform plans, for production, what the tests hold against the manifests',
  { timeout: 120_000 },
  async ({ skip }) => {
    skip(!needed, reason);
    const names = (await readManifests()).map(({ manifest }) => manifest.name);
    const bundles = Object.fromEntries(names.map((name) => [name, `${name}/bundle.zip`]));
    await writeFile(join(root, 'terraform/bundles.auto.tfvars.json'), JSON.stringify({ bundles }));
    await terraform('init', '-input=false');
    expect(JSON.parse(await terraform('validate', '-json'))).toMatchObject({
      valid: true,
      error_count: 0,
      warning_count: 0,
    });
    await terraform('plan', '-input=false', '-var-file=env/prod.tfvars', '-out=planned');
    const shown = JSON.parse(await terraform('show', '-json', 'planned')) as {
      planned_values: { root_module: { resources: { address: string; values: unknown }[] } };
    };

    const configuration = await readConfiguration(join(root, 'terraform'));
    const given = { ...(await readVariables(join(root, 'terraform/env/prod.tfvars'))), bundles };
    const ours = plan(configuration, given, schema).instances.filter(({ mode }) => mode === 'managed');
    const theirs = shown.planned_values.root_module.resources;
    expect(theirs.map(({ address }) => address).sort()).toEqual(ours.map(({ address }) => address).sort());
    for (const { address, values } of ours) {
      const planned = leaves(theirs.find((each) => each.address === address)?.values);
      const certain = leaves(values).filter((leaf) => !uncertain.test(leaf));
      expect(
        planned.filter((leaf) => !uncertain.test(leaf)),
        address,
      ).toEqual(certain);
    }
  },
);

/**
 * What Terraform does not know yet: what only Google knows, addresses of accounts and names of roles, which we know
 * beforehand, and a map with such a value in it, which Terraform does not show at all.
 */
const uncertain = /‹|\.iam\.gserviceaccount\.com|\.environment_variables\.|\/roles\/kobi/;

/** Every plain value with its path, without the places in lists: Terraform orders sets in its own way. */
function leaves(value: unknown, path = ''): string[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((each) => leaves(each, path)).sort();
  if (!isObject(value)) return [`${path}=${JSON.stringify(value)}`];
  return Object.entries(value)
    .flatMap(([name, each]) => leaves(each, `${path}.${name}`))
    .sort();
}
