/**
 * `node terraform/release/bundles.ts`, after `npm run build`: each function's bundle as a zip file that is named by its
 * content, in `dist/releases/`, and `terraform/bundles.auto.tfvars.json`, which says which is whose. The same code gives
 * the same names, on any machine, so Terraform deploys only what changed.
 */
import { createHash } from 'node:crypto';
import { glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { zipSync } from 'fflate';
import type { Zippable } from 'fflate';

const root = join(import.meta.dirname, '..', '..');
/** Zip files carry times, in local time and from 1980 on; this one is the same everywhere. */
const noTime = (): Date => new Date(1980, 0, 1);

/**
 * Packs every folder of `dist` in `names`; returns function → object name, `capi-relay/<sha256>.zip`.
 *
 * @throws when a function has no bundle
 */
export async function packBundles(
  dist: string,
  names: readonly string[],
  out: string,
): Promise<Record<string, string>> {
  await rm(out, { recursive: true, force: true });
  const bundles: Record<string, string> = {};
  for (const name of [...names].sort()) {
    const files: Zippable = {};
    const paths: string[] = [];
    for await (const entry of glob('**/*', { cwd: join(dist, name), withFileTypes: true }))
      if (entry.isFile()) paths.push(join(entry.parentPath, entry.name).slice(join(dist, name).length + 1));
    if (paths.length === 0) throw new Error(`${name} has no bundle in ${dist}: run npm run build`);
    for (const path of paths.sort())
      files[path.split(sep).join('/')] = [await readFile(join(dist, name, path)), { mtime: noTime() }];
    const zip = zipSync(files);
    const object = `${name}/${createHash('sha256').update(zip).digest('hex')}.zip`;
    await mkdir(join(out, name), { recursive: true });
    await writeFile(join(out, object), zip);
    bundles[name] = object;
  }
  return bundles;
}

async function main(): Promise<void> {
  const names: string[] = [];
  for await (const path of glob('functions/*/*/function.json', { cwd: root }))
    names.push((JSON.parse(await readFile(join(root, path), 'utf8')) as { name: string }).name);
  const bundles = await packBundles(join(root, 'dist'), names, join(root, 'dist', 'releases'));
  await writeFile(join(root, 'terraform/bundles.auto.tfvars.json'), `${JSON.stringify({ bundles }, null, 2)}\n`);
  process.stdout.write(`${Object.keys(bundles).length} bundles in dist/releases\n`);
}

if (import.meta.main) await main();
