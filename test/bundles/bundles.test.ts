import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { OnLoadOptions, PluginBuild } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { delayedRetryQueue } from '../../shared/runtime/delayed-retry.ts';
import { googleLibraryEnvironment } from '../local/environment.ts';
import { startEmbeddedCloudTasks } from '../local/google/cloud-tasks/embedded-cloud-tasks.ts';
import { createQueue } from '../local/platform.ts';
import { readManifests, repositoryRoot } from '../local/manifests.ts';
import { asDeployed, buildBundles } from './build.ts';
import type { Bundle } from './build.ts';
import { checkBundles } from './check.ts';
import { compileCacheOf } from './compile-cache.ts';
import { licencesOf } from './licences.ts';

/** One of each trigger; `npm run build -- --check` starts all of them. */
const sample = ['tenant-api', 'capi-deliver', 'outbox-sweeper'];
const manifests = (await readManifests()).filter(({ manifest }) => sample.includes(manifest.name));

let dist: string;
let bundles: readonly Bundle[];

beforeAll(async () => {
  Object.assign(process.env, googleLibraryEnvironment);
  // Inside the repository, so that the one package left out of the bundle is found as it is after a deployment.
  dist = await mkdtemp(join(repositoryRoot, 'node_modules', '.kobi-build-'));
  bundles = await buildBundles(
    manifests.map(({ manifest, indexPath }) => ({ name: manifest.name, indexPath })),
    dist,
  );
}, 120_000);

afterAll(() => rm(dist, { recursive: true, force: true }));

test(
  'a bundle of each kind of trigger starts under functions-framework and answers',
  { timeout: 120_000 },
  async () => {
    expect(
      await checkBundles(
        manifests.map(({ manifest }) => manifest),
        dist,
      ),
    ).toEqual([]);
  },
);

test('a bundle built as in the cloud has a compile cache of what it loads', async () => {
  for (const { folder } of bundles) {
    const files = await readdir(compileCacheOf(folder), { recursive: true, withFileTypes: true });
    // The framework and express, the bundle, and its chunks.
    expect(files.filter((file) => file.isFile()).length).toBeGreaterThan(50);
  }
});

test('a bundle that cannot start is told, by name', { timeout: 60_000 }, async () => {
  const broken = await mkdtemp(join(repositoryRoot, 'node_modules', '.kobi-build-'));
  try {
    const [folder] = manifests;
    const { manifest } = folder!;
    await buildBundles([{ name: manifest.name, indexPath: folder!.indexPath }], broken);
    await writeFile(join(broken, manifest.name, 'index.js'), 'throw new Error("planted");\n');
    expect(await checkBundles([manifest], broken)).toEqual([expect.stringContaining(manifest.name)]);
  } finally {
    await rm(broken, { recursive: true });
  }
});

test('a bundle schedules a delayed retry: Google’s Cloud Tasks client finds inside what it reads when it is loaded', async () => {
  const cloudTasks = await startEmbeddedCloudTasks();
  const folder = await mkdtemp(join(repositoryRoot, 'node_modules', '.kobi-build-'));
  try {
    await createQueue('kobi-local', 'europe-west1', cloudTasks.host);
    const indexPath = join(import.meta.dirname, 'fixtures/schedule-a-task.ts');
    await buildBundles([{ name: 'schedule-a-task', indexPath }], folder);
    const script = join(folder, 'schedule-a-task/index.js');
    const { stdout } = await promisify(execFile)(process.execPath, [script, cloudTasks.host, delayedRetryQueue]);
    expect(stdout).toBe('scheduled\n');
    expect(cloudTasks.pending()).toHaveLength(1);
  } finally {
    await rm(folder, { recursive: true });
    await cloudTasks.close();
  }
}, 60_000);

test('what lies beside a bundle, because no function asks for it, is there and runs when one does', async () => {
  const folder = await mkdtemp(join(repositoryRoot, 'node_modules', '.kobi-build-'));
  try {
    const indexPath = join(import.meta.dirname, 'fixtures/encode-a-secret.ts');
    await buildBundles([{ name: 'encode-a-secret', indexPath }], folder);
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'encode-a-secret/index.js')]);
    expect(stdout).toBe('projects/p/secrets/s\n');
  } finally {
    await rm(folder, { recursive: true });
  }
}, 60_000);

test('a CommonJS package that is loaded late and asked for a name, which no bundle would find, stops the build', async () => {
  const folder = await mkdtemp(join(repositoryRoot, 'node_modules', '.kobi-build-'));
  try {
    const indexPath = join(import.meta.dirname, 'fixtures/late-by-name.ts');
    await expect(buildBundles([{ name: 'late-by-name', indexPath }], folder)).rejects.toThrow(
      "test/bundles/fixtures/late-by-name.ts: write const { default: library } = await import('undici'): it is CommonJS",
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('what esbuild is given names no folder of this machine: a bundle is called the same wherever it is built', async () => {
  const outdir = await mkdtemp(join(tmpdir(), 'kobi-plugins-'));
  const paths = new Set(bundles.flatMap(({ inputs }) => [...inputs.keys()].map((path) => join(repositoryRoot, path))));
  let given = 0;
  for (const plugin of asDeployed.plugins) {
    const loaders: { filter: RegExp; load: (file: { path: string }) => Promise<{ contents: string }> }[] = [];
    const onLoad = ({ filter }: OnLoadOptions, load: (typeof loaders)[number]['load']) =>
      loaders.push({ filter, load });
    await plugin.setup({ onLoad, initialOptions: { outdir } } as unknown as PluginBuild);
    for (const { filter, load } of loaders) {
      for (const path of [...paths].filter((each) => filter.test(each))) {
        expect((await load({ path })).contents, path).not.toContain(repositoryRoot);
        given += 1;
      }
    }
  }
  expect(given).toBeGreaterThan(10);
  await rm(outdir, { recursive: true });
});

test('a bundle holds what its function imports, and not what the others do', () => {
  const inputsOf = (name: string): string[] => [...bundles.find((bundle) => bundle.name === name)!.inputs.keys()];
  expect(inputsOf('capi-deliver')).toContain('functions/relay/capi-deliver/deliver.ts');
  expect(
    inputsOf('outbox-sweeper').filter((path) => /undici|secret-manager|cloud\/tasks|functions\/relay/.test(path)),
  ).toEqual([]);
});

test('no client but the one of Firestore is loaded before a function listens', () => {
  const clients = /node_modules\/(@google-cloud\/(pubsub|secret-manager|tasks|storage|bigquery)|undici)\//;
  for (const { name, inputs, startInputs } of bundles) {
    expect(
      [...inputs.keys()].some((path) => clients.test(path)),
      name,
    ).toBe(true);
    expect(
      [...startInputs.keys()].filter((path) => clients.test(path)),
      name,
    ).toEqual([]);
  }
});

test('what records spans is in chunks of its own, which nothing loads at start', () => {
  // Google's clients bring OpenTelemetry's interface, which does nothing without a provider; ours are these.
  const tracing = /node_modules\/@opentelemetry\/(sdk-trace|resources|exporter-trace-otlp-http|otlp-[\w-]+)\//;
  for (const { name, inputs, startInputs } of bundles) {
    const [all, atStart] = [inputs, startInputs].map((each) => [...each.keys()].filter((path) => tracing.test(path)));
    expect(all!.length, name).toBeGreaterThan(5);
    expect(atStart, name).toEqual([]);
  }
});

test('a bundle names the licence of every package in it, and maps its code to our files', async () => {
  for (const { folder, inputs } of bundles) {
    const licences = await readFile(join(folder, 'LICENSES.txt'), 'utf8');
    expect(licences).toMatch(/^@google-cloud\/firestore@[\d.]+ \(Apache-2\.0\)$/m);
    expect(licences).toMatch(/^valibot@[\d.]+ \(MIT\)$/m);
    const files = await readdir(folder);
    expect(files.filter((file) => file.endsWith('.js') && !files.includes(`${file}.map`))).toEqual([]);
    expect(inputs.size).toBeGreaterThan(50);
  }
});

test('a package that says nothing about its licence stops the build', async () => {
  const root = await mkdtemp(join(repositoryRoot, 'node_modules', '.kobi-build-'));
  try {
    await mkdir(join(root, 'node_modules', 'unlicensed'), { recursive: true });
    await writeFile(join(root, 'node_modules/unlicensed/package.json'), '{"name":"unlicensed","version":"1.0.0"}');
    await expect(licencesOf(['node_modules/unlicensed/index.js'], root)).rejects.toThrow('unlicensed@1.0.0');
  } finally {
    await rm(root, { recursive: true });
  }
});
