/**
 * What a cold start takes: time and processor from starting the process to listening, and to the first answer, and the
 * memory it then holds. Everything as a ratio to a functions-framework hello world that is started between ours, because
 * absolute times say more about the machine than about us; on a machine with other work, processor time says more than
 * time. Ours have their compile cache, as when they are deployed; hello world has none.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildBundles } from '../bundles/build.ts';
import { fillCompileCache } from '../bundles/compile-cache.ts';
import { serveOnce } from '../bundles/serve.ts';
import type { ServedBundle } from '../bundles/serve.ts';
import { startGoogleServices } from '../local/google-services.ts';
import { readManifests, repositoryRoot } from '../local/manifests.ts';

const runs = 5;
const bar = 2;

interface ColdStart {
  readonly name: string;
  readonly ratio: number;
  readonly atMost: number;
}

export async function run(): Promise<ColdStart[]> {
  const outDir = await mkdtemp(join(repositoryRoot, 'node_modules', '.kobi-build-'));
  const google = await startGoogleServices('embedded');
  try {
    const hello = { name: 'hello-world', indexPath: join(import.meta.dirname, 'fixtures', 'hello-world.ts') };
    const functions = await readManifests();
    const sources = functions.map(({ manifest, indexPath }) => ({ name: manifest.name, indexPath }));
    const bundles = await buildBundles([hello, ...sources], outDir);
    const start = (name: string, trigger: (typeof functions)[number]['manifest']['trigger']): Promise<ServedBundle> =>
      serveOnce({ folder: join(outDir, name), name, trigger, google });
    const results: ColdStart[] = [];
    console.log('  | function | at start, KiB | in all, KiB | listens | first answer | processor | memory |');
    console.log('  | --- | ---: | ---: | ---: | ---: | ---: | ---: |');
    for (const { manifest } of functions) {
      await fillCompileCache(join(outDir, manifest.name));
      const [ours, world]: [ServedBundle[], ServedBundle[]] = [[], []];
      for (let i = 0; i < runs; i += 1) {
        world.push(await start('hello-world', { http: ['/'] }));
        ours.push(await start(manifest.name, manifest.trigger));
      }
      // The quickest of each: what else the machine does makes a start slower, and never quicker.
      const ratio = (of: (served: ServedBundle) => number): number =>
        Math.min(...ours.map(of)) / Math.min(...world.map(of));
      const listens = ratio((served) => served.listensAfterMs);
      const answers = ratio((served) => served.answersAfterMs);
      const processor = ratio((served) => served.answersCpuMs || 1);
      const memory = ratio((served) => served.residentBytes ?? 1);
      const bundle = bundles.find(({ name }) => name === manifest.name);
      const kib = (bytes = 0): string => (bytes / 1024).toFixed(0);
      const cells = [
        kib(bundle?.startBytes),
        kib(bundle?.bytes),
        ...[listens, answers, processor, memory].map((each) => `${each.toFixed(2)}×`),
      ];
      console.log(`  | \`${manifest.name}\` | ${cells.join(' | ')} |`);
      results.push(
        { name: `${manifest.name}: time to listen`, ratio: listens, atMost: bar },
        { name: `${manifest.name}: resident memory`, ratio: memory, atMost: bar },
      );
      // Where it takes no call to Firestore, which hello world does not make either.
      if ('http' in manifest.trigger)
        results.push({ name: `${manifest.name}: time to first answer`, ratio: answers, atMost: bar });
    }
    return results;
  } finally {
    await google.close();
    await rm(outDir, { recursive: true });
  }
}
