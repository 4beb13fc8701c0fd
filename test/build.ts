/**
 * `npm run build`: each function as one file in `dist/<name>/`, ready for `gcloud functions deploy` or
 * `functions-framework --source dist/<name> --target <name>`. functions-framework itself stays outside: the function must
 * register with the copy that serves it.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { readManifests, repositoryRoot } from './local/manifests.ts';
import type { FunctionFolder } from './local/manifests.ts';

const framework = '@google-cloud/functions-framework';

/** What bundled CommonJS packages expect around them and an ES module does not have. */
const commonJsScope = `import { createRequire as kobiCreateRequire } from 'node:module';
import { fileURLToPath as kobiFileURLToPath } from 'node:url';
import { dirname as kobiDirname } from 'node:path';
const require = kobiCreateRequire(import.meta.url);
const __filename = kobiFileURLToPath(import.meta.url);
const __dirname = kobiDirname(__filename);`;

/** Bundles one function into `outDir` and returns the size of its code in bytes. */
export async function buildFunction({ manifest, indexPath }: FunctionFolder, outDir: string): Promise<number> {
  await rm(outDir, { recursive: true, force: true });
  await mkdir(outDir, { recursive: true });
  const outfile = join(outDir, 'index.js');
  const { metafile } = await build({
    entryPoints: [indexPath],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    external: [framework],
    banner: { js: commonJsScope },
    sourcemap: true,
    sourcesContent: false,
    minifySyntax: true,
    minifyWhitespace: true,
    // Class and function names stay: error names are compared and logged.
    keepNames: true,
    metafile: true,
    logLevel: 'warning',
    absWorkingDir: repositoryRoot,
  });
  const { dependencies } = JSON.parse(await readFile(join(repositoryRoot, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  await writeFile(
    join(outDir, 'package.json'),
    `${JSON.stringify(
      {
        name: manifest.name,
        private: true,
        type: 'module',
        main: 'index.js',
        engines: { node: '24' },
        dependencies: { [framework]: dependencies[framework] },
      },
      null,
      2,
    )}\n`,
  );
  return Object.values(metafile.outputs).reduce(
    (most, output) => Math.max(most, output.entryPoint ? output.bytes : 0),
    0,
  );
}

/** Bundles every function into `dist/`. */
async function main(): Promise<void> {
  const dist = join(repositoryRoot, 'dist');
  await rm(dist, { recursive: true, force: true });
  for (const folder of await readManifests()) {
    const bytes = await buildFunction(folder, join(dist, folder.manifest.name));
    process.stdout.write(`dist/${folder.manifest.name}  ${(bytes / 1024).toFixed(0)} KiB\n`);
  }
}

if (import.meta.main) await main();
