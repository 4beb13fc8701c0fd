/** The worker as it would be deployed: one bundle, so that starting hundreds of processes costs a fraction of the time. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import { asDeployed } from '../../bundles/build.ts';
import { readManifests, repositoryRoot } from '../../local/manifests.ts';
import type { FunctionFolder } from '../../local/manifests.ts';
import { withoutGuard } from '../mutants.ts';
import type { Mutant } from '../mutants.ts';

export interface WorkerBundle {
  readonly file: string;
  readonly functions: readonly FunctionFolder[];
}

/** Housekeeping that an onboarding relies on. */
const housekeeping: readonly string[] = ['outbox-sweeper', 'resume-waits'];

/** Bundles every function of onboarding into `outDir`, with one guard taken out when a mutant is named. */
export async function buildWorker(outDir: string, mutant?: Mutant): Promise<WorkerBundle> {
  const functions = (await readManifests()).filter(
    ({ folder, manifest }) => folder.startsWith('functions/provisioning/') || housekeeping.includes(manifest.name),
  );
  const names = functions.map(({ manifest }) => manifest.name);
  const entry = [
    `import { serveFunctions } from ${JSON.stringify(join(import.meta.dirname, 'worker-main.ts'))};`,
    ...functions.map(({ indexPath }) => `import ${JSON.stringify(indexPath)};`),
    `serveFunctions(${JSON.stringify(names)});`,
  ];
  const file = join(outDir, 'worker.mjs');
  await build({
    ...asDeployed,
    stdin: { contents: entry.join('\n'), resolveDir: repositoryRoot },
    outfile: file,
    plugins: [...asDeployed.plugins, ...(mutant === undefined ? [] : [mutated(mutant)])],
  });
  return { file, functions };
}

/** Applies a mutant to its file while that is bundled. */
function mutated(mutant: Mutant): Plugin {
  const file = join(repositoryRoot, mutant.file);
  return {
    name: mutant.name,
    setup(bundling) {
      bundling.onLoad({ filter: /\.ts$/ }, async ({ path }) =>
        path === file ? { contents: withoutGuard(mutant, await readFile(path, 'utf8')), loader: 'ts' } : undefined,
      );
    },
  };
}
