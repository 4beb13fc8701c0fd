/**
 * `npm run build [-- --check]`: each function as a folder `dist/<name>/` with only what it imports, ready for
 * `gcloud functions deploy` or `functions-framework --source dist/<name> --target <name>`. functions-framework itself
 * stays outside: the function must register with the copy that serves it.
 *
 * A folder holds `index.js`, the chunks it loads (those behind a dynamic import are read when they are needed, which is
 * what keeps a cold start short), source maps, `package.json`, `LICENSES.txt`, and the script that fills its compile cache.
 */
import { copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import type { BuildOptions, Metafile, Plugin } from 'esbuild';
import { readManifests, repositoryRoot } from '../local/manifests.ts';
import { checkBundles } from './check.ts';
import { fileApart, lazyModules } from './lazy-modules.ts';
import { compileCacheScript, gcpBuild } from './compile-cache.ts';
import { licencesOf } from './licences.ts';
import { trimmedProtos } from './trimmed-protos.ts';

const framework = '@google-cloud/functions-framework';

/** What bundled CommonJS packages expect around them and an ES module does not have. */
const commonJsScope = `import { createRequire as kobiCreateRequire } from 'node:module';
import { fileURLToPath as kobiFileURLToPath } from 'node:url';
import { dirname as kobiDirname } from 'node:path';
const require = kobiCreateRequire(import.meta.url);
const __filename = kobiFileURLToPath(import.meta.url);
const __dirname = kobiDirname(__filename);`;

/** Google's ES modules read JSON of their own package by path when they are loaded. In a bundle it must lie inside. */
const jsonOfPackages: Plugin = {
  name: 'json-of-packages',
  setup(bundling) {
    const esm = /[\\/]@google-cloud[\\/][^\\/]+[\\/]build[\\/]esm[\\/].*\.js$/;
    bundling.onLoad({ filter: esm }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const read = /getJSON\(path\.join\(dirname, ((?:'[^']+'(?:, )?)+)\)\)/g;
      const contents = source.replaceAll(read, (_call, parts: string) => {
        const segments = parts.split(', ').map((part) => part.slice(1, -1));
        // Relative, so that a bundle is called the same on every machine: esbuild's names come from what it was given.
        return `require(${JSON.stringify(`./${segments.join('/')}`)})`;
      });
      if (contents.includes('getJSON(')) throw new Error(`${path} reads a file in a way that no bundle can hold`);
      return { contents, loader: 'js' };
    });
  },
};

/** How code is bundled wherever it runs as it does in the cloud. */
export const asDeployed = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  banner: { js: commonJsScope },
  plugins: [jsonOfPackages, lazyModules, trimmedProtos],
  minifySyntax: true,
  minifyWhitespace: true,
  // Names are not shortened, so errors and classes are called in logs as they are here; only of two alike in one bundle the
  // second gets a number. Keeping that one too (`keepNames`) would cost every start a fiftieth.
  logLevel: 'warning',
} satisfies BuildOptions;

/** A function to bundle. */
export interface BundleSource {
  readonly name: string;
  /** Absolute path of the file that registers it. */
  readonly indexPath: string;
}

/** One folder of `dist/`. */
export interface Bundle {
  readonly name: string;
  readonly folder: string;
  /** Code that is loaded before the function can answer. */
  readonly startBytes: number;
  /** All its code, what is loaded when needed included. */
  readonly bytes: number;
  /** Source files in it, relative to the repository, and how many bytes each takes. */
  readonly inputs: ReadonlyMap<string, number>;
  /** The same, of what is loaded at start only. */
  readonly startInputs: ReadonlyMap<string, number>;
}

/** Bundles functions into `outDir/<name>/`. All at once: what they share is read once. */
export async function buildBundles(sources: readonly BundleSource[], outDir: string): Promise<Bundle[]> {
  const staging = join(outDir, '.all');
  const metafile = await bundleTogether(sources, staging);
  const versions = await dependencyVersions();
  const outputs = outputsOf(metafile);
  const bundles: Bundle[] = [];
  for (const { name } of sources) {
    const folder = join(outDir, name);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const entry = `${name}.js`;
    const all = reached(outputs, entry, ['import-statement', 'dynamic-import']);
    const files = await joined(join(staging, entry), folder);
    const inputs = inputsOf(outputs, all);
    let bytesApart = 0;
    for (const file of [...inputs.keys()].flatMap((path) => fileApart(path) ?? [])) {
      await copyFile(join(staging, file), join(folder, file));
      bytesApart += (await stat(join(folder, file))).size;
    }
    const atStart = reached(outputs, entry, ['import-statement']);
    await writeFile(join(folder, 'LICENSES.txt'), await licencesOf([...inputs.keys()], repositoryRoot));
    await writeFile(join(folder, 'package.json'), packageJson(name, versions));
    const { name: scriptName, code: script } = compileCacheScript(name);
    await writeFile(join(folder, scriptName), script);
    const bytesOf = (kinds: readonly string[]): number =>
      reached(files, 'index.js', kinds).reduce((sum, file) => sum + (files.get(file)?.bytes ?? 0), 0);
    bundles.push({
      name,
      folder,
      startBytes: bytesOf(['import-statement']),
      bytes: bytesOf(['import-statement', 'dynamic-import']) + bytesApart,
      inputs,
      startInputs: inputsOf(outputs, atStart),
    });
  }
  await rm(staging, { recursive: true });
  return bundles;
}

/**
 * What all bundles share lies in dozens of chunks; a bundle alone has few, because its chunks are joined that are needed
 * at the same moment. A start reads each file apart: fifty cost a tenth of its time.
 */
async function joined(entryPath: string, folder: string): Promise<Outputs> {
  const { metafile } = await build({
    entryPoints: [{ in: entryPath, out: 'index' }],
    outdir: folder,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: asDeployed.target,
    format: 'esm',
    external: [framework],
    minifyWhitespace: true,
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    absWorkingDir: repositoryRoot,
    logLevel: 'warning',
  });
  return outputsOf(metafile);
}

function outputsOf({ outputs }: Metafile): Outputs {
  return new Map(Object.entries(outputs).map(([path, output]) => [basename(path), output]));
}

/**
 * The code of all bundles in one folder, `<name>.js` each, with what they share lying there once.
 *
 * @param outside packages left out besides functions-framework
 */
export async function bundleTogether(
  sources: readonly BundleSource[],
  outDir: string,
  outside: readonly string[] = [],
): Promise<Metafile> {
  const { metafile } = await build({
    ...asDeployed,
    entryPoints: sources.map(({ name, indexPath }) => ({ in: indexPath, out: name })),
    outdir: outDir,
    splitting: true,
    external: [framework, ...outside],
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    absWorkingDir: repositoryRoot,
  });
  await checkLateImports(metafile);
  return metafile;
}

/**
 * A CommonJS package that is imported late has in a bundle no names, only a default: `(await import('undici')).Pool` would
 * be undefined there, and there only.
 *
 * @throws Error that names the file and the import
 */
async function checkLateImports({ inputs }: Metafile): Promise<void> {
  for (const [path, { imports }] of Object.entries(inputs)) {
    if (path.startsWith('node_modules/')) continue;
    const source = await readFile(join(repositoryRoot, path), 'utf8');
    for (const { kind, path: imported, original = imported } of imports) {
      if (kind !== 'dynamic-import' || inputs[imported]?.format !== 'cjs') continue;
      const name = original.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
      const takesDefault = new RegExp(
        String.raw`\{ default: \w+ \} = await import\('${name}'\)|import\('${name}'\)\.then\(\s*\(\{ default: `,
      );
      if (!takesDefault.test(source)) {
        throw new Error(`${path}: write const { default: library } = await import('${original}'): it is CommonJS`);
      }
    }
  }
}

type Outputs = ReadonlyMap<string, Metafile['outputs'][string]>;

/** The entry and every output it imports, by the given kinds of import, through any number of others. */
function reached(outputs: Outputs, entry: string, kinds: readonly string[]): string[] {
  const found = new Set([entry]);
  for (const file of found) {
    for (const { path, kind, external } of outputs.get(file)?.imports ?? []) {
      if (external !== true && kinds.includes(kind)) found.add(basename(path));
    }
  }
  return [...found];
}

function inputsOf(outputs: Outputs, files: readonly string[]): Map<string, number> {
  const inputs = new Map<string, number>();
  for (const file of files) {
    for (const [path, { bytesInOutput }] of Object.entries(outputs.get(file)?.inputs ?? {})) {
      inputs.set(path, (inputs.get(path) ?? 0) + bytesInOutput);
    }
  }
  return inputs;
}

async function dependencyVersions(): Promise<Record<string, string>> {
  const text = await readFile(join(repositoryRoot, 'package.json'), 'utf8');
  return (JSON.parse(text) as { dependencies: Record<string, string> }).dependencies;
}

function packageJson(name: string, versions: Readonly<Record<string, string>>): string {
  const content = {
    name,
    private: true,
    type: 'module',
    main: 'index.js',
    engines: { node: '24' },
    scripts: { 'gcp-build': gcpBuild },
    dependencies: { [framework]: versions[framework] },
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** Every function of the repository into `dist/`; with `--check`, each is then started and must answer. */
async function main(check: boolean): Promise<void> {
  const dist = join(repositoryRoot, 'dist');
  await rm(dist, { recursive: true, force: true });
  const folders = await readManifests();
  const sources = folders.map(({ manifest, indexPath }) => ({ name: manifest.name, indexPath }));
  const bundles = await buildBundles(sources, dist);
  const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`;
  for (const { name, startBytes, bytes } of bundles) {
    process.stdout.write(`dist/${name}  ${kib(startBytes)} at start, ${kib(bytes)} in all\n`);
  }
  if (!check) return;
  const problems = await checkBundles(
    folders.map(({ manifest }) => manifest),
    dist,
  );
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.stdout.write(`${bundles.length - problems.length} of ${bundles.length} bundles start and answer\n`);
  if (problems.length > 0) process.exitCode = 1;
}

if (import.meta.main) await main(process.argv.includes('--check'));
